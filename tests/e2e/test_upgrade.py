"""A newer JupyterHub on an older database: copied first, upgraded, verified; else the copy and the old image return.

The older database is this hub's own, taken back to the schema of JupyterHub 4; the newer JupyterHub is ours with one
more schema version.
"""

from collections.abc import Iterator

import pytest

from tests.e2e.hub import Hub, wait_until
from tests.e2e.person import Person
from tests.fleet.images import serve_newer_hub
from tests.fleet.ring import STATE

DATABASE = f"{STATE}/state/jupyterhub.sqlite"
OLDER, CURRENT, NEWER = "3c2384c5aae1", "4621fec11365", "f00d00000001"

TAKE_BACK = f"""
import subprocess, sys
from jupyterhub.dbutil import _temp_alembic_ini
with _temp_alembic_ini("sqlite:////srv/hubfleet/state/jupyterhub.sqlite") as ini:
    subprocess.run([sys.executable, "-m", "alembic", "-c", ini, "downgrade", "{OLDER}"], check=True)
"""


def in_the_hubs_image(hub: Hub, code: str) -> str:
    """What Python code printed that runs beside the hub, with its state, as its user."""
    image = hub.inspect("hubfleet-hub-hub", "{{.Config.Image}}")
    hub.host.copy_in(code.encode(), "/var/tmp/code.py")
    mounts = f"-v {STATE}/state:/srv/hubfleet/state -v /var/tmp/code.py:/code.py:ro"
    return hub.docker(f"run --rm --network none --user 40740:40740 {mounts} {image} python /code.py")


def schema(hub: Hub, database: str = "jupyterhub.sqlite") -> tuple[str, list[str]]:
    """The version of a database's schema, and its users."""
    told = in_the_hubs_image(
        hub,
        "import sqlite3\n"
        f"db = sqlite3.connect('file:/srv/hubfleet/state/{database}?mode=ro', uri=True)\n"
        "print(db.execute('SELECT version_num FROM alembic_version').fetchone()[0])\n"
        "print(*sorted(name for (name,) in db.execute('SELECT name FROM users')), sep='\\n')\n",
    ).splitlines()
    return told[0], told[1:]


def state_files(hub: Hub) -> list[str]:
    return hub.host.run(f"ls {STATE}/state").out.split()


@pytest.fixture(autouse=True)
def ours_again(hub: Hub) -> Iterator[None]:
    """Whatever went wrong, other promises find the hub's own image on its own database."""
    hub.host.run(f"cp -p {DATABASE} /var/tmp/before.sqlite")
    yield
    if not hub.inspect("hubfleet-hub-hub", "{{.Config.Image}}").startswith("hubfleet/"):
        hub.docker("stop hubfleet-hub-hub")
        hub.host.run(f"cp -p /var/tmp/before.sqlite {DATABASE}")
        hub.apply(image_repository="hubfleet")


def test_an_older_database_is_copied_and_upgraded_and_nobody_notices(hub: Hub, deputy: Person) -> None:
    hub.docker("stop hubfleet-hub-hub")
    in_the_hubs_image(hub, TAKE_BACK)
    version, users = schema(hub)
    assert version == OLDER
    before = set(state_files(hub))
    hub.lab.hubfleet("apply")
    assert schema(hub) == (CURRENT, users)
    assert deputy.about()["admin"] is True
    (copy,) = (name for name in set(state_files(hub)) - before if name.startswith(f"jupyterhub.sqlite.before-{OLDER}"))
    assert schema(hub, copy) == (OLDER, users)
    assert "upgrade-unconfirmed.json" not in state_files(hub)  # healthy: it stays


def test_a_newer_hub_that_does_not_come_up_gives_way_to_the_old_one_with_its_database(hub: Hub, deputy: Person) -> None:
    version, users = schema(hub)
    assert version == CURRENT
    image = hub.inspect("hubfleet-hub-hub", "{{.Image}}")
    serve_newer_hub(hub.lab.fleet, repository="broken", healthy=False)
    hub.change(image_repository="broken")
    try:
        printed = hub.lab.hubfleet("apply", code=1)
    finally:
        hub.change(image_repository="hubfleet")
    assert "the previous one is back" in printed
    assert "this JupyterHub is broken" in printed
    assert hub.inspect("hubfleet-hub-hub", "{{.Image}}") == image
    hub.apply()
    assert schema(hub) == (CURRENT, users)
    assert any(name.startswith(f"jupyterhub.sqlite.newer-{NEWER}") for name in state_files(hub))  # it was upgraded
    assert deputy.about()["admin"] is True


def test_a_newer_hub_upgrades_and_the_old_image_is_refused_afterwards(hub: Hub, deputy: Person) -> None:
    _, users = schema(hub)
    serve_newer_hub(hub.lab.fleet, repository="newer", healthy=True)
    hub.change(image_repository="newer")
    hub.lab.hubfleet("apply")
    assert schema(hub) == (NEWER, users)
    newer = hub.inspect("hubfleet-hub-hub", "{{.Image}}")
    hub.change(image_repository="hubfleet")
    printed = hub.lab.hubfleet("apply", code=1)
    assert f"the database has schema {NEWER}" in printed
    assert hub.inspect("hubfleet-hub-hub", "{{.Image}}") == newer
    wait_until(lambda: deputy.ask("GET", "/hub/api/user").ok, "the newer one, put back, answers again")

    # Back by hand, as the message says.
    copy = max(name for name in state_files(hub) if name.startswith(f"jupyterhub.sqlite.before-{CURRENT}"))
    hub.docker("stop hubfleet-hub-hub")
    hub.host.run(f"cp -p {STATE}/state/{copy} {DATABASE}")
    hub.apply()
    assert schema(hub) == (CURRENT, users)
