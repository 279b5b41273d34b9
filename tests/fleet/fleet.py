"""A fleet: hosts, their network and their registry, which start together and leave nothing behind."""

import ipaddress
import json
import pprint
import secrets
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import docker
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from docker.types import IPAMConfig, IPAMPool, Mount

from tests.fleet import images
from tests.fleet.authority import Authority
from tests.fleet.engine import (
    FLEET_LABEL,
    IMAGE_PREFIX,
    OWNER_LABEL,
    STAYS,
    FleetError,
    cache_dir,
    cgroup_version,
    client,
    is_alive,
    own_id,
    withheld_capabilities,
)
from tests.fleet.host import Host, HostSpec, put_files
from tests.fleet.registry import Registry

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Where networks of fleets are taken from: away from what engines take by default and from what Hubfleet
#: gives the engines of hosts (10.210.0.0/16, 10.217.0.0/16).
SUBNETS = [ipaddress.ip_network(f"192.168.{third}.0/24") for third in (*range(231, 255), *range(200, 231))]

REGISTRY_PORT = 5000


class Fleet:
    """Hosts by name. Used as a context manager, or started here and found again by ``Fleet.load(name)``.

    Entering removes what an earlier fleet of this name left. A fleet ends when it is left, or with the process
    that made it (see sweep()); one that ``stays`` outlives both. An ``offline`` fleet has no way out of its own
    network.
    """

    def __init__(self, name: str, *, stays: bool = False, offline: bool = False) -> None:
        self.name = name
        self.stays = stays
        self.offline = offline
        self.hosts: dict[str, Host] = {}
        self._labels = {FLEET_LABEL: name, OWNER_LABEL: STAYS if stays else own_id()}

    def __enter__(self) -> Self:
        remove(self.name)
        self.directory.mkdir(parents=True, mode=0o700)
        try:
            self._make_network()
            self._make_registry()
            self._key("id_ed25519")
            self._save()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error or not self.stays:
            self.down()

    @classmethod
    def load(cls, name: str) -> "Fleet":
        """A fleet that another process started. Raises FleetError when it is not up."""
        fleet = cls(name)
        try:
            state = json.loads(fleet.state_file.read_text())
        except FileNotFoundError:
            raise FleetError(f"no fleet {name!r} is up; start it with: script/demo") from None
        for host in state["hosts"]:
            del host["ssh_user"]
            paths = {key: Path(host.pop(key)) for key in ("ssh_key", "known_hosts")}
            fleet.hosts[host["name"]] = Host(**host | paths)
        fleet._labels[OWNER_LABEL] = state["owner"]
        fleet.stays = state["owner"] == STAYS
        return fleet

    @property
    def directory(self) -> Path:
        """Keys and state of this fleet, for root alone."""
        return cache_dir() / "fleets" / self.name

    @property
    def state_file(self) -> Path:
        """JSON: name, owner, network, registry {address, local}, hosts [{name, address, ssh_user, ...}]."""
        return self.directory / "state.json"

    @property
    def network_name(self) -> str:
        return f"hubfleet-{self.name}"

    @cached_property
    def subnet(self) -> ipaddress.IPv4Network:
        config = client().networks.get(self.network_name).attrs["IPAM"]["Config"][0]
        return ipaddress.IPv4Network(config["Subnet"])

    @property
    def gateway(self) -> str:
        """This machine's own address on the fleet's network."""
        return str(self.subnet[1])

    @property
    def authority(self) -> Authority:
        """What vouches for the stand-ins of this fleet."""
        return Authority(self.directory)

    @cached_property
    def trusted(self) -> Path:
        """PEM file of what hosts have to trust: what this machine does, and the fleet's own authority."""
        path = self.directory / "trusted.pem"
        path.write_text(f"{images.ca_bundle().read_text().rstrip()}\n{self.authority.certificate.read_text()}")
        return path

    @cached_property
    def registry(self) -> Registry:
        """The registry that serves as the hosts' Docker Hub mirror."""
        container = client().containers.get(f"hubfleet-{self.name}-registry")
        port = container.attrs["NetworkSettings"]["Ports"][f"{REGISTRY_PORT}/tcp"][0]["HostPort"]
        return Registry(address=f"http://{self.subnet[2]}:{REGISTRY_PORT}", local=f"127.0.0.1:{port}")

    def host(self, name: str) -> Host:
        """Raises KeyError for a name that was not started."""
        return self.hosts[name]

    def start(self, *specs: HostSpec) -> list[Host]:
        """Starts hosts side by side and returns when each lets its administrator in."""
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda spec: images.host(spec.release, ready=spec.ready), specs))
        taken = {host.address for host in self.hosts.values()}
        free = (str(address) for address in list(self.subnet)[10:-1] if str(address) not in taken)
        new = [self._host(spec, next(free)) for spec in specs]
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._boot, new, specs))
        self.hosts |= {host.name: host for host in new}
        self._save()
        return new

    def drop(self, name: str) -> None:
        """Removes one host; the others stay. Raises KeyError for a name that was not started."""
        host = self.hosts.pop(name)
        _remove_container(host.container)
        client().volumes.get(f"{host.container_name}-docker").remove(force=True)
        known = host.known_hosts.read_text().splitlines(keepends=True)
        host.known_hosts.write_text("".join(line for line in known if not line.startswith(f"{host.address} ")))
        (self.directory / f"{name}.hostkey").unlink()
        self._save()

    def resume(self) -> None:
        """Starts what a restart of the engine or of this machine has stopped."""
        wanted: dict[str, Any] = {"label": f"{FLEET_LABEL}={self.name}", "status": "exited"}
        for container in client().containers.list(all=True, filters=wanted):
            container.start()
        for host in self.hosts.values():
            host.wait()
        self._save()

    def service(self, name: str, image: str, command: list[str], files: dict[str, bytes], *, last: int) -> "Container":
        """Starts a container that hosts reach at the subnet's address ``last`` (3 to 9), and that has a way out."""
        container = client().containers.create(
            image, command, name=f"hubfleet-{self.name}-{name}", init=True, labels=self._labels
        )
        put_files(container, files, 0o644)
        client().networks.get(self.network_name).connect(container, ipv4_address=str(self.subnet[last]))
        container.start()
        return container

    def inventory(self, path: Path, groups: dict[str, list[tuple[Host, dict[str, object]]]]) -> Path:
        """Writes a plain pyinfra inventory: groups of hosts with their data; each host's key is checked."""
        entries = {
            group: [(host.name, host.pyinfra_data() | data) for host, data in members]
            for group, members in groups.items()
        }
        path.write_text("\n".join(f"{group} = {pprint.pformat(each)}\n" for group, each in entries.items()))
        path.chmod(0o600)
        return path

    def down(self) -> None:
        """Removes every container, network, volume and file of this fleet."""
        remove(self.name)
        self.hosts.clear()

    # -- how it is made

    def _make_network(self) -> None:
        taken = _taken_subnets()
        for subnet in SUBNETS:
            if any(subnet.overlaps(other) for other in taken):
                continue
            pool = IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
            try:
                client().networks.create(
                    self.network_name,
                    labels=self._labels,
                    internal=self.offline,
                    ipam=IPAMConfig(pool_configs=[pool]),
                )
            except docker.errors.APIError as error:
                if "overlaps" not in str(error):
                    raise
            else:
                return
        raise FleetError(
            "no free network is left in 192.168.200.0 to 192.168.254.0; remove some with docker network rm"
        )

    def _make_registry(self) -> None:
        storage = cache_dir() / "registry"
        storage.mkdir(exist_ok=True)
        # On the default network first: a published port needs one that is not internal.
        container = client().containers.run(
            images.registry(), name=f"hubfleet-{self.name}-registry", detach=True, labels=self._labels,
            ports={f"{REGISTRY_PORT}/tcp": ("127.0.0.1", 0)},
            mounts=[Mount("/var/lib/registry", str(storage), type="bind")],
        )  # fmt: skip
        client().networks.get(self.network_name).connect(container, ipv4_address=str(self.subnet[2]))
        wait_for(self.registry.answers, "the fleet's registry")

    def _host(self, spec: HostSpec, address: str) -> Host:
        return Host(
            name=spec.name, fleet=self.name, release=spec.release, login=spec.login, address=address,
            ssh_key=self.directory / "id_ed25519", known_hosts=self.directory / "known_hosts",
            sudo_password=secrets.token_urlsafe(12) if spec.login == "sudo" else "",
        )  # fmt: skip

    def _boot(self, host: Host, spec: HostSpec) -> None:
        volume = client().volumes.create(f"{host.container_name}-docker", labels=self._labels)
        mounts = [Mount("/var/lib/docker", volume.name, type="volume")]
        if resolver := self._resolver(host.name):
            mounts.append(Mount("/etc/resolv.conf", str(resolver), type="bind"))
        endpoint = client().api.create_endpoint_config(ipv4_address=host.address)
        made = client().api.create_container(
            images.host(spec.release, ready=spec.ready),
            name=host.container_name,
            hostname=host.name,
            labels=self._labels,
            networking_config={"EndpointsConfig": {self.network_name: endpoint}},
            **_boot_options(mounts, self.network_name),
        )
        container = client().containers.get(made["Id"])
        home = "/root" if host.login == "root" else "/home/labadmin"
        host_key, login_key = self._key(f"{host.name}.hostkey"), self._key("id_ed25519")
        put_files(container, {"/etc/ssh/ssh_host_ed25519_key": host_key[0]}, 0o600)
        with host.known_hosts.open("a") as known:
            known.write(f"{host.address} {host_key[1].decode()}\n")
        if host.login == "sudo":
            put_files(container, {"/etc/ssh/sshd_config.d/login.conf": b"PermitRootLogin no\n"}, 0o644)
        container.start()
        # The account first, its key last: who can log in finds everything in place.
        if host.login == "sudo":
            container.exec_run(
                ["sh", "-c", 'useradd -m -s /bin/bash -G sudo labadmin && echo "labadmin:$WORD" | chpasswd'],
                environment={"WORD": host.sudo_password},
            )
        owner = "labadmin" if host.login == "sudo" else "root"
        host.run(f"install -d -m 0700 -o {owner} -g {owner} {home}/.ssh")
        host.copy_in(login_key[1], f"{home}/.ssh/authorized_keys")
        host.wait()

    def _resolver(self, name: str) -> Path | None:
        """A host's resolv.conf, with this machine's own name servers; None when it knows only a local one.

        The engine's own (127.0.0.11) is out of reach for the containers of an engine inside a host.
        """
        path = self.directory / f"{name}.resolv.conf"
        for source in ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"):
            text = Path(source).read_text() if Path(source).exists() else ""
            lines = [line for line in text.splitlines() if line.startswith("nameserver") and " 127." not in line]
            if lines:
                path.write_text("\n".join(lines) + "\n")
                return path
        return None

    def _key(self, name: str) -> tuple[bytes, bytes]:
        """An SSH key of this fleet, made when missing: private (OpenSSH's own format), public."""
        path = self.directory / name
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            private = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
            )
            public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
            path.with_name(f"{name}.pub").write_bytes(public)
            path.touch(0o600)
            path.write_bytes(private)
        return path.read_bytes(), path.with_name(f"{name}.pub").read_bytes()

    def _save(self) -> None:
        state = {
            "name": self.name,
            "owner": self._labels[OWNER_LABEL],
            "network": self.network_name,
            "registry": {"address": self.registry.address, "local": self.registry.local},
            "hosts": [
                {
                    "name": host.name, "fleet": host.fleet, "release": host.release, "login": host.login,
                    "address": host.address, "ssh_user": host.ssh_user, "ssh_key": str(host.ssh_key),
                    "known_hosts": str(host.known_hosts), "sudo_password": host.sudo_password,
                }
                for host in self.hosts.values()
            ],
        }  # fmt: skip
        draft = self.state_file.with_suffix(".part")
        draft.touch(0o600)
        draft.write_text(json.dumps(state, indent=2))
        draft.rename(self.state_file)


