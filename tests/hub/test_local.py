"""Hub and people's servers in one container, seen from outside: a supervisor, a real hub, PAM and Linux accounts."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from hubfleet_hub.config import VERIFY_USERS, HubConfig
from tests.hub.room import Inhabited
from tests.hub.running import OWN, Visitor, free_port

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="mounts an /etc of its own")


class Container(Inhabited):
    """What `Visitor` needs to know of the hub in the room."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub/"

    def wait(self) -> None:
        for _ in range(600):
            try:
                requests.get(self.url + "health", timeout=5)
            except requests.ConnectionError:
                assert self.runs(), self.log.read_text()
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text())

    def restart(self) -> tuple[int, str]:
        done = self.inside("python", "-m", "hubfleet_hub.local", "restart")
        return done.returncode, done.stderr.strip()


@pytest.fixture(scope="module")
def configured(site: Any, make: Callable[..., HubConfig]) -> Callable[..., None]:
    """Write hub.yaml with changes to what all tests begin with."""

    def configure(port: int, **changes: Any) -> None:
        loopback = {
            "addresses__hub_core": "127.0.0.1",
            "addresses__hub_users": "127.0.0.1",
            "public_url": f"http://127.0.0.1:{port}/",
        }
        flavour = {
            "login": ["pam"],
            "spawner": "local",
            "home__mount": "/home",
            "users__admins": ["jupyterhub"],
            "server__command": ["/etc/server"],
            "cull__timeout": 0,
        }
        site.write(make(**loopback | flavour | changes))

    return configure


@pytest.fixture(scope="module")
def hub(site: Any, configured: Callable[..., None]) -> Iterator[Container]:
    port = free_port()
    configured(port)
    site.write_own("10-test.py", OWN.format(port=port))
    hashed = site.run("hubfleet_hub.passwd", "hash", stdin="one-time-1\n").stdout
    site.secret("one-time/jupyterhub.hash", hashed.strip())
    with Container(site, port) as container:
        container.start()
        container.wait()
        yield container


@pytest.fixture(scope="module")
def admin(hub: Container) -> Visitor:
    visitor = Visitor(hub)
    assert visitor.choose("jupyterhub", "one-time-1", "admins-own-1").status_code == 302
    return visitor


@pytest.fixture
def visitor(hub: Container) -> Visitor:
    return Visitor(hub)


@pytest.fixture(scope="module")
def member(hub: Container, admin: Visitor) -> Callable[[str], Visitor]:
    """Someone whom the admin added, and who is logged in; the password is ``NAME-secret-1``."""

    def join(name: str) -> Visitor:
        assert admin.api("POST", f"users/{name}").status_code == 201
        assert hub.inside("python", "-m", "hubfleet_hub.passwd", "set", name, stdin="one-time-2\n").returncode == 0
        visitor = Visitor(hub)
        assert visitor.choose(name, "one-time-2", f"{name}-secret-1").status_code == 302
        return visitor

    return join


Join = Callable[[str], Visitor]


def served(visitor: Visitor, name: str, token: str = "") -> dict[str, Any]:
    """Start the server of ``name`` when it does not run; what it tells of itself."""
    admin = visitor
    assert admin.api("POST", f"users/{name}/server").status_code in (201, 202, 400)
    for _ in range(100):
        server = admin.api("GET", f"users/{name}").json()["servers"].get("", {})
        if server.get("ready"):
            break
        time.sleep(0.1)
    routes = admin.api("GET", "proxy").json()
    target = routes[f"/user/{name}/"]["target"]
    told: dict[str, Any] = json.loads(requests.get(target + f"/user/{name}/", timeout=10).text)
    return told


def test_the_admins_one_time_password_opens_the_page_for_another_alone(hub: Container, visitor: Visitor) -> None:
    first = visitor.get("login").text
    assert "one-time" not in first
    answer = visitor.log_in("jupyterhub", "one-time-1")
    assert answer.status_code == 200
    assert "Choose a password" in answer.text
    assert not visitor.is_in()


@pytest.mark.parametrize("again", ["short", "password", "one-time-1", "x" * 73])
def test_a_new_password_that_will_not_do_changes_nothing(visitor: Visitor, again: str) -> None:
    answer = visitor.choose("jupyterhub", "one-time-1", again)
    assert answer.status_code == 403
    assert "Choose a password" in visitor.log_in("jupyterhub", "one-time-1").text


