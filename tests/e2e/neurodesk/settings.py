"""A small NeuroDesktop hub. Of its two admins, `admin` belongs to the browser, `deputy` to everyone else."""

from hubfleet.images import Target
from tests.e2e.world import World
from tests.fleet import Host

IMAGES: tuple[Target, ...] = ("hub", "singleuser")


def settings(world: World, host: Host) -> dict[str, object]:
    return {"users_admins": ["admin", "deputy"]}
