"""Launches from an LMS, from outside a real hub, with a stand-in LMS over HTTPS."""

# mypy: disable-error-code="import-untyped"

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from tornado.web import HTTPError

from hubfleet_hub.config import VERIFY_USERS, HubConfig
from hubfleet_hub.launch import FETCH_EVERY, Keys, name_in
from tests.fleet.authority import Authority
from tests.fleet.standins.launches import FORGED, Click, Forged
from tests.fleet.standins.lms import CLAIM, Key, Lms, Tool
from tests.hub.running import Hub, free_port


class Edge(HTTPAdapter):
    """The hub's edge, which ends TLS: what is sent to https:// reaches the hub as http://."""

    def send(self, request: Any, **options: Any) -> Any:  # type: ignore[override]
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, **options)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def lms(authority: Authority) -> Iterator[Lms]:
    with Lms().serve(authority) as lms:
        yield lms


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def tool(lms: Lms, port: int) -> Tool:
    url = f"https://127.0.0.1:{port}/"
    lms.enter("another link", url, "second-client")
    return lms.enter("Hub", url, "first-client")


@pytest.fixture(scope="module")
def settings(lms: Lms, tool: Tool) -> dict[str, Any]:
    """Of ``lti13`` in hub.yaml."""
    told = lms.settings(*lms.tools.values())
    return {
        **{key.removeprefix("lti13_"): value for key, value in told.items()},
        "username_claim": "email",
        "leeway": 10,
        "max_age": 600,
        "tool_name": "Hub",
    }


@pytest.fixture(scope="module")
def start(
    site: Any, make: Callable[..., HubConfig], authority: Authority, tool: Tool, settings: dict[str, Any], port: int
) -> Callable[..., Hub]:
    def started(**changes: Any) -> Hub:
        given = {"login": ["lti13"], "native": None, "lti13": settings, "cull__timeout": 0, **changes}
        users = {"users__admins": ["teacher@example.org"], "users__banned": ["banned@example.org"]}
        site.write(make(public_url=tool.target, **users, **given))
        return Hub(site, port, SSL_CERT_FILE=str(authority.certificate))

    return started


@pytest.fixture(scope="module")
def hub(start: Callable[..., Hub]) -> Iterator[Hub]:
    with start() as running:
        yield running


@pytest.fixture
def click(hub: Hub, lms: Lms, tool: Tool, authority: Authority) -> Iterator[Click]:
    yield from clicking(lms, tool, authority, f"student-{time.monotonic_ns()}")


def clicking(lms: Lms, tool: Tool, authority: Authority, login: str) -> Iterator[Click]:
    with requests.Session() as web:
        web.mount(tool.target, Edge())
        web.verify, web.trust_env = str(authority.certificate), False
        yield Click(lms, tool, lms.enrol(login), web)


def page(click: Click, path: str) -> requests.Response:
    return click.web.get(f"{click.tool.target}hub/{path}", allow_redirects=False, timeout=60)


def who(click: Click) -> str:
    """Who the browser is logged in as; empty: nobody."""
    answer = page(click, "api/user")
    name: str = answer.json()["name"] if answer.status_code == 200 else ""
    return name


# --- What is good -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_launch_ends_logged_in_under_the_chosen_claim(click: Click, method: str) -> None:
    asked = click.begin(method=method)
    assert asked.redirect_uri == click.tool.callback
    answer = click.send(asked, click.lms.key.sign(click.claims(asked)))
    assert answer.status_code == 302
    assert who(click) == click.person.email


def test_a_name_is_lower_case_as_jupyterhub_has_it(click: Click) -> None:
    assert click.launch(email="Ann.Lee@Example.org").status_code == 302
    assert who(click) == "ann.lee@example.org"


def test_an_admin_is_known_by_the_claim(click: Click) -> None:
    click.launch(email="teacher@example.org")
    assert page(click, "api/user").json()["admin"] is True
    assert page(click, "admin").status_code == 200


def test_several_logins_can_be_open_in_one_browser(click: Click) -> None:
    first, second = click.begin(), click.begin()
    for asked in (first, second):
        assert click.send(asked, click.lms.key.sign(click.claims(asked))).status_code == 302


def test_a_client_id_need_be_said_only_when_there_are_several(click: Click) -> None:
    assert click.initiate(client_id=None).status_code == 400


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("hub/user-redirect/git-pull?repo=https%3A%2F%2Fgit.example.org%2Fa", "/hub/user-redirect/git-pull?repo="),
        ("?next=%2Fhub%2Fuser-redirect%2Flab%2Ftree%2Fa", "/hub/user-redirect/lab/tree/a"),
        ("hub/lti13/oauth_callback", "/hub/spawn"),
        ("", "/hub/spawn"),
    ],
)
def test_a_link_can_lead_to_a_place_on_the_hub(click: Click, target: str, leads_to: str) -> None:
    assert click.launch(click.tool.target + target).headers["Location"].startswith(leads_to)


