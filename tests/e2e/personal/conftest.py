"""People of a personal hub."""

from collections.abc import Callable

import pytest

from tests.e2e.hub import Hub
from tests.e2e.personal.member import Member


@pytest.fixture(scope="session")
def known() -> dict[str, Member]:
    """Whom the tests have met."""
    return {}


@pytest.fixture(scope="module")
def member(hub: Hub, known: dict[str, Member]) -> Callable[[str], Member]:
    """Someone with an account, who has chosen a password in place of one that the lab has given them."""

    def come(name: str) -> Member:
        if name not in known:
            member = Member(hub, name)
            hub.lab.hubfleet("passwd", name)
            assert member.replace_one_time(hub.one_time_password(name)).ok
            known[name] = member.take_token()
        elif not known[name].ask("GET", "/hub/api/user").ok:
            assert known[name].log_in().ok
            known[name].take_token()
        return known[name]

    return come
