"""The hub's whole configuration: ``hub.yaml`` first, a lab's own files last."""

from hubfleet_hub.config import ETC, HubConfig
from hubfleet_hub.configure import configure, load_own

c = get_config()  # type: ignore[name-defined]  # noqa: F821
configure(c, HubConfig.load())
load_own(c, ETC / "jupyterhub_config.d")
