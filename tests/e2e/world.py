"""What there is around the hubs under test, and how they come to be: a host each, one inventory, one run."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from hubfleet.images import Target
from tests.e2e.hub import Hub
from tests.fleet import Fleet, Host, HostSpec
from tests.fleet.images import ensure_images
from tests.fleet.ring import Lab, rows
from tests.fleet.standins.github import GitHub
from tests.fleet.standins.lms import Lms
from tests.fleet.standins.server import StandIn

HERE = Path(__file__).parent

S = TypeVar("S", bound=StandIn)

#: Each has a ``settings.py`` with ``settings(world, host)``, the host's data beside ``public_url`` (files by absolute
#: paths), and ``IMAGES``, the images of ours that it pulls.
FLAVOURS = sorted(path.parent.name for path in HERE.glob("*/settings.py"))


def flavour_of(test: Path) -> str:
    """The flavour whose hub a test's file is about."""
    return test.parent.name if test.parent.name in FLAVOURS else "neurodesk"


@dataclass
class World:
    """A fleet, and the stand-ins for services of others that its hosts and browsers reach.

    A stand-in starts when it is first asked for. Files that settings name go into ``directory``.
    """

    fleet: Fleet
    directory: Path
    _open: ExitStack = field(default_factory=ExitStack, repr=False)

    @cached_property
    def github(self) -> GitHub:
        return self._serving(GitHub())

    @cached_property
    def lms(self) -> Lms:
        return self._serving(Lms())

    def close(self) -> None:
        self._open.close()

    def _serving(self, standin: S) -> S:
        serving = standin.serve(self.fleet.authority, self.fleet.gateway)
        self._open.callback(serving.close)
        return serving


@dataclass(frozen=True)
class Deployment:
    """What one run over one inventory has made, by flavour, and after how many seconds."""

    lab: Lab
    printed: str
    seconds: float
    hubs: dict[str, Hub]

    @classmethod
    def of(cls, world: World, flavours: Sequence[str]) -> "Deployment":
        """Hubs of these flavours, side by side. Those that did not come up are told by hub()."""
        modules = {flavour: import_module(f"tests.e2e.{flavour}.settings") for flavour in flavours}
        wanted: list[Target] = sorted({image for module in modules.values() for image in module.IMAGES})
        ensure_images(world.fleet, wanted)
        hosts = _clean_hosts(world.fleet, flavours)
        settings: dict[str, dict[str, object]] = {
            flavour: {"public_url": f"https://{hosts[flavour].address}"} | module.settings(world, hosts[flavour])
            for flavour, module in modules.items()
        }
        # A flavour's tests change settings, and mean their own host alone.
        own = {
            flavour: Lab(world.fleet, world.directory / flavour, {flavour: dict(data)}, {flavour: flavour})
            for flavour, data in settings.items()
        }
        lab = Lab(world.fleet, world.directory / "all", settings, {flavour: flavour for flavour in flavours})
        began = time.monotonic()
        printed = lab.hubfleet("apply", code=None)
        took = time.monotonic() - began
        return cls(lab, printed, took, {flavour: Hub(each) for flavour, each in own.items()})

    def hub(self, flavour: str) -> Hub:
        """Fails the test when the run did not make it."""
        assert "HOST " in self.printed, self.printed
        assert rows(self.printed)[flavour][0] == "ok", self.printed
        return self.hubs[flavour]


def _clean_hosts(fleet: Fleet, flavours: Sequence[str]) -> dict[str, Host]:
    """A host each, with nothing on it of a hub that ran there before."""
    kept = [fleet.host(flavour) for flavour in flavours if flavour in fleet.hosts]
    for host in kept:
        # The images too: the stand-ins of yesterday have the names of today's.
        host.run("docker ps -aq | xargs -r docker rm -f; docker images -q | sort -u | xargs -r docker rmi -f")
        host.run("rm -rf /var/lib/hubfleet/hub /srv/hubfleet")
    fleet.start(*(HostSpec(flavour) for flavour in flavours if flavour not in fleet.hosts))
    return {flavour: fleet.host(flavour) for flavour in flavours}
