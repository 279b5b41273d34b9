"""`hubfleet verify` trusts the one certificate it should, and says what is wrong with any other.

The edge here is a real TLS server, with as much of a hub behind it as `--dry` asks for. What a user does on a real
hub is proved on the fleet.
"""

import contextlib
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hubfleet.settings import check_inventory
from hubfleet.verbs.verify import removal
from hubfleet_hub.config import VERIFY_USERS
from tests.unit.cli.play import ROOT, Lab, Result


def certificate(directory: Path, name: str, host: str = "127.0.0.1", days: int = 90) -> tuple[Path, Path]:
    """A self-signed certificate and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    try:
        alternative: x509.GeneralName = x509.IPAddress(ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert, private = directory / f"{name}.crt", directory / f"{name}.key"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, private


class Edge(http.server.BaseHTTPRequestHandler):
    """A hub's front door: its API's version and its login page."""

    def do_GET(self) -> None:
        pages = {"/hub/api/": '{"version": "5.5.4"}', "/hub/login": "<form></form>"}
        self.send_response(200 if self.path in pages else 404)
        self.end_headers()
        self.wfile.write(pages.get(self.path, "").encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def edge(cert: Path, key: Path, handler: type[Edge] = Edge) -> Iterator[int]:
    """A TLS server with that certificate; its port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def verify(lab: Lab, served: tuple[Path, Path], deployed: Path, name: str = "127.0.0.1", *words: str) -> Result:
    """Verify a hub that serves one certificate while the host has another one, or the same, in its file."""
    with edge(*served) as port:
        lab.hosts(
            one={
                "public_url": f"https://{name}:{port}",
                "edge_http_port": 0,
                "fake_responses": {"tls.crt": deployed.read_text().splitlines()},
            }
        )
        return lab.hubfleet("verify", "--dry", *words)


def seen(result: Result, what: str) -> str:
    """A line of the table."""
    return next(line for line in result.out.splitlines() if line.startswith(f"{what} "))


def test_a_self_signed_certificate_is_trusted_when_it_is_the_one_on_the_host(lab: Lab, tmp_path: Path) -> None:
    pair = certificate(tmp_path, "hub")
    result = verify(lab, pair, pair[0])
    assert result.status == 0, result.all
    assert "self-signed, the very one on the host, names 127.0.0.1, 90 days left" in seen(result, "certificate")
    assert "JupyterHub 5.5.4 answers" in seen(result, "hub")
    assert "proved" in seen(result, "login page")


def test_another_certificate_than_the_host_s_is_somebody_else(lab: Lab, tmp_path: Path) -> None:
    result = verify(lab, certificate(tmp_path, "stranger"), certificate(tmp_path, "hub")[0])
    assert result.status == 1
    assert "failed" in seen(result, "certificate")
    assert "not this hub's edge" in seen(result, "certificate")
    assert "login page" not in result.out.partition("WHAT")[2]


def test_a_certificate_for_another_name_is_refused(lab: Lab, tmp_path: Path) -> None:
    pair = certificate(tmp_path, "hub", host="other.example.org")
    result = verify(lab, pair, pair[0])
    assert result.status == 1
    assert "mismatch" in seen(result, "certificate")


def test_a_certificate_that_has_run_out_is_refused(lab: Lab, tmp_path: Path) -> None:
    pair = certificate(tmp_path, "hub", days=-2)
    result = verify(lab, pair, pair[0])
    assert result.status == 1
    assert "expired" in seen(result, "certificate")


def test_a_certificate_with_few_days_left_is_proved_with_a_word_about_it(lab: Lab, tmp_path: Path) -> None:
    pair = certificate(tmp_path, "hub", days=5)
    result = verify(lab, pair, pair[0])
    assert result.status == 0
    assert "not proved  it ends in 5 days: renew it" in result.out


def test_a_name_that_dns_does_not_know_yet_is_reached_by_resolve(lab: Lab, tmp_path: Path) -> None:
    pair = certificate(tmp_path, "hub", host="hub.example.org")
    result = verify(lab, pair, pair[0], "hub.example.org", "--resolve", "hub.example.org:127.0.0.1")
    assert result.status == 0, result.all
    assert "not proved" in seen(result, "name")


def test_a_dry_verify_says_that_it_proved_no_server(lab: Lab, tmp_path: Path) -> None:
    pair = certificate(tmp_path, "hub")
    assert "left out by --dry" in seen(verify(lab, pair, pair[0]), "a user's server")


