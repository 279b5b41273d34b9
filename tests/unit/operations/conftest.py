from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.operations.bench import Bench


@pytest.fixture
def here() -> Bench:
    return Bench.local()


@dataclass(frozen=True)
class Owner:
    """Whoever runs the tests, as numbers: operations take them as they take names."""

    user: str
    group: str


@pytest.fixture
def me(tmp_path: Path) -> Owner:
    found = tmp_path.stat()
    return Owner(str(found.st_uid), str(found.st_gid))
