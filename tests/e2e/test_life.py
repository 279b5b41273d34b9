"""Hubs are replaced and hosts reboot, and the people who compute there go on."""

from collections.abc import Callable

import pytest
import requests

from tests.e2e.hub import Hub, wait_until
from tests.e2e.person import Kernel, Person
from tests.fleet.images import serve_jupyterhub6

Come = Callable[[str], Person]


def computing(person: Person) -> Kernel:
    """A kernel of a started server that remembers something."""
    kernel = person.start().kernel()
    kernel.run("x = 41")
    return kernel


def assert_goes_on(kernel: Kernel) -> None:
    """The state is intact, through the same WebSocket or the next; and the server still lets its owner in anew,
    which takes an answer of the hub's."""
    assert kernel.run_after_reconnecting_once("x + 1") == "42"
    owner = kernel.owner
    again = Person(owner.hub, owner.name, owner.password)
    assert again.log_in().ok
    again.take_token()
    assert again.ask("GET", f"{again.prefix}api/kernels/{kernel.identity}").ok
    assert Kernel(again, kernel.identity).run("x + 1") == "42"


def test_a_kernel_outlives_the_hubs_container(hub: Hub, newcomer: Come) -> None:
    kernel = computing(newcomer("dan"))
    server, before = hub.inspect("hubfleet-hub-server-dan", "{{.Id}}"), hub.inspect("hubfleet-hub-hub", "{{.Id}}")
    hub.docker("rm -f hubfleet-hub-hub")
    hub.lab.hubfleet("apply")
    assert hub.inspect("hubfleet-hub-hub", "{{.Id}}") != before
    assert hub.inspect("hubfleet-hub-server-dan", "{{.Id}}") == server
    assert_goes_on(kernel)
    kernel.owner.stop()


def test_so_does_one_in_an_image_that_keeps_stale_dns_answers(hub: Hub, newcomer: Come) -> None:
    """By a changed setting this time, with the JupyterHub 6 that labs' own images have."""
    ours = hub.settings.get("server_image")
    hub.apply(server_image=serve_jupyterhub6(hub.lab.fleet))
    kernel = computing(newcomer("eli"))
    assert kernel.run("import aiodns, jupyterhub; jupyterhub.__version__") == "'6.1.1'"
    before = hub.inspect("hubfleet-hub-hub", "{{.Id}}")
    if ours is None:
        del hub.settings["server_image"]
    hub.apply(cull_every=601)
    assert hub.inspect("hubfleet-hub-hub", "{{.Id}}") != before
    assert_goes_on(kernel)
    kernel.owner.stop()


@pytest.mark.parametrize("hard", [False, True], ids=["in-order", "as-when-the-power-fails"])
def test_a_host_that_reboots_has_its_hub_back_without_a_run(hub: Hub, newcomer: Come, hard: bool) -> None:
    gil = newcomer(f"gil-{hard}".lower()).start()
    gil.write("kept.txt", b"still here")
    hub.host.reboot(hard=hard)

    def answers() -> bool:
        try:
            return requests.get(f"{hub.url}/hub/login", verify=str(hub.certificate), timeout=10).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, "the login page is back", 240)
    # A server needs the keeper of homes, the proxy and the networks' rules, in both directions.
    gil.stop()
    kernel = gil.start().kernel()
    assert kernel.run("6*7") == "42"
    assert kernel.run("open('kept.txt').read()") == "'still here'"
    gil.stop()
