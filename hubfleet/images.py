"""Our own images: the files they are built from, packed the same way each time, and the names that follow from them."""

import gzip
import io
import json
import tarfile
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parent.parent
"""The clone: where deploy.py, files/ and templates/ are."""

Target = Literal["hub", "singleuser", "shared", "personal"]

_LEFT_OUT = {".git", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "hubfleet_hub.egg-info"}


@dataclass(frozen=True)
class BuildContext:
    """A directory of sources for `docker build`: relative path to content and whether it is executable."""

    files: tuple[tuple[str, bytes, bool], ...]

    @classmethod
    def of(cls, directory: Path) -> "BuildContext":
        """Read all files under a directory, in a stable order."""
        return cls(
            tuple(
                (path.relative_to(directory).as_posix(), path.read_bytes(), bool(path.stat().st_mode & 0o100))
                for path in cls.paths(directory)
            )
        )

    @staticmethod
    def paths(directory: Path) -> list[Path]:
        """The files under a directory that count: no version control, no caches."""
        return [
            path
            for path in sorted(directory.rglob("*"))
            if path.is_file() and not _LEFT_OUT & set(path.relative_to(directory).parts) and path.suffix != ".pyc"
        ]

    @property
    def digest(self) -> str:
        """Hash over names, modes and contents; 16 hexadecimal digits."""
        total = sha256()
        for name, content, executable in self.files:
            total.update(f"{name}\0{executable}\0{sha256(content).hexdigest()}\n".encode())
        return total.hexdigest()[:16]

    def archive(self) -> io.BytesIO:
        """The files as a .tar.gz whose bytes depend on nothing but them."""
        raw = io.BytesIO()
        with tarfile.open(fileobj=raw, mode="w") as tar:
            for name, content, executable in self.files:
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(content), 0o755 if executable else 0o644
                tar.addfile(entry, io.BytesIO(content))
        return io.BytesIO(gzip.compress(raw.getvalue(), mtime=0))


@cache
def hub_context() -> BuildContext:
    """The sources of all our images."""
    return BuildContext.of(ROOT / "files" / "hub")


@dataclass(frozen=True)
class Julia:
    """The Julia of a personal image: version, where its .tar.gz is, and the SHA-256 of that."""

    version: str
    url: str
    sha256: str


@dataclass(frozen=True)
class Recipe:
    """One of our images: its target in the Dockerfile, and what it is built with beside our sources.

    `parts`, `julia` and `apt` (more Debian packages) are those of a personal image; the others have a `base` alone.
    """

    target: Target
    base: str
    parts: tuple[str, ...] = ()
    julia: Julia | None = None
    apt: tuple[str, ...] = ()

    @property
    def arguments(self) -> dict[str, str]:
        """The Dockerfile's build arguments."""
        found = {"BASE_IMAGE": self.base} | {part.upper(): "yes" for part in sorted(self.parts)}
        if self.apt:
            found["APT"] = " ".join(sorted(self.apt))
        if self.julia:
            found |= {
                "JULIA_VERSION": self.julia.version,
                "JULIA_URL": self.julia.url,
                "JULIA_SHA256": self.julia.sha256,
            }
        return found

    def name(self, repository: str) -> str:
        """What it is called: the tag is the hash of our sources and of all it is built with.

        From where Julia comes is none of that, as its checksum says what comes.
        """
        made_with = {key: value for key, value in self.arguments.items() if key != "JULIA_URL"}
        tag = sha256(f"{hub_context().digest} {json.dumps(made_with, sort_keys=True)}".encode()).hexdigest()[:16]
        return f"{repository}/{self.target}:{tag}"
