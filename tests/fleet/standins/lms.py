"""A learning management system: courses whose links launch tools, by OIDC third-party login and LTI 1.3.

Sources: 1EdTech Security Framework 1.0 (section 5.1), LTI Core 1.3, OpenID Connect Core 1.0 (3.2.2). It judges what a
tool asks as strictly as Moodle and Canvas do, and holds the private key, so that it can also sign what no LMS would.
"""

import asyncio
import html
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tornado.web import RequestHandler

from tests.fleet.standins.server import Routes, StandIn

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
LIFETIME = 600
"""Seconds for which a launch is good."""


@dataclass(frozen=True)
class Person:
    """Somebody who may log in at the LMS."""

    login: str
    password: str
    sub: str
    email: str
    #: Of the course's custom fields.
    custom: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Tool:
    """A tool that the LMS's administrator has entered."""

    name: str
    initiation: str
    callback: str
    target: str
    client_id: str
    deployment_id: str = "1"


@dataclass(frozen=True)
class Asked:
    """What a tool asks of the authorization endpoint in a person's name."""

    client_id: str
    redirect_uri: str
    login_hint: str
    nonce: str
    state: str

    @classmethod
    def of(cls, url: str) -> "Asked":
        query = parse_qs(urlsplit(url).query)
        return cls(**{name: query[name][0] for name in cls.__dataclass_fields__})


class Key:
    """A key pair under an id."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(8)
        self.private: RSAPrivateKey = generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def jwk(self) -> dict[str, Any]:
        made = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**made, "kid": self.id, "use": "sig", "alg": "RS256"}

    def sign(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, "RS256", {"kid": self.id})


class Lms(StandIn):
    """People are enrolled and tools entered here, before or while it serves."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.tools: dict[str, Tool] = {}
        self.sessions: dict[str, Person] = {}
        self.nonces: set[str] = set()
        self.key = Key()
        self.key_fetches = 0
        self._awake = threading.Event()
        self._awake.set()

    def enrol(self, login: str, email: str = "", **custom: object) -> Person:
        """Someone takes the course; ``custom`` are the custom fields of their launches."""
        sub = secrets.token_hex(6)
        person = Person(login, f"{login} at the LMS", sub, email or f"{login}@example.org", custom)
        self.people[login] = person
        return person

    def enter(self, name: str, hub_url: str, client_id: str = "") -> Tool:
        """The administrator enters a hub as a tool, as its page /hub/lti13/setup says."""
        pages = hub_url.rstrip("/") + "/hub/lti13"
        client_id = client_id or secrets.token_hex(8)
        tool = Tool(name, f"{pages}/oauth_login", f"{pages}/oauth_callback", hub_url, client_id)
        self.tools[client_id] = tool
        return tool

    def settings(self, *tools: Tool) -> dict[str, object]:
        """What the administrator tells a lab: the keys of its inventory."""
        return {
            "lti13_issuer": self.url,
            "lti13_client_ids": [tool.client_id for tool in tools],
            "lti13_authorize_url": f"{self.url}/mod/lti/auth.php",
            "lti13_jwks_url": f"{self.url}/mod/lti/certs.php",
        }

    def rotate(self) -> Key:
        """A new key takes the place of the one in use, which is returned and no longer published."""
        old, self.key = self.key, Key()
        return old

    @contextmanager
    def hang(self) -> Iterator[None]:
        """Connections are taken and nothing is answered."""
        self._awake.clear()
        try:
            yield
        finally:
            self._awake.set()

    @property
    def hangs(self) -> bool:
        return not self._awake.is_set()

    def initiation(self, tool: Tool, person: Person, target: str = "") -> dict[str, str]:
        """What a click on the course's link sends to the tool first."""
        return {
            "iss": self.url,
            "target_link_uri": target or tool.target,
            "login_hint": person.sub,
            "lti_message_hint": f"link-{tool.client_id}",
            "client_id": tool.client_id,
            "lti_deployment_id": tool.deployment_id,
        }

    def claims(self, tool: Tool, person: Person, nonce: str, frame: bool = False) -> dict[str, Any]:
        """What a launch says."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": tool.client_id,
            "azp": tool.client_id,
            "sub": person.sub,
            "iat": now,
            "exp": now + LIFETIME,
            "nonce": nonce,
            "email": person.email,
            "name": person.login.title(),
            CLAIM + "version": "1.3.0",
            CLAIM + "message_type": "LtiResourceLinkRequest",
            CLAIM + "deployment_id": tool.deployment_id,
            CLAIM + "target_link_uri": tool.target,
            CLAIM + "roles": [LEARNER],
            CLAIM + "context": {"id": "c1", "label": "ENG1", "title": "Analytical Engines"},
            CLAIM + "resource_link": {"id": "r1", "title": tool.name},
            CLAIM + "launch_presentation": {"document_target": "iframe" if frame else "window"},
            CLAIM + "tool_platform": {"guid": "lms", "product_family_code": "standin", "version": "1"},
            CLAIM + "custom": person.custom,
        }

    def routes(self) -> Routes:
        about: dict[str, object] = {"lms": self}
        return [
            (r"/login", _Login, about),
            (r"/course", _Course, about),
            (r"/course/embedded/([^/]+)", _Embedded, about),
            (r"/launch/([^/]+)", _Launch, about),
            (r"/mod/lti/auth.php", _Authorize, about),
            (r"/mod/lti/certs.php", _Certs, about),
        ]


class _Handler(RequestHandler):
    def initialize(self, lms: Lms) -> None:
        self.lms = lms

    async def prepare(self) -> None:
        while self.lms.hangs:
            await asyncio.sleep(0.05)

    @property
    def person(self) -> Person | None:
        return self.lms.sessions.get(self.get_cookie("lms_session", "") or "")

    def show(self, title: str, body: str) -> None:
        self.finish(
            f"<!doctype html><html lang='en'><title>{html.escape(title)}</title>"
            f"<body><h1>{html.escape(title)}</h1>{body}</body></html>"
        )

    def send_form(self, url: str, fields: dict[str, str]) -> None:
        """A form that the browser sends by itself."""
        inputs = "".join(
            f"<input type='hidden' name='{html.escape(name)}' value='{html.escape(value)}'>"
            for name, value in fields.items()
        )
        self.show(
            "One moment",
            f"<form id='go' method='post' action='{html.escape(url)}'>{inputs}</form>"
            "<script>document.getElementById('go').submit()</script>",
        )


class _Login(_Handler):
    def get(self, complaint: str = "") -> None:
        self.show(
            "Log in to the LMS",
            f"<p id='complaint'>{complaint}</p><form method='post'>"
            "<input id='username' name='username'><input id='password' name='password' type='password'>"
            "<button id='loginbtn'>Log in</button></form>",
        )

    def post(self) -> None:
        person = self.lms.people.get(self.get_body_argument("username"))
        if person is None or person.password != self.get_body_argument("password"):
            self.set_status(403)
            self.get("Invalid login, please try again")
            return
        session = secrets.token_hex(16)
        self.lms.sessions[session] = person
        # As Moodle's: a tool in a frame of ours sends the browser back here from its own site.
        self.set_cookie("lms_session", session, httponly=True, secure=True, samesite="None")
        self.redirect("/course")


class _Course(_Handler):
    """Each tool's link opens a new window (``#open-CLIENT``), and another the tool inside a page of the LMS."""

    def get(self) -> None:
        if self.person is None:
            self.redirect("/login")
            return
        self.show(
            "Analytical Engines",
            "".join(
                f"<p>{html.escape(tool.name)}: "
                f"<a id='open-{tool.client_id}' target='_blank' href='/launch/{tool.client_id}'>in a new window</a> "
                f"<a id='embed-{tool.client_id}' href='/course/embedded/{tool.client_id}'>here</a></p>"
                for tool in self.lms.tools.values()
            ),
        )


