"""Files, directories and secrets on a host: the operations really run, in a scratch directory of this machine."""

import logging
import stat
from pathlib import Path

import pytest

from hubfleet import operations
from tests.unit.operations.bench import Bench, Failed
from tests.unit.operations.conftest import Owner

SECRET = "hunter2-very-secret"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


class TestFile:
    def test_gets_its_content_and_mode_and_stays(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        wanted = {"dest": str(tmp_path / "a b.conf"), "content": "one\n'two'\n", "mode": "0640", **vars(me)}
        assert here.perform(operations.file, **wanted)
        assert (tmp_path / "a b.conf").read_text() == "one\n'two'\n"
        assert mode(tmp_path / "a b.conf") == 0o640
        assert not here.perform(operations.file, **wanted)

    def test_may_be_empty(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        wanted = {"dest": str(tmp_path / "empty"), "content": "", **vars(me)}
        assert here.perform(operations.file, **wanted)
        assert not here.perform(operations.file, **wanted)

    def test_that_changed_is_replaced_whole_never_written_into(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "site.conf"
        path.write_text("old\n")
        with path.open() as reader:
            assert here.perform(operations.file, dest=str(path), content="new\n", **vars(me))
            assert reader.read() == "old\n"
        assert path.read_text() == "new\n"
        assert [entry.name for entry in tmp_path.iterdir()] == ["site.conf"]

    def test_whose_mode_alone_is_wrong_keeps_its_content(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "site.conf"
        path.write_text("same\n")
        path.chmod(0o666)
        before = path.stat().st_ino
        assert here.perform(operations.file, dest=str(path), content="same\n", mode="0600", **vars(me))
        assert (mode(path), path.stat().st_ino) == (0o600, before)

    def test_refused_by_its_checker_leaves_what_was_there(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "site.conf"
        path.write_text("good\n")
        wanted = {"dest": str(path), "content": "bad\n", "check": "! grep -q bad {}", **vars(me)}
        with pytest.raises(Failed, match="its own checker refuses the new file; nothing was replaced"):
            here.perform(operations.file, **wanted)
        assert path.read_text() == "good\n"
        assert [entry.name for entry in tmp_path.iterdir()] == ["site.conf"]

    def test_goes_to_its_checker_before_it_replaces_anything(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path, seen = tmp_path / "site.conf", tmp_path / "seen"
        check = f"cp {{}} {seen} && test ! -e {path}"
        assert here.perform(operations.file, dest=str(path), content="good\n", check=check, **vars(me))
        assert seen.read_text() == path.read_text() == "good\n"

    def test_in_place_of_a_link_leaves_what_the_link_names(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").write_text("theirs\n")
        path = tmp_path / "site.conf"
        path.symlink_to("elsewhere")
        assert here.perform(operations.file, dest=str(path), content="ours\n", **vars(me))
        assert not path.is_symlink()
        assert (tmp_path / "elsewhere").read_text() == "theirs\n"

    def test_never_goes_into_a_directory_of_its_name(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        (tmp_path / "site.conf").mkdir()
        with pytest.raises(Failed, match="directory"):
            here.perform(operations.file, dest=str(tmp_path / "site.conf"), content="x\n", **vars(me))
        assert list((tmp_path / "site.conf").iterdir()) == []

    def test_shows_a_diff_when_asked_and_a_secret_never(
        self, here: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging.getLogger("pyinfra"), "propagate", True)
        caplog.set_level(logging.INFO, "pyinfra")
        here.host.state.config.DIFF = True
        path = tmp_path / "hub.conf"
        path.write_text("port = 1\nsame\n")
        here.commands(operations.file, dest=str(path), content="port = 2\nsame\n")
        assert "-port = 1" in caplog.text
        assert "+port = 2" in caplog.text
        caplog.clear()
        path.write_text(SECRET)
        said = here.commands(operations.file, dest=str(path), content=f"new {SECRET}", secret=True)
        assert f"{path}: differs (a secret: not shown)" in caplog.text
        assert SECRET not in caplog.text + "".join(said)

    def test_of_no_text_is_replaced_and_not_shown(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        here.host.state.config.DIFF = True
        path = tmp_path / "hub.conf"
        path.write_bytes(b"\xff\xfe\x00")
        assert here.perform(operations.file, dest=str(path), content="text\n", **vars(me))
        assert path.read_text() == "text\n"

    def test_content_is_in_no_command(self, here: Bench, tmp_path: Path) -> None:
        commands = here.commands(operations.file, dest=str(tmp_path / "x"), content=SECRET, secret=True, mode="0400")
        assert commands
        assert SECRET not in "".join(commands)

    def test_is_never_readable_by_others_while_it_is_written(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        commands = here.commands(operations.file, dest=str(tmp_path / "x"), content=SECRET, mode="0400", **vars(me))
        assert commands[0].startswith("install -m 0400 ")
        assert "/dev/null" in commands[0]


class TestDirectory:
    def test_is_made_with_its_parents_whatever_the_umask(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "a" / "b" / "state"
        assert here.perform(operations.directory, path=str(path), mode="0700", **vars(me))
        assert [mode(each) for each in (path, path.parent, path.parent.parent)] == [0o700, 0o755, 0o755]
        assert not here.perform(operations.directory, path=str(path), mode="0700", **vars(me))

    def test_of_ours_gets_its_mode_back(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "state"
        path.mkdir(mode=0o777)
        assert here.perform(operations.directory, path=str(path), mode="0700", **vars(me))
        assert mode(path) == 0o700

    def test_of_users_is_left_as_it_is(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "users"
        path.mkdir()
        path.chmod(0o777)
        assert not here.perform(operations.directory, path=str(path), mode="0711", adopt=False, **vars(me))
        assert mode(path) == 0o777

    def test_in_the_place_of_a_file_is_refused(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        (tmp_path / "state").write_text("a file")
        with pytest.raises(Failed, match="is a file, not a directory"):
            here.perform(operations.directory, path=str(tmp_path / "state"), **vars(me))
        assert (tmp_path / "state").read_text() == "a file"

    def test_holds_only_what_is_wanted(self, here: Bench, tmp_path: Path) -> None:
        for name in ("10-keep.py", "20 gone.py"):
            (tmp_path / name).write_text("")
        assert here.perform(operations.only, path=str(tmp_path), names=["10-keep.py"])
        assert [entry.name for entry in tmp_path.iterdir()] == ["10-keep.py"]
        assert not here.perform(operations.only, path=str(tmp_path), names=["10-keep.py"])


class TestGenerated:
    def test_is_made_once_and_kept(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "token"
        wanted = {"dest": str(path), "command": "head -c 8 /dev/urandom | od -An -tx1", "mode": "0400", **vars(me)}
        assert here.perform(operations.generated, **wanted)
        first = path.read_text()
        assert len(first.split()) == 8
        assert mode(path) == 0o400
        assert not here.perform(operations.generated, **wanted)
        assert path.read_text() == first

    def test_keeps_its_value_when_its_mode_is_mended(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        path = tmp_path / "token"
        path.write_text("kept\n")
        path.chmod(0o644)
        assert here.perform(operations.generated, dest=str(path), command="echo new", mode="0400", **vars(me))
        assert (path.read_text(), mode(path)) == ("kept\n", 0o400)

    @pytest.mark.parametrize("command", ["false", "true", "echo half; false"])
    def test_whose_command_fails_or_says_nothing_is_not_there(
        self, here: Bench, me: Owner, tmp_path: Path, command: str
    ) -> None:
        path = tmp_path / "token"
        with pytest.raises(Failed):
            here.perform(operations.generated, dest=str(path), command=command, **vars(me))
        assert not path.exists()

    def test_cut_off_before_its_end_is_made_anew(self, here: Bench, me: Owner, tmp_path: Path) -> None:
        (tmp_path / "token.hubfleet-new").write_text("hal")
        assert here.perform(operations.generated, dest=str(tmp_path / "token"), command="echo whole", **vars(me))
        assert (tmp_path / "token").read_text() == "whole\n"
        assert [entry.name for entry in tmp_path.iterdir()] == ["token"]


class TestApplied:
    """Whether a service is told follows from what it last loaded, never from what this run did before."""

    @pytest.fixture
    def asked(self, tmp_path: Path) -> dict[str, object]:
        (tmp_path / "made.key").write_text("on the host")
        return {
            "apply": f"echo reload >> {tmp_path}/told",
            "reads": {"/etc/site.conf": operations.content_hash("v1"), str(tmp_path / "made.key"): None},
            "stamp": str(tmp_path / "stamp"),
        }

    def told(self, tmp_path: Path) -> int:
        return len((tmp_path / "told").read_text().splitlines()) if (tmp_path / "told").exists() else 0

    def test_once_and_not_again(self, here: Bench, tmp_path: Path, asked: dict[str, object]) -> None:
        assert here.perform(operations.applied, **asked)
        assert not here.perform(operations.applied, **asked)
        assert self.told(tmp_path) == 1

    def test_again_when_a_file_is_to_change(self, here: Bench, asked: dict[str, object]) -> None:
        here.perform(operations.applied, **asked)
        changed = asked | {"reads": {"/etc/site.conf": operations.content_hash("v2")}}
        assert here.perform(operations.applied, **changed)

    def test_again_when_what_only_the_host_knows_changed(
        self, here: Bench, tmp_path: Path, asked: dict[str, object]
    ) -> None:
        here.perform(operations.applied, **asked)
        (tmp_path / "made.key").write_text("another")
        assert here.perform(operations.applied, **asked)

    def test_again_when_it_failed(self, here: Bench, tmp_path: Path, asked: dict[str, object]) -> None:
        with pytest.raises(Failed):
            here.perform(operations.applied, **asked | {"apply": "false"})
        assert here.perform(operations.applied, **asked)
        assert self.told(tmp_path) == 1

    def test_never_what_its_own_check_refuses(self, here: Bench, tmp_path: Path, asked: dict[str, object]) -> None:
        with pytest.raises(Failed, match="syntax error"):
            here.perform(operations.applied, **asked, check="echo syntax error >&2; false")
        assert self.told(tmp_path) == 0


class TestDaemonJson:
    def test_is_validated_by_the_engine_before_it_replaces_anything(self, here: Bench, tmp_path: Path) -> None:
        path = tmp_path / "daemon.json"
        path.write_text('{"data-root": "/big"}')
        commands = here.commands(operations.daemon_json, dest=str(path), wanted={"live-restore": True})
        validate, place = commands[-2:]
        assert f"--validate --config-file {path}.hubfleet-new" in validate
        assert place == f"mv -fT {path}.hubfleet-new {path}"

    def test_that_is_broken_is_told_and_left(self, here: Bench, tmp_path: Path) -> None:
        path = tmp_path / "daemon.json"
        path.write_text("{broken")
        with pytest.raises(Failed, match=r"daemon\.json is no JSON .*; mend or remove it"):
            here.perform(operations.daemon_json, dest=str(path), wanted={})
        assert path.read_text() == "{broken"
