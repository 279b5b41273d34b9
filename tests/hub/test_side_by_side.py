"""Linux passwords and GitHub on one page: who is who, and nobody somebody else. The hub has a path of its own."""

import os
import re
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from hubfleet_hub.config import HubConfig
from tests.fleet.authority import Authority
from tests.fleet.standins.github import GitHub
from tests.hub import test_oauth
from tests.hub.running import OWN, Visitor, free_port
from tests.hub.test_local import Container

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="mounts an /etc of its own")


class Lab(Container):
    """A hub below a path."""

    authority: Authority

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/lab/hub/"

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"SSL_CERT_FILE": str(self.authority.certificate)}


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with GitHub().serve(authority) as github:
        for login in ("Boss", "jupyterhub", "Grace", "eve"):
            github.join(login)
        yield SimpleNamespace(authority=authority, github=github)


@pytest.fixture(scope="module")
def hub(site: Any, make: Callable[..., HubConfig], github: SimpleNamespace) -> Iterator[Lab]:
    lab = Lab(site, free_port())
    lab.authority = github.authority
    app = github.github.register("Room", f"{lab.url}oauth_callback")
    site.secret("oauth_client_secret", app.client_secret)
    site.write(
        make(
            addresses__hub_core="127.0.0.1",
            addresses__hub_users="127.0.0.1",
            public_url=lab.url.removesuffix("hub/"),
            login=["pam", "oauth"],
            oauth={
                "provider": "github",
                "client_id": app.client_id,
                "url": github.github.url,
                "allowed_organizations": [],
                "traits": {},
            },
            spawner="local",
            home__mount="/home",
            users__admins=["jupyterhub"],
            users__oauth={"jupyterhub": "Boss"},
            server__command=["/etc/server"],
            cull__timeout=0,
        )
    )
    site.write_own("10-test.py", OWN.format(port=lab.port))
    hashed = site.run("hubfleet_hub.passwd", "hash", stdin="one-time-1\n").stdout
    site.secret("one-time/jupyterhub.hash", hashed.strip())
    with lab:
        lab.start()
        lab.wait()
        yield lab


@pytest.fixture(scope="module")
def come(hub: Lab, github: SimpleNamespace) -> Callable[[str], tuple[test_oauth.Visitor, requests.Response]]:
    """Somebody who presses the button for GitHub, and what the hub answers in the end."""

    def come(login: str) -> tuple[test_oauth.Visitor, requests.Response]:
        place = SimpleNamespace(url=hub.url.removesuffix("hub/"), github=github.github, authority=github.authority)
        visitor = test_oauth.Visitor(place, login)  # type: ignore[arg-type]
        return visitor, visitor.log_in()

    return come


@pytest.fixture(scope="module")
def admin(hub: Lab) -> Visitor:
    visitor = Visitor(hub)
    assert visitor.choose("jupyterhub", "one-time-1", "admins-own-1").status_code == 302
    return visitor


Come = Callable[[str], tuple[test_oauth.Visitor, requests.Response]]


def name_of(visitor: test_oauth.Visitor) -> str:
    page = visitor.web.get(visitor.room.url + "hub/home").text
    found = re.search(r'user: "([^"]+)"', page)
    assert found, page
    return found[1]


def test_one_page_has_the_form_and_a_button(hub: Lab) -> None:
    page = Visitor(hub).get("login?next=%2Flab%2Fhub%2Ftoken").text
    assert page.count('<form action="/lab/hub/login?next=%2Flab%2Fhub%2Ftoken" method="post"') == 1
    assert page.count(">Sign in with GitHub</a>") == 1
    assert 'href="/lab/hub/oauth_login?next=%2Flab%2Fhub%2Ftoken"' in page
    assert "signup" not in page


def test_a_refusal_and_an_expired_form_show_the_same_page(admin: Visitor, hub: Lab) -> None:
    visitor = Visitor(hub)
    assert "Sign in with GitHub" in visitor.log_in("nobody", "wrong").text
    expired = visitor.session.post(hub.url + "login", data={"username": "a", "password": "b", "_xsrf": "c"}, timeout=60)
    assert (expired.status_code, "Sign in with GitHub" in expired.text) == (403, True)


def test_a_password_leads_to_where_one_wanted_to_go(admin: Visitor, hub: Lab) -> None:
    answer = Visitor(hub).post(
        "login?next=%2Flab%2Fhub%2Ftoken", "login", username="jupyterhub", password="admins-own-1"
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, "/lab/hub/token")


def test_a_declared_person_is_themselves_by_either_login(admin: Visitor, come: Come) -> None:
    boss, answer = come("Boss")
    assert answer.status_code == 302
    assert name_of(boss) == "jupyterhub"
    assert boss.is_in()
    assert admin.is_in()


def test_a_stranger_called_like_a_local_account_gets_nothing(admin: Visitor, come: Come, hub: Lab) -> None:
    stranger, answer = come("jupyterhub")
    assert answer.status_code == 403
    assert "Please ask its administrators" in answer.text
    assert not stranger.is_in()
    assert sorted(user["name"] for user in admin.api("GET", "users").json()) == ["jupyterhub"]
    assert not (hub.home / "github-jupyterhub").exists()


def test_whom_an_admin_adds_may_come_in_and_until_they_are_taken_away(admin: Visitor, come: Come, hub: Lab) -> None:
    assert come("Grace")[1].status_code == 403
    assert admin.api("POST", "users", {"usernames": ["github-grace"]}).status_code == 201
    grace, answer = come("Grace")
    assert answer.status_code == 302
    assert name_of(grace) == "github-grace"
    assert hub.inside("id", "-un", str((hub.home / "github-grace").stat().st_uid)).stdout.strip() == "github-grace"
    assert hub.restart() == (0, "")
    assert grace.is_in()
    assert admin.api("DELETE", "users/github-grace").status_code == 204
    assert come("Grace")[1].status_code == 403
    assert (hub.home / "github-grace").is_dir()


def test_people_of_github_have_no_password_here(admin: Visitor, hub: Lab) -> None:
    admin.api("POST", "users", {"usernames": ["github-eve"]})
    done = hub.inside("python", "-m", "hubfleet_hub.passwd", "set", "github-eve", stdin="a-password-1\n")
    assert done.returncode == 1
    assert "'github-eve' has no password on this hub" in done.stderr
    assert hub.inside("chpasswd", stdin="github-eve:a-password-1\n").returncode == 0
    assert Visitor(hub).log_in("github-eve", "a-password-1").status_code == 403


def test_the_logins_do_not_hold_each_other_up(admin: Visitor, come: Come, hub: Lab) -> None:
    refused = threading.Thread(target=Visitor(hub).log_in, args=("nobody", "wrong"))
    refused.start()
    assert come("Boss")[1].status_code == 302
    refused.join()


def test_a_logout_leads_back_to_the_one_page(come: Come, hub: Lab) -> None:
    boss, _ = come("Boss")
    page = boss.web.get(hub.url + "logout")
    assert page.url == hub.url + "login"
    assert not boss.is_in()
