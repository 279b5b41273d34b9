"""Judging a live host before its first change: pure code, from what the `Survey` fact read to findings.

A finding is an error (this host is left alone) or a warning, says what to do, and can be waived by its name.
"""

import ipaddress
import time
from dataclasses import dataclass, replace
from typing import Literal

from hubfleet.settings import Lab

FINDINGS = {
    "system": "the operating system and its init",
    "arch": "the processor's architecture",
    "privilege": "root, or sudo that works",
    "disk": "free space",
    "inodes": "free inodes",
    "port": "ports held by somebody else",
    "name": "what `public_url` resolves to",
    "clock": "the host's clock",
    "memory": "memory against the sum of limits",
    "owner": "owner and group of `base_user_dir`",
    "engine": "another container engine in the way",
    "device": "devices that servers are given",
    "volume": "directories of the host that servers are given",
    "lms": "the LMS's public keys",
    "image": "the image of users' servers",
}
"""Every finding's name, which `preflight_waive` takes, and what it is about."""

SYSTEMS = {"debian": ("12", "13"), "ubuntu": ("22.04", "24.04")}
"""Supported systems. Ubuntu is supported by what its packages promise; the README's table says what was tried."""

OUR_PROCESSES = {"nginx": ("nginx",)}
"""Processes of ours that may hold a port already, by edge."""


@dataclass(frozen=True)
class Finding:
    """One thing about a host that a person should know before it is changed."""

    name: str
    level: Literal["error", "warning"]
    text: str

    def __str__(self) -> str:
        return f"{self.level} [{self.name}]: {self.text}"


def ports(lab: Lab) -> list[int]:
    """The ports the edge listens on."""
    return sorted({lab.hub.public_url.port, lab.edge.http_port} - {0})


def paths(lab: Lab) -> list[str]:
    """Where room is needed: the engine's, the hub's and the users' data."""
    return ["/var/lib/docker", lab.paths.root, lab.storage.base_user_dir]


def judge(lab: Lab, report: dict[str, list[str]], address: str, now: float | None = None) -> list[Finding]:
    """All findings about a host, waived errors turned into warnings.

    `report` is the `Survey` fact, `address` what the control machine reaches the host by, `now` the control
    machine's time.
    """
    if not report:
        return [
            Finding(
                "system",
                "error",
                "the host answered nothing to a plain shell command; look at its login shell",
            )
        ]
    findings = [
        *_system(report),
        *_privilege(report),
        *_room(lab, report),
        *_ports(lab, report),
        *_name(lab, report, address),
        *_clock(lab, report, time.time() if now is None else now),
        *_memory(lab, report),
        *_owner(lab, report),
        *_engine(lab, report),
        *_devices(lab, report),
        *_volumes(lab, report),
    ]
    return [
        replace(f, level="warning", text=f"{f.text} (waived)") if f.name in lab.preflight.waive else f for f in findings
    ]


def _system(report: dict[str, list[str]]) -> list[Finding]:
    release = dict(line.replace('"', "").split("=", 1) for line in report.get("system", []) if "=" in line)
    system, version = release.get("ID", "unknown"), release.get("VERSION_ID", "unknown")
    found = []
    if version not in SYSTEMS.get(system, ()):
        known = "; ".join(f"{name.capitalize()} {', '.join(versions)}" for name, versions in SYSTEMS.items())
        found.append(Finding("system", "error", f"runs {system} {version}; Hubfleet supports {known}"))
    if report.get("init") != ["systemd"]:
        init = " ".join(report.get("init", [])) or "nothing it could read"
        found.append(Finding("system", "error", f"process 1 is {init}; services are started by systemd: boot with it"))
    machine = (report.get("arch") or ["unknown"])[0]
    if machine not in ("x86_64", "aarch64"):
        found.append(Finding("arch", "error", f"a {machine} processor; images exist for x86_64 and aarch64"))
    return found


def _privilege(report: dict[str, list[str]]) -> list[Finding]:
    uid = (report.get("user") or ["unknown"])[0]
    if uid == "0":
        return []
    return [
        Finding(
            "privilege",
            "error",
            f"commands run as user {uid}, not root; set `_sudo: True` (and `_sudo_password`), or log in as root",
        )
    ]


def _gib(size: float) -> str:
    return f"{size / 1024**3:.1f} GiB"


