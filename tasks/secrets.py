"""Secrets on the host: made there once and kept, or placed from what the inventory refers to."""

from pyinfra.api import deploy

from hubfleet import operations
from hubfleet.secrets import resolve
from hubfleet.settings import Lab
from hubfleet_hub.config import HUB_UID

RANDOM_HEX = "head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n'; echo"
"""256 random bits as text, with what every system has."""


@deploy("Secrets")
def make_and_place(lab: Lab) -> None:
    """Every secret but the passwords, which need the hub's image to be hashed."""
    secrets, hub = lab.paths.secrets, str(HUB_UID)
    # Written out one by one: an operation's name must be the same on all hosts.
    operations.generated(name="Secrets: make the cookie secret", dest=f"{secrets}/cookie_secret", command=RANDOM_HEX, user=hub, group=hub)
    operations.generated(name="Secrets: make the key of saved logins", dest=f"{secrets}/crypt_key", command=RANDOM_HEX, user=hub, group=hub)
    operations.generated(name="Secrets: make the proxy's token", dest=f"{secrets}/proxy_token", command=RANDOM_HEX, user=hub, group=hub)
    operations.generated(name="Secrets: make verify's token", dest=f"{secrets}/verify_token", command=RANDOM_HEX, user=hub, group=hub)
    operations.generated(name="Secrets: make status's token", dest=f"{secrets}/status_token", command=RANDOM_HEX, user=hub, group=hub)
    operations.generated(name="Secrets: make the key of digests", dest=f"{lab.paths.passwords}/.digest_key", command=RANDOM_HEX, user="root")
    if lab.hub.hub_db_url:
        operations.file(
            name="Secrets: place the database's address",
            dest=f"{secrets}/hub_db_url",
            content=resolve(lab.hub.hub_db_url, lab.directory).unmask() + "\n",
            user=hub,
            group=hub,
            mode="0400",
            secret=True,
        )
