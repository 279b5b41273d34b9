"""Homes opened to others, as those people meet it in their terminals; by the settings, by an admin, from the host."""

import json
from collections.abc import Callable

import pytest

from tests.e2e.hub import Hub
from tests.e2e.personal.member import Member
from tests.fleet.ring import unchanged

Come = Callable[[str], Member]

TREE = (
    "rm -rf 'a tree' && mkdir -p 'a tree/with space' && cd 'a tree' && for i in $(seq 1000); do "
    "mkdir -p d$((i % 25))/e$((i % 7)) && echo text > d$((i % 25))/e$((i % 7))/f$i; done && ln -s /home/deputy out && "
    "echo text > 'with space/a file' && echo echo ran > tool && chmod 755 tool"
)
READABLE = "find 'ada/a tree' -type f -exec cat -- {} + | grep -c text"


@pytest.fixture(scope="module")
def ada(member: Come) -> Member:
    """The owner of a home with a thousand files in it."""
    ada = member("ada").start()
    assert ada.terminal(TREE) == (0, "")
    return ada


@pytest.fixture(scope="module")
def grace(member: Come) -> Member:
    return member("grace").start()


@pytest.fixture(scope="module")
def deputy(member: Come) -> Member:
    """An admin with a terminal."""
    return member("deputy").start()


def lists(hub: Hub) -> str:
    """Owners, modes and access control lists of ada's files, and of where a link among them leads."""
    files = hub.docker("exec hubfleet-hub-hub getfacl -RPp '/home/ada/a tree'")
    return files + hub.docker("exec hubfleet-hub-hub getfacl -p /home/ada /home/deputy /home/deputy/.bashrc")


def as_root(admin: Member, command: str, typed: str = "") -> tuple[int, str]:
    return admin.terminal(f"sudo -S -p '' {command}", typed=f"{admin.password}\n{typed}")


def test_a_declared_share_opens_at_the_run_that_declares_it_and_closes_at_the_next_without(
    hub: Hub, ada: Member, grace: Member
) -> None:
    before = lists(hub)
    assert grace.terminal("ls /home/ada")[0] != 0
    hub.apply(users_shares=[{"home": "ada", "to": "grace", "access": "read"}])
    try:
        assert unchanged(json.loads(hub.lab.pyinfra("-y", "--json").out)["results"]) == {hub.host.name}
        assert grace.terminal(READABLE) == (0, "1001\n")
        ada.write("a tree/later.txt", b"from JupyterLab")
        assert grace.terminal("cat 'ada/a tree/later.txt'") == (0, "from JupyterLab")
        assert grace.terminal("echo no >> 'ada/a tree/later.txt'")[0] != 0
        assert grace.terminal("touch 'ada/a tree/new'")[0] != 0
        assert ada.terminal("rm 'a tree/later.txt'") == (0, "")
    finally:
        hub.apply(users_shares=[])
    assert grace.terminal("ls /home/ada")[0] != 0
    assert grace.terminal("ls ada")[0] != 0
    assert lists(hub) == before


def test_an_admin_opens_and_closes_a_home_in_their_terminal(
    hub: Hub, ada: Member, grace: Member, deputy: Member
) -> None:
    before = lists(hub)
    assert as_root(deputy, "hub-admin allow-write ada grace") == (0, "grace may read and write ada's files\n")
    assert as_root(deputy, "hub-admin allow-write ada grace")[0] == 0
    assert grace.terminal("cd 'ada/a tree' && echo hers > hers.txt && echo more >> d1/e1/f1 && sh -c ./tool") == (
        0,
        "ran\n",
    )
    assert grace.terminal("test -x 'ada/a tree/d1/e1/f1'")[0] != 0
    assert grace.terminal("ls 'ada/a tree/out/'")[0] != 0
    assert ada.terminal("cd 'a tree' && tail -1 d1/e1/f1 && echo mine >> hers.txt && cat hers.txt") == (
        0,
        "more\nhers\nmine\n",
    )
    assert "grace may read and write ada's files (by command)" in as_root(deputy, "hub-admin list")[1]
    assert as_root(deputy, "hub-admin disallow ada grace")[0] == 0
    assert grace.terminal("cat '/home/ada/a tree/hers.txt'")[0] != 0
    assert ada.terminal("cd 'a tree' && echo mine >> hers.txt && rm hers.txt") == (0, "")
    assert lists(hub) == before


def test_nobody_but_an_admin_opens_a_home(ada: Member, grace: Member) -> None:
    assert grace.terminal("hub-admin allow-read ada grace") == (
        1,
        "hub-admin: only root can do that; write: sudo hub-admin ...\n",
    )
    assert as_root(grace, "hub-admin allow-read ada grace")[0] != 0
    assert grace.terminal("ls /home/ada")[0] != 0


def test_from_the_host_with_the_command_s_own_words_and_exit_status(hub: Hub, ada: Member, grace: Member) -> None:
    assert hub.lab.hubfleet("admin", "allow-read", "ada", "grace").out == "grace may read ada's files\n"
    assert grace.terminal("cat 'ada/a tree/d1/e1/f1' | head -1") == (0, "text\n")
    for name in ("../deputy", "root", "nosuch", "$(id)"):
        assert f"nobody here is called {name!r}" in hub.lab.hubfleet("admin", "allow-write", "ada", name, code=1)
    assert "nobody here is called '-rf'" in hub.lab.hubfleet("admin", "--", "allow-write", "--", "-rf", "ada", code=1)
    hub.lab.hubfleet("admin", "allow-write", "ada", code=2)
    hub.lab.hubfleet("admin", "disallow", "ada", "grace")
    assert hub.lab.hubfleet("admin", "list").out == "no home is shared\n"


def test_a_password_that_an_admin_sets_is_the_password(hub: Hub, ada: Member, deputy: Member) -> None:
    new = "set by the deputy"
    assert as_root(deputy, "hub-admin set-password ada", typed=f"{new}\n") == (0, "ada has a new password\n")
    assert ada.log_in().status_code == 403
    ada.password = new
    assert ada.log_in().ok
    ada.take_token()
