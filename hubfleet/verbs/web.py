"""A hub as a browser sees it: connections to its public address, requests, a WebSocket. Standard library only,
so that every byte goes through the one connection whose certificate was looked at."""

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import websocket

TIMEOUT = 30
"""Seconds without an answer."""


@dataclass(frozen=True)
class Reply:
    """What a request came to."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """The body as JSON; raises ValueError when it is none."""
        return json.loads(self.text)

    @property
    def reason(self) -> str:
        """The hub's own words for a refusal."""
        try:
            return str(self.json()["message"])
        except (ValueError, KeyError, TypeError):
            return http.client.responses.get(self.status, "")


@dataclass(frozen=True)
class Site:
    """A public address and how it is reached and trusted."""

    url: str
    """`https://host[:port]/path/`, with a slash at its end."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """What to connect to instead of what DNS says, by host name."""
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def reach(self, url: str) -> socket.socket:
        """A plain TCP connection to a URL's host. Raises OSError."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        return socket.create_connection((self.addresses.get(host, host), port), timeout=TIMEOUT)

    def dial(self, url: str) -> socket.socket:
        """A connection to a URL's host, with TLS where it is https. Raises OSError (ssl.SSLError is one)."""
        plain = self.reach(url)
        if not url.startswith("https:"):
            return plain
        try:
            return self.context.wrap_socket(plain, server_hostname=urlsplit(url).hostname)
        except BaseException:
            plain.close()
            raise

    def open(
        self, method: str, url: str, token: str = "", body: object = None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a request; the caller reads the response and closes the connection."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)
        connection.sock = self.dial(url)
        headers = {"Host": parts.netloc, "User-Agent": "hubfleet-verify"}
        if token:
            headers["Authorization"] = f"token {token}"
        data = None
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        path = parts.path or "/"
        connection.request(method, f"{path}?{parts.query}" if parts.query else path, data, headers)
        return connection, connection.getresponse()

    def fetch(self, method: str, url: str, token: str = "", body: object = None) -> Reply:
        """Send a request and read the whole answer. Redirects are not followed. Raises OSError."""
        try:
            connection, response = self.open(method, url, token, body)
            with contextlib.closing(connection):
                text = response.read().decode("utf-8", "replace")
                return Reply(response.status, {key.lower(): value for key, value in response.getheaders()}, text)
        except http.client.HTTPException as error:
            raise OSError(f"not an HTTP answer: {type(error).__name__} {error}") from error

    def events(self, url: str, token: str) -> Iterator[dict[str, Any]]:
        """Server-sent events, as JupyterHub tells a server's progress. Raises OSError when there are none."""
        connection, response = self.open("GET", url, token)
        with contextlib.closing(connection):
            if response.status != 200:
                raise OSError(f"{url} answers {response.status}")
            while line := response.readline():
                if line.startswith(b"data:"):
                    yield json.loads(line.removeprefix(b"data:"))

    def websocket(self, path: str, token: str) -> websocket.WebSocket:
        """A WebSocket to a path below the site. Raises OSError or websocket.WebSocketException."""
        url = self.url.rstrip("/") + path
        return websocket.create_connection(
            "ws" + url.removeprefix("http"),
            socket=self.dial(url),
            header={"Authorization": f"token {token}"},
            origin=self.url.removesuffix(urlsplit(self.url).path),
            timeout=TIMEOUT,
        )
