"""What a container of ours is to be, the command that makes it, and the label by which a changed one is known.

Plain `docker` commands and no compose: Debian 12's archive has no compose v2, and drift is judged by our own
label anyway. Pure: no host in here.
"""

import json
import shlex
from dataclasses import asdict, dataclass, field
from hashlib import sha256

LABEL_SPEC = "io.hubfleet.spec"
"""Hash of everything a container is made of; a container whose label differs is replaced."""
LABEL_HUB = "io.hubfleet.hub"
"""The hub a container, network or volume belongs to."""
LABEL_ROLE = "io.hubfleet.role"

DOCKER_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True)
class Attachment:
    """A network a container is on, and its fixed address there (IPv4)."""

    network: str
    address: str


@dataclass(frozen=True)
class Mount:
    """A directory or file of the host, or a volume, inside a container."""

    source: str
    """An absolute path, or a volume's name."""
    target: str
    read_only: bool = True


@dataclass(frozen=True)
class Restart:
    """How the process in a container reads its files anew without the container's end, which would end more than it."""

    command: str
    """Ends well when the process answers again."""
    stamp: str
    """File on the host that remembers what was last read."""


@dataclass(frozen=True)
class ContainerSpec:
    """A long-running container of ours, as data."""

    name: str
    hub: str
    role: str
    image: str
    command: tuple[str, ...]
    user: str
    """`uid:gid`, numeric."""
    memory: int
    """Bytes; no swap on top."""
    cpus: float = 0
    """Processors; 0: no limit."""
    networks: tuple[Attachment, ...] = ()
    """Empty: no network at all."""
    nameserver: str = ""
    """Who is asked for names that Docker itself does not know; empty: whom the host asks."""
    mounts: tuple[Mount, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    """Never a secret: `docker inspect` shows it."""
    capabilities: tuple[str, ...] = ()
    gains_privileges: bool = False
    """Whether a process may become more than the one that started it, as sudo and passwd do."""
    read_only: bool = False
    pids: int = 512
    shm_size: int = 0
    """Bytes of /dev/shm; 0: the engine's own choice."""
    log_max_size: int = 10 * 1024**2
    log_max_files: int = 5
    uses_engine: bool = False
    """Whether it may speak to Docker: it gets the socket and, since it is not root, the group that owns it."""
    health: tuple[str, ...] = ()
    """Command whose exit status tells health; empty for none."""

    def digest(self, reads: dict[str, str]) -> str:
        """The label's value, from this spec and the digests of the files that the process reads only at its start."""
        text = json.dumps([asdict(self), sorted(reads.items())], sort_keys=True)
        return sha256(text.encode()).hexdigest()

    def create_command(self, digest: str) -> str:
        """The shell command that creates the container, on its first network, without starting it."""
        words = [
            "docker",
            "create",
            "--name",
            self.name,
            "--init",
            "--restart",
            "unless-stopped",
            "--user",
            self.user,
        ]
        words += ["--cap-drop", "ALL"]
        if not self.gains_privileges:
            words += ["--security-opt", "no-new-privileges"]
        words += [
            "--memory",
            str(self.memory),
            "--memory-swap",
            str(self.memory),
            "--pids-limit",
            str(self.pids),
        ]
        if self.cpus:
            words += ["--cpus", str(self.cpus)]
        if self.shm_size:
            words += ["--shm-size", str(self.shm_size)]
        words += ["--log-driver", "json-file"]
        words += ["--log-opt", f"max-size={self.log_max_size}", "--log-opt", f"max-file={self.log_max_files}"]
        for label, value in ((LABEL_HUB, self.hub), (LABEL_ROLE, self.role), (LABEL_SPEC, digest)):
            words += ["--label", f"{label}={value}"]
        for capability in self.capabilities:
            words += ["--cap-add", capability]
        if self.read_only:
            words += ["--read-only", "--tmpfs", "/tmp"]
        if self.networks:
            first = self.networks[0]
            words += ["--network", first.network, "--ip", first.address]
        else:
            words += ["--network", "none"]
        if self.nameserver:
            words += ["--dns", self.nameserver]
        for mount in self.mounts:
            kind = "bind" if mount.source.startswith("/") else "volume"
            words += [
                "--mount",
                f"type={kind},source={mount.source},target={mount.target}" + ",readonly" * mount.read_only,
            ]
        for key, value in sorted(self.environment.items()):
            words += ["--env", f"{key}={value}"]
        if self.health:
            words += [
                "--health-cmd",
                shlex.join(self.health),
                "--health-interval",
                "30s",
                "--health-timeout",
                "10s",
            ]
            words += ["--health-retries", "3", "--health-start-period", "120s"]
        command = shlex.join(words)
        if self.uses_engine:
            # The group's number is the host's own matter; known only there.
            command += f" --mount type=bind,source={DOCKER_SOCKET},target={DOCKER_SOCKET}"
            command += f' --group-add "$(stat -c %g {DOCKER_SOCKET})"'
        return f"{command} {shlex.join([self.image, *self.command])}"

    def connect_commands(self) -> list[str]:
        """The commands that put a created container on its other networks (before Docker 25, `create` takes one)."""
        return [
            shlex.join(["docker", "network", "connect", "--ip", other.address, other.network, self.name])
            for other in self.networks[1:]
        ]
