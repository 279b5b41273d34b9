"""The fleet's image registry, which its hosts use as their Docker Hub mirror."""

from dataclasses import dataclass

import requests

from tests.fleet.engine import FleetError, client

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


@dataclass(frozen=True)
class Registry:
    """A registry in a container of the fleet's; what is pushed is kept in the cache for later fleets."""

    #: Where hosts reach it: ``http://ADDRESS:5000``, fit for ``registry-mirrors``.
    address: str
    #: Where the outer engine reaches it: ``127.0.0.1:PORT``, which engines trust without TLS.
    local: str

    def answers(self) -> bool:
        """Whether it is up. The engine takes connections for it before that, and drops them."""
        try:
            return requests.get(f"http://{self.local}/v2/", timeout=5).ok
        except requests.RequestException:
            return False

    def push(self, image: str, name: str) -> None:
        """Serves an image of the outer engine under a Docker Hub name (``debian:13-slim``, ``a/b:1``).

        Does nothing when the registry serves that very image already. Raises FleetError.
        """
        repository, tag = hub_name(name)
        found = client().images.get(image)
        if self.image_id(name) == found.id:
            return
        served = f"{self.local}/{repository}"
        found.tag(served, tag)
        try:
            for line in client().images.push(served, tag, stream=True, decode=True):
                if "error" in line:
                    raise FleetError(f"pushing {name} to the fleet's registry failed: {line['error']}")
        finally:
            client().images.remove(f"{served}:{tag}", noprune=True)

    def has(self, name: str) -> bool:
        """Whether a host that uses this mirror can pull ``name``."""
        return bool(self.image_id(name))

    def image_id(self, name: str) -> str:
        """The id that the image has on an engine once it is pulled, ``""`` when it is not served."""
        repository, tag = hub_name(name)
        answer = requests.get(
            f"http://{self.local}/v2/{repository}/manifests/{tag}", headers={"Accept": MANIFEST}, timeout=30
        )
        return str(answer.json()["config"]["digest"]) if answer.ok else ""


def hub_name(name: str) -> tuple[str, str]:
    """Docker Hub's repository and tag of a name: ``debian`` is ``library/debian``, no tag is ``latest``."""
    repository, _, tag = name.partition(":")
    return (repository if "/" in repository else f"library/{repository}", tag or "latest")
