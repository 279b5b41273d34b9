"""Everybody's server as a process of theirs in the hub's own container.

Its limits of memory, cores and processes are the container's, for all together: without a cgroup for each, which a
container may not make, there are none for one person.
"""

# mypy: disable-error-code="import-untyped"

import asyncio
import os
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Instance, Unicode
from traitlets.config import Config

from hubfleet_hub import linux
from hubfleet_hub.config import HubConfig
from hubfleet_hub.spawners import SpawnRefused

COMMAND = "/opt/user/bin/jupyterhub-singleuser"
PATH = "/opt/user/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class HubfleetLocalSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """LocalProcessSpawner that knows its process again after a restart of the hub, and not another with its number."""

    hub_config = Instance(HubConfig, config=True, help="What hub.yaml says.")
    began = Unicode(help="When the process began, as the kernel counts: a number alone may be given to another.")

    async def start(self) -> Any:
        """Raises SpawnRefused for what an admin can mend."""
        name = self.user.name
        if self.hub_config.refuses(name):
            raise SpawnRefused(f"{name} may not use this hub.", 403)
        try:
            await asyncio.to_thread(linux.ensure, name)
        except (linux.AccountError, OSError) as error:
            raise SpawnRefused(f"You have no account in this hub's container: {error}.") from error
        where = await super().start()
        self.began = _began(self.pid)
        return where

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = super().get_state()
        return state | {"began": self.began} if self.pid else state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.began = state.get("began", "")

    def clear_state(self) -> None:
        super().clear_state()
        self.began = ""

    async def _signal(self, sig: int) -> bool:
        if self.proc is None and _began(self.pid) != self.began:
            return False  # a new container began, and its numbers mean nothing of the old
        alive: bool = await super()._signal(sig)
        return alive


def _began(pid: int) -> str:
    """When the process ``pid`` began, in the kernel's ticks; empty when there is none that runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ""
    return fields[19] if fields[0] != "Z" else ""


def environment(hub: HubConfig) -> dict[str, str]:
    """The servers' environment: nothing of the hub's own, the lab's words last."""
    return {"PATH": PATH, "LANG": os.environ.get("LANG", "C.UTF-8")} | hub.server.environment


def configure(c: Config, hub: HubConfig) -> None:
    c.JupyterHub.spawner_class = HubfleetLocalSpawner
    c.HubfleetLocalSpawner.hub_config = hub
    spawner = c.LocalProcessSpawner
    spawner.cmd = list(hub.server.command) or [COMMAND]
    spawner.env_keep = []
    spawner.environment = environment(hub)
    # The proxy is in another container, so loopback would not do.
    spawner.ip = str(hub.addresses.hub_users)
    # The hub's own umask keeps its files to itself; a person's home says who may enter.
    spawner.popen_kwargs = {"umask": 0o022}
    # On SIGINT a server asks a terminal that it does not have whether that was meant; SIGTERM ends it in good order.
    spawner.interrupt_timeout = 0
    spawner.term_timeout = 10
