"""What the tests of whole deploys share: a lab's directory outside the clone, and runs with all that they printed."""

import base64
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from hubfleet.images import ROOT
from tests.fleet import Fleet, Host
from tests.fleet.fleet import names

#: Leaves a ring's fleet up, and uses one that is up: for whoever is writing a test.
KEEP = bool(os.environ.get("HUBFLEET_KEEP"))

#: Seconds after which a run is cut off: a test that hangs says nothing.
RUN_TIMEOUT = 1500

STATE = "/var/lib/hubfleet/hub"


@contextmanager
def fleet_of(ring: str) -> Iterator[Fleet]:
    """The fleet that a ring's promises share."""
    # Two runs at a time have a fleet each; one that is kept is found again by its name.
    name = ring if KEEP else f"{ring}-{os.getpid()}"
    if KEEP and name in names():
        yield Fleet.load(name)
        return
    with Fleet(name, stays=KEEP) as fleet:
        yield fleet


class Printed(str):
    """All that a program printed; ``out`` is what went to standard output."""

    out: str


def tool(*words: str, code: int | None = 0, env: Mapping[str, str] | None = None) -> Printed:
    """What a program of ours printed, standard output first. Fails the test unless it ends with ``code``, if any."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name(words[0])), *words[1:]],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        text=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=RUN_TIMEOUT,
        check=False,
    )
    assert code is None or done.returncode == code, (
        f"{' '.join(words)} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    )
    printed = Printed(done.stdout + done.stderr)
    printed.out = done.stdout
    return printed


@dataclass
class Lab:
    """A lab's own directory, outside the clone: one inventory of hosts of a fleet, and its group_data.

    ``hosts`` is what the inventory says of each beside how to reach it; each is of the flavour that ``flavours``
    names, or a ``neurodesk``.
    """

    fleet: Fleet
    directory: Path
    hosts: dict[str, dict[str, object]]
    flavours: Mapping[str, str] = field(default_factory=dict)
    common: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.directory.mkdir(exist_ok=True)
        # What makes a flavour fit a small disposable host in a network of its own.
        small: dict[str, object] = {
            "image_source": "pull",
            "docker_mirror": [self.fleet.registry.address],
            "extra_ca": str(self.fleet.trusted),
            "server_profile": "restricted",
            "server_devices": [],
            "server_mem_limit": "1G",
            "server_cpu_limit": 1,
            "server_shm_size": "64M",
            "preflight_min_disk": "2G",
        }
        self.common = small | self.common
        self.write()

    @property
    def inventory(self) -> Path:
        return self.directory / "hosts.py"

    def write(self, text: str = "", **changes: object) -> None:
        """Write the inventory, with settings changed for all its hosts, and ``text`` after them."""
        self.common |= changes
        groups: dict[str, list[tuple[Host, dict[str, object]]]] = {}
        for name, data in self.hosts.items():
            members = groups.setdefault(self.flavours.get(name, "neurodesk"), [])
            members.append((self.fleet.host(name), self.common | data))
        self.fleet.inventory(self.inventory, groups)
        with self.inventory.open("a") as inventory:
            inventory.write(text)

    def hubfleet(self, verb: str, *words: str, code: int | None = 0, env: Mapping[str, str] | None = None) -> Printed:
        return tool("hubfleet", verb, str(self.inventory), *words, code=code, env=env)

    def pyinfra(self, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> Printed:
        return tool("pyinfra", str(self.inventory), "deploy.py", *words, code=code, env=env)


@dataclass(frozen=True)
class Four:
    """A lab of four hosts of which one does not answer, and what was printed while they became hubs."""

    lab: Lab
    printed: str


def certificate(directory: Path, name: str) -> dict[str, object]:
    """The settings of a certificate of the lab's own, made beside its inventory."""
    directory.mkdir(exist_ok=True)
    about = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-days", "300"]
    places = ["-keyout", str(directory / "hub.key"), "-out", str(directory / "hub.crt")]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *about, *places]
    subprocess.run(make, check=True, capture_output=True, timeout=60)
    return {"tls_mode": "files", "tls_cert": "hub.crt", "tls_key": "file:hub.key"}


def rows(printed: str) -> dict[str, list[str]]:
    """The closing table of `hubfleet apply`: by host, its columns after the name."""
    lines = printed[printed.index("HOST ") :].splitlines()[1:]
    table = [re.split(r" {2,}", line) for line in lines[: lines.index("") if "" in lines else None]]
    return {row[0].strip(): row[1:] for row in table}


def shows_login(host: Host) -> bool:
    """Whether the page to log in comes from a host over HTTPS, whatever its certificate."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    with urlopen(f"https://{host.address}/hub/login", context=anything, timeout=30) as page:
        return page.status == 200 and b'name="password"' in page.read()


def unchanged(results: dict[str, Any]) -> set[str]:
    """The hosts of a run (`pyinfra --json`). Fails the test when an operation changed one, or failed there."""
    disturbed = [operation for operation in results["operations"] if operation["success"] or operation["error"]]
    assert disturbed == []
    return {host for operation in results["operations"] for host in operation["no_change"]}


def secrets_of(host: Host) -> dict[str, str]:
    """Every secret that was made or placed on a host: its path and its value."""
    paths = host.run(f"find {STATE}/secrets {STATE}/passwords {STATE}/edge/tls.key -type f").out
    return {path: host.copy_out(path).decode().strip() for path in paths.splitlines()}


def leaked(printed: str, secrets: Mapping[str, str]) -> list[str]:
    """The names of secrets of which a line, as it is or in base64, is in a text."""
    return sorted(
        name
        for name, value in secrets.items()
        for line in value.splitlines()
        # Headers of PEM files and the like are no secrets.
        if len(line) >= 12 and "-----" not in line
        for shape in (line, base64.b64encode(line.encode()).decode().rstrip("=")[:-1])
        if shape in printed
    )
