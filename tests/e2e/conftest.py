"""One hub for all: deployed once on a disposable host, used by every promise here.

HUBFLEET_KEEP=1 leaves the fleet up, and a run that finds it up uses it: for whoever is writing a test.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import Visitor, chromium, screenshots
from tests.e2e.hub import Hub
from tests.e2e.person import Person
from tests.fleet import Fleet, HostSpec
from tests.fleet.engine import client
from tests.fleet.fleet import names
from tests.fleet.images import ensure_images
from tests.fleet.ring import Lab

KEEP = bool(os.environ.get("HUBFLEET_KEEP"))
#: Two runs at a time have a fleet each; one that is kept is found again by its name.
NAME = "e2e" if KEEP else f"e2e-{os.getpid()}"

#: Seconds; the first test waits for the images and the deploy.
TIMEOUT = 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(scope="session")
def users_fleet() -> Iterator[Fleet]:
    """A fleet whose registry serves our images."""
    if KEEP and NAME in names():
        fleet = Fleet.load(NAME)
    else:
        fleet = Fleet(NAME, stays=KEEP)
        fleet.__enter__()
    try:
        ensure_images(fleet)
        yield fleet
    finally:
        if not KEEP:
            fleet.down()


@pytest.fixture(scope="session")
def hub(users_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Hub:
    """A neurodesk hub over HTTPS, with two admins: `admin` belongs to the browser, `deputy` to everyone else."""
    if "hub" in users_fleet.hosts:
        host = users_fleet.host("hub")
        # The images too: the stand-ins of yesterday have the names of today's.
        host.run("docker ps -aq | xargs -r docker rm -f; docker images -q | sort -u | xargs -r docker rmi -f")
        host.run("rm -rf /var/lib/hubfleet/hub /srv/hubfleet/users")
    else:
        (host,) = users_fleet.start(HostSpec("hub"))
    settings: dict[str, dict[str, object]] = {"hub": {"public_url": f"https://{host.address}"}}
    common: dict[str, object] = {"users_admins": ["admin", "deputy"]}
    hub = Hub(Lab(users_fleet, tmp_path_factory.mktemp("hub"), settings, common=common))
    hub.apply()
    return hub


@pytest.fixture(scope="session")
def deputy(hub: Hub) -> Person:
    """An admin who has come in with the one-time password and chosen another."""
    deputy = Person(hub, "deputy")
    assert deputy.replace_one_time(hub.one_time_password("deputy")).ok
    return deputy.take_token()


@pytest.fixture(scope="session")
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
def browser(hub: Hub) -> Iterator[Browser]:
    # The registry's container: on the fleet's network, and there as long as the fleet is.
    neighbour = client().containers.get(f"hubfleet-{NAME}-registry").attrs["State"]["Pid"]
    with chromium(hub.certificate, Path(f"/proc/{neighbour}/ns/net")) as browser:
        yield browser


@pytest.fixture
def visit(hub: Hub, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[[], Visitor]]:
    """Opens a window of somebody else each time; what was last seen in each is kept as a picture."""
    visitors: list[Visitor] = []

    def open_window() -> Visitor:
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        visitors.append(Visitor(page, hub.url))
        return visitors[-1]

    yield open_window
    for number, visitor in enumerate(visitors):
        visitor.page.screenshot(path=screenshots() / f"last-{request.node.name}-{number}.png")
        visitor.page.context.close()
