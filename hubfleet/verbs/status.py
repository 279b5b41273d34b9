"""`hubfleet status`: all hubs in one table."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

import click
from pyinfra.api.host import Host
from pyinfra.context import ctx_host

from hubfleet.containers import LABEL_HUB, LABEL_ROLE
from hubfleet.run import HostFailed, command
from hubfleet.settings import Lab
from hubfleet.spawners import parts
from hubfleet.verbs.common import Target, opened
from hubfleet.verbs.text import size, table

# Runs inside the hub's container, which has the token: that never leaves the host.
ASK_HUB = """
import json
from urllib.request import Request, urlopen
from hubfleet_hub.config import HUB_PORT, HubConfig, read_secret
api = f"http://127.0.0.1:{HUB_PORT}{HubConfig.load().base_url}hub/api"
headers = {"Authorization": "token " + read_secret("status_token"), "Accept": "application/jupyterhub-pagination+json"}
def ask(path):
    return json.load(urlopen(Request(api + path, headers=headers), timeout=20))
def count(state):
    return ask(f"/users?limit=1{state}")["_pagination"]["total"]
print(json.dumps({"version": ask("/")["version"], "users": count(""), "servers": count("&state=active")}))
"""


@dataclass
class Status:
    """One hub. Numbers are None where they could not be read."""

    host: str
    url: str
    state: str = "unreachable"
    """`up`, `down`, `not deployed` or `unreachable`."""
    why: str = ""
    jupyterhub: str = ""
    hubfleet: str = ""
    """The Hubfleet that deployed it last."""
    image: str = ""
    """Short id of the image the hub runs."""
    up_seconds: int | None = None
    users: int | None = None
    active_servers: int | None = None
    disk_free: int | None = None
    """Bytes free where users' files are."""
    certificate_days: int | None = None
    containers: dict[str, str] = field(default_factory=dict)
    """State or health, by role."""


def status(target: Target, as_json: bool) -> int:
    """Print the table; 1 when a hub is not up or cannot be reached."""
    with opened(target) as (run, labs):
        run.connect()
        found = {host.name: Status(host.name, str(labs[host.name].hub.public_url)) for host in run.hosts}

        run.on_each(lambda host: look(host, labs[host.name], found[host.name]))
        for host in run.hosts:
            row, report = found[host.name], run.reports[host.name]
            if report.failure:
                row.state, row.why = "down" if report.reached else "unreachable", report.failure
    rows = list(found.values())
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        click.echo(_table(rows))
    return 0 if all(row.state == "up" for row in rows) else 1


def tell_here(lab: Lab) -> None:
    """Log the status of pyinfra's current host, as an operation's function. Raises HostFailed unless it is up."""
    host: Host = ctx_host.get()
    row = Status(host.name, str(lab.hub.public_url))
    look(host, lab, row)
    for key, value in asdict(row).items():
        host.log(f"{key}: {value}")
    if row.state != "up":
        raise HostFailed(row.why)


def look(host: Host, lab: Lab, row: Status) -> None:
    """Ask a host and fill its row. Raises HostFailed when it gives no answer."""
    answer = command(host, question(lab), timeout=90)
    if not answer.ok or "@@hub" not in answer.out:
        raise HostFailed((answer.err or answer.out).strip() or "the host gave no answer")
    read(row, answer.out, [spec.role for spec in reversed(parts(lab).containers)])


