"""A hub of each flavour whose promises are tested, all deployed by one run from one inventory.

A flavour is a directory here with a ``settings.py``; promises outside of them are about the first, `neurodesk`.
HUBFLEET_KEEP=1 leaves the fleet up, and a run that finds it up uses it: for whoever is writing a test.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Chromium, Visitor, chromium, screenshots
from tests.e2e.hub import Hub
from tests.e2e.person import Person
from tests.e2e.world import FLAVOURS, Deployment, World, flavour_of
from tests.fleet import Fleet
from tests.fleet.engine import client
from tests.fleet.ring import fleet_of


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What is promised of the run itself, before anything else changes a hub.
    items.sort(key=lambda item: item.path.name != "test_flavours.py" or "/tests/e2e/" not in str(item.path))


@pytest.fixture(scope="session")
def users_fleet() -> Iterator[Fleet]:
    with fleet_of("e2e") as fleet:
        yield fleet


@pytest.fixture(scope="session")
def world(users_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """What there is around the hubs."""
    world = World(users_fleet, tmp_path_factory.mktemp("world"))
    try:
        yield world
    finally:
        world.close()


@pytest.fixture(scope="session")
def deployment(world: World, request: pytest.FixtureRequest) -> Deployment:
    """The hubs of all flavours that the collected tests need."""
    here = [item for item in request.session.items if "/tests/e2e/" in str(item.path)]
    everyone = any(item.path.name == "test_flavours.py" for item in here)
    return Deployment.of(world, FLAVOURS if everyone else sorted({flavour_of(item.path) for item in here}))


@pytest.fixture(scope="module")
def hub(deployment: Deployment, request: pytest.FixtureRequest) -> Hub:
    """The hub of the test's own flavour, over HTTPS."""
    return deployment.hub(flavour_of(request.path))


@cache
def _deputy_of(hub: Hub) -> Person:
    deputy = Person(hub, "deputy")
    assert deputy.replace_one_time(hub.one_time_password("deputy")).ok
    return deputy.take_token()


@pytest.fixture(scope="module")
def deputy(hub: Hub) -> Person:
    """An admin of a hub with NativeAuthenticator, who has come in with the one-time password and chosen another.

    The other admin, `admin`, belongs to the browser.
    """
    return _deputy_of(hub)


@pytest.fixture(scope="module")
def newcomer(deputy: Person) -> Callable[[str], Person]:
    """Signs someone up, has them approved, and logs them in; they hold a token."""

    def come(name: str) -> Person:
        person = Person(deputy.hub, name)
        assert person.sign_up().ok
        assert deputy.approve(name).ok
        assert person.log_in().ok
        return person.take_token()

    return come


@pytest.fixture(scope="session")
def started(users_fleet: Fleet, deployment: Deployment) -> Iterator[Chromium]:
    # The registry's container: on the fleet's network, and there as long as the fleet is.
    neighbour = client().containers.get(f"hubfleet-{users_fleet.name}-registry").attrs["State"]["Pid"]
    certificates = [hub.certificate for hub in deployment.hubs.values()]
    standins, _ = users_fleet.authority.leaf(users_fleet.gateway)
    with chromium([*certificates, standins], Path(f"/proc/{neighbour}/ns/net")) as started:
        yield started


@pytest.fixture(scope="session")
def browser(started: Chromium) -> Browser:
    return started.browser


@pytest.fixture
def visit(hub: Hub, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[], Visitor]]:
    """Opens a window of somebody else each time; what was last seen in each is kept as a picture."""
    visitors: list[Visitor] = []

    def open_window() -> Visitor:
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        visitors.append(Visitor(page, hub.url))
        return visitors[-1]

    yield open_window
    name = re.sub(r"[^\w-]+", "-", request.node.name).strip("-")
    for number, visitor in enumerate(visitors):
        visitor.page.screenshot(path=screenshots() / f"last-{name}-{number}.png")
        visitor.page.context.close()
