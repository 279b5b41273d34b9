"""`hub-admin`: what people type, what they are told, and the exit status."""

# mypy: disable-error-code="import-untyped"

import contextlib
import io
import os
import pty
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm

from hubfleet_hub import config, linux, shares
from hubfleet_hub.accounts import is_password
from hubfleet_hub.admin import main
from hubfleet_hub.config import HubConfig
from hubfleet_hub.database import open_session

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="is root")

Make = Callable[..., HubConfig]
UIDS = {"ada": 54001, "grace": 54002}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def container(here: Any, make: Make, tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A container's accounts and homes, with an /etc of its own; returns the homes."""
    etc, homes = tmp_path / "etc", tmp_path / "home"
    for directory in (etc, state, homes):
        directory.mkdir()
    (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (etc / "group").write_text("root:x:0:\nsudo:x:27:\n")
    (etc / "shadow").write_text("root:*:20000:0:99999:7:::\n")
    (state / "accounts").write_text("".join(f"{name}:{uid}:!:1:\n" for name, uid in UIDS.items()))
    for name, uid in UIDS.items():
        (homes / name).mkdir(mode=0o750)
        os.chown(homes / name, uid, uid)
    monkeypatch.setattr(linux, "ETC", etc)
    monkeypatch.setattr(linux, "HOMES", homes)
    for module in (linux, shares):
        monkeypatch.setattr(module, "STATE", state)
    monkeypatch.setattr(config, "ETC", here.root / "etc")
    here.write(make(login=["pam"], spawner="local"))
    return homes


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


Captured = pytest.CaptureFixture[str]


def test_shares_are_made_shown_and_taken_away(container: Path, capsys: Captured) -> None:
    assert main(["allow-read", "ada", "grace"]) == 0
    assert capsys.readouterr().out == "grace may read ada's files\n"
    assert main(["allow-write", "ada", "grace"]) == 0
    assert main(["list"]) == 0
    assert "grace may read and write ada's files (by command)" in capsys.readouterr().out
    assert (container / "grace" / "ada").is_symlink()
    assert main(["disallow", "ada", "grace"]) == 0
    assert main(["list"]) == 0
    assert "no home is shared" in capsys.readouterr().out


def test_what_is_already_so_is_no_error(container: Path) -> None:
    for words in (["allow-read", "ada", "grace"], ["disallow", "ada", "grace"]):
        assert main(words) == 0
        assert main(words) == 0


@pytest.mark.parametrize("name", ["../ada", "root", "nobody", ""])
def test_a_name_that_is_nobodys_is_one_line_and_status_1(container: Path, capsys: Captured, name: str) -> None:
    for words in (["allow-read", "ada", name], ["disallow", name, "ada"], ["allow-write", name, "ada"]):
        assert main(words) == 1
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err == f"hub-admin: nobody here is called {name!r}\n"


def test_a_name_that_looks_like_an_option_is_not_taken_for_one(container: Path, capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["allow-read", "ada", "-rf"])
    assert main(["allow-read", "--", "ada", "-rf"]) == 1
    assert "nobody here is called '-rf'" in capsys.readouterr().err


def test_a_password_comes_on_standard_input(
    container: Path, state: Path, here: Any, typed: Callable[[str], None], capsys: Captured
) -> None:
    with open_session(here.url) as db:
        orm.Base.metadata.create_all(db.get_bind())
        user = orm.User(name="ada")
        db.add(user)
        db.commit()
        cookie = user.cookie_id
    typed("correct horse\n")
    assert main(["set-password", "ada"]) == 0
    account = linux.Accounts.load(state / "accounts").people["ada"]
    assert is_password("correct horse", account.password.encode())
    assert not account.one_time
    with open_session(here.url) as db:
        assert orm.User.find(db, "ada").cookie_id != cookie
    told = capsys.readouterr()
    assert "correct horse" not in told.out + told.err


def test_a_password_can_be_for_one_time(container: Path, state: Path, here: Any, typed: Callable[[str], None]) -> None:
    with open_session(here.url) as db:
        orm.Base.metadata.create_all(db.get_bind())
    typed("correct horse\n")
    assert main(["set-password", "--one-time", "ada"]) == 0
    assert linux.Accounts.load(state / "accounts").people["ada"].one_time


@pytest.mark.parametrize(
    ("name", "password", "reason"),
    [
        ("nobody", "correct horse", "nobody here is called 'nobody'"),
        ("ada", "short", "8 characters at least"),
        ("ada", "", "8 characters at least"),
        ("ada", "x" * 73, "72 bytes at most"),
    ],
)
def test_a_password_that_cannot_be_set_is_told(
    container: Path, state: Path, typed: Callable[[str], None], capsys: Captured, name: str, password: str, reason: str
) -> None:
    before = (state / "accounts").read_text()
    typed(f"{password}\n")
    assert main(["set-password", name]) == 1
    assert reason in capsys.readouterr().err
    assert (state / "accounts").read_text() == before


def test_at_a_terminal_a_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "hubfleet_hub.admin", "set-password", "ada"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "HUBFLEET_STATE": str(tmp_path)}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as process:
        os.close(theirs)
        shown = b""
        for question, answer in ((b"New password of ada: ", b"correct horse\n"), (b"The same again: ", b"other\n")):
            while not shown.endswith(question):
                shown += os.read(ours, 100)
            os.write(ours, answer)
        with contextlib.suppress(OSError):  # the other end is closed
            while True:
                shown += os.read(ours, 100)
    os.close(ours)
    assert process.returncode == 1
    assert b"the two are not the same" in shown
    assert b"correct horse" not in shown


def test_who_is_not_root_is_told_how(container: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54001)
    assert main(["allow-read", "ada", "grace"]) == 1
    assert "sudo hub-admin" in capsys.readouterr().err


def test_a_start_of_the_hub_makes_it_what_is_declared_and_fails_for_no_share(
    container: Path, state: Path, make: Make, capsys: Captured
) -> None:
    wanted = [{"home": "ada", "to": who, "access": "read"} for who in ("grace", "nobody")]
    shares.converge(make(users__shares=wanted).users.shares)
    assert "shares: grace may read ada's files\n" in capsys.readouterr().out
    assert stat.S_IMODE((state / "shares").stat().st_mode) == 0o600
    (state / "shares").write_text("{")
    shares.converge(make(users__shares=wanted).users.shares)
    assert "bring it back from a backup" in capsys.readouterr().out
