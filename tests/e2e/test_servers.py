"""A user's server, from inside, where its owner may run anything: what it may use and whom it reaches."""

import json
from collections.abc import Callable

import pytest

from tests.e2e.hub import Hub
from tests.e2e.person import Kernel, Person

GIB = 1024**3


@pytest.fixture(scope="module")
def two(newcomer: Callable[[str], Person]) -> tuple[Person, Person]:
    """Two people whose servers run."""
    return newcomer("bob").start(), newcomer("cai").start()


@pytest.fixture(scope="module")
def inside(two: tuple[Person, Person]) -> Kernel:
    """A kernel in the first one's server."""
    return two[0].kernel()


def reaches(kernel: Kernel, address: str, port: int) -> bool:
    """Whether a TCP connection from inside a server comes about."""
    answer = kernel.run(
        "import socket\n"
        "try:\n"
        f"    socket.create_connection(({address!r}, {port}), timeout=4).close()\n"
        "    print('reached')\n"
        "except OSError as error:\n"
        "    print(type(error).__name__)\n"
    ).strip()
    assert answer in ("reached", "TimeoutError", "ConnectionRefusedError", "OSError"), answer
    return answer == "reached"


def address_of(hub: Hub, container: str, network: str = "hubfleet-hub-users") -> str:
    return hub.inspect(container, f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}')


def test_a_server_reaches_the_hub_and_no_other_users_server(hub: Hub, inside: Kernel) -> None:
    other = address_of(hub, "hubfleet-hub-server-cai")
    hub.host.run(f"timeout 5 bash -c '</dev/tcp/{other}/8888'")  # there is something to reach
    assert not reaches(inside, other, 8888)
    assert not reaches(inside, "hubfleet-hub-server-cai", 8888)
    assert reaches(inside, address_of(hub, "hubfleet-hub-hub"), 8081)


def test_a_server_does_not_reach_the_proxys_api(hub: Hub, inside: Kernel) -> None:
    for network in ("hubfleet-hub-users", "hubfleet-hub-core"):
        assert not reaches(inside, address_of(hub, "hubfleet-hub-proxy", network), 8001)


def test_a_server_has_the_limits_that_the_inventory_says(hub: Hub, two: tuple[Person, Person]) -> None:
    limits = json.loads(hub.inspect("hubfleet-hub-server-bob", "{{json .HostConfig}}"))
    assert limits["Memory"] == limits["MemorySwap"] == GIB
    assert limits["CpuQuota"] / limits["CpuPeriod"] == 1
    assert limits["PidsLimit"] == 2048
    assert limits["ShmSize"] == 64 * 1024**2


def test_a_process_that_takes_more_memory_than_that_is_ended(inside: Kernel) -> None:
    greedy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'len(b\"x\" * (1200 * 2**20))']).returncode"
    assert inside.run(greedy) == "-9"
    assert inside.run("6*7") == "42"


def test_a_server_has_no_rights_beyond_its_users(hub: Hub, inside: Kernel) -> None:
    about = json.loads(hub.inspect("hubfleet-hub-server-bob", "{{json .HostConfig}}"))
    assert not about["Privileged"]
    assert about["CapDrop"] == ["ALL"]
    assert "no-new-privileges" in about["SecurityOpt"]
    assert inside.run("import os; os.getuid(), os.getgid()") == "(1000, 100)"
    assert inside.run("import os; os.path.exists('/var/run/docker.sock')") == "False"
    effective = inside.run("print([line.split()[1] for line in open('/proc/self/status') if line.startswith('Cap')])")
    assert set(effective.strip()) <= set("[]'0, "), effective


def test_nobody_enters_the_server_of_another(two: tuple[Person, Person]) -> None:
    bob, cai = two
    assert bob.ask("GET", f"{cai.prefix}api/contents").status_code == 403
    assert bob.ask("POST", f"{cai.prefix}api/kernels", json={}).status_code == 403
    assert cai.ask("GET", f"{cai.prefix}api/contents").status_code == 200
