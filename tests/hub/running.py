"""A real hub: `python -m hubfleet_hub` without a proxy and without Docker."""

import socket
import subprocess
import sys
import time
from typing import Any

import requests

OWN = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    routes = {{}}
    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {{"routespec": routespec, "target": target, "data": data}}
    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)
    async def get_all_routes(self):
        return self.routes

c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_bind_url = c.JupyterHub.hub_connect_url = "http://127.0.0.1:{port}"
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Hub:
    """A hub that runs, and its log; ``environment`` is what its container's has besides."""

    def __init__(self, site: Any, port: int, **environment: str) -> None:
        self.site = site
        self.url = f"http://127.0.0.1:{port}/hub/"
        self.log = site.root / "hub.log"
        self.environment = environment
        site.write_own("10-test.py", OWN.format(port=port))

    def __enter__(self) -> "Hub":
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hubfleet_hub"],
                env=self.site.environment | self.environment,
                stdout=log,
                stderr=log,
            )
        for _ in range(600):
            try:
                requests.get(self.url + "health", timeout=5)
            except requests.ConnectionError:
                assert self._process.poll() is None, self.log.read_text()
                time.sleep(0.1)
            else:
                return self
        raise AssertionError(self.log.read_text())

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
