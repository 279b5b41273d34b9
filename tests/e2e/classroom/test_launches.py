"""Launches as attackers would have them, at the edge of a deployed hub."""

from collections.abc import Iterator
from itertools import count

import pytest
import requests

from tests.e2e.hub import Hub
from tests.e2e.world import World
from tests.fleet.standins.launches import FORGED, Click, Forged

_number = count()


@pytest.fixture
def click(hub: Hub, world: World) -> Iterator[Click]:
    """A student of the course whose first link leads to the hub."""
    tool = next(tool for tool in world.lms.tools.values() if tool.target.rstrip("/") == hub.url)
    with requests.Session() as web:
        web.verify, web.trust_env = str(hub.certificate), False
        yield Click(world.lms, tool, world.lms.enrol(f"launcher-{next(_number)}"), web)


def api(click: Click, path: str) -> requests.Response:
    return click.web.get(f"{click.tool.target}hub/api/{path}", timeout=60)


def test_a_good_launch_is_let_in(click: Click) -> None:
    assert click.launch().status_code == 302
    assert api(click, "user").json()["name"] == click.person.email


@pytest.mark.parametrize("forged", FORGED, ids=lambda forged: forged.name)
def test_a_forged_launch_is_refused(click: Click, forged: Forged) -> None:
    answer = forged.make(click)
    assert answer.status_code == forged.status
    assert forged.words in answer.text
    assert api(click, "user").status_code == 403


def test_the_next_login_after_the_lms_rotated_its_key_works(click: Click) -> None:
    assert click.launch().status_code == 302
    click.lms.rotate()
    assert click.launch().status_code == 302
