"""The hosts that the fleet ring's promises share; each is started when the first test needs it."""

from collections.abc import Callable, Iterator

import pytest

from tests.fleet import Fleet, Host, HostSpec
from tests.fleet.images import ensure_images
from tests.fleet.ring import Four, Lab, fleet_of


@pytest.fixture(scope="session")
def ring() -> Iterator[Fleet]:
    """A fleet whose registry serves our images."""
    with fleet_of("ring") as fleet:
        ensure_images(fleet)
        yield fleet


@pytest.fixture(scope="session")
def started(ring: Fleet) -> Callable[..., list[Host]]:
    """Hosts of the ring, side by side; those that are up already are taken as they are."""

    def start(*specs: HostSpec) -> list[Host]:
        missing = [spec for spec in specs if spec.name not in ring.hosts]
        if missing:
            ring.start(*missing)
        return [ring.host(spec.name) for spec in specs]

    return start


@pytest.fixture(scope="session")
def four(ring: Fleet, started: Callable[..., list[Host]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Four]:
    """Debian 13 as root, as a sudo user with a password, Debian 12, and a host that was paused before the run."""
    hosts = started(
        HostSpec("alpha"), HostSpec("beta", login="sudo"), HostSpec("gamma", release="debian12"), HostSpec("delta")
    )
    named: dict[str, dict[str, object]] = {host.name: {"public_url": f"https://{host.address}"} for host in hosts}
    named["alpha"] = {"public_url": "https://hub.example.org"}
    lab = Lab(ring, tmp_path_factory.mktemp("four"), named)
    (lab.directory / "group_data").mkdir()
    (lab.directory / "group_data" / "neurodesk.py").write_text("server_pids_limit = 777\n")
    silent = ring.host("delta")
    silent.pause()
    try:
        yield Four(lab, lab.hubfleet("apply", code=1))
    finally:
        silent.unpause()
