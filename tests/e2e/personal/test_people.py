"""Who may come in to a personal hub, by which door, and as whom."""

from collections.abc import Callable

from tests.e2e.hub import Hub
from tests.e2e.personal.member import Member

Come = Callable[[str], Member]


def test_each_has_a_home_and_no_look_into_another_s(hub: Hub, member: Come) -> None:
    ada = member("ada").start()
    assert ada.terminal("id -un; pwd; umask") == (0, "ada\n/home/ada\n0022\n")
    assert ada.terminal("echo mine > mine.txt") == (0, "")
    assert hub.host.run("cat /srv/hubfleet/users/ada/mine.txt").out == "mine\n"
    assert hub.host.run("stat -c %a /srv/hubfleet/users/ada").out == "750\n"
    grace = member("grace").start()
    status, said = grace.terminal("cat /home/ada/mine.txt")
    assert (status != 0, "Permission denied" in said) == (True, True)


def test_nobody_finds_a_secret_of_the_hub_s(hub: Hub, member: Come) -> None:
    ada = member("ada").start()
    for place in ("/run/hubfleet/secrets/cookie_secret", "/srv/hubfleet/state/jupyterhub.sqlite", "/etc/shadow"):
        assert ada.terminal(f"cat {place}")[0] != 0, place
    assert ada.terminal("cat /proc/1/environ")[0] != 0
    assert "HUBFLEET" not in ada.terminal("env")[1]


def test_a_declared_person_reaches_the_same_home_by_github(hub: Hub, member: Come) -> None:
    grace = member("grace").start()
    grace.write("by-password.txt", b"still hers")
    again = Member(hub, "grace")
    assert again.log_in_at_github("Grace-Hopper").ok
    assert again.take_token().start().terminal("id -un; cat by-password.txt") == (0, "grace\nstill hers")


def test_somebody_at_github_who_is_called_like_somebody_here_gets_nothing(hub: Hub) -> None:
    stranger = Member(hub, "ada")
    refused = stranger.log_in_at_github("ada")
    assert refused.status_code == 403, refused.text
    assert not stranger.logged_in()
    assert "github-ada" not in hub.host.run("ls /srv/hubfleet/users").out


def test_a_password_changed_in_a_terminal_is_the_password_from_then_on(hub: Hub, member: Come) -> None:
    ada = member("ada").start()
    old, ada.password = ada.password, "another one of Ada's own"
    status, said = ada.terminal("passwd", typed=f"{old}\n{ada.password}\n{ada.password}\n")
    assert status == 0, said
    assert Member(hub, "ada").log_in(old).status_code == 403
    assert Member(hub, "ada").log_in(ada.password).ok


def test_the_admin_may_become_root_in_a_terminal_and_others_may_not(hub: Hub, member: Come) -> None:
    deputy, ada = member("deputy").start(), member("ada").start()
    assert deputy.terminal("sudo -S -p '' id -u", typed=f"{deputy.password}\n") == (0, "0\n")
    assert ada.terminal("sudo -S -p '' id -u", typed=f"{ada.password}\n")[0] != 0


def test_someone_taken_off_the_list_is_out_and_their_files_stay(hub: Hub, member: Come) -> None:
    ada = member("ada").start()
    ada.write("kept.txt", b"still hers")
    everybody = hub.settings["users_allowed"]
    hub.apply(users_allowed=["grace", "github-octocat"])
    try:
        assert Member(hub, "ada").log_in(ada.password).status_code == 403
        assert ada.ask("GET", "/hub/api/user").status_code == 403
        assert hub.host.run("cat /srv/hubfleet/users/ada/kept.txt").out == "still hers"
    finally:
        hub.apply(users_allowed=everybody)
    ada = member("ada").start()
    assert ada.terminal("cat kept.txt") == (0, "still hers")