@pytest.mark.parametrize(
    "target", ["https://evil.example.org//evil.example.org/", "?next=https://evil.example.org/", "?next=%5C%5Cevil"]
)
def test_no_link_leads_away_from_the_hub(click: Click, target: str) -> None:
    where = target if target.startswith("https") else click.tool.target + target
    answer = click.launch(where)
    assert answer.status_code == 302
    location = answer.headers["Location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


# --- What is not --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: forged.name)
def test_a_forged_launch_is_refused(click: Click, hub: Hub, forged: Forged) -> None:
    before = hub.log.read_text()
    answer = forged.make(click)
    assert answer.status_code == forged.status
    assert forged.words in answer.text
    assert "Go back to your course" in answer.text or "Please tell whoever runs" in answer.text
    assert who(click) == ""
    said = hub.log.read_text()[len(before) :].splitlines()
    (line,) = [line for line in said if f"] {forged.status} POST /hub/lti13/oauth_callback (1" in line]
    assert forged.words in line


def test_a_key_that_the_lms_withdrew_is_worth_nothing(click: Click) -> None:
    assert click.launch().status_code == 302
    old = click.lms.rotate()
    assert click.launch().status_code == 302
    asked = click.begin()
    assert click.send(asked, old.sign(click.claims(asked))).status_code == 401


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iss": "https://evil.example.org"}, "another LMS"),
        ({"client_id": "unknown"}, "a client_id that this hub does not have"),
        ({"iss": None}, "iss"),
        ({"login_hint": None}, "login_hint"),
        ({"target_link_uri": None}, "target_link_uri"),
    ],
)
def test_a_login_that_is_begun_wrongly_goes_nowhere(click: Click, changes: dict[str, Any], words: str) -> None:
    answer = click.initiate(**changes)
    assert answer.status_code == 400
    assert words in answer.text
    assert not [cookie.name for cookie in click.web.cookies if "lti13" in cookie.name]


@pytest.mark.parametrize("name", ["banned@example.org", VERIFY_USERS[0], "a/b", "x" * 200])
def test_whom_the_hub_does_not_want_the_lms_cannot_send(click: Click, name: str) -> None:
    answer = click.launch(email=name)
    assert answer.status_code == 403
    assert "list does not" in answer.text
    assert who(click) == ""


def test_what_the_lms_refuses_is_said(click: Click) -> None:
    asked = click.begin()
    answer = click.post(asked.redirect_uri, error="login_required", state=asked.state)
    assert answer.status_code == 403
    assert "login_required" in answer.text


def test_a_launch_by_a_link_is_none(click: Click) -> None:
    assert click.web.get(click.tool.callback, allow_redirects=False, timeout=60).status_code == 405


@pytest.mark.parametrize(
    ("claim", "name"),
    [("sub", "s1"), ("custom_login", "ada"), ("custom_number", "7"), ("custom_missing", ""), ("given_name", "")],
)
def test_nobody_is_named_by_another_claim_than_the_chosen(claim: str, name: str) -> None:
    said = {"sub": "s1", "email": "a@example.org", CLAIM + "custom": {"login": "ada", "number": 7}}
    if name:
        assert name_in(said, claim) == name
        return
    with pytest.raises(HTTPError) as refused:
        name_in(said, claim)
    assert refused.value.status_code == 400


# --- The LMS's keys -----------------------------------------------------------------------------------------


def test_the_next_login_after_the_lms_rotated_its_key_works(click: Click) -> None:
    assert click.launch().status_code == 302
    click.lms.rotate()
    assert click.launch().status_code == 302
    assert click.launch().status_code == 302


def test_keys_are_asked_for_once_and_not_at_each_launch(click: Click) -> None:
    click.launch()
    fetches = click.lms.key_fetches
    for _ in range(5):
        assert click.launch().status_code == 302
    assert click.lms.key_fetches == fetches


def test_invented_keys_cannot_hammer_the_lms(click: Click) -> None:
    asked = [click.begin() for _ in range(8)]
    fetches, began = click.lms.key_fetches, time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda each: click.send(each, Key().sign(click.claims(each))).status_code, asked))
    assert statuses == {401}
    assert click.lms.key_fetches - fetches <= (time.monotonic() - began) / FETCH_EVERY + 1


def test_while_the_lms_hangs_the_hub_answers_within_a_second(click: Click) -> None:
    assert click.launch().status_code == 302
    click.lms.rotate()  # so that the next launch needs a key that the hub does not have
    asked = click.begin()
    token = click.lms.key.sign(click.claims(asked))
    with ThreadPoolExecutor(1) as pool:
        with click.lms.hang():
            launch = pool.submit(click.send, asked, token)
            slowest = 0.0
            while not launch.done():
                for path in ("login", "api/"):
                    began = time.monotonic()
                    assert requests.get(f"http://{click.tool.target[8:]}hub/{path}", timeout=60).status_code == 200
                    slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1
        assert launch.result().status_code == 504
        assert "does not answer" in launch.result().text
    assert click.launch().status_code == 302


