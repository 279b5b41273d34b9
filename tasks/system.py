"""How the host itself reaches the world: apt, its mirror and proxy, and the authorities it trusts."""

from pyinfra.api.deploy import deploy

from hubfleet import operations
from hubfleet.settings import Lab
from hubfleet.systems import System
from hubfleet.templates import render


@deploy("System")
def reach_outside(lab: Lab, system: System) -> None:
    """Mirror, proxy and authorities, before anything is fetched."""
    outside = lab.outside
    operations.file(
        name="tell apt about the proxy",
        dest="/etc/apt/apt.conf.d/90hubfleet",
        content=render("system/apt.conf.j2", proxy=outside.outbound_proxy),
    )
    if outside.apt_mirror:
        operations.file(
            name="add the apt mirror",
            dest="/etc/apt/sources.list.d/hubfleet.sources",
            content=render("system/apt.sources.j2", mirror=outside.apt_mirror, system=system),
        )
    operations.packages(name="install base packages", names=["ca-certificates", "openssl", "iptables"])
    if outside.extra_ca:
        authorities = "/usr/local/share/ca-certificates/hubfleet.crt"
        operations.file(name="place the extra authorities", dest=authorities, content=lab.read(outside.extra_ca))
        operations.applied(
            name="trust the extra authorities",
            apply="update-ca-certificates",
            reads={authorities: operations.content_hash(lab.read(outside.extra_ca))},
            stamp=f"{authorities}.loaded",
        )
