"""What each choice of spawner puts on a host: images and containers, as data. One module a choice; pure."""

from collections.abc import Callable

from hubfleet.settings import Lab
from hubfleet.spawners import docker, local, shared
from hubfleet.spawners.parts import Parts

CHOICES: dict[str, Callable[[Lab], Parts]] = {
    "docker": docker.parts,
    "local": local.parts,
    "shared": shared.parts,
}


def parts(lab: Lab) -> Parts:
    """What this lab's hub is made of on its host."""
    return CHOICES[lab.hub.spawner](lab)
