"""Launches from an LMS without a browser: as they should be, and as attackers would have them.

The list `FORGED` is the issue's, each with the status that refuses it: see `hubfleet_hub.launch`.
"""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jwt
import requests

from tests.fleet.standins.lms import CLAIM, Asked, Key, Lms, Person, Tool

NONE = object()
"""Instead of a claim's value: the claim is left out."""


@dataclass
class Click:
    """Somebody clicks on a course's link, in the browser that ``web`` is. The LMS knows them already."""

    lms: Lms
    tool: Tool
    person: Person
    web: requests.Session

    def begin(self, target: str = "", method: str = "POST", **changes: str | None) -> Asked:
        """The first step: what the tool then asks of the LMS."""
        return Asked.of(self.initiate(target, method, **changes).headers["Location"])

    def initiate(self, target: str = "", method: str = "POST", **changes: str | None) -> requests.Response:
        """The click itself, with these fields changed or (None) left out; the answer sends the browser to the LMS."""
        fields = {**self.lms.initiation(self.tool, self.person, target), **changes}
        said = {name: value for name, value in fields.items() if value is not None}
        query, body = (said, None) if method == "GET" else (None, said)
        return self.web.request(method, self.tool.initiation, query, body, allow_redirects=False, timeout=60)

    def claims(self, asked: Asked, **changes: object) -> dict[str, Any]:
        """The LMS's; names of ``changes`` that are LTI's own go without their long beginning."""
        claims = self.lms.claims(self.tool, self.person, asked.nonce)
        for name, value in changes.items():
            claim = CLAIM + name if CLAIM + name in claims else name
            if value is NONE:
                del claims[claim]
            else:
                claims[claim] = value
        return claims

    def send(self, asked: Asked, token: str) -> requests.Response:
        """The last step."""
        return self.post(asked.redirect_uri, state=asked.state, id_token=token)

    def post(self, url: str, **fields: str) -> requests.Response:
        return self.web.post(url, data=fields, allow_redirects=False, timeout=60)

    def launch(self, target: str = "", /, **changes: object) -> requests.Response:
        """All of it, with these claims changed and signed by the LMS."""
        asked = self.begin(target)
        return self.send(asked, self.lms.key.sign(self.claims(asked, **changes)))


@dataclass(frozen=True)
class Forged:
    """A launch that must not succeed, and how it is refused: the page holds these words."""

    name: str
    status: int
    words: str
    make: Callable[[Click], requests.Response]


def _changed(name: str, status: int, words: str, **changes: object) -> Forged:
    """Signed by the LMS all the same."""
    return Forged(name, status, words, lambda click: click.launch(**changes))


def _without(name: str, words: str = "") -> Forged:
    return _changed(f"without {name}", 400, words or name, **{name: NONE})


def _at(name: str, words: str, issued: int, expires: int) -> Forged:
    """Times in seconds from now."""

    def make(click: Click) -> requests.Response:
        now = int(time.time())
        return click.launch(iat=now + issued, exp=now + expires)

    return Forged(name, 401, words, make)


def _signed(name: str, words: str, sign: Callable[[Click, dict[str, Any]], str], status: int = 401) -> Forged:
    def make(click: Click) -> requests.Response:
        asked = click.begin()
        return click.send(asked, sign(click, click.claims(asked)))

    return Forged(name, status, words, make)


def _by_another_key(click: Click, claims: dict[str, Any]) -> str:
    return Key().sign(claims)


def _by_another_key_of_its_name(click: Click, claims: dict[str, Any]) -> str:
    key = Key()
    key.id = click.lms.key.id
    return key.sign(claims)


def _by_public_key(click: Click, claims: dict[str, Any]) -> str:
    """The public key as the secret of HS256. By hand: no library signs so any more."""
    header = {"alg": "HS256", "typ": "JWT", "kid": click.lms.key.id}
    parts = ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))
    return f"{parts}.{_base64(hmac.digest(click.lms.key.public_pem, parts.encode(), hashlib.sha256))}"


