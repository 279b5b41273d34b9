"""A container a user, on the hub's own host."""

from typing import Any

from docker.errors import APIError, ImageNotFound
from docker.types import LogConfig, Mount
from dockerspawner import DockerSpawner
from traitlets import Instance, default
from traitlets.config import Config

from hubfleet_hub import homes
from hubfleet_hub.config import HubConfig
from hubfleet_hub.names import escape

from . import SpawnRefused

LABEL_HUB = "io.hubfleet.hub"
LABEL_ROLE = "io.hubfleet.role"
LABEL_USER = "io.hubfleet.user"


class HubfleetDockerSpawner(DockerSpawner):  # type: ignore[misc]
    """DockerSpawner with a home that exists before the container, and refusals that say why."""

    hub_config = Instance(HubConfig, config=True, help="What hub.yaml says.")

    @default("name_template")
    def _default_name_template(self) -> str:
        # No escaped name has "_", so no user's server can have the name of another's.
        return "{prefix}-{username}_{servername}" if self.name else "{prefix}-{username}"

    def template_namespace(self) -> dict[str, str]:
        """Names as DockerSpawner has them, but a server's in its own case: JupyterHub tells ``A`` from ``a``."""
        return {**super().template_namespace(), "servername": self.escape(self.name)}

    async def start(self) -> Any:
        """Raises SpawnRefused for what a user or an admin of the host can mend."""
        if self.hub_config.refuses(self.user.name):
            raise SpawnRefused(f"{self.user.name} may not use this hub.", 403)
        if self.hub_config.home.kind == "directory":
            try:
                await homes.ask(self.user.name)
            except homes.HomeError as error:
                raise SpawnRefused(f"Your files cannot be reached: {error}.") from error
        try:
            return await super().start()
        except ImageNotFound as error:
            raise SpawnRefused(
                f"The image {self.image} is not on this host yet; please tell whoever runs the hub."
            ) from error
        except APIError as error:
            raise SpawnRefused(f"Docker refused to start your server: {error.explanation}") from error

    @property
    def mount_binds(self) -> list[Mount]:
        # As mounts and not as binds: Docker makes a missing source of a bind, as root, and refuses a mount's.
        config = self.hub_config
        labels = {LABEL_HUB: config.hub_name, LABEL_USER: self.escaped_name}
        if config.home.kind == "directory":
            source = f"{config.home.base_user_dir.rstrip('/')}/{self.escaped_name}"
            home = Mount(config.home.mount, source, type="bind")
        else:
            home = Mount(config.home.mount, config.home_volume(self.escaped_name), type="volume", labels=labels)
        return [
            home,
            *(
                Mount(
                    volume.target,
                    volume.source,
                    type="bind" if volume.source.startswith("/") else "volume",
                    read_only=volume.read_only,
                )
                for volume in config.server.volumes
            ),
            *super().mount_binds,
        ]


def create_options(hub: HubConfig) -> dict[str, Any]:
    """What Docker's create call is given beside the limits, for `HubConfig.server.profile`."""
    options: dict[str, Any] = {
        "user": hub.server.user or f"{hub.home.uid}:{hub.home.gid}",
        "labels": {LABEL_HUB: hub.hub_name, LABEL_ROLE: "server", LABEL_USER: "{username}"},
    }
    if hub.server.profile == "desktop":
        # The command line's systempaths=unconfined: Apptainer mounts a /proc of its own, which masked paths forbid.
        options["host_config"] = {"MaskedPaths": [], "ReadonlyPaths": []}
    return options


def host_options(hub: HubConfig) -> dict[str, Any]:
    """Docker's host config of a server: limits, devices, log size, and what the profile says."""
    options: dict[str, Any] = {
        "memswap_limit": hub.server.mem_limit,
        "pids_limit": hub.server.pids_limit,
        "shm_size": hub.server.shm_size,
        "devices": [f"{device}:{device}:rwm" for device in hub.server.devices],
        "log_config": LogConfig(type=LogConfig.types.JSON, config={"max-size": "10m", "max-file": "3"}),
    }
    if hub.server.nameserver:
        options["dns"] = [hub.server.nameserver]
    match hub.server.profile:
        case "restricted":
            return options | {"cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
        case "desktop":
            # What nested Apptainer and FUSE mounts need short of privileged (apptainer issue 3725).
            return options | {
                "cap_add": ["SYS_ADMIN"],
                "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
            }
        case "privileged":
            return options | {"privileged": True}


def environment(hub: HubConfig) -> dict[str, str]:
    """The servers' environment: the lab's own over what a start as root (docker-stacks' start.sh) needs."""
    if hub.server.user == "root":
        return {"NB_UID": str(hub.home.uid), "NB_GID": str(hub.home.gid)} | hub.server.environment
    return {"HOME": hub.home.mount} | hub.server.environment


def configure(c: Config, hub: HubConfig) -> None:
    c.JupyterHub.spawner_class = HubfleetDockerSpawner
    c.HubfleetDockerSpawner.hub_config = hub
    spawner = c.DockerSpawner
    spawner.escape = lambda name: name and escape(name)  # the default server's name is empty
    spawner.prefix = hub.server_prefix
    spawner.image = hub.server.image
    spawner.allowed_images = list(hub.server.allowed_images)
    spawner.pull_policy = "never"
    spawner.remove = True
    spawner.network_name = hub.server.network
    spawner.use_internal_ip = True
    spawner.mem_limit = hub.server.mem_limit
    spawner.cpu_limit = hub.server.cpu_limit
    spawner.environment = environment(hub)
    spawner.extra_create_kwargs = create_options(hub)
    spawner.extra_host_config = host_options(hub)
    if hub.server.command:
        spawner.cmd = list(hub.server.command)
