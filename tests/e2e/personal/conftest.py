"""People of a personal hub."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.hub import Hub
from tests.e2e.personal.member import Member
from tests.e2e.world import World


@pytest.fixture(scope="module")
def trusted(hub: Hub, world: World) -> Path:
    """What a browser trusts that goes from the hub to GitHub and back."""
    path = hub.lab.directory / "trusted.pem"
    path.write_bytes(hub.certificate.read_bytes() + world.fleet.trusted.read_bytes())
    return path


@pytest.fixture(scope="module")
def member(hub: Hub, trusted: Path) -> Callable[[str], Member]:
    """Someone with an account, who has chosen a password in place of one that the lab has given them."""

    def come(name: str) -> Member:
        member = Member(hub, name)
        member.web.verify = str(trusted)
        hub.lab.hubfleet("passwd", name)
        assert member.replace_one_time(hub.one_time_password(name)).ok
        return member.take_token()

    return come