def test_known_keys_are_good_while_the_lms_hangs(click: Click) -> None:
    assert click.launch().status_code == 302
    with click.lms.hang():
        began = time.monotonic()
        assert click.launch().status_code == 302
        assert time.monotonic() - began < 1


def test_an_lms_that_cannot_be_reached_is_said_to_be_so() -> None:
    with pytest.raises(HTTPError) as refused:
        asyncio.run(Keys(f"http://127.0.0.1:{free_port()}/certs").find("any"))
    assert refused.value.status_code == 503


# --- Cookies and pages --------------------------------------------------------------------------------------


def test_only_the_cookie_of_a_login_begun_goes_with_another_sites_requests(click: Click) -> None:
    begun = click.initiate().headers["Set-Cookie"]
    assert begun.startswith("hubfleet-lti13-")
    assert {"HttpOnly", "Secure", "SameSite=None", "Path=/hub/lti13/", "Max-Age=600"} <= set(begun.split("; "))
    click.web.cookies.clear()
    cookies = click.launch().raw.headers.getlist("Set-Cookie")
    (cleared,) = [cookie for cookie in cookies if cookie.startswith("hubfleet-lti13-")]
    assert {"Secure", "SameSite=None"} <= set(cleared.split("; "))
    for cookie in cookies:
        assert cookie is cleared or {"Secure", "SameSite=Lax"} <= set(cookie.split("; "))


def test_a_browser_is_not_filled_with_logins_begun(click: Click) -> None:
    for _ in range(12):
        click.begin()
    assert len([cookie for cookie in click.web.cookies if cookie.name.startswith("hubfleet-lti13-")]) == 8


def test_who_visits_the_hub_directly_is_shown_the_way(click: Click) -> None:
    assert page(click, "lti13/oauth_login").headers["Location"] == "/hub/login"
    text = page(click, "login").text
    assert "Enter from your course" in text
    assert 'href="lti13/setup"' in text
    assert "/hub/lti13/oauth_login" not in text


def test_the_setup_page_says_what_to_enter_in_the_lms(click: Click) -> None:
    answer = page(click, "lti13/setup")
    assert answer.status_code == 200
    clients = ", ".join(click.lms.tools)
    for value in (click.tool.initiation, click.tool.callback, click.tool.target, click.lms.url, clients):
        assert f"<code>{value}</code>" in answer.text


def test_the_setup_page_tells_no_secret(click: Click, hub: Hub) -> None:
    text = page(click, "lti13/setup").text + page(click, "lti13/config").text
    secrets = [path.read_text().strip() for path in (hub.site.root / "secrets").rglob("*") if path.is_file()]
    assert secrets
    assert [value for value in secrets if value in text] == []


def test_an_lms_can_read_what_it_needs(click: Click) -> None:
    told = page(click, "lti13/config").json()
    assert told["oidc_initiation_url"] == click.tool.initiation
    assert told["target_link_uri"] == click.tool.target
    assert told["scopes"] == []
    assert page(click, told["public_jwk_url"].removeprefix(f"{click.tool.target}hub/")).json() == {"keys": []}


def test_no_launch_is_in_the_log(click: Click, hub: Hub) -> None:
    asked = click.begin()
    token = click.lms.key.sign(click.claims(asked))
    click.send(asked, token)
    click.send(asked, token)
    text = hub.log.read_text()
    assert [part for part in token.split(".") if part in text] == []


# --- Last: the hub restarts with another login beside -------------------------------------------------------


def test_beside_a_form_names_keep_apart_and_what_began_before_a_restart_is_void(
    hub: Hub, start: Callable[..., Hub], make: Callable[..., HubConfig], click: Click
) -> None:
    asked = click.begin()
    hub.__exit__()
    native = make().native
    assert native
    hashed = hub.site.run("hubfleet_hub.passwd", "hash", stdin="one-time-1\n").stdout
    hub.site.secret("one-time/teacher-40example-2eorg.hash", hashed.strip())
    with start(login=["native", "lti13"], native=native.model_dump()):
        answer = click.send(asked, click.lms.key.sign(click.claims(asked)))
        assert answer.status_code == 400
        assert "restarted" in answer.text
        text = page(click, "login").text
        assert 'id="password_input"' in text
        assert "Enter from your course" in text
        assert click.launch(email="teacher@example.org").status_code == 302
        assert who(click) == "lti13-teacher@example.org"
        assert page(click, "api/user").json()["admin"] is False
