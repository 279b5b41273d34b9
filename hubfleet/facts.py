"""What Hubfleet asks a host.

A fact never fails a host: what cannot be read is `None` or empty. One fact that reads much beats many that read little.
"""

import base64
import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyinfra.api.facts import FactBase

_SURVEY = Path(__file__).with_name("survey.sh")


def _json(lines: list[str]) -> Any:
    try:
        return json.loads("\n".join(lines))
    except json.JSONDecodeError:
        return None


@dataclass(frozen=True)
class FileState:
    """A file or directory as it is on the host."""

    kind: str
    """`file`, `directory`, `link` or `other`."""
    user: str
    group: str
    uid: int
    gid: int
    mode: str
    """Four octal digits."""
    sha256: str
    """Of the content, for a file; empty otherwise."""

    def belongs(self, user: str, group: str, mode: str) -> bool:
        """Whether owner, group (each a name or a number) and mode are these."""
        return user in (self.user, str(self.uid)) and group in (self.group, str(self.gid)) and mode == self.mode


class HostFile(FactBase[FileState | None]):
    """One file or directory; None when it is not there."""

    def command(self, path: str) -> str:
        quoted = shlex.quote(path)
        return (
            f"if [ -e {quoted} ] || [ -L {quoted} ]; then stat -c '%F|%U|%G|%u|%g|%a' {quoted}; "
            f"[ -f {quoted} ] && sha256sum < {quoted}; fi; true"
        )

    def process(self, output: list[str]) -> FileState | None:
        lines = list(output)
        if not lines or lines[0].count("|") != 5:
            return None
        what, user, group, uid, gid, mode = lines[0].split("|")
        kinds = {
            "regular file": "file",
            "regular empty file": "file",
            "directory": "directory",
            "symbolic link": "link",
        }
        return FileState(
            kind=kinds.get(what, "other"),
            user=user,
            group=group,
            uid=int(uid),
            gid=int(gid),
            mode=mode.zfill(4),
            sha256=lines[1].split()[0] if len(lines) > 1 else "",
        )

    @staticmethod
    def default() -> None:
        return None


class HostText(FactBase[str | None]):
    """A text file's content, for a diff; None when it is not there or is no text."""

    def command(self, path: str) -> str:
        quoted = shlex.quote(path)
        return f"[ -f {quoted} ] && base64 < {quoted} || true"

    def process(self, output: list[str]) -> str | None:
        lines = list(output)
        if not lines:
            return None
        try:
            return base64.b64decode("".join(lines)).decode()
        except ValueError:
            return None

    @staticmethod
    def default() -> None:
        return None


class Listing(FactBase[list[str]]):
    """Names of the plain files in a directory; empty without one."""

    def command(self, path: str) -> str:
        return f"find {shlex.quote(path)} -maxdepth 1 -type f -printf '%f\\n' 2>/dev/null || true"

    def process(self, output: list[str]) -> list[str]:
        return sorted(output)

    @staticmethod
    def default() -> list[str]:
        return []


class Probe(FactBase[str]):
    """The last line a command prints: a state that is polled, always asked live."""

    def command(self, command_line: str) -> str:
        return command_line

    def process(self, output: list[str]) -> str:
        lines = list(output)
        return lines[-1] if lines else ""

    @staticmethod
    def default() -> str:
        return ""


class Packages(FactBase[dict[str, str]]):
    """Which of the named Debian packages are fully installed, and their versions."""

    def command(self, names: list[str]) -> str:
        return f"dpkg-query -W -f='${{Status}}|${{Package}}|${{Version}}\\n' {shlex.join(names)} 2>/dev/null || true"

    def process(self, output: list[str]) -> dict[str, str]:
        rows = [line.split("|") for line in output if line.count("|") == 2]
        return {name: version for status, name, version in rows if status == "install ok installed"}

    @staticmethod
    def default() -> dict[str, str]:
        return {}


class SecretDigests(FactBase[dict[str, str]]):
    """Keyed digests of files: equal as long as a file is, and worthless for guessing what is in it.

    The key is a file that never leaves the host. A file that is not there has no entry.
    """

    def command(self, key: str, paths: list[str]) -> str:
        quoted = shlex.quote(key)
        return (
            f"[ -f {quoted} ] && for f in {shlex.join(paths)}; do "
            f'[ -f "$f" ] && printf "%s %s\\n" "$(cat {quoted} "$f" | sha256sum | cut -c1-64)" "$f"; done; true'
        )

    def process(self, output: list[str]) -> dict[str, str]:
        rows = [line.split(" ", 1) for line in output if " " in line]
        return {path: digest for digest, path in rows}

    @staticmethod
    def default() -> dict[str, str]:
        return {}


