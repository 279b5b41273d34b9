"""A personal hub changes, is replaced and reboots: who computes there goes on, or was asked about first."""

import json
from collections.abc import Callable

import pytest
import requests

from tests.e2e.hub import Hub, wait_until
from tests.e2e.person import Kernel
from tests.e2e.personal.member import Member
from tests.fleet.images import serve_one_more_layer
from tests.fleet.ring import leaked, rows, secrets_of, unchanged

Come = Callable[[str], Member]

HUB = "hubfleet-hub-hub"
PROCESS = f"exec {HUB} pgrep -f '^/opt/hub/bin/python /opt/hub/bin/jupyterhub '"


@pytest.fixture
def computing(member: Come) -> Kernel:
    """A kernel of ada's that remembers something."""
    ada = member("ada").start()
    kernel = ada.kernel()
    kernel.run("x = 41")
    return kernel


def goes_on(kernel: Kernel) -> bool:
    return kernel.run_after_reconnecting_once("x + 1") == "42"


def running(hub: Hub) -> int:
    """How many servers."""
    (told,) = json.loads(hub.lab.hubfleet("status", "--json").out)
    return int(told["active_servers"])


def answers(hub: Hub) -> bool:
    try:
        return requests.get(f"{hub.url}/hub/login", verify=str(hub.certificate), timeout=10).ok
    except requests.ConnectionError:
        return False


def test_a_second_run_changes_nothing_and_a_dry_one_shows_no_secret(hub: Hub, computing: Kernel) -> None:
    assert unchanged(json.loads(hub.lab.pyinfra("-y", "--json").out)["results"]) == {hub.host.name}
    secrets = secrets_of(hub.host) | {"ada's password": computing.owner.password}
    secrets["accounts"] = hub.host.run("cat /var/lib/hubfleet/hub/state/accounts").out
    hub.change(cull_every=601)
    printed = hub.lab.hubfleet("plan", code=2) + hub.lab.pyinfra("--dry", "-vvv", "--diff")
    del hub.settings["cull_every"]
    hub.lab.write()
    assert leaked(printed, secrets) == []


def test_a_changed_configuration_restarts_the_hub_and_no_server(hub: Hub, computing: Kernel) -> None:
    container, process = hub.inspect(HUB, "{{.Id}}"), hub.docker(PROCESS)
    hub.change(cull_every=602)
    planned = hub.lab.hubfleet("plan", code=2)
    assert "hub restarts" in planned
    assert f"servers cut off: 0 of {running(hub)}" in planned
    hub.apply()
    assert hub.inspect(HUB, "{{.Id}}") == container
    assert hub.docker(PROCESS) != process
    assert goes_on(computing)
    assert computing.owner.about()["servers"]
    assert unchanged(json.loads(hub.lab.pyinfra("-y", "--json").out)["results"]) == {hub.host.name}
    hub.apply(cull_every=600)


def test_a_configuration_that_the_hub_refuses_leaves_it_as_it_was(hub: Hub, computing: Kernel) -> None:
    own = hub.lab.directory / "own.d"
    own.mkdir()
    (own / "10-wrong.py").write_text("c.Spawner.start_timeout = 'soon'\n")
    hub.change(hub_config_dir=str(own))
    try:
        assert "its own checker refuses the new file" in hub.lab.hubfleet("apply", code=1)
        assert answers(hub)
        assert goes_on(computing)
    finally:
        hub.apply(hub_config_dir="")


def test_a_new_image_ends_servers_only_when_that_is_asked_for_and_loses_nothing(
    hub: Hub, member: Come, computing: Kernel
) -> None:
    ada, container = computing.owner, hub.inspect(HUB, "{{.Id}}")
    ada.write("kept.txt", b"still hers")
    shown_to_grace = f"exec --user grace {HUB} cat /home/grace/ada/kept.txt"
    hub.docker(f"exec {HUB} hub-admin allow-read ada grace")
    assert hub.docker(shown_to_grace) == "still hers"
    accounts = hub.docker(f"exec {HUB} getent passwd ada grace jupyterhub")
    serve_one_more_layer(hub.lab.fleet, repository="newer")
    hub.change(image_repository="newer")
    try:
        planned = hub.lab.hubfleet("plan", code=1)
        assert f"would cut off {running(hub)} running server" in planned
        refused = hub.lab.hubfleet("apply", code=1)
        assert "hubfleet apply --cut-servers" in rows(refused)[hub.host.name][-1]
        assert hub.inspect(HUB, "{{.Id}}") == container
        assert goes_on(computing)

        assert f"cuts off {running(hub)} running server" in hub.lab.hubfleet(
            "plan", "--data", "hub_cut_servers=True", code=2
        )
        hub.lab.hubfleet("apply", "--cut-servers")
        assert hub.docker(f"exec {HUB} cat /etc/one-more-layer") == "one more layer"
        assert hub.docker(f"exec {HUB} getent passwd one-more").startswith("one-more:")
        assert hub.docker(f"exec {HUB} getent passwd ada grace jupyterhub") == accounts
        assert hub.docker(shown_to_grace) == "still hers"
        again = Member(hub, "ada", ada.password)
        assert again.log_in().ok
        wait_until(lambda: not again.take_token().about()["servers"], "the hub knows that the server ended")
        assert again.start().terminal("cat kept.txt") == (0, "still hers")
        assert unchanged(json.loads(hub.lab.pyinfra("-y", "--json").out)["results"]) == {hub.host.name}
    finally:
        hub.docker(f"exec {HUB} hub-admin disallow ada grace")
        hub.change(image_repository="hubfleet")
        hub.lab.hubfleet("apply", "--cut-servers")


def test_a_host_that_loses_power_has_its_hub_and_the_last_password_back(hub: Hub, member: Come) -> None:
    ada = member("ada").start()
    ada.write("kept.txt", b"still hers")
    old, ada.password = ada.password, "chosen just before the power went"
    status, said = ada.terminal("passwd", typed=f"{old}\n{ada.password}\n{ada.password}\n")
    assert status == 0, said
    hub.host.reboot(hard=True)
    wait_until(lambda: answers(hub), "the login page is back", 240)
    again = Member(hub, "ada", ada.password)
    assert again.log_in().ok
    assert again.take_token().start().terminal("cat kept.txt") == (0, "still hers")
    assert unchanged(json.loads(hub.lab.pyinfra("-y", "--json").out)["results"]) == {hub.host.name}
