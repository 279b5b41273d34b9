"""People of a collaborative hub."""

from collections.abc import Callable

import pytest

from tests.e2e.collaborative.guest import Guest
from tests.e2e.hub import Hub


@pytest.fixture
def guest(hub: Hub) -> Callable[[str], Guest]:
    """Someone who has come in through GitHub, in a browser of their own; they hold a token."""

    def come(login: str) -> Guest:
        guest = Guest(hub, login.lower())
        page = guest.log_in_at_github(login)
        assert page.ok, page.text
        guest.take_token()
        return guest

    return come