def _room(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    found = []
    for line in report.get("disk", []):
        path, free, inodes = line.split("|")
        if free.isdigit() and int(free) < lab.preflight.min_disk:
            text = f"{_gib(int(free))} free for {path}, wanted {_gib(lab.preflight.min_disk)}"
            found.append(Finding("disk", "error", f"{text}; make room or lower preflight_min_disk"))
        # A file system without a fixed number of inodes (btrfs) says 0 or nothing.
        if inodes.isdigit() and 0 < int(inodes) < lab.preflight.min_inodes:
            text = f"{inodes} inodes free for {path}, wanted {lab.preflight.min_inodes}"
            found.append(Finding("inodes", "error", f"{text}; delete small files or lower preflight_min_inodes"))
    return found


def _ports(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    found = []
    for line in report.get("port", []):
        port, holder = line.split("|")
        if holder not in OUR_PROCESSES.get(lab.hub.edge, ()):
            who = holder or "a process that could not be read"
            text = f"port {int(port, 16)} is held by {who}"
            found.append(Finding("port", "error", f"{text}; stop it, or change public_url or edge_http_port"))
    return found


def _name(lab: Lab, report: dict[str, list[str]], address: str) -> list[Finding]:
    url = lab.hub.public_url
    own = {line.split("%")[0] for line in report.get("addresses", [])} | {address}
    if url.is_address:
        if str(ipaddress.ip_address(url.host)) in own:
            return []
        text = f"public_url names {url.host}, which is none of the host's addresses"
        return [Finding("name", "warning", f"{text}; fine behind a router that forwards to it")]
    resolved = report.get("name", [])
    if not resolved:
        text = f"{url.host} does not resolve on the host; add it to DNS before people use it"
        return [Finding("name", "warning", text)]
    if not own & set(resolved) and not any(ipaddress.ip_address(item).is_loopback for item in resolved):
        text = f"{url.host} resolves to {', '.join(resolved)}, none of the host's addresses"
        return [Finding("name", "warning", f"{text}; fine behind a router, else mend DNS")]
    return []


def _clock(lab: Lab, report: dict[str, list[str]], now: float) -> list[Finding]:
    seconds = (report.get("clock") or [""])[0]
    if not seconds.isdigit():
        return []
    skew = int(seconds) - now
    if abs(skew) <= lab.preflight.max_clock_skew:
        return []
    text = f"its clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    return [Finding("clock", "error", f"{text}; switch on time synchronisation, or logins and certificates fail")]


def _memory(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    values = dict(line.split() for line in report.get("memory", []) if len(line.split()) == 2)
    total = int(values.get("MemTotal:", 0)) * 1024
    if not total:
        return []
    if lab.hub.spawner == "local":
        if lab.hub.hub_mem_limit <= total:
            return []
        text = f"{_gib(total)} of memory, but the hub with all servers in it may take {_gib(lab.hub.hub_mem_limit)}"
        return [Finding("memory", "error", f"{text}; lower hub_mem_limit")]
    one = lab.hub.hub_mem_limit + lab.server.mem_limit
    if one > total:
        text = f"{_gib(total)} of memory, but the hub and one server may take {_gib(one)}; lower server_mem_limit"
        return [Finding("memory", "error", text)]
    everyone = lab.hub.hub_mem_limit + lab.server.mem_limit * lab.server.active_limit
    if everyone > total:
        fits = (total - lab.hub.hub_mem_limit) // lab.server.mem_limit
        text = f"{_gib(total)} of memory, but {lab.server.active_limit} servers may take {_gib(everyone)}"
        return [Finding("memory", "warning", f"{text}; server_active_limit {fits} would fit at their limits")]
    return []


def _owner(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    storage = lab.storage
    found = []
    owners = report.get("owner", [])
    uid = next((line for line in owners if line.isdigit()), None)
    group = next((line.split(":") for line in owners if line.count(":") == 3), None)
    if uid is None:
        text = f"there is no user {storage.base_user_dir_owner}; make it or change base_user_dir_owner"
        found.append(Finding("owner", "error", text))
    if group is None:
        text = f"there is no group {storage.base_user_dir_group}; make it or change base_user_dir_group"
        found.append(Finding("owner", "error", text))
    base = (report.get("base") or [""])[0].split("|")
    if len(base) == 4 and base[3] != "directory":
        found.append(
            Finding(
                "owner",
                "error",
                f"{storage.base_user_dir} is a {base[3]}, not a directory; name another place",
            )
        )
    elif len(base) == 4 and uid and group and (base[0], base[1]) != (uid, group[2]):
        text = f"{storage.base_user_dir} belongs to {base[0]}:{base[1]}, settings say {uid}:{group[2]}"
        found.append(
            Finding(
                "owner",
                "error",
                f"{text}; change base_user_dir_owner and _group, or the owner yourself: Hubfleet will not",
            )
        )
    return found


def _engine(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    installed = {line.split("|")[1] for line in report.get("package", []) if "|" in line}
    found = []
    if "podman-docker" in installed:
        found.append(Finding("engine", "error", "podman-docker stands in for `docker`; remove that package"))
    wanted, other = ("docker.io", "docker-ce") if lab.docker.source == "distribution" else ("docker-ce", "docker.io")
    if other in installed and wanted not in installed:
        right = "docker" if wanted == "docker.io" else "distribution"
        text = f"{other} is installed, docker_source asks for {wanted}"
        remedy = f"set docker_source to {right!r}, or remove {other} yourself"
        found.append(Finding("engine", "error", f"{text}; {remedy}"))
    return found


def _devices(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    missing = [device for device in lab.server.devices if device not in report.get("device", [])]
    return [
        Finding(
            "device",
            "error",
            f"{device} is not on the host, so no server would start; load its driver or take it off server_devices",
        )
        for device in missing
    ]


def sources(lab: Lab) -> list[str]:
    """Directories and files of the host that servers see."""
    return sorted({volume.source for volume in lab.server.volumes if volume.source.startswith("/")})


def _volumes(lab: Lab, report: dict[str, list[str]]) -> list[Finding]:
    return [
        Finding(
            "volume",
            "error",
            f"{source} is not on the host, so no server would start; make it, or take it off server_volumes",
        )
        for source in sources(lab)
        if source not in report.get("source", [])
    ]