def remove(name: str) -> None:
    """Removes every container, network, volume and file of the fleet of this name, whoever made it."""
    mine: dict[str, Any] = {"label": f"{FLEET_LABEL}={name}"}
    with ThreadPoolExecutor() as pool:
        list(pool.map(_remove_container, client().containers.list(all=True, filters=mine, ignore_removed=True)))
    for network in client().networks.list(filters=mine):
        network.remove()
    for volume in client().volumes.list(filters=mine):
        volume.remove(force=True)
    shutil.rmtree(cache_dir() / "fleets" / name, ignore_errors=True)


def names() -> dict[str, str]:
    """Every fleet that left a container, network, volume or state: its name and owner."""
    found: dict[str, str] = {}
    filters: dict[str, Any] = {"label": FLEET_LABEL}
    labels = [c.labels for c in client().containers.list(all=True, filters=filters, ignore_removed=True)]
    labels += [n.attrs["Labels"] for n in client().networks.list(filters=filters)]
    labels += [v.attrs["Labels"] for v in client().volumes.list(filters=filters)]
    for each in labels:
        found[each[FLEET_LABEL]] = each.get(OWNER_LABEL, "")
    for state in (cache_dir() / "fleets").glob("*/state.json"):
        found.setdefault(state.parent.name, json.loads(state.read_text())["owner"])
    return found


