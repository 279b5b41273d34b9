"""The edge: TLS by nginx on the host; everything behind it listens on a Docker network."""

from pyinfra.api.deploy import deploy

from hubfleet import operations
from hubfleet.nginx import site
from hubfleet.secrets import resolve
from hubfleet.settings import Lab
from hubfleet.systems import System


@deploy("Edge")
def serve_https(lab: Lab, system: System) -> None:
    """Certificate, site, check, reload."""
    certificate, key = f"{lab.paths.edge}/tls.crt", f"{lab.paths.edge}/tls.key"
    operations.packages(name="install nginx", names=["nginx"], sources=lab.outside.apt_sources)
    reads: dict[str, str | None] = {certificate: None, key: None}
    if lab.tls.mode == "files":
        chain, private = lab.read(lab.tls.cert), resolve(lab.tls.key, lab.directory).unmask() + "\n"
        operations.file(name="place the key", dest=key, content=private, mode="0600", secret=True)
        operations.file(name="place the certificate", dest=certificate, content=chain)
        reads = {certificate: operations.content_hash(chain), key: operations.content_hash(private)}
    else:
        operations.self_signed(
            name="make a self-signed certificate",
            certificate=certificate,
            key=key,
            common_name=lab.hub.public_url.host,
            is_address=lab.hub.public_url.is_address,
        )
    path = f"/etc/nginx/conf.d/{lab.names.prefix}.conf"
    text = site(lab, system, certificate, key)
    operations.file(name="place the site", dest=path, content=text)
    operations.unit(name="start nginx", service="nginx.service")
    operations.applied(
        name="check and load the site",
        check="nginx -t -q",
        apply="systemctl reload nginx.service",
        reads={path: operations.content_hash(text), **reads},
        stamp=f"{lab.paths.edge}/loaded",
    )
