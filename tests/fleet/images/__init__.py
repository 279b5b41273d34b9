"""Images of the fleet: Debian bases by debootstrap, hosts, the registry, and what the registry serves.

A name's tag is the hash of everything that goes into the image, so an image that is there is the right one.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from tests.fleet.engine import IMAGE_PREFIX, build, cache_dir, client, has_image, locked
from tests.fleet.images import debian

HERE = Path(__file__).parent

#: What Hubfleet installs on a host. Debian 13 has split the client and BuildKit off docker.io.
READY_PACKAGES = {
    "debian12": "docker.io nginx iptables ca-certificates openssl acl",
    "debian13": "docker.io docker-cli docker-buildx nginx iptables ca-certificates openssl acl",
}


def base(release: str) -> str:
    """The tag of a minimal Debian on the outer engine, made when missing (about a minute, then kept)."""
    recipe = [debian.sources_file(release), debian.apt_settings(), Path(debian.__file__).read_text()]
    tag = f"{IMAGE_PREFIX}/base:{release}-{_digest(recipe)}"
    with locked(f"base-{release}"):
        if not has_image(tag):
            archive = cache_dir() / "base" / f"{tag.rpartition(':')[2]}.tar"
            if not archive.exists():
                debian.debootstrap(release, archive)
            repository, _, version = tag.partition(":")
            client().api.import_image_from_file(str(archive), repository, version, changes=['CMD ["bash"]'])
    return tag


def host(release: str, *, ready: bool) -> str:
    """The tag of a host image: bare, or with the packages Hubfleet installs already in."""
    if not ready:
        return _built("host", "bare", base(release), {}, release)
    return _built("host", "ready", base(release), {"READY_PACKAGES": READY_PACKAGES[release]}, release)


def registry() -> str:
    """The tag of the image that runs the fleet's registry."""
    return _built("registry", "", base("debian13"), {}, "registry")


def context_hash(*directories: Path) -> str:
    """12 hex digits over names, modes and contents of all files below."""
    parts: list[bytes | str] = []
    for directory in directories:
        for path in sorted(p for p in directory.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
            parts += [f"{path.relative_to(directory)} {path.stat().st_mode:o}", path.read_bytes()]
    return _digest(parts)


def _built(name: str, target: str, base_tag: str, args: dict[str, str], label: str) -> str:
    args = {"BASE": base_tag, **args}
    digest = _digest([context_hash(HERE / name), target, *(f"{k}={v}" for k, v in args.items())])
    tag = f"{IMAGE_PREFIX}/{name}:{'-'.join(filter(None, (label, target, digest)))}"
    with locked(f"build-{name}-{label}-{target}"):
        if not has_image(tag):
            build(HERE / name, tag, target=target, args=args)
    return tag


def _digest(parts: Iterable[bytes | str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()[:12]