class Container(FactBase[dict[str, Any] | None]):
    """A container's labels, state, image and health; never its environment. None when there is no such container."""

    def requires_command(self, container: str) -> str:
        return "docker"

    def command(self, container: str) -> str:
        form = (
            '{"labels":{{json .Config.Labels}},"status":{{json .State.Status}},"image":{{json .Config.Image}},'
            '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}}}'
        )
        inspect = shlex.join(["docker", "inspect", "--type", "container", "--format", form, container])
        return f"{inspect} 2>/dev/null || true"

    def process(self, output: list[str]) -> dict[str, Any] | None:
        value = _json(list(output))
        return value if isinstance(value, dict) else None

    @staticmethod
    def default() -> None:
        return None


class Servers(FactBase[int]):
    """How many users' servers of a hub run: the lines that a command prints."""

    def requires_command(self, listing: str) -> str:
        return "docker"

    def command(self, listing: str) -> str:
        return f"{listing} 2>/dev/null || true"

    def process(self, output: list[str]) -> int:
        return len([line for line in output if line.strip()])

    @staticmethod
    def default() -> int:
        return 0


class Network(FactBase[dict[str, Any] | None]):
    """A Docker network's driver, subnets, options and labels, and how many containers are on it; None without one."""

    def requires_command(self, network: str) -> str:
        return "docker"

    def command(self, network: str) -> str:
        form = (
            '{"driver":{{json .Driver}},"ipam":{{json .IPAM.Config}},"options":{{json .Options}},'
            '"labels":{{json .Labels}},"containers":{{len .Containers}},"internal":{{.Internal}}}'
        )
        return f"docker network inspect --format {shlex.quote(form)} {shlex.quote(network)} 2>/dev/null || true"

    def process(self, output: list[str]) -> dict[str, Any] | None:
        value = _json(list(output))
        return value if isinstance(value, dict) else None

    @staticmethod
    def default() -> None:
        return None


class Image(FactBase[str | None]):
    """The id of an image the host has under a name; None when it has none."""

    def requires_command(self, image: str) -> str:
        return "docker"

    def command(self, image: str) -> str:
        return f"docker image inspect --format '{{{{.Id}}}}' {shlex.quote(image)} 2>/dev/null || true"

    def process(self, output: list[str]) -> str | None:
        lines = [line for line in output if line.startswith("sha256:")]
        return lines[0] if lines else None

    @staticmethod
    def default() -> None:
        return None


class Unit(FactBase[dict[str, str]]):
    """A systemd unit's properties: LoadState, ActiveState, UnitFileState, MainPID and when it became active."""

    def command(self, unit: str) -> str:
        wanted = "LoadState,ActiveState,SubState,UnitFileState,MainPID,NeedDaemonReload"
        return f"systemctl show -p {wanted} {shlex.quote(unit)} 2>/dev/null || true"

    def process(self, output: list[str]) -> dict[str, str]:
        return dict(line.split("=", 1) for line in output if "=" in line)

    @staticmethod
    def default() -> dict[str, str]:
        return {}


class Certificate(FactBase[dict[str, str]]):
    """A certificate's names, whether the key fits it, and whether it is good for another 30 days; empty without one."""

    def command(self, certificate: str, key: str) -> str:
        cert, private = shlex.quote(certificate), shlex.quote(key)
        return (
            f"[ -f {cert} ] && [ -f {private} ] && command -v openssl >/dev/null && {{ "
            f"echo names=$(openssl x509 -in {cert} -noout -ext subjectAltName 2>/dev/null | tail -n +2); "
            f"openssl x509 -in {cert} -noout -checkend 2592000 >/dev/null 2>&1 && echo fresh=yes; "
            f"public=$(openssl x509 -in {cert} -noout -pubkey 2>/dev/null); "
            f'[ "$public" = "$(openssl pkey -in {private} -pubout 2>/dev/null)" ] && echo pair=yes; }}; true'
        )

    def process(self, output: list[str]) -> dict[str, str]:
        return dict(line.split("=", 1) for line in output if "=" in line)

    @staticmethod
    def default() -> dict[str, str]:
        return {}


class Survey(FactBase[dict[str, list[str]]]):
    """Everything preflight looks at, in one command: lines under a heading each."""

    def command(
        self,
        ports: list[int],
        paths: list[str],
        devices: list[str],
        sources: list[str],
        fqdn: str,
        owner: str,
        group: str,
        base: str,
    ) -> str:
        values = {
            "ports": " ".join(f"{port:04X}" for port in ports),
            "paths": " ".join(paths),
            "devices": " ".join(devices),
            "sources": "\n".join(sources),
            "fqdn": fqdn,
            "owner": owner,
            "group": group,
            "base": base,
        }
        return "\n".join(f"{key}={shlex.quote(value)}" for key, value in values.items()) + "\n" + _SURVEY.read_text()

    def process(self, output: list[str]) -> dict[str, list[str]]:
        report: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in output:
            if line.startswith("@@"):
                lines = report.setdefault(line[2:], [])
            elif line:
                lines.append(line)
        return report

    @staticmethod
    def default() -> dict[str, list[str]]:
        return {}
