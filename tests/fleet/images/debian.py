"""A minimal Debian by debootstrap, from the archives that this machine itself uses."""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.fleet.engine import FleetError, run_tool

#: Release name of a HostSpec -> Debian's code name.
RELEASES = {"debian12": "bookworm", "debian13": "trixie"}


@dataclass(frozen=True)
class AptSource:
    """An archive of this machine; ``suffix`` is its suite's part after the code name: ``""``, ``-security``."""

    uri: str
    suffix: str
    components: str


@cache
def apt_sources() -> tuple[AptSource, ...]:
    """This machine's own Debian archives, as apt knows them: no mirror's name is written into the project."""
    indexes = _package_indexes()
    if not indexes:
        run_tool("apt-get", "-o", "DPkg::Lock::Timeout=300", "-q", "update")
        indexes = _package_indexes()
    code_names = "|".join(RELEASES.values())
    found: dict[tuple[str, str], set[str]] = {}
    for line in indexes:
        uri, release, component = line.split("|")
        match = re.fullmatch(f"(?:{code_names})(-updates|-security)?", release)
        if match and component == "main":
            found.setdefault((uri, match[1] or ""), set()).add(component)
    sources = tuple(AptSource(uri, suffix, " ".join(sorted(c))) for (uri, suffix), c in found.items())
    if not any(source.suffix == "" for source in sources):
        raise FleetError("apt lists no Debian archive; look at /etc/apt/sources.list.d and run apt-get update")
    return sources


@cache
def apt_settings() -> str:
    """This machine's apt settings without which its archives cannot be read (a proxy, a snapshot's old dates)."""
    dump = subprocess.run(["apt-config", "dump"], text=True, capture_output=True, check=True).stdout
    kept = re.compile(r"Acquire::(Check-Valid-Until|Check-Date|https?::Proxy\S*) ")
    return "".join(f"{line}\n" for line in dump.splitlines() if kept.match(line))


def sources_file(release: str) -> str:
    """The ``debian.sources`` of a host."""
    return "\n".join(
        f"Types: deb\nURIs: {source.uri}\nSuites: {RELEASES[release]}{source.suffix}\n"
        f"Components: {source.components}\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        for source in apt_sources()
    )


def debootstrap(release: str, archive: Path) -> None:
    """Writes a tar archive of a minimal Debian. Raises FleetError with the end of debootstrap's output."""
    main = next(source for source in apt_sources() if source.suffix == "")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hubfleet-base-") as scratch:
        root = Path(scratch) / "root"
        run_tool("debootstrap", "--variant=minbase", RELEASES[release], str(root), main.uri)
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        for path, text in {
            "etc/apt/sources.list.d/debian.sources": sources_file(release),
            "etc/apt/apt.conf.d/90fleet": apt_settings(),
            # As Debian's own container images: no package kept once installed, no fsync for each file.
            "etc/apt/apt.conf.d/91clean": 'APT::Keep-Downloaded-Packages "false";\nAcquire::Languages "none";\n',
            "etc/dpkg/dpkg.cfg.d/fleet": "force-unsafe-io\npath-exclude /usr/share/doc/*\n",
        }.items():
            (root / path).write_text(text)
        for emptied in ("var/lib/apt/lists", "var/cache/apt/archives"):
            shutil.rmtree(root / emptied)
            (root / emptied / "partial").mkdir(parents=True)
        unfinished = archive.with_suffix(".part")
        run_tool("tar", "--numeric-owner", "-C", str(root), "-cf", str(unfinished), ".")
        unfinished.rename(archive)


def _package_indexes() -> list[str]:
    """Those whose lists this machine has fetched: apt names no others."""
    wanted = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    command = ["apt-get", "indextargets", "--format", wanted, "Created-By: Packages"]
    return subprocess.run(command, text=True, capture_output=True, check=True).stdout.splitlines()
