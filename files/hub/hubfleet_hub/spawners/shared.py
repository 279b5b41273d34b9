"""One JupyterLab that all share, in a container that the deploy runs: nobody has a server of their own."""

# mypy: disable-error-code="import-untyped"

from typing import Any

from jupyterhub.spawner import Spawner
from traitlets.config import Config

from hubfleet_hub.config import HubConfig

from . import SpawnRefused


class NoSpawner(Spawner):  # type: ignore[misc]
    """Starts nothing, and says so."""

    async def start(self) -> Any:
        """Always raises SpawnRefused."""
        raise SpawnRefused("Nobody has a server of their own here: all share one JupyterLab.", 403)

    async def stop(self, now: bool = False) -> None:
        """Nothing runs."""

    async def poll(self) -> int:
        return 0


def configure(c: Config, hub: HubConfig) -> None:
    c.JupyterHub.spawner_class = NoSpawner
