"""A newer JupyterHub on an older database: copied, upgraded, verified, or as it was."""

# mypy: disable-error-code="import-untyped"

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from jupyterhub import orm

from hubfleet_hub import database
from hubfleet_hub.database import MARKER, DatabaseError, Schema, bring_up_to_date, confirm, open_session, revision

OLD = Path(__file__).with_name("jupyterhub-4.1.6.sql")
"""What the real JupyterHub 4.1.6 made, with users, a group, a token and NativeAuthenticator's accounts."""
OLD_REVISION = "0eee8c825d24"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jupyterhub.sqlite"


@pytest.fixture
def old(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(OLD.read_text())
    return path


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def up(path: Path) -> None:
    bring_up_to_date(url(path), upgrade_allowed=False)


def sql(path: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(statement).fetchall()


def names(path: Path) -> list[object]:
    return [name for (name,) in sql(path, "SELECT name FROM users ORDER BY name")]


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob("jupyterhub.sqlite.before-*"))


def test_a_first_start_has_nothing_to_do(path: Path) -> None:
    up(path)
    assert list(path.parent.iterdir()) == []


def test_a_database_of_this_version_is_left_alone(path: Path) -> None:
    open_session(url(path)).close()
    before = path.read_bytes()
    up(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["jupyterhub.sqlite"]


def test_a_database_of_jupyterhub_4_is_usable_after_the_upgrade(old: Path) -> None:
    up(old)
    assert revision(url(old)) == Schema().head
    with open_session(url(old)) as db:
        ada = orm.User.find(db, "ada")
        assert [token.note for token in ada.api_tokens] == ["mine"]
        assert [group.name for group in ada.groups] == ["team"]
        assert orm.User.find(db, "admin").admin
    assert len(sql(old, "SELECT * FROM users_info")) == 3


def test_the_copy_from_before_is_the_old_database(old: Path) -> None:
    up(old)
    (copy,) = copies(old)
    assert copy.name.startswith(f"jupyterhub.sqlite.before-{OLD_REVISION}-")
    assert revision(url(copy)) == OLD_REVISION
    assert names(copy) == ["ada", "admin", "bob"]


def test_five_copies_are_kept_and_the_newest_are(old: Path) -> None:
    for number in range(6):
        earlier = old.with_name(f"jupyterhub.sqlite.before-aaaa-{number}")
        earlier.touch()
        os.utime(earlier, (time.time() - 100 + number,) * 2)
    up(old)
    assert [copy.name.split("-")[-1] for copy in copies(old)][1:] == ["2", "3", "4", "5"]
    assert OLD_REVISION in copies(old)[0].name


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(old: Path) -> None:
    sql(old, "ALTER TABLE services ADD COLUMN from_config BOOLEAN")  # which the upgrade adds
    before = sql(old, "SELECT * FROM users")
    with pytest.raises(DatabaseError, match="the database is as it was"):
        up(old)
    assert revision(url(old)) == OLD_REVISION
    assert sql(old, "SELECT * FROM users") == before
    assert not (old.parent / MARKER).exists()
    assert not old.with_name("jupyterhub.sqlite.upgrading").exists()


def test_an_upgrade_that_loses_a_user_is_not_taken(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = database._upgrade

    def lossy(address: str) -> None:
        upgrade(address)
        sql(Path(address.removeprefix("sqlite:///")), "DELETE FROM users WHERE name = 'bob'")

    monkeypatch.setattr(database, "_upgrade", lossy)
    with pytest.raises(DatabaseError, match="2 rows in users, not 3"):
        up(old)
    assert names(old) == ["ada", "admin", "bob"]
    assert revision(url(old)) == OLD_REVISION


def test_a_damaged_database_is_refused(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(DatabaseError, match="cannot be read"):
        up(path)


def newer(path: Path) -> None:
    """Make the database one that a newer JupyterHub upgraded."""
    sql(path, "UPDATE alembic_version SET version_num = 'fffffffffff1'")
    sql(path, "INSERT INTO users (name, cookie_id) VALUES ('written-by-the-newer', 'c')")


@pytest.fixture
def upgraded_by_newer(path: Path) -> Path:
    with open_session(url(path)) as db:
        db.add(orm.User(name="ada"))
        db.commit()
    copy = path.with_name("jupyterhub.sqlite.before-x-1")
    copy.write_bytes(path.read_bytes())
    newer(path)
    (path.parent / MARKER).write_text(json.dumps({"copy": copy.name, "from": "x", "to": "fffffffffff1"}))
    return path


def test_the_old_image_gets_its_old_database_back(upgraded_by_newer: Path) -> None:
    up(upgraded_by_newer)
    assert revision(url(upgraded_by_newer)) == Schema().head
    assert names(upgraded_by_newer) == ["ada"]
    assert not (upgraded_by_newer.parent / MARKER).exists()


def test_what_the_newer_image_wrote_is_kept_aside(upgraded_by_newer: Path) -> None:
    up(upgraded_by_newer)
    (aside,) = upgraded_by_newer.parent.glob("jupyterhub.sqlite.newer-fffffffffff1-*")
    assert names(aside) == ["ada", "written-by-the-newer"]


def test_a_confirmed_upgrade_is_not_taken_back(upgraded_by_newer: Path) -> None:
    confirm(upgraded_by_newer.parent)
    with pytest.raises(DatabaseError, match="deploy the newer image again"):
        up(upgraded_by_newer)
    assert names(upgraded_by_newer) == ["ada", "written-by-the-newer"]


def test_a_copy_that_is_gone_is_said(upgraded_by_newer: Path) -> None:
    copies(upgraded_by_newer)[0].unlink()
    with pytest.raises(DatabaseError, match="is gone"):
        up(upgraded_by_newer)


def test_a_round_trip_of_upgrade_and_rollback_loses_nothing(old: Path) -> None:
    up(old)
    marker = json.loads((old.parent / MARKER).read_text())
    assert marker == {"copy": copies(old)[0].name, "from": OLD_REVISION, "to": Schema().head}
    newer(old)
    up(old)  # the copy is of 4.1.6: put back, and upgraded again by this image
    assert revision(url(old)) == Schema().head
    assert names(old) == ["ada", "admin", "bob"]


def test_a_database_that_is_not_ours_to_copy_waits_for_leave(old: Path) -> None:
    address = f"sqlite+pysqlite:///{old}"  # an address that is not a plain file's, as a PostgreSQL's is not
    with pytest.raises(DatabaseError, match="hub_db_upgrade = True"):
        bring_up_to_date(address, upgrade_allowed=False)
    assert revision(address) == OLD_REVISION
    bring_up_to_date(address, upgrade_allowed=True)
    assert revision(address) == Schema().head
