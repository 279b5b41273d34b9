"""The disposable hosts that script/demo starts: real Debian, reached over SSH, in containers of this machine."""

import sys
from pathlib import Path

from hubfleet.settings.check import check

sys.path.append(str(Path(__file__).resolve().parents[1]))  # the clone, where the fleet is

from tests.fleet import Fleet, FleetError
from tests.fleet.images import ca_bundle

try:
    _fleet = Fleet.load("demo")
except FleetError as error:
    sys.exit(f"inventories/demo.py: {error}")

_authorities = ca_bundle()

_settings = {
    "hub_name": "demo",
    # The fleet has built our images and serves them, and a small JupyterLab in place of NeuroDesktop's.
    "image_source": "pull",
    "docker_mirror": [_fleet.registry.address],
    "extra_ca": str(_authorities) if _authorities.exists() else "",
    # So little is enough for the small JupyterLab, on whatever machine this is tried.
    "server_profile": "restricted",
    "server_devices": [],
    "server_mem_limit": "1G",
    "server_cpu_limit": 1,
    "server_shm_size": "64M",
    "preflight_min_disk": "2G",
}

neurodesk = [
    (host.name, host.pyinfra_data() | {"public_url": f"https://{host.address}"} | _settings)
    for host in _fleet.hosts.values()
]

check(__file__)
