"""Secrets on the host: made there once and kept, or placed from what the inventory refers to."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from hubfleet import operations
from hubfleet.secrets import resolve
from hubfleet.settings import Lab
from hubfleet_hub.config import HUB_UID

RANDOM_HEX = "head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo"
"""256 random bits as text, with what every system has."""

MADE_ON_THE_HOST = ("cookie_secret", "crypt_key", "proxy_token", "verify_token", "status_token", "shared_token")
"""Secrets that no person ever needs to know: made once, kept, read by the hub and the proxy."""


@deploy("Secrets")
def make_and_place(lab: Lab) -> None:
    """Every secret but the passwords, which need the hub's image to be hashed."""
    hub = str(HUB_UID)
    for secret in host.loop(MADE_ON_THE_HOST):
        group, mode = _readers(lab, secret)
        operations.generated(
            name="make the hub's secrets",
            dest=f"{lab.paths.secrets}/{secret}",
            command=RANDOM_HEX,
            user=hub,
            group=group,
            mode=mode,
        )
    operations.generated(name="make the key of digests", dest=lab.paths.digest_key, command=RANDOM_HEX, user="root")
    for path, text in host.loop(referred(lab).items()):
        operations.file(
            name="place what the inventory refers to",
            dest=path,
            content=text,
            user=hub,
            group=hub,
            mode="0400",
            secret=True,
        )


def _readers(lab: Lab, secret: str) -> tuple[str, str]:
    """Group and mode: the JupyterLab that all share is no user of the hub's, and must know its own token."""
    if secret == "shared_token" and lab.hub.spawner == "shared":
        return str(lab.server.gid), "0440"
    return str(HUB_UID), "0400"


def referred(lab: Lab) -> dict[str, str]:
    """The hub's secrets that come from the inventory's references: path on the host to the file's text."""
    references = {
        "hub_db_url": lab.hub.hub_db_url,
        "oauth_client_secret": lab.oauth.client_secret if "oauth" in lab.hub.login else "",
    }
    return {
        f"{lab.paths.secrets}/{name}": resolve(reference, lab.directory).unmask() + "\n"
        for name, reference in references.items()
        if reference
    }
