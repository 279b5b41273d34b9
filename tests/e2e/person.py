"""Someone who uses a hub, asking for what a browser would ask for, without one: fast, and many at a time."""

import base64
import html
import json
import re
import ssl
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote, urljoin
from uuid import uuid4

import requests
import websocket

from tests.e2e.hub import Hub, wait_until

TIMEOUT = 60
SERVER_TIMEOUT = 180


class ServerRefused(Exception):
    """The hub did not start a server; holds what its page tells the user."""


class KernelError(Exception):
    """What the code raised."""


@dataclass
class Person:
    """A name, a password and a cookie jar. Trusts the hub's certificate, and stand-ins that it leads to."""

    hub: Hub
    name: str
    password: str = field(default_factory=lambda: f"correct horse {uuid4().hex[:8]}", repr=False)
    web: requests.Session = field(default_factory=requests.Session, repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self.web.verify = str(self.hub.trusted)
        self.web.trust_env = False  # a bundle named in the environment would be taken in its place

    # -- the hub's pages

    def get(self, path: str) -> requests.Response:
        return self.web.get(f"{self.hub.url}{path}", timeout=TIMEOUT)

    def send(self, path: str, *, page: str, **fields: str) -> requests.Response:
        """Fills the form that ``page`` shows and sends it to ``path``."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', self.get(page).text)
        assert found, f"{page} shows no form"
        return self.web.post(f"{self.hub.url}{path}", data={"_xsrf": found[1], **fields}, timeout=TIMEOUT)

    def sign_up(self) -> requests.Response:
        return self.send(
            "/hub/signup", page="/hub/signup", username=self.name, email="someone@example.org",
            signup_password=self.password, signup_password_confirmation=self.password,
        )  # fmt: skip

    def log_in(self, password: str = "") -> requests.Response:
        return self.send(
            "/hub/login?next=/hub/home", page="/hub/login", username=self.name, password=password or self.password
        )

    def log_in_at_github(self, login: str) -> requests.Response:
        """From the hub's login page through GitHub's pages and back; returns what the hub then shows."""
        page = self.get("/hub/login?next=/hub/home")
        (button,) = re.findall(r"""href=['"]([^'"]*/hub/oauth_login[^'"]*)""", page.text)
        page = self.web.get(urljoin(page.url, html.unescape(button)), timeout=TIMEOUT)
        if "id='login_field'" in page.text:
            (back,) = re.findall(r"name='return_to' value='([^']+)'", page.text)
            form = {"return_to": html.unescape(back), "login": login, "password": f"{login.lower()} at GitHub"}
            page = self.web.post(urljoin(page.url, "/session"), data=form, timeout=TIMEOUT)
        if "id='authorize'" in page.text:
            page = self.web.post(page.url, timeout=TIMEOUT)
        return page

    def replace_one_time(self, one_time: str) -> requests.Response:
        """Chooses the own password in place of a one-time one, which logs in."""
        page = self.log_in(one_time)
        found = re.search(r'name="_xsrf" value="([^"]+)"', page.text)
        assert "/hub/new-password" in page.text, page.text
        assert found, page.text
        fields = {"_xsrf": found[1], "username": self.name, "old_password": one_time}
        fields |= {"new_password": self.password, "new_password_confirmation": self.password}
        return self.web.post(f"{self.hub.url}/hub/new-password?next=/hub/home", data=fields, timeout=TIMEOUT)

    def approve(self, name: str) -> requests.Response:
        """As an admin: lets someone in who has signed up."""
        return self.send(f"/hub/authorize/{quote(name, safe='')}", page="/hub/authorize")

    def logged_in(self) -> bool:
        return self.web.get(f"{self.hub.url}/hub/home", allow_redirects=False, timeout=TIMEOUT).status_code == 200

    # -- the API, with a token of their own

    def take_token(self) -> Self:
        """Makes an API token, as the hub's token page does. The person is logged in."""
        page = self.get("/hub/token")
        found = re.search(r'xsrf_token: "([^"]+)"', page.text)
        assert found, f"{self.name} sees no token page: {page.status_code} {page.text[:2000]}"
        answer = self.web.post(
            f"{self.hub.url}/hub/api/users/{quote(self.name, safe='')}/tokens",
            json={"note": "test"}, headers={"X-XSRFToken": found[1]}, timeout=TIMEOUT,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        self.token = answer.json()["token"]
        return self

    def ask(
        self, method: str, path: str, *, via: requests.Session | None = None, timeout: float = TIMEOUT, **options: Any
    ) -> requests.Response:
        """A request below the hub's address with the token, and without cookies."""
        return (via or requests).request(
            method,
            f"{self.hub.url}{path}",
            headers={"Authorization": f"token {self.token}"},
            verify=str(self.hub.certificate),
            timeout=timeout,
            **options,
        )

    def about(self) -> dict[str, Any]:
        """What the hub's API says about them."""
        answer = self.ask("GET", f"/hub/api/users/{quote(self.name, safe='')}")
        assert answer.ok, f"{answer.status_code} {answer.text}"
        return dict(answer.json())

    @property
    def prefix(self) -> str:
        """Where the own server is, e.g. ``/user/ada/``."""
        return f"/user/{quote(self.name, safe='@')}/"

    def start(self) -> Self:
        """Returns when the own server is ready. Raises ServerRefused."""
        path = f"/hub/api/users/{quote(self.name, safe='')}/server"
        asked = self.ask("POST", path, timeout=SERVER_TIMEOUT)
        if asked.status_code not in (201, 202):
            raise ServerRefused(asked.text)
        with self.ask("GET", f"{path}/progress", stream=True, timeout=SERVER_TIMEOUT) as events:
            for line in events.iter_lines(chunk_size=1):
                event = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
                if event.get("failed"):
                    raise ServerRefused(event["message"])
                if event.get("ready"):
                    return self
        raise AssertionError(f"the hub stopped telling how {self.name}'s server comes up\n{self.hub.log()}")

    def stop(self) -> None:
        """Returns when the own server is gone."""
        self.ask("DELETE", f"/hub/api/users/{quote(self.name, safe='')}/server")
        wait_until(lambda: not self.about()["servers"], f"{self.name}'s server is stopped")

    # -- the own server

    def kernel(self) -> "Kernel":
        made = self.ask("POST", f"{self.prefix}api/kernels", json={})
        assert made.status_code == 201, f"{made.status_code} {made.text}"
        return Kernel(self, made.json()["id"])

    def write(self, path: str, content: bytes) -> None:
        """Saves a file in the own home, as JupyterLab does."""
        body = {"type": "file", "format": "base64", "content": base64.b64encode(content).decode()}
        saved = self.ask("PUT", f"{self.prefix}api/contents/{path}", json=body)
        assert saved.status_code in (200, 201), f"{saved.status_code} {saved.text}"


class Kernel:
    """A kernel of someone's server, spoken to through the hub's public address."""

    def __init__(self, owner: Person, identity: str) -> None:
        self.owner = owner
        self.identity = identity
        self.connect()

    def connect(self) -> None:
        url = self.owner.hub.url.replace("https", "wss")
        self.channel = websocket.create_connection(
            f"{url}{self.owner.prefix}api/kernels/{self.identity}/channels",
            header=[f"Authorization: token {self.owner.token}"],
            sslopt={"ca_certs": str(self.owner.hub.certificate), "cert_reqs": ssl.CERT_REQUIRED},
            timeout=TIMEOUT,
        )

    def run(self, code: str) -> str:
        """What the code printed and the text of its value. Raises KernelError, and WebSocketException once closed."""
        message = uuid4().hex
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        header = {"msg_id": message, "msg_type": "execute_request", "session": "test", "username": "", "version": "5.3"}
        self.channel.send(
            json.dumps({"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"})
        )
        said: list[str] = []
        while True:
            text = self.channel.recv()
            if not text:  # the other side has said good-bye
                raise websocket.WebSocketConnectionClosedException
            answer = json.loads(text)
            if answer["parent_header"].get("msg_id") != message:
                continue
            match answer["msg_type"], answer["content"]:
                case "stream", what:
                    said.append(what["text"])
                case "execute_result", what:
                    said.append(what["data"]["text/plain"])
                case "error", what:
                    raise KernelError(f"{what['ename']}: {what['evalue']}")
                case "status", {"execution_state": "idle"}:
                    return "".join(said)

    def run_after_reconnecting_once(self, code: str) -> str:
        """As JupyterLab: through the WebSocket that is open, or through the next one when that has ended."""
        try:
            return self.run(code)
        except (OSError, websocket.WebSocketException):
            self.connect()
            return self.run(code)
