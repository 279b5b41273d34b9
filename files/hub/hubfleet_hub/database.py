"""The hub's database: its schema's version, and moving it to this JupyterHub's without losing it."""

# mypy: disable-error-code="import-untyped"

import json
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from os import link
from pathlib import Path
from typing import Any

from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from jupyterhub import orm
from jupyterhub.dbutil import _temp_alembic_ini
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

COPIES_KEPT = 5
MARKER = "upgrade-unconfirmed.json"
"""Beside the database while an upgrade may yet be taken back; `confirm` removes it."""

WAIT_FOR_LOCK = 30
"""Seconds: the running hub writes to the same SQLite file."""

_TABLES_COUNTED = ("users", "groups", "users_info")


class DatabaseError(Exception):
    """The database cannot be used as it is; the message says why and what to do. Nothing was changed."""


def open_session(url: str) -> Session:
    """A session on the hub's database, which must have this JupyterHub's schema or be empty."""
    options: dict[str, Any] = {}
    if url.startswith("sqlite"):
        options["connect_args"] = {"check_same_thread": False, "timeout": WAIT_FOR_LOCK}
    session: Session = orm.new_session_factory(url, **options)()
    return session


def revision(url: str) -> str | None:
    """The schema's version; None for a database without tables. Raises DatabaseError."""
    engine = create_engine(url)
    try:
        tables = inspect(engine).get_table_names()
        if "alembic_version" in tables:
            with engine.connect() as connection:
                return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
        if "users" in tables:
            raise DatabaseError(
                "the database has no schema version, so it is older than JupyterHub 0.8; "
                "upgrade it by hand with a JupyterHub of its time"
            )
        return None
    except SQLAlchemyError as error:
        raise DatabaseError(f"the database cannot be read: {getattr(error, 'orig', None) or error}") from error
    finally:
        engine.dispose()


class Schema:
    """The schema versions that this JupyterHub knows."""

    def __init__(self) -> None:
        with _temp_alembic_ini("sqlite://") as ini:
            self._scripts = ScriptDirectory.from_config(AlembicConfig(ini))
            self.head = str(self._scripts.get_heads()[0])

    def knows(self, version: str) -> bool:
        try:
            return self._scripts.get_revision(version) is not None
        except CommandError:
            return False


def bring_up_to_date(url: str, *, upgrade_allowed: bool) -> None:
    """See that the database at ``url`` has this JupyterHub's schema.

    An older SQLite file is copied, and the upgrade is done and verified on a second copy that then takes its place:
    the file in use is never half upgraded. A newer one, when this is an older image that is put back, gives way to
    the copy from before the upgrade. Databases that are not ours to copy are upgraded only when ``upgrade_allowed``
    (the lab has dumped them). Raises DatabaseError.
    """
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        if path.exists():
            _Sqlite(path).bring_up_to_date()
        return
    schema = Schema()
    found = revision(url)
    if found in (None, schema.head):
        return
    if not schema.knows(str(found)):
        raise DatabaseError(_newer(str(found), schema.head))
    if not upgrade_allowed:
        raise DatabaseError(
            f"the database has schema {found} and this JupyterHub needs {schema.head}; dump the database, then set "
            "hub_db_upgrade = True and deploy again"
        )
    _upgrade(url)


def confirm(state: Path) -> None:
    """The hub is healthy: an upgrade is no longer to be taken back."""
    (state / MARKER).unlink(missing_ok=True)


@dataclass
class _Sqlite:
    path: Path

    @property
    def marker(self) -> Path:
        return self.path.parent / MARKER

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    def bring_up_to_date(self) -> None:
        schema = Schema()
        found = revision(self.url)
        if found is not None and not schema.knows(found):
            self._put_back(found, schema)
            found = revision(self.url)
        if found not in (None, schema.head):
            self._upgrade(str(found), schema.head)

    def _upgrade(self, found: str, head: str) -> None:
        copy = self._beside(f"before-{found}-{_stamp()}")
        work = self._beside("upgrading")
        work.unlink(missing_ok=True)
        print(f"database: schema {found} becomes {head}; the copy from before is {copy.name}", flush=True)
        _copy(self.path, copy)
        _copy(copy, work)
        try:
            _upgrade(f"sqlite:///{work}")
            _verify(copy, work, head)
        except DatabaseError as error:
            work.unlink(missing_ok=True)
            raise DatabaseError(
                f"the upgrade of the database from schema {found} to {head} failed and the database is as it was: "
                f"{error}"
            ) from error
        self.marker.write_text(json.dumps({"copy": copy.name, "from": found, "to": head}))
        self._replace_with(work)
        for old in sorted(self.path.parent.glob(f"{self.path.name}.before-*"), key=_age)[:-COPIES_KEPT]:
            old.unlink()

    def _put_back(self, found: str, schema: Schema) -> None:
        try:
            copy = self.path.parent / str(json.loads(self.marker.read_text())["copy"])
        except FileNotFoundError:
            raise DatabaseError(_newer(found, schema.head)) from None
        if not copy.exists():
            raise DatabaseError(f"{_newer(found, schema.head)} ({copy.name}, its copy from before, is gone)")
        newer = self._beside(f"newer-{found}-{_stamp()}")
        print(f"database: schema {found} is newer than this image; {copy.name} is put back", flush=True)
        work = self._beside("putting-back")
        work.unlink(missing_ok=True)
        _copy(copy, work)
        link(self.path, newer)
        self._replace_with(work)
        self.marker.unlink()

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{suffix}")

    def _replace_with(self, work: Path) -> None:
        for journal in ("-wal", "-shm", "-journal"):
            self.path.with_name(self.path.name + journal).unlink(missing_ok=True)
        work.replace(self.path)


def _copy(source: Path, target: Path) -> None:
    """A consistent copy, by SQLite's own backup."""
    unfinished = target.with_name(target.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(unfinished)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        unfinished.unlink(missing_ok=True)
        raise DatabaseError(f"{source.name} cannot be copied: {error}") from error
    unfinished.replace(target)


def _upgrade(url: str) -> None:
    with _temp_alembic_ini(url) as ini:
        done = subprocess.run(
            [sys.executable, "-m", "alembic", "-c", ini, "upgrade", "head"],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise DatabaseError(lines[-1] if lines else f"alembic ended with status {done.returncode}")


def _verify(before: Path, after: Path, head: str) -> None:
    with closing(sqlite3.connect(after)) as db:
        (integrity,) = db.execute("PRAGMA integrity_check").fetchone()
    if integrity != "ok":
        raise DatabaseError(f"the upgraded copy is damaged: {integrity}")
    if (found := revision(f"sqlite:///{after}")) != head:
        raise DatabaseError(f"the upgraded copy has schema {found}")
    was, now = _counts(before), _counts(after)
    for table, count in was.items():
        if now.get(table) != count:
            raise DatabaseError(f"the upgraded copy has {now.get(table)} rows in {table}, not {count}")


def _counts(path: Path) -> dict[str, int]:
    counts = {}
    with closing(sqlite3.connect(path)) as db:
        for table in _TABLES_COUNTED:
            with suppress(sqlite3.OperationalError):  # no such table
                (counts[table],) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    return counts


def _newer(found: str, head: str) -> str:
    return (
        f"the database has schema {found}, which this JupyterHub (schema {head}) does not know: a newer one wrote it; "
        "deploy the newer image again, or put a copy from before back by hand"
    )


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def _age(path: Path) -> float:
    return path.stat().st_mtime
