"""Shares of homes, tried by the people themselves: real lists on a real file system, reads and writes by real uids."""

import json
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubfleet_hub import grants
from hubfleet_hub.acl import ACCESS, DEFAULT, Acl
from hubfleet_hub.config import Share
from hubfleet_hub.grants import Found
from hubfleet_hub.shares import ShareError, Shares

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="is several people")

UIDS = {"ada": 54001, "grace": 54002, "bob": 54003}
USER, NOBODY = 0x02, 54099


@dataclass
class Town:
    """Homes of people, as the hub's container has them."""

    root: Path

    @property
    def homes(self) -> Path:
        return self.root / "homes"

    @property
    def record(self) -> Path:
        return self.root / "state" / "shares"

    @property
    def shares(self) -> Shares:
        return Shares(self.root / "state", self.homes, UIDS.get)

    def path(self, place: str) -> Path:
        return self.homes / place

    def run(self, person: str, script: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        """A shell script as that person, in the homes."""
        uid = UIDS[person]
        identity = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
        command = ["setpriv", *identity, "sh", "-c", f"umask 022; {script}", "sh", *words]
        return subprocess.run(command, cwd=self.homes, capture_output=True, check=False, timeout=60)

    def does(self, person: str, script: str, *words: str) -> str:
        """The same, which must succeed; what it printed."""
        done = self.run(person, script, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def reads(self, person: str, place: str) -> bool:
        return self.run(person, 'cat -- "$1"', place).returncode == 0

    def writes(self, person: str, place: str) -> bool:
        return self.run(person, 'echo x >> "$1"', place).returncode == 0

    def lists(self) -> dict[str, tuple[int | Acl | None, ...]]:
        """Mode, owner, group and both lists of everything in the homes, by path."""
        found: dict[str, tuple[int | Acl | None, ...]] = {}
        for place in sorted(self.homes.rglob("*")):
            status = place.lstat()
            lists: list[Acl | None] = [None, None]
            if not place.is_symlink():
                descriptor = os.open(place, os.O_PATH)
                lists = [
                    Acl.read(descriptor, ACCESS),
                    Acl.read(descriptor, DEFAULT) if place.is_dir() else None,
                ]
                os.close(descriptor)
            found[str(place.relative_to(self.homes))] = (status.st_mode, status.st_uid, status.st_gid, *lists)
        return found

    def gives(self, place: str, **people: int) -> None:
        """The owner's own list on a file: what people by name get under a mask."""
        descriptor = os.open(self.path(place), os.O_PATH)
        mask = people.pop("mask")
        mode = self.path(place).stat().st_mode
        named = {(USER, UIDS[name]): permissions for name, permissions in people.items()}
        Acl(mode >> 6 & 7, mode >> 3 & 7, mode & 7, mask, named).write(descriptor, ACCESS)
        os.close(descriptor)


@pytest.fixture
def town() -> Iterator[Town]:
    """Three private homes; ada's with files of several kinds. Not in pytest's directory, which only root may enter."""
    made = Town(Path(tempfile.mkdtemp()))
    made.root.chmod(0o711)
    made.homes.mkdir(mode=0o755)
    made.record.parent.mkdir(mode=0o700)
    for name, uid in UIDS.items():
        home = made.homes / name
        home.mkdir()
        os.chown(home, uid, uid)
        home.chmod(0o750)
    made.does("ada", "mkdir -p ada/work/deep && echo text > ada/work/deep/note && echo text > ada/note")
    made.does("ada", "echo 'echo ran' > ada/tool && chmod 755 ada/tool && echo key > ada/own && chmod 600 ada/own")
    made.does("ada", "mkdir -m 700 ada/.ssh && echo secret > ada/.ssh/id && chmod 600 ada/.ssh/id")
    yield made
    # Some trees are too deep for shutil.
    subprocess.run(["rm", "-rf", made.root], check=True)


# --- read and write -----------------------------------------------------------------------------------------


def test_a_home_is_closed_until_it_is_shared(town: Town) -> None:
    assert not town.reads("grace", "ada/note")


def test_read_is_read_and_no_more(town: Town) -> None:
    town.shares.allow("ada", "grace", "read")
    for place in ("ada/note", "ada/work/deep/note", "ada/own"):
        assert town.reads("grace", place)
        assert not town.writes("grace", place)
    for script in ("touch ada/new", "rm -f ada/note", "mv ada/note ada/other", "chmod 777 ada/note"):
        assert town.run("grace", script).returncode != 0
    assert not town.reads("bob", "ada/note")


def test_write_is_write(town: Town) -> None:
    town.shares.allow("ada", "grace", "write")
    assert town.writes("grace", "ada/work/deep/note")
    town.does("grace", "echo mine > ada/work/new && mkdir ada/hers && mv ada/note ada/hers/ && rm ada/own")
    assert town.does("ada", "cat ada/hers/note") == "text\n"
    assert not town.reads("bob", "ada/hers/note")


@pytest.mark.parametrize("access", ["read", "write"])
def test_what_is_made_later_is_shared_too(town: Town, access: str) -> None:
    town.shares.allow("ada", "grace", access)  # type: ignore[arg-type]
    town.does("ada", "mkdir -p ada/later/deep && echo text > ada/later/deep/note && echo text > ada/work/later")
    for place in ("ada/later/deep/note", "ada/work/later"):
        assert town.reads("grace", place)
        assert town.writes("grace", place) == (access == "write")
        assert not town.reads("bob", place)


def test_what_is_made_private_later_stays_private(town: Town) -> None:
    town.shares.allow("ada", "grace", "read")
    town.does("ada", "(umask 077; mkdir -m 700 ada/keys; install -m 600 /dev/null ada/keys/key)")
    assert not town.reads("grace", "ada/keys/key")


def test_keys_and_tokens_at_the_top_are_not_shared(town: Town) -> None:
    before = town.lists()
    town.shares.allow("ada", "grace", "write")
    assert not town.reads("grace", "ada/.ssh/id")
    assert {place: town.lists()[place] for place in ("ada/.ssh", "ada/.ssh/id")} == {
        place: before[place] for place in ("ada/.ssh", "ada/.ssh/id")
    }


def test_no_execute_bit_where_there_was_none(town: Town) -> None:
    town.shares.allow("ada", "grace", "write")
    town.does("ada", "echo text > ada/later")
    assert town.does("grace", "ada/tool") == "ran\n"
    for place in ("ada/note", "ada/work/deep/note", "ada/later"):
        assert town.path(place).stat().st_mode & 0o111 == 0
        assert town.run("grace", f"test -x {place}").returncode != 0


def test_what_the_other_made_is_the_owners_to_read_and_write_while_shared_and_afterwards(town: Town) -> None:
    town.shares.allow("ada", "grace", "write")
    town.does(
        "grace",
        "mkdir ada/hers && echo hers > ada/hers/file && echo private > ada/work/grace && chmod 644 ada/work/grace",
    )
    for _ in range(2):
        for place in ("ada/hers/file", "ada/work/grace"):
            assert town.reads("ada", place)
        assert town.writes("ada", "ada/hers/file")
        assert town.path("ada/hers/file").stat().st_uid == UIDS["grace"]
        town.shares.disallow("ada", "grace")
    assert town.writes("ada", "ada/work/grace")


def test_a_share_can_be_made_less_and_more(town: Town) -> None:
    town.shares.allow("ada", "grace", "write")
    town.shares.allow("ada", "grace", "read")
    assert town.reads("grace", "ada/note")
    assert not town.writes("grace", "ada/note")
    assert town.run("grace", "touch ada/work/new").returncode != 0
    town.shares.allow("ada", "grace", "write")
    assert town.writes("grace", "ada/note")


def test_opening_again_mends_what_came_in_without_it(town: Town) -> None:
    town.does("ada", "mkdir -m 700 ada/.old && echo text > ada/.old/note")
    town.shares.allow("ada", "grace", "write")
    town.does("ada", "cp -p ada/tool ada/copy && mv ada/.old ada/moved")
    assert not town.reads("grace", "ada/moved/note")
    town.shares.allow("ada", "grace", "write")
    assert town.writes("grace", "ada/moved/note")
    assert town.writes("grace", "ada/copy")


# --- taking it away -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("access", ["read", "write"])
def test_disallow_leaves_everything_as_it_was(town: Town, access: str) -> None:
    town.does("ada", "mkdir -m 2775 ada/group && echo text > ada/group/note && mkdir -m 755 ada/open")
    town.gives("ada/work/deep/note", bob=6, mask=4)
    town.gives("ada/note", bob=4, mask=4)
    before = town.lists()
    town.shares.allow("ada", "grace", access)  # type: ignore[arg-type]
    assert town.lists() != before
    town.shares.disallow("ada", "grace")
    assert town.lists() == before


@pytest.mark.parametrize("access", ["read", "write"])
def test_disallow_takes_away_what_was_made_since(town: Town, access: str) -> None:
    town.shares.allow("ada", "grace", access)  # type: ignore[arg-type]
    town.does("ada", "mkdir -p ada/later/deep && echo text > ada/later/deep/note && mkdir -m 700 ada/.later ada/keys")
    town.shares.disallow("ada", "grace")
    town.path("ada").chmod(0o755)  # so that nothing hides behind the home's own door
    assert not town.reads("grace", "ada/later/deep/note")
    assert {lists[-2:] for lists in town.lists().values()} == {(None, None)}


def test_disallow_of_one_keeps_the_others_shares(town: Town) -> None:
    town.shares.allow("ada", "bob", "write")
    before = town.lists()
    town.shares.allow("ada", "grace", "write")
    town.does("grace", "echo hers > ada/hers")
    town.shares.disallow("ada", "grace")
    town.path("ada/hers").unlink()
    assert town.lists() == before
    assert town.writes("bob", "ada/note")
    town.does("bob", "echo his > ada/his")
    assert town.writes("ada", "ada/his")


def test_what_the_owner_closed_meanwhile_stays_closed(town: Town) -> None:
    town.shares.allow("ada", "grace", "read")
    town.does("ada", "chmod 600 ada/note && chmod 700 ada/work")
    assert not town.reads("grace", "ada/note")
    town.shares.disallow("ada", "grace")
    assert stat.S_IMODE(town.path("ada/note").stat().st_mode) == 0o600
    assert stat.S_IMODE(town.path("ada/work").stat().st_mode) == 0o700


def test_nobody_else_gains_by_a_share(town: Town) -> None:
    town.gives("ada/note", bob=6, mask=4)
    town.path("ada").chmod(0o711)
    told = town.shares.allow("ada", "grace", "write")
    assert not town.writes("bob", "ada/note")
    assert any("a mask gives less on 1 files" in line for line in told)


# --- what is not the home's ---------------------------------------------------------------------------------


def test_links_out_of_the_home_are_not_followed(town: Town) -> None:
    town.does("bob", "mkdir bob/dir && echo bob > bob/dir/file && echo bob > bob/file")
    town.does(
        "ada", "ln -s ../bob/dir ada/dir && ln -s ../bob/file ada/file && ln -s /etc ada/etc && ln -s loop ada/loop"
    )
    before = {place: lists for place, lists in town.lists().items() if place.startswith("bob")}
    town.shares.allow("ada", "grace", "write")
    assert {place: lists for place, lists in town.lists().items() if place.startswith("bob")} == before
    town.shares.disallow("ada", "grace")
    assert town.path("ada/dir").is_symlink()


def test_a_directory_swapped_for_a_link_during_the_walk_leads_nowhere(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.does("bob", "mkdir -p bob/deep && echo bob > bob/deep/note")
    before = {place: lists for place, lists in town.lists().items() if place.startswith("bob")}
    real, swapped = grants._grant, []

    def grant(found: Found, owner: int, to: int, wanted: int) -> bool:
        if found.path == "/work":
            town.does("ada", "mv ada/work ada/.away && ln -s ../bob ada/work")
            swapped.append(found.path)
        return real(found, owner, to, wanted)

    monkeypatch.setattr(grants, "_grant", grant)
    town.shares.allow("ada", "grace", "write")
    assert swapped
    assert {place: lists for place, lists in town.lists().items() if place.startswith("bob")} == before


def test_a_file_of_somebody_else_with_another_name_elsewhere_is_left_alone(town: Town) -> None:
    town.does("bob", "echo bob > bob/file && chmod 600 bob/file")
    os.link(town.path("bob/file"), town.path("ada/file"))
    before = town.lists()["bob/file"]
    told = town.shares.allow("ada", "grace", "read")
    assert town.lists()["bob/file"] == before
    assert not town.reads("grace", "ada/file")
    assert any("left alone" in line for line in told)


def test_a_thousand_nested_files_and_hard_names(town: Town) -> None:
    directory = town.path("ada/tree")
    names = ["with space", "new\nline", "-rf", "*", "ü", "--help", "..."]
    for number in range(1000):
        place = directory / f"d{number % 10}" / f"e{number % 7}" / f"f{number}"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("text")
    for name in names:
        (directory / name).mkdir()
        (directory / name / name).write_text("text")
    (directory.joinpath(*["deep"] * 300)).mkdir(parents=True)
    subprocess.run(["chown", "-R", f"{UIDS['ada']}:{UIDS['ada']}", directory], check=True)
    before = town.lists()
    town.shares.allow("ada", "grace", "read")
    script = "find ada/tree -type f -exec cat -- {} + | wc -c; find ada/tree -type f ! -readable | wc -l"
    assert town.does("grace", script).split() == [str(4 * (1000 + len(names))), "0"]
    town.shares.disallow("ada", "grace")
    assert town.lists() == before


def test_a_tree_deeper_than_any_path_can_name(town: Town) -> None:
    program = "import os, sys\nos.chdir('ada')\nfor _ in range(1500):\n {}os.chdir('dddd')\n"
    town.does("ada", '/usr/bin/python3 -c "$1"', program.format("os.mkdir('dddd', 0o700); ") + "open('end', 'w')")
    town.shares.allow("ada", "grace", "read")
    town.does("grace", '/usr/bin/python3 -c "$1"', program.format("") + "open('end')")


# --- names and links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["-rf", "../bob", "..", ".", "", "bob/../bob", "root", "nobody here", "a\nb", "*"])
def test_an_evil_name_is_nobody(town: Town, name: str) -> None:
    before = town.lists()
    for words in ((name, "grace"), ("ada", name)):
        with pytest.raises(ShareError, match="nobody here is called"):
            town.shares.allow(*words, "read")
        with pytest.raises(ShareError, match="nobody here is called"):
            town.shares.disallow(*words)
    assert town.lists() == before
    assert not town.record.exists()


def test_nobody_shares_with_themselves(town: Town) -> None:
    with pytest.raises(ShareError, match="no share of a home of their own"):
        town.shares.allow("ada", "ada", "read")


def test_a_link_to_the_home_appears_in_the_others_and_goes_again(town: Town) -> None:
    town.shares.allow("ada", "grace", "read")
    assert town.does("grace", "cat grace/ada/note") == "text\n"
    town.shares.allow("ada", "grace", "read")
    town.shares.disallow("ada", "grace")
    assert not os.path.lexists(town.path("grace/ada"))


@pytest.mark.parametrize("there", ["echo own > grace/ada", "mkdir grace/ada", "ln -s /etc grace/ada"])
def test_what_has_the_links_place_is_left_alone(town: Town, there: str) -> None:
    town.does("grace", there)
    before = town.lists()["grace/ada"]
    told = town.shares.allow("ada", "grace", "read")
    assert any("is left alone" in line for line in told)
    assert town.reads("grace", "ada/note")
    town.shares.disallow("ada", "grace")
    assert town.lists()["grace/ada"] == before


def test_a_home_that_is_a_link_is_refused(town: Town) -> None:
    town.path("ada").rename(town.path("elsewhere"))
    town.path("ada").symlink_to(town.path("elsewhere"))
    with pytest.raises(ShareError, match="cannot be opened"):
        town.shares.allow("ada", "grace", "read")


def test_a_home_of_the_wrong_owner_is_refused(town: Town) -> None:
    os.chown(town.path("ada"), NOBODY, NOBODY)
    with pytest.raises(ShareError, match="does not belong to ada"):
        town.shares.allow("ada", "grace", "read")


# --- the record ---------------------------------------------------------------------------------------------


def declared(*shares: tuple[str, str, str]) -> list[Share]:
    return [Share.model_validate({"home": home, "to": to, "access": access}) for home, to, access in shares]


def kept(town: Town) -> list[tuple[str, str, str, bool]]:
    return [(each.home, each.to, each.access, each.declared) for each in town.shares.all()]


def test_the_record_is_for_root_alone(town: Town) -> None:
    town.shares.allow("ada", "grace", "read")
    assert stat.S_IMODE(town.record.stat().st_mode) == 0o600
    assert [(entry["home"], entry["to"]) for entry in json.loads(town.record.read_text())] == [("ada", "grace")]


def test_declared_shares_open_and_close_as_they_are_declared(town: Town) -> None:
    town.shares.converge(declared(("ada", "grace", "read"), ("ada", "bob", "write")))
    assert town.reads("grace", "ada/note")
    assert town.writes("bob", "ada/note")
    town.shares.converge(declared(("ada", "grace", "write")))
    assert town.writes("grace", "ada/note")
    assert not town.reads("bob", "ada/note")
    town.shares.converge([])
    assert not town.reads("grace", "ada/note")
    assert kept(town) == []


def test_shares_by_command_stay(town: Town) -> None:
    town.shares.allow("ada", "grace", "write")
    assert town.shares.converge([]) == []
    assert town.writes("grace", "ada/note")
    assert kept(town) == [("ada", "grace", "write", False)]


def test_what_is_declared_is_changed_where_it_is_declared(town: Town) -> None:
    town.shares.converge(declared(("ada", "grace", "read")))
    with pytest.raises(ShareError, match="users_shares"):
        town.shares.disallow("ada", "grace")
    with pytest.raises(ShareError, match="users_shares"):
        town.shares.allow("ada", "grace", "write")
    town.shares.allow("ada", "grace", "read")
    assert kept(town) == [("ada", "grace", "read", True)]


def test_nothing_is_walked_when_nothing_changed(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.shares.converge(declared(("ada", "grace", "read")))

    def walked(*_: object, **__: object) -> None:
        raise AssertionError("the files were walked through")

    monkeypatch.setattr(grants, "_below", walked)
    assert town.shares.converge(declared(("ada", "grace", "read"))) == []


Cut = Callable[..., object]


@pytest.mark.parametrize("step", ["allow", "disallow"])
def test_what_was_cut_off_is_finished_by_the_next_start(town: Town, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = town.lists()
    if step == "disallow":
        town.shares.allow("ada", "grace", "read")
    with monkeypatch.context() as patched:
        real: Cut = grants._grant if step == "allow" else grants._revoke

        def cut(found: Found, *rest: object) -> object:
            if found.path.count("/") > 1:
                raise KeyboardInterrupt
            return real(found, *rest)

        patched.setattr(grants, "_grant" if step == "allow" else "_revoke", cut)
        with pytest.raises(KeyboardInterrupt):
            getattr(town.shares, step)(*("ada", "grace"), *(("read",) if step == "allow" else ()))
    town.shares.converge([])
    assert town.reads("grace", "ada/work/deep/note") == (step == "allow")
    if step == "disallow":
        assert town.lists() == before


def test_one_that_cannot_be_made_yet_holds_up_no_other_and_is_made_later(town: Town) -> None:
    home = town.path("bob")
    home.rmdir()
    wanted = declared(("ada", "bob", "read"), ("ada", "grace", "read"))
    told = town.shares.converge(wanted)
    assert any(line.startswith("not done: bob has no home yet") for line in told)
    assert town.reads("grace", "ada/note")
    home.mkdir()
    os.chown(home, UIDS["bob"], UIDS["bob"])
    town.shares.converge(wanted)
    assert town.reads("bob", "ada/note")


def test_a_file_that_cannot_be_changed_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Acl.write

    def write(self: Acl, descriptor: int, attribute: str) -> None:
        if Path(f"/proc/self/fd/{descriptor}").resolve().parent.name == "deep":
            raise PermissionError(1, "Operation not permitted")  # chattr +i
        real(self, descriptor, attribute)

    monkeypatch.setattr(Acl, "write", write)
    with pytest.raises(ShareError, match=r"1 file that could not be changed.*'work/deep/note': Operation not perm"):
        town.shares.allow("ada", "grace", "read")
    assert town.reads("grace", "ada/note")
    monkeypatch.undo()
    town.shares.converge([])
    assert town.reads("grace", "ada/work/deep/note")


def test_a_damaged_record_is_told_and_kept(town: Town) -> None:
    town.record.write_text("{")
    with pytest.raises(ShareError, match="bring it back from a backup"):
        town.shares.converge(declared(("ada", "grace", "read")))
    assert town.record.read_text() == "{"