def question(lab: Lab) -> str:
    """One command for everything; each part after a heading, and no part stops the others."""
    hub = shlex.quote(f"label={LABEL_HUB}={lab.hub.hub_name}")
    form = (
        '{{index .Config.Labels "' + LABEL_ROLE + '"}}|{{.State.Status}}|'
        "{{if .State.Health}}{{.State.Health.Status}}{{end}}|{{.State.StartedAt}}|{{.Image}}"
    )
    ids = f"docker ps -aq --filter {hub} 2>/dev/null"
    base = lab.storage.base_user_dir if lab.hub.homes == "directory" else "/var/lib/docker"
    return "\n".join(
        [
            f'echo @@containers; ids=$({ids}); [ -z "$ids" ] || docker inspect --format {shlex.quote(form)} $ids',
            f"echo @@deployed; cat {shlex.quote(lab.paths.root + '/deployed.yaml')} 2>/dev/null",
            f"echo @@disk; df -PB1 {shlex.quote(base)} 2>/dev/null | awk 'NR==2{{print $4}}'",
            f"echo @@certificate; openssl x509 -noout -enddate -in {lab.paths.edge}/tls.crt 2>/dev/null",
            "echo @@now; date +%s",
            f"echo @@hub; docker exec -i {lab.names.hub} python - 2>/dev/null <<'END'\n{ASK_HUB}END",
            "true",
        ]
    )


def read(row: Status, text: str, roles: Sequence[str]) -> None:
    """Fill a row from the answer to `question`; `roles` are those of the containers that a well hub has."""
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("@@"):
            lines = parts.setdefault(line[2:], [])
        elif line.strip():
            lines.append(line.strip())
    now = datetime.fromtimestamp(int(parts["now"][0]), UTC)
    for line in parts["containers"]:
        role, state, health, started, image = line.split("|")
        if role not in roles:
            continue
        row.containers[role] = health if state == "running" and health else state
        if role == "hub":
            row.image = image.removeprefix("sha256:")[:12]
            if state == "running":
                row.up_seconds = int((now - datetime.fromisoformat(started[:19]).replace(tzinfo=UTC)).total_seconds())
    deployed = dict(line.split(": ", 1) for line in parts["deployed"] if ": " in line and not line.startswith("#"))
    row.hubfleet = deployed.get("hubfleet", "")
    row.disk_free = int(parts["disk"][0]) if parts["disk"] else None
    if parts["certificate"]:
        ends = datetime.strptime(parts["certificate"][0], "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
        row.certificate_days = (ends - now).days
    if parts["hub"]:
        answer = json.loads(parts["hub"][-1])
        row.jupyterhub, row.users, row.active_servers = answer["version"], answer["users"], answer["servers"]
    row.state, row.why = judge(row, roles)


def judge(row: Status, roles: Sequence[str]) -> tuple[str, str]:
    """Whether a hub is up, and if not why."""
    if not row.containers and not row.hubfleet:
        return "not deployed", "run hubfleet apply"
    wrong = [f"{role} {row.containers.get(role, 'missing')}" for role in roles if not _well(row.containers.get(role))]
    if wrong:
        return "down", f"{', '.join(wrong)}; see hubfleet logs"
    if row.users is None:
        return "down", "the hub does not answer; see hubfleet logs"
    if row.certificate_days is not None and row.certificate_days < 0:
        return "down", "the certificate has run out"
    return "up", ""


def _well(state: str | None) -> bool:
    return state in ("running", "healthy", "starting")


def _table(rows: list[Status]) -> str:
    head = (
        "HOST",
        "STATE",
        "JUPYTERHUB",
        "HUBFLEET",
        "IMAGE",
        "UP",
        "USERS",
        "SERVERS",
        "DISK FREE",
        "CERT",
        "CONTAINERS",
    )
    cells = [
        (
            row.host,
            row.state,
            row.jupyterhub or "-",
            row.hubfleet or "-",
            row.image or "-",
            _duration(row.up_seconds),
            _number(row.users),
            _number(row.active_servers),
            "-" if row.disk_free is None else size(row.disk_free),
            "-" if row.certificate_days is None else f"{row.certificate_days} days",
            row.why or ", ".join(f"{role} {state}" for role, state in sorted(row.containers.items())),
        )
        for row in rows
    ]
    return table(head, cells)


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)


def _duration(seconds: int | None) -> str:
    if seconds is None:
        return "-"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
