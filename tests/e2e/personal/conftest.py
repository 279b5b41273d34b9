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


@pytest.fixture(scope="session")
def known() -> dict[str, Member]:
    """Whom the tests have met."""
    return {}


@pytest.fixture(scope="module")
def member(hub: Hub, trusted: Path, known: dict[str, Member]) -> Callable[[str], Member]:
    """Someone with an account, who has chosen a password in place of one that the lab has given them."""

    def come(name: str) -> Member:
        if name not in known:
            member = Member(hub, name)
            member.web.verify = str(trusted)
            hub.lab.hubfleet("passwd", name)
            assert member.replace_one_time(hub.one_time_password(name)).ok
            known[name] = member.take_token()
        elif not known[name].ask("GET", "/hub/api/user").ok:
            assert known[name].log_in().ok
            known[name].take_token()
        return known[name]

    return come
