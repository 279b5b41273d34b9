"""What the edge lets through, from outside: HTTPS alone, whole uploads, and nobody who says he is someone else."""

import base64
import hashlib
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.e2e.hub import Hub
from tests.e2e.person import Person
from tests.fleet import images
from tests.fleet.engine import FLEET_LABEL, client

MIB = 1024**2


def test_http_leads_to_https(hub: Hub) -> None:
    for path in ("/", "/hub/login?next=/hub/home"):
        answer = requests.get(f"http://{hub.host.address}{path}", allow_redirects=False, timeout=30)
        assert (answer.status_code, answer.headers["Location"]) == (308, f"{hub.url}{path}")


def test_nothing_but_ssh_http_and_https_answers_on_the_host(hub: Hub) -> None:
    assert open_ports(hub.host.address) == [22, 80, 443]


def test_a_neighbour_who_routes_through_the_host_reaches_nothing_behind_the_edge(hub: Hub) -> None:
    inside = [("10.217.16.2", 8081), ("10.217.16.3", 8000), ("10.217.16.3", 8001), ("10.217.0.2", 8081)]
    for address, port in inside:  # there is something to reach
        hub.host.run(f"timeout 5 bash -c '</dev/tcp/{address}/{port}'")
    knocks = "; ".join(f"timeout 3 bash -c '</dev/tcp/{a}/{p}' 2>/dev/null && echo {a}:{p}" for a, p in inside)
    script = (
        f"ip route add 10.217.0.0/16 via {hub.host.address} && ping -c1 -W3 -q {hub.host.address} >&2; {knocks}; true"
    )
    reached = client().containers.run(
        images.host("debian13", ready=True), ["bash", "-c", script], network=hub.lab.fleet.network_name,
        labels={FLEET_LABEL: hub.lab.fleet.name}, cap_add=["NET_ADMIN"], remove=True, stderr=False,
    )  # fmt: skip
    assert reached.decode().split() == []


def test_the_hub_sees_the_clients_own_address_whatever_it_claims(hub: Hub) -> None:
    claims = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7"}
    path = "/hub/login?whoami"
    assert requests.get(f"{hub.url}{path}", headers=claims, verify=str(hub.certificate), timeout=30).ok
    (line,) = (line for line in hub.log(200).splitlines() if path in line)
    with socket.create_connection((hub.host.address, 443), timeout=10) as connection:
        own_address = connection.getsockname()[0]
    assert own_address in line
    assert "203.0.113.7" not in line


def test_an_upload_of_a_gibibyte_arrives_whole(hub: Hub, newcomer: Callable[[str], Person]) -> None:
    """In chunks of a mebibyte each, as JupyterLab sends a file."""
    flo, digest = newcomer("flo").start(), hashlib.sha256()
    with requests.Session() as kept_open:
        for number in range(1, 1025):
            chunk = hashlib.sha256(b"%d" % number).digest() * (MIB // 32)
            digest.update(chunk)
            body = {
                "type": "file",
                "format": "base64",
                "chunk": number if number < 1024 else -1,
                "content": base64.b64encode(chunk).decode(),
            }
            saved = flo.ask("PUT", f"{flo.prefix}api/contents/big.bin", json=body, via=kept_open)
            assert saved.ok, f"chunk {number}: {saved.status_code} {saved.text[:500]}\n{hub.log()}"
    seen = hub.host.run("sha256sum /srv/hubfleet/users/flo/big.bin; rm /srv/hubfleet/users/flo/big.bin").out
    assert seen.split()[0] == digest.hexdigest()
    flo.stop()


def test_the_edge_takes_bodies_up_to_its_limit(hub: Hub) -> None:
    """`edge_max_upload` is 2 GiB."""
    assert not is_too_large(hub, 1536 * MIB)
    assert is_too_large(hub, 3072 * MIB)


def is_too_large(hub: Hub, size: int) -> bool:
    """Whether a client that announces a body of this size is refused at once; else it is waited for."""
    trust = ssl.create_default_context(cafile=str(hub.certificate))
    with (
        socket.create_connection((hub.host.address, 443), timeout=5) as plain,
        trust.wrap_socket(plain, server_hostname=hub.host.address) as tls,
    ):
        tls.sendall(f"POST /hub/login HTTP/1.1\r\nHost: {hub.host.address}\r\nContent-Length: {size}\r\n\r\n".encode())
        try:
            return tls.recv(65536).startswith(b"HTTP/1.1 413 ")
        except TimeoutError:
            return False


def open_ports(address: str) -> list[int]:
    """Every TCP port on which something accepts a connection."""

    def answers(port: int) -> bool:
        try:
            socket.create_connection((address, port), timeout=10).close()
        except OSError:
            return False
        return True

    # Threads: the browser of another test keeps an event loop running in this one.
    with ThreadPoolExecutor(64) as knockers:
        ports = range(1, 65536)
        return [port for port, open_ in zip(ports, knockers.map(answers, ports), strict=True) if open_]
