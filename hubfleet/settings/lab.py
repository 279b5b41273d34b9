"""`Lab`: everything one host's hub is to be, typed, with what follows from it computed once, here and
nowhere else.
"""

import ipaddress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from hubfleet.settings.models import (
    Concern,
    Cull,
    Docker,
    Edge,
    Hub,
    Images,
    Lti13,
    Native,
    Network,
    OAuth,
    Outside,
    Preflight,
    Server,
    Shared,
    Storage,
    Tls,
    Users,
)

FLAVOURS = ("neurodesk", "personal", "collaborative", "classroom", "xnat")

STATE_ROOT = "/var/lib/hubfleet"
"""Directory on every host under which each hub keeps its state."""


class Paths(BaseModel):
    """Where things are on the host. Everything but users' files is under `root`."""

    model_config = ConfigDict(frozen=True)

    root: str
    """0755 root."""
    state: str
    """The hub's database and cookie secret's neighbours; 0700 of the hub's user."""
    etc: str
    """hub.yaml and jupyterhub_config.d, read by the hub."""
    secrets: str
    """Files the hub reads, each 0400 of the hub's user, in a directory that only that user and root can
    enter.
    """
    one_time: str
    """Hashes of one-time passwords, which the hub reads when it makes the first accounts."""
    passwords: str
    """One-time passwords, 0600 root: one file a user."""
    digest_key: str
    """Keys the digests of secrets that labels hold; never leaves the host."""
    run: str
    """The socket of the keeper of homes."""
    build: str
    """Build contexts of images."""
    edge: str
    """Certificate and key served at the edge."""
    lms: str
    """What an LMS's administrator has to enter, for whoever deploys to hand on."""


class Names(BaseModel):
    """What the things made on the host are called; each carries the hub's name, so that hubs can share a
    machine.
    """

    model_config = ConfigDict(frozen=True)

    prefix: str
    hub: str
    proxy: str
    homes: str
    shared: str
    core_network: str
    users_network: str
    core_bridge: str
    """Linux interface name, at most 15 characters."""
    users_bridge: str
    server_prefix: str
    egress_chain: str
    """The rules about what users' containers may reach outside."""


class Addresses(BaseModel):
    """Fixed addresses: JupyterHub 6 images keep stale DNS answers, so nothing is told a name that could
    move.
    """

    model_config = ConfigDict(frozen=True)

    core_subnet: str
    users_subnet: str
    users_pool: str
    """The upper half of `users_subnet`, from which servers get theirs: the fixed ones below are never handed
    out.
    """
    core_gateway: str
    users_gateway: str
    hub_core: str
    hub_users: str
    proxy_core: str
    judge_core: str
    """What asks in the hub's place while the hub's own address may be taken."""
    proxy_users: str
    shared: str
    """The one JupyterLab that all share, on the users' network."""


class Lab(BaseModel):
    """One host's hub. Built by `hubfleet.settings.check` from what pyinfra merged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str
    """The host's name in the inventory."""
    directory: str
    """The inventory's directory on the control machine: what relative file names in settings are relative
    to.
    """
    flavour: str
    hub: Hub
    users: Users
    native: Native
    oauth: OAuth
    lti13: Lti13
    server: Server
    shared: Shared
    cull: Cull
    storage: Storage
    tls: Tls
    edge: Edge
    docker: Docker
    network: Network
    outside: Outside
    images: Images
    preflight: Preflight

    @classmethod
    @cache
    def concerns(cls) -> dict[str, type[Concern]]:
        """The concerns by the name of the field that holds them."""
        return {
            name: field.annotation
            for name, field in cls.model_fields.items()
            if isinstance(field.annotation, type) and issubclass(field.annotation, Concern)
        }

    @classmethod
    @cache
    def keys(cls) -> dict[str, tuple[str, str]]:
        """Every key an inventory can set, with the concern and field it fills."""
        return {key: (name, field) for name, model in cls.concerns().items() for key, field in model.keys().items()}

    @classmethod
    def gather(cls, flat: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Sort flat keys into concerns; keys that are none of ours are left out (`check` judges those)."""
        nested: dict[str, dict[str, Any]] = {name: {} for name in cls.concerns()}
        for key, (concern, field) in cls.keys().items():
            if key in flat:
                nested[concern][field] = flat[key]
        return nested

    def local(self, name: str) -> Path:
        """The file on the control machine that a setting names."""
        return Path(self.directory) / Path(name).expanduser()

    def read(self, name: str) -> str:
        """The text of the file on the control machine that a setting names."""
        return self.local(name).read_text()

    @property
    def keeps_passwords(self) -> bool:
        """Whether people log in with a password that this hub knows, and not only elsewhere."""
        return bool({"native", "pam"} & set(self.hub.login))

    @property
    def admins_with_passwords(self) -> list[str]:
        """The admins who get a one-time password: none where people log in elsewhere."""
        return self.users.admins if self.keeps_passwords else []

    @property
    def paths(self) -> Paths:
        root = f"{STATE_ROOT}/{self.hub.hub_name}"
        return Paths(
            root=root,
            state=f"{root}/state",
            etc=f"{root}/etc",
            secrets=f"{root}/secrets",
            one_time=f"{root}/secrets/one-time",
            passwords=f"{root}/passwords",
            digest_key=f"{root}/passwords/.digest_key",
            run=f"{root}/run",
            build=f"{root}/build",
            edge=f"{root}/edge",
            lms=f"{root}/lms.txt",
        )

    @property
    def shared_directory(self) -> str:
        """The notebooks of the one JupyterLab that all share, on the host."""
        return f"{self.storage.base_user_dir.rstrip('/')}/{self.shared.name}"

    @property
    def names(self) -> Names:
        prefix = f"hubfleet-{self.hub.hub_name}"
        # An interface's name has at most 15 characters: a longer one is cut, and a hash keeps two hubs apart.
        name = self.hub.hub_name
        bridge = name if len(name) <= 11 else name[:6] + sha256(name.encode()).hexdigest()[:5]
        return Names(
            prefix=prefix,
            hub=f"{prefix}-hub",
            proxy=f"{prefix}-proxy",
            homes=f"{prefix}-homes",
            shared=f"{prefix}-shared",
            core_network=f"{prefix}-core",
            users_network=f"{prefix}-users",
            core_bridge=f"hfc-{bridge}",
            users_bridge=f"hfu-{bridge}",
            server_prefix=f"{prefix}-server",
            egress_chain=f"hfe-{bridge}",
        )

    @property
    def addresses(self) -> Addresses:
        core = ipaddress.IPv4Network(self.network.core_subnet)
        users = ipaddress.IPv4Network(self.network.users_subnet)
        return Addresses(
            core_subnet=str(core),
            users_subnet=str(users),
            users_pool=str(list(users.subnets(1))[1]),
            core_gateway=str(core[1]),
            users_gateway=str(users[1]),
            hub_core=str(core[2]),
            hub_users=str(users[2]),
            proxy_core=str(core[3]),
            judge_core=str(core[-2]),
            proxy_users=str(users[3]),
            shared=str(users[4]),
        )
