"""`stop`, `start`, `remove`, `logs`, `passwd`, `admin`: services come and go, data stays. On real hosts: the fleet."""

import io
import re
import shlex
import sys

import pytest
from pyinfra.api.host import Host

from hubfleet.run import Answer
from hubfleet.run import command as run_command
from hubfleet.settings import Lab as Settings
from hubfleet.settings import check_inventory
from hubfleet.verbs import admin
from hubfleet.verbs.lifecycle import kept, removing, stopping
from hubfleet.verbs.passwd import script
from tests.unit.cli.play import ROOT, Lab

PERSONAL: dict[str, object] = {"login": ["pam"], "spawner": "local", "server_home": "/home"}


@pytest.fixture
def settings(lab: Lab) -> Settings:
    return check_inventory(lab.inventory, cwd=ROOT)["@fake/one"]


def test_stop_stops_the_hub_before_the_servers_it_would_miss(settings: Settings) -> None:
    done = [what for what, _ in stopping(settings)]
    assert done.index("stopping the hub") < done.index("stopping users' servers") < done.index("stopping the proxy")


def test_stop_and_start_know_only_the_containers_that_this_hub_has(lab: Lab) -> None:
    lab.hosts(one=PERSONAL)
    settings = check_inventory(lab.inventory, cwd=ROOT)["@fake/one"]
    assert "keeper" not in " ".join(what for what, _ in stopping(settings))
    result = lab.hubfleet("start")
    assert result.status == 0, result.all
    assert re.findall(r"starting the (.*)", result.out) == ["proxy", "hub"]


def test_no_step_of_remove_names_a_place_with_data(settings: Settings) -> None:
    commands = " ".join(command for _, command in removing(settings))
    for place in (
        settings.storage.base_user_dir,
        settings.paths.state,
        settings.paths.secrets,
        settings.paths.passwords,
    ):
        assert place not in commands
    assert "volume" not in commands
    assert f"rm -rf {settings.paths.root} " not in commands


def test_remove_tells_where_the_data_stays(lab: Lab, settings: Settings) -> None:
    result = lab.hubfleet("remove", "--yes", "--limit", "@fake/one")
    assert result.status == 0
    for _, place in kept(settings):
        assert place in result.out


def test_remove_does_nothing_unasked_where_nobody_can_answer(lab: Lab) -> None:
    result = lab.hubfleet("remove")
    assert result.status == 1
    assert "removing" not in result.all
    assert "--yes" in result.err


def test_remove_goes_on_with_other_hosts_when_one_fails(lab: Lab) -> None:
    lab.hosts(one={"fake_responses": {"docker network rm": {"success": False, "stderr": "in use"}}}, two={})
    result = lab.hubfleet("remove", "--yes")
    assert result.status == 1
    assert "@fake/one: failed: removing networks: in use" in result.err
    assert "@fake/two: the hub is removed" in result.out


def test_passwd_wants_one_hub(lab: Lab) -> None:
    result = lab.hubfleet("passwd", "alice")
    assert result.status == 1
    assert "--limit" in result.err


def test_passwd_tells_where_the_password_is_and_not_what_it_is(lab: Lab) -> None:
    result = lab.hubfleet("passwd", "alice", "--limit", "@fake/one")
    assert result.status == 0
    assert "/var/lib/hubfleet/hub/passwords/alice" in result.out


def test_passwd_of_a_hub_whose_people_log_in_elsewhere_is_refused(lab: Lab) -> None:
    lab.hosts(
        one={"login": ["oauth"], "users_admins": ["ada"], "oauth_client_id": "id", "oauth_client_secret": "file:secret"}
    )
    (lab.directory / "secret").write_text("a client's secret")
    result = lab.hubfleet("passwd", "alice")
    assert result.status == 1
    assert "people log in elsewhere" in result.err


def test_passwd_of_a_user_whom_the_hub_does_not_know_fails_with_the_hub_s_words(lab: Lab) -> None:
    lab.hosts(one={"fake_responses": {"hubfleet_hub.passwd": {"success": False, "stderr": "no account"}}})
    result = lab.hubfleet("passwd", "alice")
    assert result.status == 1
    assert "no account" in result.err


