"""The engine's daemon.json: what we want in it, merged with what a host already has. Pure."""

import json
from typing import Any

from hubfleet.settings.models import Docker


def wanted_daemon(docker: Docker) -> dict[str, Any]:
    """The keys Hubfleet sets in daemon.json."""
    wanted: dict[str, Any] = {
        "log-driver": "json-file",
        "log-opts": {"max-size": str(docker.log_max_size), "max-file": str(docker.log_max_files)},
        "live-restore": docker.live_restore,
    }
    if docker.source == "distribution":
        # Engines before 27 filter IPv6 only when told to, and call it experimental.
        wanted |= {"ip6tables": True, "experimental": True}
    if docker.address_pools:
        wanted["default-address-pools"] = [pool.model_dump() for pool in docker.address_pools]
    if docker.mirror:
        wanted["registry-mirrors"] = list(docker.mirror)
    if docker.insecure_registries:
        wanted["insecure-registries"] = list(docker.insecure_registries)
    return wanted | docker.daemon


def merge_daemon(existing: str | None, wanted: dict[str, Any]) -> str:
    """The new text of daemon.json: the host's own keys stay, ours are set.

    Raises ValueError when what is there is no JSON object.
    """
    try:
        now = json.loads(existing) if existing and existing.strip() else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON ({error}); mend or remove it") from None
    if not isinstance(now, dict):
        raise ValueError("is no JSON object; mend or remove it")
    return json.dumps(now | wanted, indent=2, sort_keys=True) + "\n"
