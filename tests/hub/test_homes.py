"""The keeper of homes: makes what is missing, touches nothing that is there, follows no link."""

import asyncio
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubfleet_hub.homes import HomeError, Keeper, Server, ask
from hubfleet_hub.names import escape

OTHER = 54321
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="gives directories to another user")


def listing(directory: Path) -> list[str]:
    return [entry.name for entry in directory.iterdir()]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base").mkdir()
    return tmp_path / "base"


@pytest.fixture
def keeper(base: Path) -> Keeper:
    return Keeper(base, os.getuid(), os.getgid())


@pytest.fixture
def address(tmp_path: Path, keeper: Keeper) -> Iterator[Path]:
    path = tmp_path / "socket"
    with Server(path, keeper) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield path
        server.shutdown()


def test_a_directory_is_made_once(keeper: Keeper, base: Path) -> None:
    assert keeper.keep("ada") == ("ada", True)
    assert keeper.keep("ada") == ("ada", False)
    assert listing(base) == ["ada"]


def test_it_is_private(keeper: Keeper, base: Path) -> None:
    os.umask(0)
    keeper.keep("ada")
    assert stat.S_IMODE((base / "ada").stat().st_mode) == 0o700


@needs_root
def test_it_belongs_to_the_user_of_the_servers(base: Path) -> None:
    Keeper(base, OTHER, OTHER + 1).keep("ada")
    found = (base / "ada").stat()
    assert (found.st_uid, found.st_gid) == (OTHER, OTHER + 1)


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../etc", "-rf", "Foo", "ü", "x" * 255, "a\0b"])
def test_no_name_leaves_the_directory_of_all_homes(keeper: Keeper, base: Path, name: str) -> None:
    keeper.keep(name)
    assert listing(base) == [escape(name)]
    assert listing(base.parent) == ["base"]


@needs_root
def test_one_that_exists_keeps_its_mode_and_files(base: Path) -> None:
    home = base / "ada"
    home.mkdir(mode=0o755)
    (home / "file").write_text("kept")
    os.chown(home, OTHER, 7)
    Keeper(base, OTHER, OTHER).keep("ada")
    found = home.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o755, OTHER, 7)
    assert (home / "file").read_text() == "kept"


@needs_root
def test_another_owner_is_told_with_both_numbers(base: Path) -> None:
    (base / "ada").mkdir()
    os.chown(base / "ada", 5, 6)
    with pytest.raises(HomeError, match=r"belongs to 5:6, and servers run as 54321:54321"):
        Keeper(base, OTHER, OTHER).keep("ada")
    assert (base / "ada").stat().st_uid == 5


def test_a_link_in_the_place_of_a_home_is_not_followed(keeper: Keeper, base: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (base / "ada").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HomeError, match="is no directory"):
        keeper.keep("ada")


def test_a_home_that_cannot_be_given_away_is_not_left_half_made(
    keeper: Keeper, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def squashed(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")  # NFS with root_squash

    monkeypatch.setattr(os, "fchown", squashed)
    with pytest.raises(HomeError, match=r"cannot be made for .*: Operation not permitted"):
        keeper.keep("ada")
    assert listing(base) == []


def test_a_directory_of_all_homes_that_is_gone_is_told(keeper: Keeper, base: Path) -> None:
    base.rmdir()
    with pytest.raises(HomeError, match="directory of all homes"):
        keeper.keep("ada")


@pytest.mark.parametrize("line", [b"", b"\n", b"[]\n", b"{}\n", b'{"user": 1}\n', b"\xff\n", b'{"user": ""}\n'])
def test_a_bad_request_gets_a_reason(keeper: Keeper, base: Path, line: bytes) -> None:
    answer = keeper.answer(line)
    assert answer["ok"] is False
    assert answer["reason"]
    assert listing(base) == []


def test_the_hub_asks_over_the_socket(address: Path, base: Path) -> None:
    assert asyncio.run(ask("Ada", address)) == escape("Ada")
    assert listing(base) == [escape("Ada")]


def test_the_protocol_is_a_line_of_json_each_way(address: Path) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(address))
        client.sendall(b'{"user": "ada"}\n')
        assert json.loads(client.makefile().readline()) == {"ok": True, "directory": "ada", "created": True}


def test_many_at_once_are_all_answered(address: Path, base: Path) -> None:
    async def everyone() -> list[str]:
        return await asyncio.gather(*(ask(f"u{number % 10}", address) for number in range(60)))

    assert len(asyncio.run(everyone())) == 60
    assert len(listing(base)) == 10


def test_who_sends_nothing_keeps_nobody_waiting(address: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(address))
        assert asyncio.run(ask("ada", address)) == "ada"


@needs_root
def test_only_the_hubs_group_may_use_the_socket(address: Path) -> None:
    found = address.stat()
    assert (stat.S_IMODE(found.st_mode), found.st_gid) == (0o660, 40740)


def test_a_refusal_reaches_the_hub(address: Path, base: Path) -> None:
    (base / "ada").write_text("a file")
    with pytest.raises(HomeError, match="is no directory"):
        asyncio.run(ask("ada", address))


def test_a_keeper_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="cannot be reached"):
        asyncio.run(ask("ada", tmp_path / "nothing"))


def test_a_keeper_that_never_answers_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        deaf.listen()
        with pytest.raises(HomeError, match=r"did not answer within 0\.1 s"):
            asyncio.run(ask("ada", tmp_path / "deaf", within=0.1))


def test_a_socket_left_by_a_keeper_that_died_is_replaced(tmp_path: Path, keeper: Keeper) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with Server(path, keeper):
        assert stat.S_ISSOCK(path.stat().st_mode)
