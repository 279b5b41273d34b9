"""How the host itself reaches the world: apt, its mirror and proxy, and the authorities it trusts."""

from pathlib import PurePosixPath

from pyinfra.api.deploy import deploy

from hubfleet import operations
from hubfleet.settings import Lab
from hubfleet.systems import System
from hubfleet.templates import render

AUTHORITIES = "/usr/local/share/ca-certificates/hubfleet.crt"


@deploy("System")
def reach_outside(lab: Lab, system: System) -> None:
    """Proxy, mirror and authorities, before anything is fetched."""
    outside = lab.outside
    operations.file(
        name="tell apt about the proxy",
        dest="/etc/apt/apt.conf.d/90hubfleet",
        content=render("system/apt.conf.j2", proxy=outside.outbound_proxy, direct=outside.direct_hosts),
    )
    if outside.apt_mirror:
        # Not among the host's own sources: one that names the same archive and another key stops all of apt.
        operations.directory(name="make the directory of our apt sources", path=outside.apt_sources)
        operations.file(
            name="name the apt mirror",
            dest=f"{outside.apt_sources}/mirror.sources",
            content=render("system/apt.sources.j2", archives=system.archives(outside.apt_mirror)),
        )
    if outside.extra_ca:
        authorities = lab.read(outside.extra_ca)
        operations.directory(name="make the authorities' directory", path=str(PurePosixPath(AUTHORITIES).parent))
        operations.file(name="place the extra authorities", dest=AUTHORITIES, content=authorities)
        operations.applied(
            name="trust the extra authorities",
            # A host that lacks the command trusts them as soon as the package that brings it is installed.
            apply="! command -v update-ca-certificates || update-ca-certificates",
            reads={AUTHORITIES: operations.content_hash(authorities)},
            stamp=f"{AUTHORITIES}.loaded",
        )
    operations.packages(
        name="install base packages", names=["ca-certificates", "openssl", "iptables"], sources=outside.apt_sources
    )
