"""The OAuth login and the one JupyterLab that all share, from outside a real hub, with a GitHub that stands in."""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from hubfleet_hub.config import HubConfig
from tests.fleet.authority import Authority
from tests.fleet.standins.github import App, GitHub
from tests.hub.running import Hub, free_port


class Room:
    """A hub with one JupyterLab, `room`, that can be run again with other settings."""

    def __init__(self, site: Any, make: Callable[..., HubConfig], github: GitHub, authority: Authority) -> None:
        self.site, self.make, self.github, self.authority = site, make, github, authority
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.app: App = github.register("Room", f"{self.url}hub/oauth_callback")
        site.secret("oauth_client_secret", self.app.client_secret)

    def run(self, *organizations: str, **changes: Any) -> Hub:
        """The hub with members of ``organizations`` let in."""
        oauth = {
            "provider": "github",
            "client_id": self.app.client_id,
            "url": self.github.url,
            "allowed_organizations": organizations,
            "traits": {},
        }
        settings: dict[str, Any] = {
            "public_url": self.url,
            "login": ["oauth"],
            "native": None,
            "oauth": oauth,
            "spawner": "shared",
            "shared": {"name": "room", "address": "127.0.0.1"},
            "users__admins": ["grace"],
            "users__allowed": ["ada"],
        }
        self.site.write(self.make(**settings | changes))
        return Hub(self.site, self.port, SSL_CERT_FILE=str(self.authority.certificate))


class Visitor:
    """Someone with a browser of their own and an account at GitHub."""

    def __init__(self, room: Room, login: str) -> None:
        self.room, self.login = room, login
        self.web = requests.Session()
        self.web.verify, self.web.trust_env = str(room.authority.certificate), False

    def log_in(self) -> requests.Response:
        """Press the button on the hub's login page; what the hub answers in the end, not followed."""
        page = self.web.get(f"{self.room.url}hub/login")
        button = re.search(r"href='?\"?([^'\" >]*oauth_login[^'\" >]*)", page.text)
        assert button, page.text
        answer = self._at_github(self.web.get(urljoin(page.url, unescape(button[1])), allow_redirects=False))
        back = re.search(r"name='return_to' value='([^']+)'", answer.text)
        if back:
            form = {"login": self.login, "password": f"{self.login.lower()} at GitHub", "return_to": unescape(back[1])}
            session = self.web.post(f"{self.room.github.url}/session", data=form, allow_redirects=False)
            answer = self._at_github(session)
        if "Authorize Room" in answer.text:
            answer = self._at_github(self.web.post(answer.url, allow_redirects=False))
        return self.web.get(answer.headers["Location"], allow_redirects=False)

    def _at_github(self, answer: requests.Response) -> requests.Response:
        """Follow GitHub's own redirects, to a page of its own or one that leads back to the hub."""
        while answer.is_redirect and not answer.headers["Location"].startswith(self.room.url):
            answer = self.web.get(urljoin(answer.url, answer.headers["Location"]), allow_redirects=False)
        return answer

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        xsrf = {cookie.path: cookie.value for cookie in self.web.cookies if cookie.name == "_xsrf"}
        headers = {"X-XSRFToken": xsrf.get("/hub/") or ""}
        return self.web.request(method, f"{self.room.url}hub/api/{path}", headers=headers, **options)

    def take_token(self) -> str:
        answer = self.api("POST", f"users/{self.login.lower()}/tokens", json={"note": "mine"})
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["token"]
        return token

    def is_in(self) -> bool:
        return self.web.get(f"{self.room.url}hub/home", allow_redirects=False).status_code == 200


