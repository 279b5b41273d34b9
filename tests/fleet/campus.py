"""A campus network: what stands between hosts without a way out and the world."""

import shlex
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.fleet import Fleet, Host, images
from tests.fleet.fleet import wait_for
from tests.fleet.host import port_answers
from tests.fleet.images import debian

if TYPE_CHECKING:
    from docker.models.containers import Container

MIRROR, PROXY = 3, 4
PROXY_PORT = 3128

TINYPROXY = f"""\
Port {PROXY_PORT}
Timeout 600
MaxClients 200
LogLevel Connect
ConnectPort 443
"""


@dataclass(frozen=True)
class Service:
    """A mirror or proxy of the campus."""

    address: str
    url: str
    container: "Container"

    def log(self) -> str:
        """All it was asked so far."""
        return str(self.container.logs().decode())


def apt_mirror(fleet: Fleet) -> Service:
    """Debian's archive and, beside it, its security archive: this machine's own ones, handed on."""
    own = {source.suffix: source.uri.rstrip("/") for source in debian.apt_sources()}
    places = {"debian": own[""], "debian-security": own["-security"]}
    handed_on = "\n".join(
        f"location /{name}/ {{ proxy_pass {uri}/; proxy_set_header Host {urlsplit(uri).netloc};"
        " proxy_http_version 1.1; proxy_ssl_server_name on; }"
        for name, uri in places.items()
    )
    site = f"server {{ listen 80 default_server; access_log /dev/stdout; error_log /dev/stderr;\n{handed_on}\n}}\n"
    files = {"/etc/nginx/sites-enabled/default": site.encode()}
    return _service(fleet, "mirror", ["nginx", "-g", "daemon off;"], files, last=MIRROR, port=80, path="/debian")


def proxy(fleet: Fleet) -> Service:
    """A forward proxy that notes who asked for what."""
    files = {"/etc/campus-proxy.conf": TINYPROXY.encode()}
    command = ["tinyproxy", "-d", "-c", "/etc/campus-proxy.conf"]
    return _service(fleet, "proxy", command, files, last=PROXY, port=PROXY_PORT, path="")


def has_way_out(host: Host) -> bool:
    """Whether a host reaches this machine's own Debian archive, its name looked up here."""
    archive = urlsplit(debian.apt_sources()[0].uri)
    assert archive.hostname
    port = archive.port or {"http": 80, "https": 443}[archive.scheme]
    knock = f"</dev/tcp/{socket.gethostbyname(archive.hostname)}/{port}"
    return host.run(f"timeout 5 bash -c {shlex.quote(knock)}", check=False).code == 0


def _service(
    fleet: Fleet, name: str, command: list[str], files: dict[str, bytes], *, last: int, port: int, path: str
) -> Service:
    container = fleet.service(name, images.campus(), command, files, last=last)
    address = str(fleet.subnet[last])
    wait_for(lambda: port_answers(address, port), f"the campus's {name}")
    return Service(address, f"http://{address}:{port}{path}", container)
