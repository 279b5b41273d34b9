"""What a hub is made of on its host, and what every hub has: the proxy, and the hub itself."""

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hubfleet.containers import LABEL_HUB, LABEL_ROLE, Attachment, ContainerSpec, Mount, Restart
from hubfleet.hub_config import ways_out
from hubfleet.images import Julia, Recipe, Target
from hubfleet.settings import Lab
from hubfleet.systems import CA_BUNDLE
from hubfleet_hub.config import HUB_UID

USER = f"{HUB_UID}:{HUB_UID}"
AUTHORITIES = str(PurePosixPath(CA_BUNDLE).parent)


@dataclass(frozen=True)
class Companion:
    """A container beside the hub."""

    spec: ContainerSpec
    secrets: tuple[str, ...] = ()
    """Files on the host, made there, that it reads at its start."""


@dataclass(frozen=True)
class Parts:
    """Images and containers of one hub."""

    images: tuple[Target, ...]
    """Ours; built on the host or pulled."""
    pulled: tuple[str, ...]
    """Those of others, on the host before anybody waits for them."""
    server_image: str
    """What users' servers run, as hub.yaml says it."""
    before: tuple[Companion, ...]
    """Run before the hub."""
    hub: ContainerSpec
    servers: str
    """The host's command that prints a line for each running server of a user."""
    own: str = ""
    """The image of users' servers that is built from the lab's own Dockerfile, on top of our `singleuser`."""
    question: str = ""
    """The host's command that judges the image of users' servers, as `operations.judged` asks it; empty for none."""
    after: tuple[Companion, ...] = ()
    """Run after the hub, which they ask."""
    restart: Restart | None = None
    """How the hub's process reads a changed configuration and servers live on; None: its container is replaced."""

    @property
    def containers(self) -> tuple[ContainerSpec, ...]:
        """All of them, in the order of their start."""
        return (*(each.spec for each in self.before), self.hub, *(each.spec for each in self.after))


def image(lab: Lab, target: Target) -> str:
    """The name of one of our images for this lab."""
    return recipe(lab, target).name(lab.images.repository)


def recipe(lab: Lab, target: Target) -> Recipe:
    """What this lab builds one of our images with."""
    images = lab.images
    if target != "personal":
        return Recipe(target, images.base)
    julia = Julia(images.julia_version, images.julia_url, images.julia_sha256) if images.julia_version else None
    return Recipe(target, images.base, tuple(images.parts), julia, tuple(images.apt))


def listing(lab: Lab, role: str) -> str:
    """The host's command that prints the ids of a hub's running containers in a role, a line each."""
    filters = (f"label={LABEL_HUB}={lab.hub.hub_name}", f"label={LABEL_ROLE}={role}")
    return shlex.join(["docker", "ps", "-q", *(word for each in filters for word in ("--filter", each))])


def proxy(lab: Lab) -> Companion:
    """The proxy, apart from the hub: whose restart then cuts nobody off."""
    addresses = lab.addresses
    token = f"{lab.paths.secrets}/proxy_token"
    spec = ContainerSpec(
        name=lab.names.proxy,
        hub=lab.hub.hub_name,
        role="proxy",
        image=image(lab, "hub"),
        command=(
            "python",
            "-m",
            "hubfleet_hub.proxy",
            addresses.hub_core,
            addresses.proxy_core,
            lab.hub.public_url.base_path,
        ),
        user=USER,
        memory=512 * 1024**2,
        networks=(
            Attachment(lab.names.core_network, addresses.proxy_core),
            Attachment(lab.names.users_network, addresses.proxy_users),
        ),
        mounts=(Mount(token, "/run/hubfleet/secrets/proxy_token"),),
        read_only=True,
        log_max_size=lab.docker.log_max_size,
        log_max_files=lab.docker.log_max_files,
        health=("python", "-m", "hubfleet_hub.health", "proxy"),
    )
    return Companion(spec, (token,))


def hub(lab: Lab, target: Target = "hub", mounts: tuple[Mount, ...] = (), **more: Any) -> ContainerSpec:
    """The hub's container; `mounts` and `more` are what a choice of spawner adds or has otherwise."""
    addresses, paths = lab.addresses, lab.paths
    common: dict[str, Any] = {
        "name": lab.names.hub,
        "hub": lab.hub.hub_name,
        "role": "hub",
        "image": image(lab, target),
        "command": ("python", "-m", "hubfleet_hub"),
        "user": USER,
        "memory": lab.hub.hub_mem_limit,
        "networks": (
            Attachment(lab.names.core_network, addresses.hub_core),
            Attachment(lab.names.users_network, addresses.hub_users),
        ),
        "mounts": (
            Mount(paths.state, "/srv/hubfleet/state", read_only=False),
            Mount(paths.etc, "/etc/hubfleet"),
            Mount(paths.secrets, "/run/hubfleet/secrets"),
            # It asks others about people: an OAuth provider, an LMS. The directory, since a file of it would stay the
            # one of the container's start.
            *([Mount(AUTHORITIES, AUTHORITIES)] if lab.outside.extra_ca else []),
            *mounts,
        ),
        "environment": ways_out(lab, addresses.hub_core, addresses.hub_users, addresses.proxy_core),
        "log_max_size": lab.docker.log_max_size,
        "log_max_files": lab.docker.log_max_files,
        "health": ("python", "-m", "hubfleet_hub.health"),
    }
    return ContainerSpec(**common | more)
