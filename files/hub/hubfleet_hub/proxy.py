"""The proxy's container: become configurable-http-proxy, with the token from its file.

Addresses come by the environment and not from ``hub.yaml``, so that no change there ever restarts the proxy:
``HUBFLEET_PROXY_ADDRESS`` and ``HUBFLEET_HUB_ADDRESS`` on the core network, ``HUBFLEET_BASE_URL`` (default ``/``).
"""

import os
import sys

from .config import HUB_PORT, PROXY_API_PORT, PROXY_PORT, ConfigError, read_secret

NODE = "/opt/proxy/node"
PROGRAM = "/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"


def arguments(proxy: str, hub: str, base_url: str) -> list[str]:
    """The command line; without routes of its own yet the proxy sends everything to the hub."""
    hub_url = f"http://{hub}:{HUB_PORT}"
    return [
        "--ip=0.0.0.0",
        f"--port={PROXY_PORT}",
        f"--api-ip={proxy}",
        f"--api-port={PROXY_API_PORT}",
        f"--default-target={hub_url}",
        f"--error-target={hub_url}{base_url}hub/error",
    ]


def main() -> None:
    try:
        token = read_secret("proxy_token")
        command = arguments(
            os.environ["HUBFLEET_PROXY_ADDRESS"],
            os.environ["HUBFLEET_HUB_ADDRESS"],
            os.environ.get("HUBFLEET_BASE_URL", "/"),
        )
    except ConfigError as error:
        sys.exit(f"proxy: {error}")
    except KeyError as error:
        sys.exit(f"proxy: {error.args[0]} is not set")
    os.execve(NODE, [NODE, PROGRAM, *command], os.environ | {"CONFIGPROXY_AUTH_TOKEN": token})


if __name__ == "__main__":
    main()
