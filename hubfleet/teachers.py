"""A lab's own image of users' servers: built on the host from its Dockerfile, on top of our JupyterLab. Pure."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from hubfleet.images import BuildContext

LARGEST = 64 * 1024**2
"""Bytes in a directory that travels to every host; data sets belong into `server_volumes`."""

MOST = 2000
"""Files in it."""


def problems(directory: Path) -> Iterator[str]:
    """What is wrong with a directory that an image is to be built from: "reason; what to do"."""
    if not directory.is_dir():
        yield f"is no directory: {directory}; make it, or correct the path"
        return
    if not (directory / "Dockerfile").is_file():
        yield f"has no Dockerfile in {directory}; add one that begins with ARG BASE_IMAGE and FROM ${{BASE_IMAGE}}"
    try:
        sizes = [path.stat().st_size for path in BuildContext.paths(directory)]
    except OSError as error:
        yield f"cannot be read: {error.filename}: {error.strerror}; check its mode"
        return
    if len(sizes) > MOST:
        yield f"has {len(sizes)} files, more than {MOST}; leave data to server_volumes"
    if sum(sizes) > LARGEST:
        yield (f"holds {sum(sizes) // 1024**2} MiB, more than {LARGEST // 1024**2}; leave data to server_volumes")


def image_name(directory: Path, repository: str, base: str) -> str:
    """The image's name: its tag follows from the directory's files and from our image `base`, which it is FROM."""
    tag = sha256(f"{BuildContext.of(directory).digest} {base}".encode()).hexdigest()[:16]
    return f"{repository}/course:{tag}"
