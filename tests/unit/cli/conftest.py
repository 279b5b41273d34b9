"""The lab that the tests of the verbs begin with."""

from pathlib import Path

import pytest

from tests.unit.cli.play import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """Two hosts that are played, and a deploy file that would change both."""
    made = Lab(tmp_path)
    made.hosts(one={}, two={})
    made.deploys("server.shell(name='Test: act', commands=['true'])")
    return made