def sweep() -> list[str]:
    """Removes the fleets whose makers are gone (killed, Ctrl-C at a bad moment); returns their names."""
    dead = [name for name, owner in names().items() if not is_alive(owner)]
    for name in dead:
        remove(name)
    return dead


def purge() -> None:
    """Removes all fleets, our images on the engine, and the cache."""
    for name in names():
        remove(name)
    for image in client().images.list():
        for tag in image.tags:
            if tag.startswith(f"{IMAGE_PREFIX}/"):
                client().images.remove(tag, force=True)
    shutil.rmtree(cache_dir())


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Polls. Raises FleetError when the condition is not true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise FleetError(f"{what} did not answer within {seconds:.0f} s")
        time.sleep(0.1)


def _remove_container(container: Any) -> None:
    try:
        # A paused container cannot be killed on cgroup v1.
        if container.status == "paused":
            container.unpause()
        container.remove(force=True, v=True)
    except docker.errors.NotFound:
        pass


def _taken_subnets() -> list[ipaddress.IPv4Network]:
    """What this machine's routes and its engine's networks use already."""
    taken = []
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        _, target, _, _, _, _, _, mask, *_ = line.split()
        address, netmask = (int.from_bytes(bytes.fromhex(field), "little") for field in (target, mask))
        if netmask:
            taken.append(ipaddress.IPv4Network((address, bin(netmask).count("1"))))
    for network in client().networks.list():
        for config in network.attrs["IPAM"]["Config"] or []:
            subnet = ipaddress.ip_network(config["Subnet"])
            if isinstance(subnet, ipaddress.IPv4Network):
                taken.append(subnet)
    return taken


def _boot_options(mounts: list[Mount], network: str) -> dict[str, Any]:
    """What a container needs to boot systemd and to run an engine of its own."""
    if cgroup_version() == 1:
        mounts = [*mounts, Mount("/sys/fs/cgroup", "/sys/fs/cgroup", type="bind")]
        # Debian 13's systemd refuses the old hierarchy unless it is told twice.
        legacy = "systemd.unified_cgroup_hierarchy=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"
        boot: dict[str, Any] = {"environment": {"SYSTEMD_PROC_CMDLINE": legacy}}
    else:
        # The engine mounts the container's own hierarchy read-only; systemd needs to write to it.
        remount = "mount -o remount,bind,rw /sys/fs/cgroup && exec /sbin/init"
        boot = {"command": ["/bin/sh", "-c", remount]}
    config = client().api.create_host_config(
        cap_add=["ALL"],
        cap_drop=withheld_capabilities(),
        cgroupns="host" if cgroup_version() == 1 else "private",
        mounts=mounts,
        network_mode=network,
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        tmpfs={"/run": "", "/run/lock": "", "/tmp": "exec"},
    )
    # What the command line calls systempaths=unconfined.
    return {**boot, "host_config": config | {"MaskedPaths": [], "ReadonlyPaths": []}}
