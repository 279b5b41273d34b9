"""Images of the fleet: Debian bases by debootstrap, hosts, the registry, and what the registry serves.

A name's tag is the hash of everything that goes into the image, so an image that is there is the right one.
"""

import hashlib
import os
import runpy
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hubfleet.images import ROOT, Recipe, Target
from tests.fleet.engine import IMAGE_PREFIX, build, cache_dir, client, has_image, locked
from tests.fleet.images import debian

if TYPE_CHECKING:
    from tests.fleet.fleet import Fleet

HERE = Path(__file__).parent

#: The production name of what our images are built from.
BASE = "debian:13-slim"

#: What Hubfleet installs on a host. Debian 13 has split the client and BuildKit off docker.io.
READY_PACKAGES = {
    "debian12": "docker.io nginx iptables ca-certificates openssl",
    "debian13": "docker.io docker-cli docker-buildx nginx iptables ca-certificates openssl",
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


def campus() -> str:
    """The tag of the image that runs a campus network's apt mirror and its proxy."""
    return _built("campus", "", base("debian13"), {}, "campus")


def ensure_images(fleet: "Fleet", targets: Iterable[Target] = ("hub", "singleuser")) -> None:
    """Serves, under their production names, all images that hosts pull: Debian's, and these of ours, built here once.

    A small JupyterLab stands in under the names of the single-user images that the flavours choose.
    """
    with ThreadPoolExecutor() as pool:
        list(pool.map(base, debian.RELEASES))
    for release in debian.RELEASES:
        fleet.registry.push(base(release), f"debian:{release.removeprefix('debian')}-slim")
    for target in targets:
        fleet.registry.push(ours(recipe(target)), recipe(target).name("hubfleet"))
    if "singleuser" in targets:
        for name in stand_ins():
            fleet.registry.push(ours(recipe("singleuser")), name)


def build_ahead() -> None:
    """Builds what the tests are going to need, the slowest first; who needs one of them meanwhile waits for it."""
    targets: tuple[Target, ...] = ("personal", "hub", "singleuser", "shared")
    builds: list[Callable[[], str]] = [partial(ours, recipe(target)) for target in targets]
    builds += [partial(host, release, ready=ready) for release in sorted(debian.RELEASES) for ready in (True, False)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(base, debian.RELEASES))
        list(pool.map(lambda each: each(), [*builds, registry]))


def recipe(target: Target) -> Recipe:
    """What a lab that changes no default builds one of our images with."""
    parts = runpy.run_path(str(ROOT / "group_data" / "all.py"))["image_parts"]
    return Recipe(target, BASE, tuple(parts) if target == "personal" else ())


def ours(recipe: Recipe) -> str:
    """The tag of one of our own images, built here from the sources that hosts build it from. Raises FleetError."""
    tag = recipe.name(IMAGE_PREFIX)
    with locked(f"build-{recipe.target}"):
        if not has_image(tag):
            args = recipe.arguments | {"BASE_IMAGE": base("debian13")}
            build(ROOT / "files" / "hub", tag, target=recipe.target, args=args, secrets={"ca": ca_bundle()})
    return tag


def serve_jupyterhub6(fleet: "Fleet") -> str:
    """Serves a single-user image with JupyterHub 6, which keeps stale DNS answers; returns its name."""
    context = HERE / "singleuser6"
    tag = f"{IMAGE_PREFIX}/singleuser6:{_digest([base('debian13'), context_hash(context)])}"
    with locked("build-singleuser6"):
        if not has_image(tag):
            build(context, tag, args={"BASE_IMAGE": base("debian13")}, secrets={"ca": ca_bundle()})
    name = "hubfleet-fleet/singleuser6:6.1.1"
    fleet.registry.push(tag, name)
    return name


def serve_newer_hub(fleet: "Fleet", *, repository: str, healthy: bool) -> None:
    """Serves, below ``repository``, the hub's image with a newer schema of its database.

    ``healthy=False``: it upgrades the database and then does not come up.
    """
    context = HERE / "newerhub"
    name = recipe("hub").name(repository)
    current = recipe("hub").name(IMAGE_PREFIX)
    tag = f"{IMAGE_PREFIX}/newerhub:{_digest([current, str(healthy), context_hash(context)])}"
    with locked("build-newerhub"):
        if not has_image(tag):
            build(context, tag, args={"HUB_IMAGE": current, "BROKEN": "" if healthy else "1"})
    fleet.registry.push(tag, name)


def serve_one_more_layer(fleet: "Fleet", *, repository: str) -> None:
    """Serves, below ``repository``, the images of a personal hub; the one that people are in with one more layer."""
    context = HERE / "onelayer"
    current = ours(recipe("personal"))
    tag = f"{IMAGE_PREFIX}/onelayer:{_digest([current, context_hash(context)])}"
    with locked("build-onelayer"):
        if not has_image(tag):
            build(context, tag, args={"PERSONAL_IMAGE": current})
    fleet.registry.push(ours(recipe("hub")), recipe("hub").name(repository))
    fleet.registry.push(tag, recipe("personal").name(repository))


def stand_ins() -> list[str]:
    """The images of others that the flavours' own defaults name: they are tens of gigabytes, and not here."""
    chosen = (runpy.run_path(str(path)).get("server_image", "") for path in ROOT.glob("group_data/*.py"))
    return sorted({name for name in chosen if "/" in name})


def ca_bundle() -> Path:
    """What this machine trusts: behind an inspecting proxy its CA is in there, and builds need it."""
    return Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")


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
