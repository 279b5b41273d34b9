"""What a deploy leaves on a host, so that two hosts can be compared: by content, without what is a host's own."""

import json
import re
from typing import Any

from tests.fleet import Host
from tests.fleet.host import VOLATILE, Entry
from tests.fleet.ring import STATE

#: A host's own: made by sshd, systemd or the engine when it first starts, or by the fleet.
OF_THE_HOST = (
    *VOLATILE, "/etc/.pwd.lock", "/etc/docker/key.json", "/etc/machine-id", "/etc/ssh", "/etc/shadow", "/etc/shadow-",
)  # fmt: skip

#: What is random, or a database: that it is there, whose it is and its mode must agree.
GENERATED = re.compile(rf"{STATE}/(secrets|passwords|state|edge)/.+")

#: Journals of SQLite come and go.
PASSING = re.compile(r"\.sqlite-(wal|shm|journal)$")

UNITS = "docker nginx hubfleet-hub-network hubfleet-hub-egress"

#: An engine that ran before Hubfleet came keeps the addresses of its own bridge.
OURS = "--filter label=io.hubfleet.hub"

SPEC_LABEL = "io.hubfleet.spec"

ACCOUNTS = """
import json, sqlite3
hub = sqlite3.connect("file:/srv/hubfleet/state/jupyterhub.sqlite?mode=ro", uri=True)
ask = lambda question: sorted(hub.execute(question).fetchall())
print(json.dumps([ask("select name, admin from users"), ask("select username, is_authorized from users_info")]))
"""


def final_state(host: Host) -> dict[str, object]:
    """Files, packages, containers, networks, units, packet rules and accounts of one finished host."""
    return {
        "files": files(host),
        "packages": host.packages(),
        "containers": {about["Name"]: container(about) for about in inspected(host, "container", "ps -aq")},
        "networks": {about["Name"]: network(about) for about in inspected(host, "network", f"network ls -q {OURS}")},
        "images": sorted(set(host.run("docker images --format '{{.Repository}}:{{.Tag}}'").out.splitlines())),
        "units": host.run(f"systemctl is-enabled {UNITS}; systemctl is-active {UNITS}").out,
        "rules": host.run("iptables -S DOCKER-USER; iptables -t mangle -S; ip6tables -t mangle -S").out,
        "accounts": json.loads(host.run(f"docker exec hubfleet-hub-hub python -c '{ACCOUNTS}'").out),
        "left over": host.run("find /var/tmp -mindepth 1 -maxdepth 1 ! -name 'systemd-*'").out,
    }


def files(host: Host) -> dict[str, Entry]:
    """Configuration and state by path."""
    listed = host.listing("/etc", "/usr/local", "/srv", "/var/lib/hubfleet", excluding=OF_THE_HOST)
    return {
        path: Entry(entry.mode, entry.owner, "") if GENERATED.match(path) else entry
        for path, entry in listed.items()
        if not PASSING.search(path)
    }


def inspected(host: Host, kind: str, listing: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(host.run(f"docker {kind} inspect $(docker {listing})").out)
    return found


def container(about: dict[str, Any]) -> dict[str, object]:
    config = about["Config"]
    networks = about["NetworkSettings"]["Networks"]
    # The engine keeps an environment in no order.
    config["Env"] = sorted(config["Env"] or [])
    return {
        # The label's digest is keyed with the host's own key.
        "labels": {key: value for key, value in config["Labels"].items() if key != SPEC_LABEL},
        "config": {
            key: config[key] for key in ("Image", "Cmd", "Entrypoint", "Env", "User", "Healthcheck") if key in config
        },
        "host": about["HostConfig"],
        "mounts": sorted(json.dumps(mount, sort_keys=True) for mount in about["Mounts"]),
        "addresses": {name: each["IPAddress"] for name, each in networks.items()},
        "running": about["State"]["Running"],
    }


def network(about: dict[str, Any]) -> dict[str, object]:
    return {key: about[key] for key in ("Driver", "IPAM", "Options", "Labels", "Internal")}


def differences(wanted: object, got: object, where: str = "") -> list[str]:
    """Where two states differ, a line each."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        return [
            line
            for key in sorted({*wanted, *got}, key=str)
            for line in differences(wanted.get(key, "nothing"), got.get(key, "nothing"), f"{where} {key}")
        ]
    return [] if wanted == got else [f"{where.strip()}: {got!r}, undisturbed {wanted!r}"]
