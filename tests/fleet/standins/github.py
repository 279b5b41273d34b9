"""GitHub, as its OAuth applications and the people who log in by them see it: github.com and, below /api/v3, its API.

Sources: docs.github.com, "Authorizing OAuth apps", "Troubleshooting OAuth app access token request errors",
"REST API endpoints for organization members". The API's address is that of GitHub Enterprise Server, which is where
oauthenticator asks when ``github_url`` is not github.com.
"""

import base64
import hashlib
import html
import json
import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from tornado.web import RequestHandler

from tests.fleet.standins.server import Routes, StandIn


@dataclass
class Account:
    """A person at GitHub."""

    login: str
    password: str
    id: int
    #: Without a public one, applications have to ask for it.
    email: str
    organizations: set[str] = field(default_factory=set)
    #: Of the applications that they let in: client ids.
    granted: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class App:
    """An OAuth application that somebody has registered."""

    name: str
    callback: str
    client_id: str
    client_secret: str

    def takes(self, redirect: str) -> bool:
        """Host and port have to be the callback's, the path at or below its path."""
        wanted, given = urlsplit(self.callback), urlsplit(redirect)
        below = given.path == wanted.path or given.path.startswith(wanted.path.rstrip("/") + "/")
        return (wanted.scheme, wanted.netloc) == (given.scheme, given.netloc) and below


@dataclass(frozen=True)
class Code:
    """What an application trades for a token, once."""

    app: App
    account: Account
    redirect: str
    scopes: tuple[str, ...]
    challenge: str
    expires: float


@dataclass(frozen=True)
class Token:
    account: Account
    scopes: tuple[str, ...]


