"""A lab as the settings make it, for tests of what is made from one."""

from pathlib import Path

from hubfleet.images import ROOT
from hubfleet.settings import Lab, check_inventory


def lab_of(directory: Path, flavour: str = "neurodesk", **data: object) -> Lab:
    """The lab of one host, from an inventory written into `directory` and the clone's own group_data."""
    values = {"ssh_hostname": "192.0.2.10", "public_url": "https://hub.example.org"} | data
    # A name of its own: pyinfra keeps compiled inventories by name for as long as the process lives.
    inventory = directory / f"inventory-{len(list(directory.iterdir()))}.py"
    inventory.write_text(f"{flavour} = [('hub-1', {values!r})]\n")
    return check_inventory(inventory, cwd=ROOT)["hub-1"]
