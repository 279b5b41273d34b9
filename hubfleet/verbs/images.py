"""How much there is to download for an image, asked of the registries that the host will ask."""

import functools
import re

import requests

MANIFESTS = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
TIMEOUT = 3
"""Seconds for one request."""


def split(image: str) -> tuple[str, str, str]:
    """An image's registry ('' for Docker Hub), repository and tag or digest, as Docker reads a name."""
    first, slash, rest = image.partition("/")
    registry, path = (first, rest) if slash and re.search(r"[.:]|^localhost$", first) else ("", image)
    path, at, digest = path.partition("@")
    repository, _, tag = path.partition(":")
    if not registry and "/" not in repository:
        repository = f"library/{repository}"
    return registry, repository, digest if at else tag or "latest"


@functools.cache
def download_size(image: str, mirrors: tuple[str, ...]) -> int | None:
    """Bytes of an image's layers for amd64, or None when no registry answers within seconds."""
    registry, repository, reference = split(image)
    bases = [f"https://{registry}"] if registry else [*mirrors, "https://registry-1.docker.io"]
    for base in bases:
        try:
            return _layers(f"{base.rstrip('/')}/v2/{repository}/manifests", reference)
        except (requests.RequestException, KeyError, ValueError, StopIteration):
            continue
    return None


def _layers(manifests: str, reference: str) -> int:
    with requests.Session() as session:
        session.headers["Accept"] = MANIFESTS
        answer = session.get(f"{manifests}/{reference}", timeout=TIMEOUT)
        if answer.status_code == 401:
            session.headers["Authorization"] = f"Bearer {_token(session, answer.headers['WWW-Authenticate'])}"
            answer = session.get(f"{manifests}/{reference}", timeout=TIMEOUT)
        answer.raise_for_status()
        manifest = answer.json()
        if "manifests" in manifest:
            digest = next(
                entry["digest"] for entry in manifest["manifests"] if entry["platform"].get("architecture") == "amd64"
            )
            answer = session.get(f"{manifests}/{digest}", timeout=TIMEOUT)
            answer.raise_for_status()
            manifest = answer.json()
    return sum(int(layer["size"]) for layer in manifest["layers"])


def _token(session: requests.Session, challenge: str) -> str:
    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    answer = session.get(fields.pop("realm"), params=fields, timeout=TIMEOUT)
    answer.raise_for_status()
    return str(answer.json()["token"])
