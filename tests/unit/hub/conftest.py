"""A complete hub configuration for the tests, changed by dotted keys."""

from collections.abc import Callable
from typing import Any

import pytest

from hubfleet_hub.config import HubConfig


def _hub_data(**changes: Any) -> dict[str, Any]:
    """What hub.yaml holds; ``server__mem_limit=1`` changes ``server.mem_limit``."""
    data: dict[str, Any] = {
        "hub_name": "lab",
        "public_url": "https://hub.example.org/",
        "addresses": {
            "hub_core": "10.210.0.2",
            "hub_users": "10.210.1.2",
            "proxy_core": "10.210.0.3",
            "trusted_proxies": ["10.210.0.1"],
        },
        "login": ["native"],
        "users": {"admins": ["admin"], "allowed": [], "banned": []},
        "native": {
            "open_signup": False,
            "ask_email": True,
            "min_password_length": 8,
            "check_common_password": True,
            "failed_logins": 5,
            "lockout_seconds": 300,
        },
        "spawner": "docker",
        "server": {
            "image": "hubfleet/singleuser:1",
            "allowed_images": [],
            "command": [],
            "environment": {},
            "default_url": "/lab",
            "mem_limit": 2 * 1024**3,
            "cpu_limit": 2.0,
            "pids_limit": 1024,
            "shm_size": 64 * 1024**2,
            "profile": "restricted",
            "user": "",
            "network": "hubfleet-lab-users",
            "volumes": [],
            "devices": [],
            "start_timeout": 300,
            "http_timeout": 120,
            "active_limit": 0,
            "concurrent_spawns": 10,
        },
        "home": {
            "kind": "directory",
            "base_user_dir": "/srv/homes",
            "mount": "/home/jovyan",
            "uid": 1000,
            "gid": 100,
        },
        "cull": {"timeout": 1209600, "every": 600, "kernel_timeout": 0},
        "db": "sqlite",
        "db_upgrade": False,
    }
    for key, value in changes.items():
        *parents, last = key.split("__")
        part = data
        for parent in parents:
            part = part[parent]
        part[last] = value
    return data


@pytest.fixture
def hub_data() -> Callable[..., dict[str, Any]]:
    return _hub_data


@pytest.fixture
def make() -> Callable[..., HubConfig]:
    return lambda **changes: HubConfig.model_validate(_hub_data(**changes))