@pytest.fixture(scope="module")
def room(site: Any, make: Callable[..., HubConfig], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with GitHub().serve(authority) as github:
        for login, organizations in (("Ada", ()), ("Grace", ()), ("Mallory", ()), ("Member", ("lab",))):
            github.join(login, *organizations)
        yield Room(site, make, github, authority)


@pytest.fixture(scope="module")
def hub(room: Room) -> Iterator[Hub]:
    """The hub, with members of the organisation `lab` let in."""
    with room.run("lab") as hub:
        yield hub


@pytest.fixture
def visitor(room: Room, hub: Hub) -> Callable[[str], Visitor]:
    def come(login: str) -> Visitor:
        visitor = Visitor(room, login)
        answer = visitor.log_in()
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/services/room/"), answer.text
        return visitor

    return come


Come = Callable[[str], Visitor]


def who_is(room: Room, token: str) -> dict[str, Any]:
    """What the hub says of a token's owner; empty when it is worth nothing."""
    answer = requests.get(f"{room.url}hub/api/user", headers={"Authorization": f"token {token}"}, timeout=60)
    model: dict[str, Any] = answer.json() if answer.ok else {}
    return model


def test_whom_the_lists_name_is_let_in_and_lands_in_the_lab(visitor: Come, room: Room) -> None:
    model = who_is(room, visitor("Ada").take_token())
    assert (model["name"], model["admin"], model["groups"]) == ("ada", False, ["members"])
    assert "access:services!service=room" in model["scopes"]


def test_an_admin_is_known_by_name(visitor: Come, room: Room) -> None:
    assert who_is(room, visitor("Grace").take_token())["admin"] is True


def test_a_member_of_the_organisation_is_let_in(visitor: Come, room: Room) -> None:
    assert who_is(room, visitor("Member").take_token())["groups"] == ["members"]


def test_a_stranger_reads_whom_to_ask(room: Room, hub: Hub) -> None:
    mallory = Visitor(room, "Mallory")
    answer = mallory.log_in()
    assert answer.status_code == 403
    assert "not on this hub&#39;s list of people" in answer.text
    assert "ask its administrators to put you there: grace" in answer.text
    assert not mallory.is_in()


@pytest.mark.parametrize("login", ["Ada", "Grace"])
def test_nobody_has_a_server_of_their_own(visitor: Come, login: str) -> None:
    answer = visitor(login).api("POST", f"users/{login.lower()}/server")
    assert answer.status_code == 403


def test_the_hub_s_home_page_leads_to_the_lab_and_offers_no_server(visitor: Come, room: Room) -> None:
    page = visitor("Ada").web.get(f"{room.url}hub/home").text
    assert 'href="/services/room/"' in page
    assert "My Server" not in page


def test_an_admin_reads_why_no_server_starts(visitor: Come) -> None:
    answer = visitor("Grace").api("POST", "users/grace/server")
    assert "all share one JupyterLab" in answer.text


def test_who_is_taken_off_the_list_is_out_with_session_and_token(room: Room, hub: Hub) -> None:
    """Ends and runs the module's hub anew, as a deploy does."""
    ada, grace, member = (Visitor(room, login) for login in ("Ada", "Grace", "Member"))
    for person in (ada, grace, member):
        assert person.log_in().status_code == 302
    tokens = {person: person.take_token() for person in (ada, grace, member)}
    hub.__exit__()
    with room.run("lab", users__allowed=["someone"]):
        assert not ada.is_in()
        assert not who_is(room, tokens[ada])
        assert ada.log_in().status_code == 403
        for person in (grace, member):
            assert person.is_in()
            assert who_is(room, tokens[person])["groups"] == ["members"]
    with room.run("another", users__allowed=["someone"]):
        assert grace.is_in()
        assert not member.is_in()
        assert not who_is(room, tokens[member])
        assert member.log_in().status_code == 403
    hub.__enter__()


def test_who_is_looked_at_again_at_the_provider_stays_a_member(room: Room, hub: Hub) -> None:
    hub.__exit__()
    with room.run("lab", oauth__traits={"enable_auth_state": True, "auth_refresh_age": 1}):
        ada = Visitor(room, "Ada")
        assert ada.log_in().status_code == 302
        token = ada.take_token()
        time.sleep(1.5)
        assert ada.is_in()
        assert who_is(room, token)["groups"] == ["members"]
    hub.__enter__()


def test_a_stranger_called_like_somebody_here_is_not_that_somebody(room: Room, hub: Hub) -> None:
    hub.__exit__()
    native = room.make().native
    assert native is not None
    several = {"login": ["native", "oauth"], "native": native.model_dump(), "users__allowed": ["ada", "github-mallory"]}
    room.site.secret("one-time/grace.hash", "$2b$04$" + "x" * 53)
    with room.run(**several, users__oauth={"ada": "Member"}):
        assert Visitor(room, "Ada").log_in().status_code == 403
        mallory, member = Visitor(room, "Mallory"), Visitor(room, "Member")
        for person in (mallory, member):
            assert person.log_in().status_code == 302
        assert mallory.api("GET", "user").json()["name"] == "github-mallory"
        assert member.api("GET", "user").json()["name"] == "ada"
    hub.__enter__()
