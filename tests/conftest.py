"""What all rings of the tests share."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fleet import Fleet


#: Seconds; a test that starts with images or a deploy to several hosts takes minutes.
TIMEOUT = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for ring in ("fleet", "e2e"):
            if f"/tests/{ring}/" in str(item.path):
                item.add_marker(ring)
                if item.get_closest_marker("timeout") is None:
                    item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(scope="module")
def fleet(request: pytest.FixtureRequest) -> "Iterator[Fleet]":
    """A fleet of this module's own, named after it and this run, without hosts yet."""
    # Not above: the unit ring has no engine, and what pyinfra patches has to be patched before it is imported.
    from tests.fleet import Fleet

    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    with Fleet(f"{name}-{os.getpid()}") as started:
        yield started
