"""The verbs on a real hub: proving it, looking at it, stopping it, taking it away."""

import json
from collections.abc import Callable

import pytest
import requests

from tests.e2e.hub import Hub
from tests.e2e.person import Person, ServerRefused
from tests.fleet.ring import STATE

Come = Callable[[str], Person]


def rows(table: str) -> dict[str, list[str]]:
    """The lines of a printed table by their first cell; cells are two spaces or more apart."""
    lines = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in table.splitlines()]
    return {line[0]: line[1:] for line in lines if len(line) > 1}


def assert_nothing_is_left_of_verify(hub: Hub, deputy: Person) -> None:
    users = [user["name"] for user in deputy.ask("GET", "/hub/api/users").json()]
    assert [name for name in users if name.startswith("hubfleet-verify")] == []
    assert "verify" not in hub.host.run("ls /srv/hubfleet/users").out
    assert [name for name in hub.containers("server", all_of_them=True) if "verify" in name] == []


def test_verify_proves_a_hub_and_leaves_nothing_behind(hub: Hub, deputy: Person) -> None:
    proved = rows(hub.lab.hubfleet("verify"))
    for what in ("address", "certificate", "redirect", "hub", "login page", "server", "kernel", "stop", "clean up"):
        assert proved[what][0] == "proved", proved
    assert "42" in proved["kernel"][1]
    assert_nothing_is_left_of_verify(hub, deputy)


def test_a_dry_verify_makes_no_user(hub: Hub, deputy: Person) -> None:
    assert rows(hub.lab.hubfleet("verify", "--dry"))["a user's server"][0] == "not proved"
    assert_nothing_is_left_of_verify(hub, deputy)


def test_verify_of_a_hub_that_starts_no_server_says_why_and_leaves_nothing_behind(hub: Hub, deputy: Person) -> None:
    image = hub.docker("images --format '{{.Repository}}:{{.Tag}}' vnmd/neurodesktop")
    hub.docker(f"tag {image} aside:1")
    hub.docker(f"rmi {image}")
    try:
        failed = rows(hub.lab.hubfleet("verify", code=1))
    finally:
        hub.docker(f"tag aside:1 {image}")
        hub.docker("rmi aside:1")
    assert failed["login page"][0] == "proved"
    assert failed["server"][0] == "failed"
    assert "is not on this host" in failed["server"][1]
    assert_nothing_is_left_of_verify(hub, deputy)


def test_status_tells_versions_people_and_days(hub: Hub, newcomer: Come) -> None:
    lia = newcomer("lia").start()
    (told,) = json.loads(hub.lab.hubfleet("status", "--json"))
    lia.stop()
    assert (told["host"], told["state"], told["jupyterhub"]) == (hub.host.name, "up", "5.5.4")
    assert told["users"] >= 2
    assert told["active_servers"] >= 1
    assert told["certificate_days"] > 300
    assert set(told["containers"]) == {"hub", "proxy", "homes"}
    (shown,) = hub.docker("inspect --format '{{.Image}}' hubfleet-hub-hub").splitlines()
    assert shown.startswith(f"sha256:{told['image']}")


def test_logs_show_the_hubs_and_one_persons(hub: Hub, newcomer: Come) -> None:
    moe = newcomer("moe").start()
    assert "moe" in hub.lab.hubfleet("logs", "-n", "200")
    assert "/user/moe/" in hub.lab.hubfleet("logs", "moe")
    moe.stop()
    assert "nobody-of-this-name" in hub.lab.hubfleet("logs", "nobody-of-this-name", code=1)


def test_passwd_gives_a_one_time_password_and_ends_sessions_but_no_kernel(hub: Hub, newcomer: Come) -> None:
    ned = newcomer("ned").start()
    server = hub.inspect("hubfleet-hub-server-ned", "{{.Id}}")
    printed = hub.lab.hubfleet("passwd", "ned")
    one_time = hub.one_time_password("ned")
    assert one_time not in printed
    assert not ned.logged_in()
    assert ned.ask("GET", "/hub/api/user").status_code == 403
    assert ned.log_in(ned.password).status_code == 403  # the old one
    assert hub.inspect("hubfleet-hub-server-ned", "{{.Id}}") == server
    assert "Choose a password" in ned.log_in(one_time).text
    assert not ned.logged_in()  # not before another is chosen
    ned.password = "another one of Ned's own"
    assert ned.replace_one_time(one_time).ok
    assert ned.logged_in()
    ned.take_token().stop()


def test_stop_stops_everything_and_start_brings_it_back(hub: Hub, newcomer: Come) -> None:
    ola = newcomer("ola").start()
    hub.lab.hubfleet("stop")
    assert hub.docker("ps -q") == ""
    failed = rows(hub.lab.hubfleet("verify", code=1))
    assert failed["hub"][0] == "failed"
    assert "hubfleet status" in failed["hub"][1]
    down = hub.lab.hubfleet("status", code=1)
    assert "down" in down
    assert "hub exited" in down
    hub.lab.hubfleet("start")
    assert ola.logged_in()
    assert rows(hub.lab.hubfleet("status"))[hub.host.name][0] == "up"
    assert ola.start().kernel().run("6*7") == "42"
    ola.stop()


def test_remove_takes_the_services_and_leaves_the_data_to_the_next_apply(hub: Hub, newcomer: Come) -> None:
    pia = newcomer("pia").start()
    pia.write("kept.txt", b"still here")
    assert "--yes" in hub.lab.hubfleet("remove", code=1)  # asks, and there is no terminal
    printed = hub.lab.hubfleet("remove", "--yes")
    for kept in ("/srv/hubfleet/users", f"{STATE}/state"):
        assert kept in printed
    assert hub.docker("ps -aq") == ""
    assert hub.docker("network ls -q --filter label=io.hubfleet.hub") == ""
    assert "10.217." not in hub.host.run("iptables -S DOCKER-USER").out
    assert "hfe-" not in hub.host.run("iptables -t mangle -S; ip6tables -t mangle -S").out
    assert hub.host.run("ls /etc/nginx/conf.d /etc/systemd/system").out.count("hubfleet-hub") == 0
    with pytest.raises(requests.ConnectionError):
        pia.get("/hub/login")
    assert hub.host.run("cat /srv/hubfleet/users/pia/kept.txt").out == "still here"

    hub.apply()
    assert pia.logged_in()  # what she was logged in with is still good
    assert pia.start().kernel().run("open('kept.txt').read()") == "'still here'"
    pia.stop()


def test_a_server_without_its_image_tells_its_owner_so(hub: Hub, newcomer: Come) -> None:
    """The same words that verify hears, on the owner's own page."""
    quy = newcomer("quy")
    image = hub.docker("images --format '{{.Repository}}:{{.Tag}}' vnmd/neurodesktop")
    hub.docker(f"tag {image} aside:1")
    hub.docker(f"rmi {image}")
    try:
        with pytest.raises(ServerRefused, match="is not on this host yet"):
            quy.start()
    finally:
        hub.docker(f"tag aside:1 {image}")
        hub.docker("rmi aside:1")
