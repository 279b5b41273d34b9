"""A hub under test: its host, its inventory, and a look behind the edge for what its users cannot see."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.fleet import Host
from tests.fleet.ring import STATE, Lab


@dataclass(eq=False)
class Hub:
    """The one hub of a lab."""

    lab: Lab

    @property
    def host(self) -> Host:
        (name,) = self.lab.hosts
        return self.lab.fleet.host(name)

    @property
    def settings(self) -> dict[str, object]:
        """What the inventory says of its host."""
        (settings,) = self.lab.hosts.values()
        return settings

    @property
    def url(self) -> str:
        return str(self.settings["public_url"]).rstrip("/")

    @cached_property
    def certificate(self) -> Path:
        """What the edge serves and its users have decided to trust."""
        path = self.lab.directory / "hub.crt"
        path.write_bytes(self.host.copy_out(f"{STATE}/edge/tls.crt"))
        return path

    @cached_property
    def trusted(self) -> Path:
        """The same, and the authority of the stand-ins that a login may lead to."""
        path = self.lab.directory / "trusted.crt"
        path.write_bytes(self.certificate.read_bytes() + self.lab.fleet.authority.certificate.read_bytes())
        return path

    def change(self, **changes: object) -> None:
        """Writes these settings into the inventory, for good."""
        self.settings.update(changes)
        self.lab.write()

    def apply(self, **changes: object) -> str:
        """Deploys with these settings changed, for good; returns what `hubfleet apply` printed."""
        self.change(**changes)
        return self.lab.hubfleet("apply")

    def docker(self, words: str) -> str:
        """What a `docker` command on the host printed. Raises FleetError when it fails."""
        return self.host.run(f"docker {words}").out.strip()

    def inspect(self, container: str, form: str) -> str:
        return self.docker(f"inspect --type container --format '{form}' {container}")

    def containers(self, role: str, *, all_of_them: bool = False) -> list[str]:
        """Names of the containers that run as ``hub``, ``proxy``, ``homes`` or ``server``; also those that ended."""
        words = "ps -a" if all_of_them else "ps"
        return self.docker(f"{words} --filter label=io.hubfleet.role={role} --format '{{{{.Names}}}}'").split()

    def one_time_password(self, escaped: str) -> str:
        return self.host.run(f"cat {STATE}/passwords/{escaped}").out.strip()

    def log(self, lines: int = 40) -> str:
        return self.host.run(f"docker logs --tail {lines} hubfleet-hub-hub 2>&1", check=False).out


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Polls. Fails the test, saying what was waited for, when it does not become true in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"after {seconds:.0f} s still not: {what}"
        time.sleep(0.5)
