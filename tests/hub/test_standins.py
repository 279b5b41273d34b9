"""The stand-ins that hubs are tested with judge what they are told, as those they stand in for do."""

import re
import ssl
from collections.abc import Iterator
from html import unescape
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import jwt
import pytest
import requests

from tests.fleet.authority import Authority
from tests.fleet.standins.github import App, GitHub
from tests.fleet.standins.lms import Lms, Tool

CALLBACK = "https://hub.example.org/hub/oauth_callback"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def github(authority: Authority) -> Iterator[GitHub]:
    with GitHub().serve(authority) as github:
        github.join("Ada", "engines")
        yield github


@pytest.fixture
def app(github: GitHub) -> App:
    return github.register("hub", CALLBACK)


@pytest.fixture
def web(authority: Authority) -> Iterator[requests.Session]:
    """Somebody's browser."""
    with requests.Session() as web:
        web.verify, web.trust_env = str(authority.certificate), False
        yield web


def code_of(web: requests.Session, github: GitHub, app: App, scope: str = "") -> str:
    """What Ada brings back to the application after she has signed in and let it in."""
    query = {"client_id": app.client_id, "redirect_uri": CALLBACK, "state": "s1", "scope": scope}
    web.cookies.clear()
    sign_in = web.get(f"{github.url}/login/oauth/authorize", params=query)
    back = re.search(r"name='return_to' value='([^']+)'", sign_in.text)
    assert back
    data = {"login": "ada", "password": "ada at GitHub", "return_to": back[1].replace("&amp;", "&")}
    consent = web.post(f"{github.url}/session", data=data)
    assert "Authorize hub" in consent.text
    answer = web.post(consent.url, allow_redirects=False)
    target = urlsplit(answer.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == CALLBACK
    brought = parse_qs(target.query)
    assert brought["state"] == ["s1"]
    return brought["code"][0]


def trade(web: requests.Session, github: GitHub, app: App, code: str, secret: str = "") -> dict[str, str]:
    fields = {"client_id": app.client_id, "client_secret": secret or app.client_secret, "code": code}
    path = f"{github.url}/login/oauth/access_token"
    answer = web.post(path, data=fields, headers={"Accept": "application/json"})
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_whole_dance_ends_with_who_somebody_is(web: requests.Session, github: GitHub, app: App) -> None:
    token = trade(web, github, app, code_of(web, github, app, "read:org user:email"))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    api = f"{github.url}/api/v3"
    assert web.get(f"{api}/user", headers=bearer).json()["login"] == "Ada"
    assert web.get(f"{api}/user/emails", headers=bearer).json()[0]["email"] == "ada@example.org"
    assert web.get(f"{api}/orgs/engines/members/Ada", headers=bearer).status_code == 204
    assert web.get(f"{api}/orgs/others/members/Ada", headers=bearer).status_code == 404


def test_a_membership_is_private_without_the_scope(web: requests.Session, github: GitHub, app: App) -> None:
    token = trade(web, github, app, code_of(web, github, app))["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    assert web.get(f"{github.url}/api/v3/orgs/engines/members/Ada", headers=bearer).status_code == 404


def test_a_wrong_secret_is_refused(web: requests.Session, github: GitHub, app: App) -> None:
    code = code_of(web, github, app)
    assert trade(web, github, app, code, "0" * 40)["error"] == "incorrect_client_credentials"


def test_a_code_is_good_once_and_not_for_another_application(web: requests.Session, github: GitHub, app: App) -> None:
    code = code_of(web, github, app)
    assert "access_token" in trade(web, github, app, code)
    assert trade(web, github, app, code)["error"] == "bad_verification_code"
    app_of_others = github.register("hub", CALLBACK)
    assert trade(web, github, app, code_of(web, github, app_of_others))["error"] == "bad_verification_code"


def test_a_code_expires(web: requests.Session, github: GitHub, app: App) -> None:
    github.code_lifetime = 0
    assert trade(web, github, app, code_of(web, github, app))["error"] == "bad_verification_code"


def test_somebody_elses_callback_gets_no_code(web: requests.Session, github: GitHub, app: App) -> None:
    query = {"client_id": app.client_id, "redirect_uri": "https://evil.example.org/hub/oauth_callback"}
    answer = web.get(f"{github.url}/login/oauth/authorize", params=query, allow_redirects=False)
    assert answer.headers["Location"].startswith(f"{CALLBACK}?error=redirect_uri_mismatch")


def test_a_wrong_password_or_token_is_refused(web: requests.Session, github: GitHub) -> None:
    data = {"login": "ada", "password": "a guess", "return_to": "/"}
    assert "Incorrect username or password." in web.post(f"{github.url}/session", data=data).text
    bearer = {"Authorization": "Bearer gho_guess"}
    assert web.get(f"{github.url}/api/v3/user", headers=bearer).status_code == 401


def test_only_those_who_trust_the_authority_trust_it_and_they_as_strictly_as_may_be(
    authority: Authority, github: GitHub
) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(github.url, timeout=10)
    strict = ssl.create_default_context(cafile=str(authority.certificate))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 has it
    with pytest.raises(HTTPError, match="404"):
        urlopen(github.url, context=strict)


# -- the LMS


@pytest.fixture
def lms(authority: Authority) -> Iterator[Lms]:
    with Lms().serve(authority) as lms:
        lms.enrol("ada")
        yield lms


@pytest.fixture
def tool(lms: Lms) -> Tool:
    return lms.enter("Hub", "https://hub.example.org/")


def form_of(page: requests.Response) -> tuple[str, dict[str, str]]:
    """Where the page's form goes, and with what."""
    action = re.search(r"action='([^']*)'", page.text)
    assert action, page.text
    fields = re.findall(r"<input type='hidden' name='([^']*)' value='([^']*)'>", page.text)
    return unescape(action[1]), {name: unescape(value) for name, value in fields}


def asking(lms: Lms, tool: Tool, **changes: str) -> dict[str, str]:
    """What a tool asks for Ada."""
    return {
        "response_type": "id_token", "response_mode": "form_post", "scope": "openid", "prompt": "none",
        "client_id": tool.client_id, "redirect_uri": tool.callback, "login_hint": lms.people["ada"].sub,
        "lti_message_hint": f"link-{tool.client_id}", "nonce": "n1", "state": "s1", **changes,
    }  # fmt: skip


def log_in(web: requests.Session, lms: Lms) -> requests.Response:
    return web.post(f"{lms.url}/login", data={"username": "ada", "password": lms.people["ada"].password})


def ask(web: requests.Session, lms: Lms, asked: dict[str, str]) -> requests.Response:
    return web.get(f"{lms.url}/mod/lti/auth.php", params=asked)


def test_a_click_in_a_course_ends_in_a_launch_that_the_lms_signed(web: requests.Session, lms: Lms, tool: Tool) -> None:
    assert f"href='/launch/{tool.client_id}'" in log_in(web, lms).text
    where, begun = form_of(web.get(f"{lms.url}/launch/{tool.client_id}"))
    assert (where, begun["iss"], begun["client_id"]) == (tool.initiation, lms.url, tool.client_id)
    hints = {name: begun[name] for name in ("login_hint", "lti_message_hint")}
    where, launch = form_of(ask(web, lms, asking(lms, tool, **hints)))
    assert (where, launch["state"]) == (tool.callback, "s1")
    keys = jwt.PyJWKSet.from_dict(web.get(f"{lms.url}/mod/lti/certs.php").json())
    claims = jwt.decode(launch["id_token"], keys[lms.key.id], ["RS256"], audience=tool.client_id, issuer=lms.url)
    assert (claims["nonce"], claims["email"]) == ("n1", "ada@example.org")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "openid email"}, "invalid_scope"),
        ({"response_type": "code"}, "unsupported_response_type"),
        ({"response_mode": "query"}, "invalid_request"),
        ({"prompt": "login"}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"lti_message_hint": "another"}, "invalid_request"),
        ({"login_hint": "another"}, "login_required"),
    ],
)
def test_a_tool_that_asks_wrongly_gets_no_launch(
    web: requests.Session, lms: Lms, tool: Tool, changes: dict[str, str], error: str
) -> None:
    log_in(web, lms)
    assert form_of(ask(web, lms, asking(lms, tool, **changes)))[1]["error"] == error


def test_a_nonce_is_taken_once(web: requests.Session, lms: Lms, tool: Tool) -> None:
    log_in(web, lms)
    assert "id_token" in form_of(ask(web, lms, asking(lms, tool)))[1]
    assert form_of(ask(web, lms, asking(lms, tool)))[1]["error"] == "invalid_request"


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example.org/"}, {"client_id": "unknown"}])
def test_strangers_are_sent_nothing(web: requests.Session, lms: Lms, tool: Tool, changes: dict[str, str]) -> None:
    log_in(web, lms)
    answer = ask(web, lms, asking(lms, tool, **changes))
    assert (answer.status_code, "<form" in answer.text) == (400, False)


def test_who_is_not_logged_in_is_launched_nowhere(web: requests.Session, lms: Lms, tool: Tool) -> None:
    web.cookies.clear()
    assert web.get(f"{lms.url}/launch/{tool.client_id}").status_code == 403
    assert form_of(ask(web, lms, asking(lms, tool)))[1]["error"] == "login_required"
