"""What people will notice of a run, told by operations while they decide, shown by `plan` and `apply` at the end.

An operation's generator runs more than once (to plan, then to execute), so a notice is kept once.
"""

from dataclasses import dataclass
from typing import Literal

from pyinfra.api.host import Host

Kind = Literal["error", "warning", "restart", "cut", "pull", "info"]


@dataclass(frozen=True)
class Notice:
    """One thing worth telling about one host."""

    kind: Kind
    """`error` and `warning` are preflight findings; `restart` a service that restarts; `cut` servers that end;
    `pull` an image to fetch; `info` anything else."""
    text: str
    image: str = ""
    """The image's name, with kind `pull`."""


_notices: dict[str, dict[Notice, None]] = {}


def tell(host: Host, kind: Kind, text: str, image: str = "") -> None:
    """Keep a notice for the end of the run."""
    _notices.setdefault(host.name, {})[Notice(kind, text, image)] = None


def told(host_name: str) -> list[Notice]:
    """The notices about a host, in the order they were first told."""
    return list(_notices.get(host_name, {}))


def forget() -> None:
    """Drop all notices: a new run begins."""
    _notices.clear()