@pytest.mark.parametrize("user", ["-rf", "a b", "$(id)", "o'neill", "../x"])
def test_a_hard_user_name_is_one_word_of_the_command_and_a_safe_file_name(settings: Settings, user: str) -> None:
    text = script(settings, user)
    assert user in shlex.split(text.replace(";", " ; "))
    assert f"/passwords/{user}" not in text


def test_logs_of_several_hubs_name_the_host_in_each_line(lab: Lab) -> None:
    lab.hosts(
        one={"fake_responses": {"docker logs": ["first"]}},
        two={"fake_responses": {"docker logs": ["second"]}},
    )
    result = lab.hubfleet("logs")
    assert result.status == 0
    assert "@fake/one: first" in result.out
    assert "@fake/two: second" in result.out


def test_logs_of_a_user_without_a_server_fail(lab: Lab) -> None:
    result = lab.hubfleet("logs", "alice")
    assert result.status == 1
    assert "alice has no server here" in result.err


def test_logs_of_a_user_inside_the_hub_s_container_are_the_hub_s_and_say_so(lab: Lab) -> None:
    lab.hosts(one=PERSONAL | {"fake_responses": {"docker logs": ["a line of ada's server"]}})
    result = lab.hubfleet("logs", "ada")
    assert result.status == 0
    assert result.out == "a line of ada's server\n"
    assert "write to its own log" in result.err


def test_admin_passes_on_what_is_printed(lab: Lab) -> None:
    told = {"hub-admin allow-read ada grace": ["grace may read ada's files", "", "0"]}
    lab.hosts(one=PERSONAL | {"fake_responses": told})
    result = lab.hubfleet("admin", "allow-read", "ada", "grace")
    assert (result.status, result.out) == (0, "grace may read ada's files\n")


def test_admin_passes_on_a_refusal(lab: Lab) -> None:
    refused = {"hub-admin": {"success": True, "stdout": ["", "2"], "stderr": ["hub-admin: error: what?"]}}
    lab.hosts(one=PERSONAL | {"fake_responses": refused})
    result = lab.hubfleet("admin", "allow-read", "ada", "-rf")
    assert (result.status, result.err) == (2, "hub-admin: error: what?\n")


def test_admin_tells_when_there_is_no_answer(lab: Lab) -> None:
    lab.hosts(one=PERSONAL | {"fake_responses": {"hub-admin": {"success": False, "stderr": "no such container"}}})
    result = lab.hubfleet("admin", "list")
    assert result.status == 1
    assert "failed: no such container" in result.err


def test_admin_is_for_a_hub_whose_people_are_linux_users(lab: Lab) -> None:
    lab.hosts(one={})
    result = lab.hubfleet("admin", "list")
    assert result.status == 1
    assert "spawner = 'local'" in result.err


def test_admin_wants_one_hub(lab: Lab) -> None:
    result = lab.hubfleet("admin", "list")
    assert result.status == 1
    assert "--limit" in result.err


def test_admin_has_a_password_in_no_command(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.hosts(one=PERSONAL | {"fake_responses": {"hub-admin": ["", "0"]}})
    seen: list[tuple[object, ...]] = []

    def command(host: Host, *words: object, stdin: str | None = None, timeout: int = 60) -> Answer:
        seen.append((*words, stdin))
        return run_command(host, *words, stdin=stdin, timeout=timeout)

    monkeypatch.setattr(admin, "command", command)
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    result = lab.hubfleet("admin", "set-password", "ada")
    assert result.status == 0, result.all
    ((words, stdin),) = seen
    assert stdin == "correct horse"
    assert "correct horse" not in f"{words}{result.all}"


@pytest.mark.parametrize("name", ["-rf", "a b", "$(id)", "o'neill", "../x"])
def test_a_hard_name_is_one_word_of_admin_s_command(settings: Settings, name: str) -> None:
    assert name in shlex.split(admin.script(settings, ["allow-read", "ada", name]).replace(";", " ; "))
