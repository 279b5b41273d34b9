"""A complete hub configuration for the tests, changed by dotted keys."""

import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hubfleet_hub import config, configure, prepare
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
        "users": {"admins": ["admin"], "allowed": [], "banned": [], "oauth": {}, "shares": []},
        "native": {
            "open_signup": False,
            "ask_email": True,
            "min_password_length": 8,
            "check_common_password": True,
            "failed_logins": 5,
            "lockout_seconds": 300,
        },
        "oauth": None,
        "lti13": None,
        "frame_ancestors": [],
        "spawner": "docker",
        "shared": None,
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
            "nameserver": "",
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


@dataclass(frozen=True)
class Site:
    """What the deploy leaves on a host for a hub, in a temporary directory."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "state" / "jupyterhub.sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.database}"

    @property
    def environment(self) -> dict[str, str]:
        """For a process of the package, as its container has it."""
        return {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HUBFLEET_ETC": str(self.root / "etc"),
            "HUBFLEET_SECRETS": str(self.root / "secrets"),
            "HUBFLEET_STATE": str(self.root / "state"),
        }

    def write(self, config: HubConfig) -> HubConfig:
        (self.root / "etc" / "hub.yaml").write_text(config.to_yaml())
        return config

    def write_own(self, name: str, text: str) -> None:
        """A lab's own file in jupyterhub_config.d."""
        directory = self.root / "etc" / "jupyterhub_config.d"
        directory.mkdir(exist_ok=True)
        (directory / name).write_text(text)

    def secret(self, name: str, value: str) -> None:
        path = self.root / "secrets" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(value + "\n")
        path.chmod(0o400)

    def run(self, *module: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """``python -m hubfleet_hub.MODULE ...``."""
        return subprocess.run(
            [sys.executable, "-m", *module],
            input=stdin,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("site"))
    for directory in ("etc", "secrets", "state"):
        (made.root / directory).mkdir()
    for name in ("cookie_secret", "crypt_key", "proxy_token", "shared_token", "status_token", "verify_token"):
        made.secret(name, secrets.token_hex(32))
    return made


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """`site` as this process's own."""
    monkeypatch.setattr(config, "SECRETS", site.root / "secrets")
    monkeypatch.setattr(configure, "SECRETS", site.root / "secrets")
    monkeypatch.setattr(configure, "DATABASE", site.database)
    monkeypatch.setattr(prepare, "ADMISSION", site.root / "state" / "admission.json")
    site.database.unlink(missing_ok=True)
    return site


@pytest.fixture(scope="module")
def hub_data() -> Callable[..., dict[str, Any]]:
    return _hub_data


@pytest.fixture(scope="module")
def make() -> Callable[..., HubConfig]:
    return lambda **changes: HubConfig.model_validate(_hub_data(**changes))
