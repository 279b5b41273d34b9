"""The verbs on a personal hub: proving it, looking at it, stopping it."""

import json
from collections.abc import Callable

from tests.e2e.hub import Hub
from tests.e2e.personal.member import Member
from tests.e2e.test_verbs import rows

Come = Callable[[str], Member]


def test_verify_makes_an_account_that_nobody_can_log_in_to_and_removes_it(hub: Hub) -> None:
    proved = rows(hub.lab.hubfleet("verify"))
    for what in ("address", "certificate", "redirect", "hub", "login page", "server", "kernel", "stop", "clean up"):
        assert proved[what][0] == "proved", proved
    for trace in ("cat /etc/passwd /etc/shadow /etc/group", "ls -A /home"):
        assert "verify" not in hub.docker(f"exec hubfleet-hub-hub {trace}")


def test_status_tells_of_the_containers_that_there_are(hub: Hub, member: Come) -> None:
    member("ada").start()
    (told,) = json.loads(hub.lab.hubfleet("status", "--json"))
    assert (told["state"], set(told["containers"])) == ("up", {"hub", "proxy"})
    assert told["active_servers"] >= 1


def test_logs_of_a_person_are_in_the_hub_s(hub: Hub, member: Come) -> None:
    member("ada").start()
    assert "/user/ada/" in hub.lab.hubfleet("logs", "ada", "-n", "500")


def test_stop_stops_everything_and_start_brings_it_back(hub: Hub, member: Come) -> None:
    ada = member("ada").start()
    hub.lab.hubfleet("stop")
    assert hub.docker("ps -q") == ""
    hub.lab.hubfleet("start")
    assert ada.logged_in()
    assert ada.start().terminal("id -un") == (0, "ada\n")
