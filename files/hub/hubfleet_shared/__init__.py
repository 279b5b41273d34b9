"""What runs in the container of the one JupyterLab that all share: its start, and who is shown the door.

A server extension: `doorkeeper` is loaded by Jupyter Server.
"""

from typing import Any

from .doorkeeper import Doorkeeper


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    Doorkeeper(server.identity_provider).start()
