"""The proxy's container: become configurable-http-proxy, with the token from its file.

``python -m hubfleet_hub.proxy HUB PROXY [BASE_URL]``: the two addresses on the core network, and the path of the hub
(default ``/``). They are arguments and not read from ``hub.yaml``, so that no change there ever restarts the proxy.
"""

import os
import sys

from .config import HUB_PORT, PROXY_API_PORT, PROXY_PORT, ConfigError, read_secret

NODE = "/opt/proxy/node"
PROGRAM = "/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy"


def arguments(hub: str, proxy: str, base_url: str = "/") -> list[str]:
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
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: python -m hubfleet_hub.proxy HUB PROXY [BASE_URL]")
    try:
        token = read_secret("proxy_token")
    except ConfigError as error:
        sys.exit(f"proxy: {error}")
    os.execve(NODE, [NODE, PROGRAM, *arguments(*sys.argv[1:])], os.environ | {"CONFIGPROXY_AUTH_TOKEN": token})


if __name__ == "__main__":
    main()
