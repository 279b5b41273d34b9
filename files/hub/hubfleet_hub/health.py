"""``python -m hubfleet_hub.health [hub|proxy|homes]``: exit 0 when that part, in this container, answers."""

import socket
import sys
from urllib.request import urlopen

from .config import HOMES_SOCKET, HUB_PORT, PROXY_PORT, ConfigError, HubConfig

TIMEOUT = 5.0


def check(part: str) -> None:
    """Raises OSError or ConfigError when ``part`` does not answer."""
    match part:
        case "hub":
            _get(f"http://127.0.0.1:{HUB_PORT}{HubConfig.load().base_url}hub/health")
        case "proxy":
            _get(f"http://127.0.0.1:{PROXY_PORT}/_chp_healthz")
        case "homes":
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(TIMEOUT)
                client.connect(str(HOMES_SOCKET))
        case _:
            sys.exit("usage: python -m hubfleet_hub.health [hub|proxy|homes]")


def _get(url: str) -> None:
    urlopen(url, timeout=TIMEOUT).close()


def main() -> None:
    try:
        check(*sys.argv[1:2] or ["hub"])
    except (OSError, ConfigError) as error:
        sys.exit(f"health: {error}")


if __name__ == "__main__":
    main()
