"""The stand-ins that hubs are tested with judge what they are told, as those they stand in for do."""

import re
import ssl
from collections.abc import Iterator
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
import requests

from tests.fleet.authority import Authority
from tests.fleet.standins.github import App, GitHub

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
    data = {"login": "ada", "password": "Ada at GitHub", "return_to": back[1].replace("&amp;", "&")}
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