def _by_nobody(click: Click, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", "none", {"kid": click.lms.key.id})


def _altered(click: Click, claims: dict[str, Any]) -> str:
    header, _, signature = click.lms.key.sign(claims).split(".")
    return ".".join((header, _base64(json.dumps({**claims, "email": "teacher@example.org"}).encode()), signature))


def _without_key_id(click: Click, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, click.lms.key.private, "RS256")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _replayed_nonce(click: Click) -> requests.Response:
    """A launch that was good once, brought to a login begun later."""
    first = click.begin()
    token = click.lms.key.sign(click.claims(first))
    assert click.send(first, token).status_code == 302
    click.web.cookies.clear()
    return click.send(click.begin(), token)


def _replayed_state(click: Click) -> requests.Response:
    """The same launch again, by the same browser."""
    asked = click.begin()
    token = click.lms.key.sign(click.claims(asked))
    assert click.send(asked, token).status_code == 302
    click.web.cookies.clear()
    return click.send(asked, token)


def _replayed_with_cookies(click: Click) -> requests.Response:
    """The same launch again, by someone who kept the browser's cookies too."""
    asked = click.begin()
    kept = click.web.cookies.copy()
    token = click.lms.key.sign(click.claims(asked))
    assert click.send(asked, token).status_code == 302
    click.web.cookies = kept
    return click.send(asked, token)


def _of_another_browser(click: Click) -> requests.Response:
    """An attacker has a victim's browser finish the login that the attacker began."""
    asked = click.begin()
    click.web.cookies.clear()
    return click.send(asked, click.lms.key.sign(click.claims(asked)))


def _of_another_login(click: Click) -> requests.Response:
    """Two logins begun in one browser: the launch of one with the state of the other."""
    first, second = click.begin(), click.begin()
    return click.send(replace(first, state=second.state), click.lms.key.sign(click.claims(first)))


def _of_another_tool(click: Click) -> requests.Response:
    """Begun for one tool of the LMS, launched for another: of the same hub too, where it has several clients."""
    others = [client_id for client_id in click.lms.tools if client_id != click.tool.client_id]
    other = others[0] if others else click.lms.enter("another tool", "https://other.example.org/").client_id
    return click.launch(aud=other, azp=other)


def _for_several(click: Click) -> requests.Response:
    return click.launch(aud=[click.tool.client_id, "another-client"], azp=NONE)


def _field_missing(name: str) -> Forged:
    def make(click: Click) -> requests.Response:
        asked = click.begin()
        fields = {"state": asked.state, "id_token": click.lms.key.sign(click.claims(asked))}
        return click.post(asked.redirect_uri, **{key: value for key, value in fields.items() if key != name})

    return Forged(f"a launch without its {name}", 400, name, make)


_BEGIN = "this browser did not begin it"

FORGED = [
    _signed("wrong key", "a key that the LMS does not have", _by_another_key),
    _signed("wrong key under the name of the LMS's", "its signature is wrong", _by_another_key_of_its_name),
    _signed("HS256 with the public key", "not signed with RS256", _by_public_key),
    _signed("alg none", "not signed with RS256", _by_nobody),
    _signed("altered after it was signed", "its signature is wrong", _altered),
    _signed("no key id", "does not say which", _without_key_id, 400),
    _signed("no token", "no signed token", lambda *_: "launch", 400),
    _at("expired", "it has expired", -300, -120),
    _at("issued in the future", "dated in the future", 120, 300),
    _at("issued too long ago", "signed it too long ago", -7200, 300),
    _changed("wrong issuer", 401, "another issuer", iss="https://evil.example.org"),
    _changed("wrong audience", 401, "another client", aud="another-client"),
    Forged("several audiences and none authorized", 400, "azp", _for_several),
    _changed("authorized for another", 401, "another client", azp="another-client"),
    Forged("begun for another client", 401, "another client", _of_another_tool),
    _changed("wrong nonce", 401, "its nonce", nonce="made-up"),
    Forged("replayed nonce", 401, "its nonce", _replayed_nonce),
    Forged("replayed state", 400, _BEGIN, _replayed_state),
    Forged("replayed state with its cookies", 400, "it was used already", _replayed_with_cookies),
    Forged("begun in another browser", 400, _BEGIN, _of_another_browser),
    Forged("nonce of another login of this browser", 401, "its nonce", _of_another_login),
    _field_missing("state"),
    _field_missing("id_token"),
    _without("iss"),
    _without("aud"),
    _without("exp"),
    _without("iat"),
    _without("nonce"),
    _without("version"),
    _without("message_type"),
    _without("deployment_id"),
    _without("target_link_uri"),
    _without("roles"),
    _without("resource_link"),
    _without("email", "the claim email is missing"),
    _changed("another version", 400, "version", version="1.1"),
    _changed("another message", 400, "message_type", message_type="LtiStartProctoring"),
    _changed("an empty deployment", 400, "deployment_id", deployment_id=""),
    _changed("a resource link without id", 400, "resource_link", resource_link={}),
    _changed("a context that is no object", 400, "context", context="c1"),
    _changed("a name that is a list", 400, "the claim email is missing", email=["a@example.org"]),
]
"""All of it is about a hub whose users are named by the claim ``email``."""
