"""One disposable host: a container that boots systemd and answers SSH."""

import io
import shlex
import socket
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, cast

import paramiko

from tests.fleet.engine import FleetError, client

if TYPE_CHECKING:
    from docker.models.containers import Container

Login = Literal["root", "sudo"]

#: What a running system changes by itself, or what belongs to the container and not to the host.
VOLATILE = (
    "/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/proc", "/run", "/sys", "/tmp",
    "/var/cache/apt", "/var/cache/ldconfig", "/var/lib/apt/lists", "/var/lib/docker", "/var/lib/systemd",
    "/var/log", "/var/tmp",
)  # fmt: skip

SSH_TIMEOUT = 60


@dataclass(frozen=True)
class HostSpec:
    """A host to start.

    ``ready`` has the packages that Hubfleet installs already in; bare has systemd, sshd and python3.
    ``login="sudo"`` gives ``labadmin`` with sudo by password, and no SSH for root.
    """

    name: str
    release: Literal["debian12", "debian13"] = "debian13"
    ready: bool = True
    login: Login = "root"


@dataclass(frozen=True)
class Result:
    """What a command on a host answered."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Entry:
    """A file of a host.

    ``mode`` is its kind (``-``, ``d``, ``l``, ``p``, ``s``) and its bits in octal (``-0644``), ``owner`` is
    ``user:group``, ``content`` the SHA-256 of a file or the target of a link.
    """

    mode: str
    owner: str
    content: str


@dataclass(frozen=True)
class Host:
    """A host of a fleet."""

    name: str
    fleet: str
    release: str
    login: Login
    address: str
    ssh_key: Path
    known_hosts: Path
    #: Empty when the login is root.
    sudo_password: str

    @property
    def ssh_user(self) -> str:
        return "labadmin" if self.login == "sudo" else "root"

    @property
    def container_name(self) -> str:
        return f"hubfleet-{self.fleet}-{self.name}"

    @cached_property
    def container(self) -> "Container":
        return client().containers.get(self.container_name)

    # -- from outside, through the engine

    def run(self, command: str, *, user: str = "root", check: bool = True) -> Result:
        """A shell command, not through sshd. Raises FleetError when it fails and ``check``."""
        done = self.container.exec_run(["bash", "-c", command], user=user, demux=True)
        said, complained = cast(tuple[bytes | None, bytes | None], done.output)
        result = Result(done.exit_code or 0, _text(said), _text(complained))
        return self._checked(result, command, check)

    def copy_in(self, content: bytes | Path, path: str, *, mode: int = 0o644) -> None:
        """Writes a file on the host, owned by root; its directory has to be there."""
        put_files(self.container, {path: content.read_bytes() if isinstance(content, Path) else content}, mode)

    def copy_out(self, path: str) -> bytes:
        """The content of one file. Raises docker.errors.NotFound."""
        chunks, _ = self.container.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            found = archive.extractfile(archive.getmembers()[0])
            if found is None:
                raise FleetError(f"{self.name}: {path} is not a file")
            return found.read()

    def reboot(self, *, hard: bool = False) -> None:
        """Shuts down in order (``hard``: as when the power fails) and boots; returns when sshd answers."""
        if hard:
            self.container.kill()
        self.container.restart(timeout=30)
        self.wait()

    def pause(self) -> None:
        """Nothing on the host moves, and nobody there answers, until unpause()."""
        self.container.pause()

    def unpause(self) -> None:
        self.container.unpause()

    def connections(self) -> int:
        """How many connections sshd has seen since the host was made, also those that said nothing."""
        seen = self.run("journalctl -q -o cat -t sshd -t sshd-session -g '^Connection from '", check=False)
        return len(seen.out.splitlines())

    def listing(self, *roots: str, excluding: tuple[str, ...] = VOLATILE) -> dict[str, Entry]:
        """Every file below ``roots`` (all of the host's own disk when none is given) by path."""
        skipped = " -o ".join(f"-path {shlex.quote(path)}" for path in excluding) or "-false"
        found = self.run(
            f"find {shlex.join(roots or ('/',))} -xdev \\( {skipped} \\) -prune -o "
            r"-printf '%y %m %u:%g %l\t%p\0'; printf '\0';"
            f"find {shlex.join(roots or ('/',))} -xdev \\( {skipped} \\) -prune -o "
            "-type f -print0 | xargs -0 -r sha256sum -z"
        ).out
        described, _, hashed = found.partition("\0\0")
        digests = {path: digest for digest, _, path in (line.partition("  ") for line in hashed.split("\0"))}
        return dict(_entries(described, digests))

    def packages(self) -> dict[str, str]:
        """Installed packages and their versions."""
        listed = self.run("dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\\n'").out
        rows = (line.split(" ") for line in listed.splitlines())
        return {name: version for status, name, version in rows if status == "installed"}

    def containers(self) -> dict[str, str]:
        """Containers of the host's own engine, also stopped ones: name and state. Empty without an engine."""
        listed = self.run("docker ps -a --format '{{.Names}} {{.State}}' 2>/dev/null", check=False).out
        return dict(sorted(line.split(" ") for line in listed.splitlines()))

    # -- as its administrator, over SSH

    def ssh(self, command: str, *, check: bool = True, timeout: float = 600) -> Result:
        """A command over SSH as ``ssh_user``. Raises FleetError when it fails and ``check``."""
        with self.session() as connection:
            _, out, err = connection.exec_command(command, timeout=timeout)
            said, complained = out.read().decode(), err.read().decode()
            return self._checked(Result(out.channel.recv_exit_status(), said, complained), command, check)

    @contextmanager
    def session(self) -> Iterator[paramiko.SSHClient]:
        """An open SSH connection."""
        connection = paramiko.SSHClient()
        connection.load_host_keys(str(self.known_hosts))
        with connection:
            connection.connect(
                self.address, username=self.ssh_user, key_filename=str(self.ssh_key),
                allow_agent=False, look_for_keys=False, timeout=10, banner_timeout=10, auth_timeout=20,
            )  # fmt: skip
            yield connection

    def wait(self) -> None:
        """Returns when a login succeeds. Raises FleetError with the host's journal after a minute."""
        end = time.monotonic() + SSH_TIMEOUT
        while True:
            try:
                self.ssh("true")
            except (OSError, paramiko.SSHException) as error:
                if time.monotonic() > end:
                    journal = self.run("systemctl --failed; journalctl -q -n 30 --no-pager", check=False).out
                    raise FleetError(
                        f"{self.name} did not answer SSH in {SSH_TIMEOUT} s ({error})\n{journal}"
                    ) from error
                time.sleep(0.3)
            else:
                return

    def pyinfra_data(self) -> dict[str, object]:
        """What an inventory entry for this host holds; the host's key is known and checked."""
        data: dict[str, object] = {
            "ssh_hostname": self.address,
            "ssh_user": self.ssh_user,
            "ssh_key": str(self.ssh_key),
            "ssh_known_hosts_file": str(self.known_hosts),
            "ssh_strict_host_key_checking": "yes",
        }
        if self.login == "sudo":
            data |= {"_sudo": True, "_sudo_password": self.sudo_password}
        return data

    def _checked(self, result: Result, command: str, check: bool) -> Result:
        if check and result.code:
            raise FleetError(f"{self.name}: {command!r} ended with {result.code}\n{result.out}{result.err}")
        return result


def put_files(container: "Container", files: dict[str, bytes], mode: int) -> None:
    """Writes files into a container, running or not, owned by root."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(str(PurePosixPath(path).relative_to("/")))
            member.size, member.mode, member.mtime = len(content), mode, int(time.time())
            archive.addfile(member, io.BytesIO(content))
    container.put_archive("/", packed.getvalue())


def port_answers(address: str, port: int) -> bool:
    """Whether something accepts a connection there within a second."""
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")


def _entries(described: str, digests: dict[str, str]) -> Iterator[tuple[str, Entry]]:
    for line in filter(None, described.split("\0")):
        about, _, path = line.partition("\t")
        kind, mode, owner, target = about.split(" ", 3)
        shown = f"{'-' if kind == 'f' else kind}{int(mode, 8):04o}"
        yield path, Entry(shown, owner, digests.get(path, "") if kind == "f" else target)
