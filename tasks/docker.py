"""The container engine."""

from pathlib import PurePosixPath

from pyinfra.api.deploy import deploy

from hubfleet import operations
from hubfleet.daemon import wanted_daemon
from hubfleet.settings import Lab
from hubfleet.systems import System
from hubfleet.templates import render

DAEMON = "/etc/docker/daemon.json"
PROXY = "/etc/systemd/system/docker.service.d/hubfleet-proxy.conf"
KEYRING = "/etc/apt/keyrings/hubfleet-docker.asc"


@deploy("Docker")
def install_engine(lab: Lab, system: System) -> None:
    """Configure the engine, then install and start it: its first start already reads the configuration."""
    docker, outside = lab.docker, lab.outside
    reads: dict[str, str | None] = {DAEMON: None}
    operations.directory(name="make the configuration directory", path="/etc/docker")
    operations.daemon_json(name="configure the engine", dest=DAEMON, wanted=wanted_daemon(docker))
    if outside.outbound_proxy:
        drop_in = render("docker/proxy.conf.j2", proxy=outside.outbound_proxy, no_proxy=outside.no_proxy())
        operations.directory(name="make the drop-in directory", path=str(PurePosixPath(PROXY).parent))
        operations.file(name="give the engine the proxy", dest=PROXY, content=drop_in)
        reads[PROXY] = operations.content_hash(drop_in)
    if docker.source == "docker":
        operations.directory(name="make the keyring directory", path="/etc/apt/keyrings")
        operations.file(name="place the repository's key", dest=KEYRING, content=lab.read(docker.apt_key))
        operations.file(
            name="add the repository",
            dest=f"{outside.apt_sources or '/etc/apt/sources.list.d'}/hubfleet-docker.sources",
            content=render("docker/docker.sources.j2", url=docker.apt_url, system=system, keyring=KEYRING),
        )
    engine = (
        ["docker-ce", "docker-ce-cli", "docker-buildx-plugin"] if docker.source == "docker" else system.engine_packages
    )
    operations.packages(name="install the engine", names=engine, sources=outside.apt_sources)
    operations.unit(name="start the engine", service="docker.service")
    operations.applied(
        name="load the configuration",
        check="systemctl daemon-reload",
        # live-restore is taken over by a reload, and only then does the restart leave containers running.
        apply="systemctl reload docker.service && systemctl restart docker.service",
        reads=reads,
        stamp=f"{DAEMON}.hubfleet-loaded",
    )
