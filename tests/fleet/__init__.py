"""Disposable Debian hosts, reached over SSH as real ones are: for the demo, the tests and the benchmarks.

    with Fleet("mine") as fleet:
        hub, other = fleet.start(HostSpec("hub"), HostSpec("other", release="debian12", login="sudo"))
        inventory = fleet.inventory(tmp_path / "inventory.py", {"neurodesk": [(hub, {"public_url": ...})]})
        hub.ssh("systemctl is-active docker")

A host is a container of this machine's Docker engine that boots systemd and sshd and can run an engine of
its own. A fleet has a network, a registry that serves as its hosts' Docker Hub mirror, SSH keys made for it,
and a state file in the cache. Everything of a fleet carries its label and goes with it; fleets of dead
processes are swept away. From a shell: ``python -m tests.fleet --help``.
"""

from tests.fleet.engine import FleetError
from tests.fleet.fleet import Fleet, purge, sweep
from tests.fleet.host import Entry, Host, HostSpec, Result
from tests.fleet.registry import Registry

__all__ = ["Entry", "Fleet", "FleetError", "Host", "HostSpec", "Registry", "Result", "purge", "sweep"]