def test_the_first_admin_is_in_after_choosing_a_password(admin: Visitor, visitor: Visitor) -> None:
    assert admin.get("admin").status_code == 200
    assert visitor.log_in("jupyterhub", "one-time-1").status_code == 403
    assert visitor.log_in("jupyterhub", "admins-own-1").status_code == 302


@pytest.mark.parametrize(
    "name", ["nobody-of-that-name", "root", "jupyterhub", "hubfleet-verify-0", "", "a\nb", "x" * 300]
)
def test_a_refused_login_answers_403_says_no_more_and_takes_as_long(
    admin: Visitor, visitor: Visitor, name: str
) -> None:
    visitor.get("login")
    began = time.monotonic()
    answer = visitor.log_in(name, "wrong")
    assert answer.status_code == 403
    assert "Invalid username or password" in answer.text
    assert 2.0 < time.monotonic() - began < 4.0
    assert not visitor.is_in()


def test_refusals_keep_nobody_waiting(hub: Container, admin: Visitor) -> None:
    threads = [threading.Thread(target=Visitor(hub).log_in, args=("nobody", "wrong")) for _ in range(24)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    assert Visitor(hub).log_in("jupyterhub", "admins-own-1").status_code == 302
    assert time.monotonic() - began < 6.0  # and not the 12 s of threads that wait
    for thread in threads:
        thread.join()


def test_whom_an_admin_adds_may_come_in_and_whom_nobody_added_may_not(member: Join, visitor: Visitor) -> None:
    assert member("ada").is_in()
    assert visitor.log_in("eve", "eve-secret-1").status_code == 403


@pytest.mark.parametrize("name", ["root", "games", "hubfleet-x", "1a"])
def test_a_name_that_is_the_systems_cannot_be_added_and_why_is_said(admin: Visitor, name: str) -> None:
    answer = admin.api("POST", "users", {"usernames": [name]})
    assert answer.status_code == 400
    assert f"{name} can have no account here: {name} is" in answer.json()["message"]
    assert admin.api("GET", f"users/{name}").status_code == 404


def test_a_server_is_its_users_and_has_nothing_of_the_hubs(hub: Container, admin: Visitor, member: Join) -> None:
    member("bob")
    told = served(admin, "bob")
    owner = (hub.home / "bob").stat()
    assert (told["uid"], told["gid"], told["groups"]) == (owner.st_uid, owner.st_gid, [owner.st_gid])
    assert (told["cwd"], told["umask"]) == ("/home/bob", 0o022)
    environment = told["environment"]
    assert (environment["HOME"], environment["USER"], environment["SHELL"]) == ("/home/bob", "bob", "/bin/bash")
    ours = {name for name in environment if not name.startswith(("JUPYTERHUB_", "JPY_", "MEM_", "CPU_"))}
    assert ours == {"PATH", "LANG", "HOME", "USER", "SHELL", "LC_CTYPE"} & environment.keys()
    assert not [secret for secret in hub_secrets(hub) if secret in json.dumps(environment)]


def hub_secrets(hub: Container) -> list[str]:
    return [path.read_text().strip() for path in (hub.site.root / "secrets").iterdir() if path.is_file()]


def test_an_admin_may_become_root_in_their_terminal(hub: Container, admin: Visitor) -> None:
    assert served(admin, "jupyterhub")["groups"] == [27, 2000]


def test_a_server_lives_on_when_the_hub_restarts_and_the_hub_knows_it_again(
    hub: Container, admin: Visitor, member: Join
) -> None:
    member("long")
    before = served(admin, "long")["pid"]
    assert hub.restart() == (0, "")
    assert admin.is_in()
    assert served(admin, "long")["pid"] == before
    assert admin.api("DELETE", "users/long/server").status_code in (202, 204)
    for _ in range(100):
        if not (Path("/proc") / str(before)).exists() and "" not in admin.api("GET", "users/long").json()["servers"]:
            break
        time.sleep(0.1)
    assert admin.api("GET", "users/long").json()["servers"] == {}


def test_a_hub_that_dies_is_back_and_nobody_logs_in_again(hub: Container, admin: Visitor, member: Join) -> None:
    person = member("patient")
    before = served(admin, "patient")["pid"]
    hub.inside("pkill", "-9", "-f", "jupyterhub -f")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if person.is_in():
                break
        except requests.ConnectionError:
            time.sleep(0.2)
    assert person.is_in()
    assert served(admin, "patient")["pid"] == before


def test_a_bad_configuration_leaves_the_hub_that_runs(
    hub: Container, admin: Visitor, configured: Callable[..., None]
) -> None:
    good = (hub.site.root / "etc" / "hub.yaml").read_text()
    (hub.site.root / "etc" / "hub.yaml").write_text("hub_name: 1\n")
    status, said = hub.restart()
    assert status == 1
    assert "hub.yaml: public_url: Field required" in said
    assert "the hub runs on as it was" in said
    assert admin.is_in()
    (hub.site.root / "etc" / "hub.yaml").write_text(good)
    assert hub.restart() == (0, "")


def test_a_hub_that_does_not_come_up_is_said_to_and_comes_up_when_it_can(hub: Container, admin: Visitor) -> None:
    secret = hub.site.root / "secrets" / "one-time"
    shadow = hub.etc / "shadow"
    database = hub.site.root / "state" / "jupyterhub.sqlite"
    away = database.with_name("away")
    database.rename(away)
    database.write_text("no database")
    status, said = hub.restart()
    assert (status, said) == (1, "restart: the new hub ended with status 1; its log says why")
    database.unlink()
    away.rename(database)
    hub.wait()
    assert admin.is_in()
    assert secret.exists()
    assert shadow.exists()


def test_taken_off_the_list_is_out_with_everything_but_their_files(
    hub: Container, admin: Visitor, member: Join, configured: Callable[..., None]
) -> None:
    person = member("gone")
    pid = served(admin, "gone")["pid"]
    (hub.home / "gone" / "thesis").write_text("whole")
    configured(hub.port, users__banned=["gone"])
    assert hub.restart() == (0, "")
    assert not person.is_in()
    assert person.log_in("gone", "gone-secret-1").status_code == 403
    assert hub.inside("kill", "-0", str(pid)).returncode == 1
    assert (hub.home / "gone" / "thesis").read_text() == "whole"
    configured(hub.port)
    assert hub.restart() == (0, "")
    assert person.log_in("gone", "gone-secret-1").status_code == 302


def test_a_one_time_password_set_while_the_hub_runs_ends_every_session(
    hub: Container, member: Join, visitor: Visitor
) -> None:
    someone = member("reset")
    done = hub.inside("python", "-m", "hubfleet_hub.passwd", "set", "reset", stdin="one-time-3\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert not someone.is_in()
    assert visitor.log_in("reset", "reset-secret-1").status_code == 403
    assert visitor.choose("reset", "one-time-3", "reset-secret-2").status_code == 302


def test_a_strangers_password_cannot_be_set(hub: Container) -> None:
    done = hub.inside("python", "-m", "hubfleet_hub.passwd", "set", "stranger", stdin="x\n")
    assert done.returncode == 1
    assert "'stranger' may not use this hub; an admin adds people" in done.stderr


def test_verifys_user_comes_and_goes_with_everything(hub: Container, visitor: Visitor) -> None:
    token = (hub.site.root / "secrets" / "verify_token").read_text().strip()
    name = VERIFY_USERS[0]

    def call(method: str, path: str) -> requests.Response:
        headers = {"Authorization": f"token {token}"}
        return requests.request(method, f"{hub.url}api/{path}", headers=headers, timeout=60)

    assert call("POST", f"users/{name}").status_code == 201
    assert hub.inside("id", "-u", name).stdout.strip() == "1990"
    assert call("POST", f"users/{name}/server").status_code in (201, 202)
    assert call("DELETE", f"users/{name}/server").status_code in (202, 204)
    for _ in range(100):
        if call("GET", f"users/{name}").json()["servers"] == {}:
            break
        time.sleep(0.1)
    assert call("DELETE", f"users/{name}").status_code == 204
    assert hub.inside("id", "-u", name).returncode == 1
    assert not (hub.home / name).exists()


def test_a_new_container_has_everybody_again_and_no_server_of_the_old(
    hub: Container, admin: Visitor, member: Join
) -> None:
    """The last test of the module: everything it had is put into another container, without a warning."""
    person = member("kept")
    served(admin, "kept")
    assert hub.inside("chpasswd", stdin="kept:changed-in-a-terminal-1\n").returncode == 0
    uid = (hub.home / "kept").stat().st_uid
    hub.kill()
    hub.new_image()
    hub.start()
    hub.wait()
    assert person.is_in()
    assert Visitor(hub).log_in("kept", "changed-in-a-terminal-1").status_code == 302
    assert (hub.home / "kept").stat().st_uid == uid
    assert admin.api("GET", "users/kept").json()["servers"] == {}
    served(admin, "kept")
    assert hub.stop() == 0
