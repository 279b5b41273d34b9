"""Files as a deploy would write them, for their services to judge. As a program: all of them, as JSON."""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hubfleet.systems import System

SYSTEMS = {"debian12": System("debian", "12", "bookworm"), "debian13": System("debian", "13", "trixie")}

CERTIFICATE, KEY = "/etc/hub.crt", "/etc/hub.key"

#: Flavours and settings that make a site of another shape.
SITES: dict[str, tuple[str, dict[str, Any]]] = {
    "neurodesk": ("neurodesk", {}),
    "classroom": ("classroom", {"login": ["native"]}),
    "another port": ("neurodesk", {"public_url": "https://hub.example.org:8443"}),
    "no redirect": ("neurodesk", {"edge_http_port": 0}),
    "an IPv4 address": ("neurodesk", {"public_url": "https://192.0.2.7"}),
    "an IPv6 address": ("neurodesk", {"public_url": "https://[2001:db8::1]"}),
    "a path": ("neurodesk", {"public_url": "https://hub.example.org/jupyter"}),
    "TLS 1.3 only": ("neurodesk", {"tls_profile": "modern"}),
    "a name with dashes": ("neurodesk", {"hub_name": "lab-of-brains-2"}),
    "a large upload": ("neurodesk", {"edge_max_upload": "20G"}),
}


DAEMONS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "mirrors": {
        "docker_mirror": ["https://mirror.example.org"],
        "docker_insecure_registries": ["registry.example.org:5000"],
    },
    "other limits": {"docker_address_pools": [], "docker_live_restore": False, "docker_log_max_size": "1G"},
}


def main() -> None:
    from hubfleet.daemon import merge_daemon, wanted_daemon
    from hubfleet.nginx import site
    from tests.unit.labs import lab_of

    with tempfile.TemporaryDirectory() as scratch:
        labs = {name: lab_of(Path(scratch), flavour, **data) for name, (flavour, data) in SITES.items()}
        texts = {
            f"site {release}": {name: site(lab, system, CERTIFICATE, KEY) for name, lab in labs.items()}
            for release, system in SYSTEMS.items()
        }
        engines = {name: lab_of(Path(scratch), **data).docker for name, data in DAEMONS.items()}
    texts["daemon"] = {name: merge_daemon(None, wanted_daemon(docker)) for name, docker in engines.items()}
    json.dump(texts, sys.stdout)


if __name__ == "__main__":
    main()