class _Embedded(_Handler):
    def get(self, client_id: str) -> None:
        source = f"/launch/{html.escape(client_id)}?frame=1"
        self.show("Analytical Engines", f"<iframe id='tool' width='1200' height='700' src='{source}'></iframe>")


class _Launch(_Handler):
    """Begins the tool's login: by POST, or with ``?method=get`` by GET; a platform may do either."""

    def get(self, client_id: str) -> None:
        tool = self.lms.tools.get(client_id)
        if self.person is None or tool is None:
            self.send_error(403 if tool else 404)
            return
        fields = self.lms.initiation(tool, self.person, self.get_query_argument("target", ""))
        fields["lti_message_hint"] += "-frame" * bool(self.get_query_argument("frame", ""))
        if self.get_query_argument("method", "post") == "get":
            self.redirect(f"{tool.initiation}?{urlencode(fields)}")
        else:
            self.send_form(tool.initiation, fields)


class _Authorize(_Handler):
    """The authorization endpoint. Who asked is told of mistakes only when it is known who that is."""

    def get(self) -> None:
        tool = self.lms.tools.get(self.get_argument("client_id", ""))
        if tool is None or self.get_argument("redirect_uri", "") != tool.callback:
            self.set_status(400)
            self.show("Unknown tool", "client_id or redirect_uri is not registered")
            return
        state = self.get_argument("state", "")
        if error := self.judge(tool):
            self.send_form(tool.callback, {"error": error, "state": state})
            return
        nonce = self.get_argument("nonce")
        self.lms.nonces.add(nonce)
        assert self.person
        frame = self.get_argument("lti_message_hint").endswith("-frame")
        token = self.lms.key.sign(self.lms.claims(tool, self.person, nonce, frame))
        self.send_form(tool.callback, {"id_token": token, "state": state})

    post = get

    def judge(self, tool: Tool) -> str:
        """What is wrong, in OAuth's and OpenID's words; empty when nothing is."""
        for name, value in {"response_type": "id_token", "response_mode": "form_post", "prompt": "none"}.items():
            if self.get_argument(name, "") != value:
                return "unsupported_response_type" if name == "response_type" else "invalid_request"
        if self.get_argument("scope", "") != "openid":
            return "invalid_scope"
        nonce = self.get_argument("nonce", "")
        if not nonce or nonce in self.lms.nonces or not self.get_argument("state", ""):
            return "invalid_request"
        if self.get_argument("lti_message_hint", "").removesuffix("-frame") != f"link-{tool.client_id}":
            return "invalid_request"
        if self.person is None or self.person.sub != self.get_argument("login_hint", ""):
            return "login_required"
        return ""


class _Certs(_Handler):
    def get(self) -> None:
        self.lms.key_fetches += 1
        self.finish({"keys": [self.lms.key.jwk()]})
