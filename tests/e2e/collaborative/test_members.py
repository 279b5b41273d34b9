"""Who may enter the one JupyterLab, and what they may do there and nowhere else."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests
import websocket

from tests.e2e.collaborative.guest import Guest
from tests.e2e.hub import Hub, wait_until
from tests.e2e.person import Person
from tests.e2e.world import World

Come = Callable[[str], Guest]

LAB = "hubfleet-hub-shared"
NOTEBOOKS = "/srv/hubfleet/users/lab"


def test_a_member_of_the_organisation_enters_and_a_stranger_does_not(hub: Hub, guest: Come) -> None:
    dora = guest("dora")
    assert dora.ask("GET", "/services/lab/api/me").json()["identity"]["username"] == "dora"
    assert Person(hub, "mallory").log_in_at_github("mallory").status_code == 403


def test_nobody_starts_a_server_of_their_own(hub: Hub, guest: Come) -> None:
    bob = guest("bob")
    assert bob.ask("POST", "/hub/api/users/bob/server").status_code == 403
    assert bob.get("/hub/spawn/bob").status_code == 403
    assert hub.containers("server", all_of_them=True) == []


def test_one_taken_off_the_list_while_connected_is_out_and_their_token_is_dead(hub: Hub, guest: Come) -> None:
    bob, cleo = guest("bob"), guest("cleo")
    kernel = cleo.kernel()
    assert kernel.run("6*7") == "42"
    hub.apply(users_allowed=["bob"])
    try:
        assert cleo.ask("GET", "/hub/api/user").status_code == 403
        assert cleo.log_in_at_github("cleo").status_code == 403

        def cut_off() -> bool:
            try:
                kernel.run("6*7")
            except (OSError, websocket.WebSocketException):
                return True
            return False

        wait_until(cut_off, "the connection that she had is closed", 60)
        assert not cleo.ask("GET", "/services/lab/api/me").ok
        assert bob.ask("GET", "/services/lab/api/me").ok
    finally:
        hub.apply(users_allowed=["bob", "cleo"])


def test_no_address_outside_answers_the_labs_kernels(hub: Hub, world: World, guest: Come) -> None:
    """Neither this machine, which a stand-in shows to be there, nor the host, a neighbour, or a name server."""
    github = urlsplit(world.github.url)
    outside = {
        "GitHub": (github.hostname, github.port),
        "the host": (hub.host.address, 22),
        "its edge": (hub.host.address, 8443),
        "a neighbour": (str(hub.lab.fleet.subnet[2]), 5000),
    }
    knock = "import socket; socket.create_connection(({!r}, {}), 3).close()"
    kernel = guest("bob").kernel()
    answers = "def answers(code):\n try: exec(code)\n except OSError: return False\n return True"
    kernel.run(answers)
    for what, (address, port) in outside.items():
        hub.host.run(f"timeout 5 bash -c '</dev/tcp/{address}/{port}'")  # it is there
        assert kernel.run(f"answers({knock.format(address, port)!r})") == "False", what
    assert kernel.run("answers('import socket; socket.getaddrinfo(\"github.com\", 443)')") == "False"
    assert kernel.run(f"answers({knock.format('10.217.0.2', 8081)!r})") == "True"  # the hub


@pytest.mark.parametrize("killed", ["kill", "restart"])
def test_a_lab_that_is_killed_is_back_by_itself_with_the_text(hub: Hub, guest: Come, killed: str) -> None:
    bob = guest("bob")
    bob.write(f"{killed}.txt", b"still here")
    started = hub.inspect(LAB, "{{.State.StartedAt}}")
    hub.host.run(f"kill -9 $(docker inspect -f '{{{{.State.Pid}}}}' {LAB})" if killed == "kill" else "true")
    if killed == "restart":
        hub.host.reboot()

    def back() -> bool:
        try:
            told = bob.ask("GET", f"/services/lab/api/contents/{killed}.txt").json()["content"]
        except (requests.ConnectionError, ValueError, KeyError):
            return False
        return bool(told == "still here")

    # The engine of a host that boots answers later than the host.
    wait_until(lambda: back() and hub.inspect(LAB, "{{.State.StartedAt}}") != started, "the lab is back", 240)
    assert hub.host.run(f"cat {NOTEBOOKS}/{killed}.txt").out == "still here"
    assert bob.kernel().run("6*7") == "42"