class GitHub(StandIn):
    """Accounts and applications are made here, before or while it serves."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.apps: dict[str, App] = {}
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Token] = {}
        self.sessions: dict[str, Account] = {}
        #: Seconds.
        self.code_lifetime = 600.0

    def join(self, login: str, *organizations: str) -> Account:
        """Someone opens an account, a member of these organisations."""
        name = login.lower()  # GitHub's logins are the same in any case
        account = Account(login, f"{name} at GitHub", 1000 + len(self.accounts), f"{name}@example.org")
        account.organizations |= set(organizations)
        self.accounts[name] = account
        return account

    def register(self, name: str, callback: str) -> App:
        """Someone registers an OAuth application."""
        app = App(name, callback, f"Ov23{secrets.token_hex(8)}", secrets.token_hex(20))
        self.apps[app.client_id] = app
        return app

    def routes(self) -> Routes:
        about: dict[str, object] = {"github": self}
        return [
            (r"/login/oauth/authorize", _Authorize, about),
            (r"/session", _Session, about),
            (r"/login/oauth/access_token", _AccessToken, about),
            (r"/api/v3/user", _User, about),
            (r"/api/v3/user/emails", _Emails, about),
            (r"/api/v3/user/orgs", _Organizations, about),
            (r"/api/v3/orgs/([^/]+)/members/([^/]+)", _Member, about),
            (r"/api/v3/orgs/([^/]+)/public_members/([^/]+)", _PublicMember, about),
        ]


class _Handler(RequestHandler):
    def initialize(self, github: GitHub) -> None:
        self.github = github

    def set_default_headers(self) -> None:
        self.set_header("X-Frame-Options", "deny")


# -- what a person sees


class _Page(_Handler):
    @property
    def person(self) -> Account | None:
        return self.github.sessions.get(self.get_cookie("user_session", "") or "")

    def show(self, title: str, body: str) -> None:
        self.finish(
            f"<!doctype html><html lang='en'><title>{html.escape(title)}</title>"
            f"<body><h1>{html.escape(title)}</h1>{body}</body></html>"
        )


class _Authorize(_Page):
    def get(self) -> None:
        app = self.github.apps.get(self.get_query_argument("client_id", ""))
        if app is None:
            self.set_status(404)
            return self.show("Page not found", "")
        if not app.takes(self.get_query_argument("redirect_uri", app.callback)):
            about = "The redirect_uri is not associated with this application."
            return self.send_back(app.callback, error="redirect_uri_mismatch", error_description=about)
        if self.person is None:
            return self.show("Sign in to GitHub", _sign_in_form(self.request.uri or "", app, ""))
        if app.client_id not in self.person.granted:
            asked = html.escape(self.get_query_argument("scope", "") or "public data only")
            return self.show(
                f"Authorize {app.name}",
                f"<p>{html.escape(app.name)} wants to access the account of {html.escape(self.person.login)}: "
                f"{asked}</p><form method='post'><button id='authorize'>Authorize</button></form>",
            )
        return self.let_in(app, self.person)

    def post(self) -> None:
        """The button on the page above, whose address the form goes to."""
        app = self.github.apps[self.get_query_argument("client_id")]
        if self.person is None:
            return self.send_error(401)
        self.person.granted.add(app.client_id)
        return self.let_in(app, self.person)

    def let_in(self, app: App, person: Account) -> None:
        redirect = self.get_query_argument("redirect_uri", app.callback)
        if not app.takes(redirect):
            return self.send_error(422)
        code = secrets.token_hex(10)
        self.github.codes[code] = Code(
            app, person, redirect,
            scopes=tuple(self.get_query_argument("scope", "").replace(",", " ").split()),
            challenge=self.get_query_argument("code_challenge", ""),
            expires=time.monotonic() + self.github.code_lifetime,
        )  # fmt: skip
        return self.send_back(redirect, code=code)

    def send_back(self, redirect: str, **query: str) -> None:
        state = self.get_query_argument("state", "")
        query |= {"state": state} if state else {}
        self.redirect(f"{redirect}{'&' if '?' in redirect else '?'}{urlencode(query)}")


class _Session(_Page):
    def post(self) -> None:
        account = self.github.accounts.get(self.get_body_argument("login").lower())
        back = self.get_body_argument("return_to")
        if account is None or account.password != self.get_body_argument("password"):
            self.show("Sign in to GitHub", _sign_in_form(back, None, "Incorrect username or password."))
            return
        session = secrets.token_hex(16)
        self.github.sessions[session] = account
        self.set_cookie("user_session", session, httponly=True, secure=True, samesite="Lax")
        self.redirect(back if back.startswith("/login/oauth/authorize?") else "/")


def _sign_in_form(back: str, app: App | None, complaint: str) -> str:
    return (
        f"<p id='complaint'>{html.escape(complaint)}</p>"
        f"<p>{f'to continue to {html.escape(app.name)}' if app else ''}</p>"
        "<form method='post' action='/session'>"
        f"<input type='hidden' name='return_to' value='{html.escape(back)}'>"
        "<input id='login_field' name='login' autocomplete='username'>"
        "<input id='password' name='password' type='password'>"
        "<button id='sign-in'>Sign in</button></form>"
    )


# -- what an application asks


class _AccessToken(_Handler):
    """Answers mistakes with 200 and an error in the body, as GitHub does."""

    def post(self) -> None:
        app = self.github.apps.get(self.get_body_argument("client_id", ""))
        if app is None or not secrets.compare_digest(app.client_secret, self.get_body_argument("client_secret", "")):
            return self.tell(
                error="incorrect_client_credentials",
                error_description="The client_id and/or client_secret passed are incorrect.",
            )
        code = self.github.codes.pop(self.get_body_argument("code", ""), None)
        if code is None or code.app != app or time.monotonic() >= code.expires:
            return self.refuse_code()
        if self.get_body_argument("redirect_uri", code.redirect) != code.redirect:
            return self.tell(
                error="redirect_uri_mismatch",
                error_description="The redirect_uri MUST match the registered callback URL for this application.",
            )
        if code.challenge and code.challenge != _challenge(self.get_body_argument("code_verifier", "")):
            return self.refuse_code()
        token = f"gho_{secrets.token_hex(18)}"
        self.github.tokens[token] = Token(code.account, code.scopes)
        return self.tell(access_token=token, token_type="bearer", scope=",".join(code.scopes))

    def refuse_code(self) -> None:
        self.tell(error="bad_verification_code", error_description="The code passed is incorrect or expired.")

    def tell(self, **answer: str) -> None:
        if "json" in self.request.headers.get("Accept", ""):
            self.set_header("Content-Type", "application/json; charset=utf-8")
            self.finish(json.dumps(answer))
        else:
            self.set_header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
            self.finish(urlencode(answer))


def _challenge(verifier: str) -> str:
    """RFC 7636, method S256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class _Api(_Handler):
    token: Token

    def prepare(self) -> None:
        scheme, _, word = self.request.headers.get("Authorization", "").partition(" ")
        token = self.github.tokens.get(word)
        if scheme.lower() not in ("bearer", "token") or token is None:
            self.tell({"message": "Bad credentials"}, 401)
            return
        self.token = token
        self.set_header("X-OAuth-Scopes", ", ".join(token.scopes))

    def tell(self, answer: object, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(answer))

    def missing(self) -> None:
        self.tell({"message": "Not Found"}, 404)


class _User(_Api):
    def get(self) -> None:
        account = self.token.account
        self.tell({"login": account.login, "id": account.id, "type": "User", "name": None, "email": None})


class _Emails(_Api):
    def get(self) -> None:
        if {"user", "user:email"}.isdisjoint(self.token.scopes):
            return self.missing()
        address = self.token.account.email
        return self.tell([{"email": address, "primary": True, "verified": True, "visibility": "private"}])


class _Organizations(_Api):
    def get(self) -> None:
        if "read:org" not in self.token.scopes:
            return self.tell([])
        return self.tell([{"login": name} for name in sorted(self.token.account.organizations)])


class _Member(_Api):
    def get(self, organization: str, login: str) -> None:
        """Members see each other; for others, and without the scope, membership is private."""
        if "read:org" not in self.token.scopes or organization not in self.token.account.organizations:
            return self.redirect(f"/api/v3/orgs/{organization}/public_members/{login}")
        account = self.github.accounts.get(login.lower())
        if account is None or organization not in account.organizations:
            return self.missing()
        self.set_status(204)
        return None


class _PublicMember(_Api):
    def get(self, organization: str, login: str) -> None:
        self.missing()
