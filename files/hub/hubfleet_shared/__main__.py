"""``python -m hubfleet_shared [ARGS]``: JupyterLab as a service of the hub. ``... health``: exit 0 when it answers.

What is no secret is in the environment (``JUPYTERHUB_SERVICE_PREFIX`` and its like, as JupyterHub names them); the
token is in a file, so that ``docker inspect`` shows none.
"""

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

TOKEN = Path("/run/hubfleet/secrets/shared_token")

TRUSTED_FOR = 10
"""Seconds for which the hub's word on a login is taken as still true; JupyterHub's default is five minutes."""


def start(arguments: list[str]) -> None:
    """Become the server. Ends the process with a word when the token cannot be read."""
    try:
        os.environ["JUPYTERHUB_API_TOKEN"] = TOKEN.read_text().strip()
    except OSError as error:
        sys.exit(f"shared: {TOKEN}: {error.strerror}; run the deploy again, which places it")
    os.execvp("jupyterhub-singleuser", ["jupyterhub-singleuser", f"--HubOAuth.cache_max_age={TRUSTED_FOR}", *arguments])


def health() -> None:
    port = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"]).port
    try:
        urlopen(f"http://127.0.0.1:{port}{os.environ['JUPYTERHUB_SERVICE_PREFIX']}api", timeout=5).close()
    except OSError as error:
        sys.exit(f"health: {error}")


if __name__ == "__main__":
    if sys.argv[1:] == ["health"]:
        health()
    else:
        start(sys.argv[1:])
