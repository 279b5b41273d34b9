"""People as Linux users: who has which uid, what survives, what is refused; in a room with an /etc of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hubfleet_hub.names import RESERVED, linux_problem
from tests.hub.room import Room

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="mounts an /etc of its own")

Do = Callable[[str], str]


@pytest.fixture
def room(site: Any) -> Iterator[Room]:
    for left in ("accounts", "accounts.lock"):
        (site.root / "state" / left).unlink(missing_ok=True)
    made = Room(site)
    yield made
    made.leave()


@pytest.fixture
def do(room: Room) -> Do:
    """Run Python in the room, which has ``linux``; returns what it printed."""

    def do(code: str) -> str:
        done = room.python(f"from hubfleet_hub import linux\nfrom hubfleet_hub.linux import *\n{code}")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return do


def entry(room: Room, file: str, name: str) -> list[str]:
    (found,) = (line for line in (room.etc / file).read_text().splitlines() if line.startswith(f"{name}:"))
    return str(found).split(":")


def test_the_first_person_has_the_first_uid_a_group_and_a_home(room: Room, do: Do) -> None:
    do("ensure('ada'); ensure('bob')")
    assert entry(room, "passwd", "ada") == ["ada", "x", "2000", "2000", "", "/home/ada", "/bin/bash"]
    assert entry(room, "group", "bob") == ["bob", "x", "2001", ""]
    found = (room.home / "ada").stat()
    assert (found.st_uid, found.st_gid, oct(found.st_mode & 0o7777)) == (2000, 2000, "0o750")
    assert (room.home / "ada" / ".bashrc").stat().st_uid == 2000


def test_the_file_of_accounts_is_for_root_alone(room: Room, do: Do) -> None:
    do("ensure('ada')")
    assert oct((room.site.root / "state" / "accounts").stat().st_mode & 0o777) == "0o600"


def test_a_second_time_changes_nothing(room: Room, do: Do) -> None:
    do("ensure('ada'); ensure('bob')")
    before = {path: path.stat().st_ino for path in (room.etc / "passwd", room.etc / "shadow", room.etc / "group")}
    do("ensure('ada'); ensure('bob')")
    assert {path: path.stat().st_ino for path in before} == before


def test_the_systems_own_accounts_stay_as_they_are(room: Room, do: Do) -> None:
    before = (room.etc / "passwd").read_text()
    modes = (room.etc / "shadow").stat()
    do("ensure('ada')")
    assert (room.etc / "passwd").read_text().startswith(before)
    after = (room.etc / "shadow").stat()
    assert (after.st_mode, after.st_gid) == (modes.st_mode, modes.st_gid)


def test_a_new_image_brings_its_own_accounts_and_people_keep_theirs(room: Room, do: Do) -> None:
    do("ensure('ada'); set_password('ada', '$6$x$y', one_time=False)")
    shadow = entry(room, "shadow", "ada")
    room.new_image()
    with (room.etc / "passwd").open("a") as passwd:
        passwd.write("newdaemon:x:199:199::/:/bin/sh\n")
    do("with changing(): pass")
    assert entry(room, "passwd", "ada")[2] == "2000"
    assert entry(room, "shadow", "ada") == shadow
    assert entry(room, "passwd", "newdaemon")[2] == "199"


def test_a_name_that_a_new_image_has_for_itself_is_the_images(room: Room, do: Do) -> None:
    do("ensure('newdaemon')")
    room.new_image()
    with (room.etc / "passwd").open("a") as passwd:
        passwd.write("newdaemon:x:199:199::/:/bin/sh\n")
    assert "newdaemon is a name or uid of the image's own now" in do("with changing(): pass")
    assert entry(room, "passwd", "newdaemon")[2] == "199"
    assert "choose another name" in refused(do, "newdaemon")


def test_a_uid_is_never_given_twice(room: Room, do: Do) -> None:
    do("ensure('ada'); ensure('bob'); lock('bob'); ensure('eve')")
    assert entry(room, "passwd", "eve")[2] == "2002"


def test_the_owner_of_a_home_that_was_there_before_is_adopted(room: Room, do: Do) -> None:
    home = room.home / "ada"
    home.mkdir(mode=0o711)
    os.chown(home, 31337, 7)
    do("ensure('ada')")
    assert entry(room, "passwd", "ada")[2] == "31337"
    found = home.stat()
    assert (found.st_uid, found.st_gid, oct(found.st_mode & 0o777), list(home.iterdir())) == (31337, 7, "0o711", [])


def test_nobody_gets_the_uid_of_somebody_elses_home(room: Room, do: Do) -> None:
    home = room.home / "ada"
    home.mkdir()
    os.chown(home, 2000, 2000)
    do("ensure('bob'); ensure('ada')")
    assert entry(room, "passwd", "bob")[2] == "2001"
    assert entry(room, "passwd", "ada")[2] == "2000"


@pytest.mark.parametrize("owner", [0, 33])
def test_a_home_of_the_systems_is_nobodys(room: Room, do: Do, owner: int) -> None:
    home = room.home / "ada"
    home.mkdir()
    os.chown(home, owner, owner)
    assert f"the home ada belongs to uid {owner}" in refused(do, "ada")
    assert home.stat().st_uid == owner


def test_no_link_is_followed(room: Room, do: Do, tmp_path: Path) -> None:
    (room.home / "ada").symlink_to(tmp_path)
    assert "the home ada is no directory" in refused(do, "ada")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("root", "is a name that the system has for itself"),
        ("games", "is a name that the system has for itself"),
        ("staff", "is a name that the system has for itself"),
        ("hubfleet-x", "is a name that the system has for itself"),
        ("a:b", "is no name of a Linux user"),
        ("a/b", "is no name of a Linux user"),
        ("..", "is no name of a Linux user"),
        ("-rf", "is no name of a Linux user"),
        ("a\nb", "is no name of a Linux user"),
        ("ada@example.org", "is no name of a Linux user"),
        ("1a", "is no name of a Linux user"),
        ("", "is no name of a Linux user"),
        ("a" * 64, "is longer than the 63 characters"),
    ],
)
def test_a_name_that_will_not_do_is_refused(room: Room, do: Do, name: str, why: str) -> None:
    before = (room.etc / "passwd").read_text()
    assert why in refused(do, name)
    assert (room.etc / "passwd").read_text() == before
    assert list(room.home.iterdir()) == []


def refused(do: Do, name: str) -> str:
    return do(f"try:\n    ensure({name!r})\nexcept AccountError as error:\n    print(error)")


def test_no_reserved_name_is_a_persons() -> None:
    assert all(linux_problem(name) for name in RESERVED)
    assert linux_problem("github-" + "a" * 39) == ""


def test_an_image_that_has_the_name_already_keeps_it(room: Room, do: Do) -> None:
    with (room.etc / "group").open("a") as group:
        group.write("ada:x:205:\n")
    assert "is a name that the image has for itself" in refused(do, "ada")


def test_a_locked_account_keeps_password_and_home_and_loses_its_processes(room: Room, do: Do) -> None:
    said = do(
        "import subprocess, time\n"
        "ensure('ada'); set_password('ada', '$6$x$y', one_time=False)\n"
        "sleeper = subprocess.Popen(['sleep', '100'], user=2000)\n"
        "lock('ada')\n"
        "print(sleeper.wait(10), find('ada'), people())"
    )
    assert said.splitlines()[-1] == "-15 None []"
    assert entry(room, "shadow", "ada")[1] == "$6$x$y"
    assert entry(room, "shadow", "ada")[7] == "1"
    assert (room.home / "ada").is_dir()
    do("ensure('ada')")
    assert entry(room, "shadow", "ada")[7] == ""


def test_admins_may_become_root_and_others_may_not(room: Room, do: Do) -> None:
    do("ensure('ada'); ensure('bob')\nwith changing() as a: a.people['ada'].admin = True")
    assert entry(room, "group", "sudo")[3] == "ada"
    do("with changing() as a: a.people['ada'].admin = False")
    assert entry(room, "group", "sudo")[3] == ""


def test_a_throw_away_user_has_no_password_and_no_shell_and_goes_with_everything(room: Room, do: Do) -> None:
    do("ensure('hubfleet-verify-1')")
    assert entry(room, "passwd", "hubfleet-verify-1")[2::4] == ["1991", "/usr/sbin/nologin"]
    assert entry(room, "shadow", "hubfleet-verify-1")[1] == "!"
    done = room.run("python", "-m", "hubfleet_hub.linux", "remove-verify", "hubfleet-verify-1")
    assert (done.returncode, done.stderr) == (0, "")
    for file in ("passwd", "group", "shadow"):
        assert "hubfleet-verify" not in (room.etc / file).read_text()
    assert list(room.home.iterdir()) == []


def test_no_persons_account_can_be_removed(room: Room, do: Do) -> None:
    do("ensure('ada')")
    done = room.run("python", "-m", "hubfleet_hub.linux", "remove-verify", "ada")
    assert done.returncode == 1
    assert "people's accounts and files are never removed" in done.stderr
    assert (room.home / "ada").is_dir()


def test_a_damaged_file_of_accounts_is_told_and_nothing_is_lost(room: Room, do: Do) -> None:
    (room.site.root / "state" / "accounts").write_text("ada:2000\n")
    assert "has a line that is none" in refused(do, "bob")
    assert (room.site.root / "state" / "accounts").read_text() == "ada:2000\n"


def test_what_usermod_and_chpasswd_change_is_kept(room: Room, do: Do) -> None:
    do("install_pam(); ensure('ada'); ensure('bob')")
    done = room.run("sh", "-c", "usermod -p '$6$x$y' bob && python -m hubfleet_hub.linux keep")
    assert done.returncode == 0, done.stderr
    done = room.run("chpasswd", stdin="ada:a-new-secret-1\n")
    assert done.returncode == 0, done.stderr
    room.new_image()
    do("with changing(): pass")
    assert entry(room, "shadow", "bob")[1] == "$6$x$y"
    assert entry(room, "shadow", "ada")[1].startswith("$y$")


def test_a_password_changed_in_a_terminal_is_kept_before_passwd_ends(room: Room, do: Do) -> None:
    do("install_pam(); ensure('ada')")
    room.run("chpasswd", stdin="ada:an-old-secret-1\n")
    # Whose directory and environment it is called in must not matter: here they would run somebody else's code.
    trap = room.home / "ada" / "hubfleet_hub"
    trap.mkdir()
    (trap / "__init__.py").write_text("raise SystemExit('trapped')")
    new = "an-old-secret-1\na-new-secret-2\na-new-secret-2\n"
    user = ["setpriv", "--reuid=2000", "--regid=2000", "--clear-groups"]
    done = room.run(
        *user, "sh", "-c", "cd /home/ada && PYTHONPATH=/home/ada PATH=/home/ada:$PATH exec /usr/bin/passwd", stdin=new
    )
    assert done.returncode == 0, done.stderr
    hashed = entry(room, "shadow", "ada")[1]
    room.new_image()
    do("with changing(): pass")
    assert entry(room, "shadow", "ada")[1] == hashed
