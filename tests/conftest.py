"""What all rings of the tests share."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fleet import Fleet


@pytest.fixture(scope="module")
def fleet(request: pytest.FixtureRequest) -> "Iterator[Fleet]":
    """A fleet of this module's own, named after it and this run, without hosts yet."""
    # Not above: the unit ring has no engine, and what pyinfra patches has to be patched before it is imported.
    from tests.fleet import Fleet

    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    with Fleet(f"{name}-{os.getpid()}") as started:
        yield started
