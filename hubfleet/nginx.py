"""The nginx site of a hub, as text. Pure."""

from hubfleet.settings import Lab
from hubfleet.systems import System
from hubfleet.templates import render
from hubfleet_hub.config import PROXY_PORT

PROTOCOLS = {"intermediate": "TLSv1.2 TLSv1.3", "modern": "TLSv1.3"}
"""Mozilla's Server Side TLS guidelines, version 5.7 (https://wiki.mozilla.org/Security/Server_Side_TLS)."""

CIPHERS = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
"""The intermediate list for TLS 1.2, without the DHE suites (they would need parameters of their own)."""


def site(lab: Lab, system: System, certificate: str, key: str) -> str:
    """The site's configuration file."""
    url, edge = lab.hub.public_url, lab.edge
    host = f"[{url.host}]" if ":" in url.host else url.host
    return render(
        "edge/nginx.conf.j2",
        hub=lab.hub.hub_name,
        variable=f"hubfleet_{lab.hub.hub_name.replace('-', '_')}_connection",
        server_name=host,
        origin=url.origin,
        port=url.port,
        http_port=edge.http_port,
        http2_directive=system.nginx_http2_directive,
        certificate=certificate,
        key=key,
        protocols=PROTOCOLS[lab.tls.profile],
        ciphers=CIPHERS if lab.tls.profile == "intermediate" else "",
        # A browser must not pin https to a name whose certificate nobody can check yet.
        hsts=lab.tls.mode != "self_signed",
        max_upload=edge.max_upload,
        tunnel_timeout=edge.tunnel_timeout,
        upstream=f"{lab.addresses.proxy_core}:{PROXY_PORT}",
        # What the browser types: with its port, where it is not the scheme's own.
        host_header=url.origin.removeprefix(f"{url.scheme}://"),
    )