def test_a_closed_port_is_told_with_what_to_do(lab: Lab) -> None:
    lab.hosts(one={"public_url": "https://127.0.0.1:1"})
    result = lab.hubfleet("verify")
    assert result.status == 1
    assert "127.0.0.1 port 1" in seen(result, "address")
    assert "firewall" in seen(result, "address")


LTI13 = {
    "login": ["lti13"],
    "lti13_issuer": "https://lms.example.org",
    "lti13_client_ids": ["first", "second"],
    "lti13_authorize_url": "https://lms.example.org/auth",
    "lti13_jwks_url": "https://lms.example.org/certs",
}


class Lti(Edge):
    """That of a hub which people enter from an LMS; `address` is what it takes for its own."""

    address = ""
    leads = "https://lms.example.org/auth"

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/hub/lti13/config":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"oidc_initiation_url": f"{self.address}/hub/lti13/oauth_login"}).encode())
            return
        if path != "/hub/lti13/oauth_login":
            super().do_GET()
            return
        said = dict(parse_qsl(query))
        asked = {"client_id": said["client_id"], "redirect_uri": f"{self.address}/hub/lti13/oauth_callback"}
        asked |= {"response_mode": "form_post", "scope": "openid", "nonce": "n", "state": "s"}
        self.send_response(302)
        self.send_header("Location", f"{self.leads}?{urlencode(asked)}")
        self.end_headers()


def verified(lab: Lab, tmp_path: Path, keys: str = "good: 1 usable key", address: str = "", **front: str) -> Result:
    """Verify a hub that people enter from an LMS; ``keys`` is what the hub finds there."""
    pair = certificate(tmp_path, "hub")
    handler = type("Handler", (Lti,), front)
    with edge(*pair, handler) as port:
        url = f"https://127.0.0.1:{port}"
        handler.address = address or url  # type: ignore[attr-defined]
        told = {"tls.crt": pair[0].read_text().splitlines(), "hubfleet_hub.jwks": [keys]}
        lab.hosts(one=LTI13 | {"public_url": url, "edge_http_port": 0, "fake_responses": told})
        return lab.hubfleet("verify", "--dry")


def test_a_class_is_proved_from_its_lms_s_side(lab: Lab, tmp_path: Path) -> None:
    result = verified(lab, tmp_path)
    assert result.status == 0, result.all
    for what in ("LTI login", "LTI tool", "LMS's keys"):
        assert "proved" in seen(result, what), result.out
    assert "leads to https://lms.example.org/auth and back to https://127.0.0.1:" in seen(result, "LTI login")


def test_a_hub_that_tells_the_lms_another_address_is_no_way_back(lab: Lab, tmp_path: Path) -> None:
    result = verified(lab, tmp_path, address="http://10.0.0.1:8000")
    assert result.status == 1
    assert "a wrong redirect_uri" in seen(result, "LTI login")
    assert "http://10.0.0.1:8000/hub/lti13/oauth_login" in seen(result, "LTI tool")


def test_a_hub_that_leads_to_another_lms_is_told(lab: Lab, tmp_path: Path) -> None:
    result = verified(lab, tmp_path, leads="https://stranger.example.org/auth")
    assert "leads not to https://lms.example.org/auth" in seen(result, "LTI login")


def test_keys_that_the_hub_cannot_use_are_told(lab: Lab, tmp_path: Path) -> None:
    result = verified(lab, tmp_path, keys="bad: gives no answer within 15 s; may this host reach it?")
    assert result.status == 1
    told = "https://lms.example.org/certs: gives no answer within 15 s; may this host reach it?"
    assert told in seen(result, "LMS's keys")


@pytest.mark.parametrize(
    "data",
    [{"homes": "directory"}, {"homes": "volume"}, {"login": ["pam"], "spawner": "local", "server_home": "/home"}],
    ids=["directory", "volume", "account"],
)
def test_only_a_throw_away_user_s_files_are_ever_removed(lab: Lab, data: dict[str, object]) -> None:
    lab.hosts(one=data)
    settings = check_inventory(lab.inventory, cwd=ROOT)["@fake/one"]
    assert removal(settings, VERIFY_USERS[0])
    for user in ("alice", "", "..", "hubfleet-verify-", f"{VERIFY_USERS[0]}/.."):
        with pytest.raises(ValueError, match="no throw-away user"):
            removal(settings, user)
