"""A real hub: `python -m hubfleet_hub` without a proxy and without Docker; and people who visit it."""

import re
import socket
import subprocess
import sys
import time
from typing import Any
from urllib.parse import urlsplit

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


class Visitor:
    """Someone with a browser of their own."""

    def __init__(self, hub: Any) -> None:
        self.hub = hub
        self.session = requests.Session()

    def get(self, page: str, **options: Any) -> requests.Response:
        return self.session.get(self.hub.url + page, allow_redirects=False, timeout=60, **options)

    def post(self, page: str, form: str, **fields: str) -> requests.Response:
        """Send ``fields`` to ``page`` with the token of the form on the page ``form``."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', self.get(form).text)
        assert found, form
        fields["_xsrf"] = found[1]
        return self.session.post(self.hub.url + page, data=fields, allow_redirects=False, timeout=60)

    def log_in(self, name: str, password: str) -> requests.Response:
        return self.post("login", "login", username=name, password=password)

    def sign_up(self, name: str, password: str, email: str = "a@example.org") -> str:
        answer = self.post(
            "signup",
            "signup",
            username=name,
            email=email,
            signup_password=password,
            signup_password_confirmation=password,
        )
        found = re.search(r'role="alert">\s*<p>(.*?)</p>', answer.text, re.DOTALL)
        assert found, answer.text
        return found[1].strip()

    def choose(self, name: str, old: str, new: str, again: str | None = None) -> requests.Response:
        fields = {"old_password": old, "new_password": new, "new_password_confirmation": again or new}
        return self.post("new-password", "login", username=name, **fields)

    def api(self, method: str, path: str, data: Any = None) -> requests.Response:
        """An API request as the hub's own pages make it."""
        self.get("home")
        headers = {
            "X-XSRFToken": self.session.cookies.get("_xsrf", path=urlsplit(self.hub.url).path) or "",
            "Referer": self.hub.url,
        }
        return self.session.request(method, f"{self.hub.url}api/{path}", headers=headers, json=data, timeout=60)

    def is_in(self) -> bool:
        return self.get("home").status_code == 200
