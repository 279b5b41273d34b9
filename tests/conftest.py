"""What all rings of the tests share."""

from collections.abc import Iterator

import pytest

from tests.fleet import Fleet


@pytest.fixture(scope="module")
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """A fleet of this module's own, named after it, without hosts yet."""
    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    with Fleet(name) as started:
        yield started
