"""The profile that NeuroDesktop needs: a container that starts as root with more rights, for a user who is not root."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.hub import Hub
from tests.e2e.person import Person


@pytest.fixture
def desktop(hub: Hub) -> Iterator[Hub]:
    """The hub with the flavour's own profile; the device that goes with it no disposable host has."""
    hub.apply(server_profile="desktop")
    yield hub
    hub.apply(server_profile="restricted")


def test_a_desktop_has_the_rights_it_needs_and_its_user_has_none(
    desktop: Hub, newcomer: Callable[[str], Person]
) -> None:
    kim = newcomer("kim").start()
    about = json.loads(desktop.inspect("hubfleet-hub-server-kim", "{{json .HostConfig}}"))
    assert not about["Privileged"]
    assert about["CapAdd"] in (["SYS_ADMIN"], ["CAP_SYS_ADMIN"])
    assert about["Memory"] == about["MemorySwap"] == 1024**3
    kernel = kim.kernel()
    assert kernel.run("6*7") == "42"
    assert kernel.run("import os; os.getuid(), os.getgid(), os.getgroups()") == "(1000, 100, [])"
    assert kernel.run("print(open('/proc/self/status').read().split('CapEff:')[1].split()[0])").strip() == "0" * 16
    kim.write("mine.txt", b"mine")
    assert desktop.host.run("stat -c '%u:%g' /srv/hubfleet/users/kim/mine.txt").out.strip() == "1000:100"
    kim.stop()
