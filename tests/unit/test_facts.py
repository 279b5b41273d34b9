"""Facts: what is read from a host, asked of this machine where it has it; one that finds nothing fails nobody."""

import grp
import os
import pwd
import socket
import time
from pathlib import Path

import pytest

from hubfleet import facts
from tests.unit.operations.bench import Bench


@pytest.fixture
def here() -> Bench:
    return Bench.local()


class TestHostFile:
    def test_tells_kind_owner_mode_and_digest(self, here: Bench, tmp_path: Path) -> None:
        path = tmp_path / "it's here"
        path.write_text("x")
        path.chmod(0o4750)
        found = here.fact(facts.HostFile, path=str(path))
        owner = path.stat()
        assert found == facts.FileState(
            kind="file",
            user=pwd.getpwuid(owner.st_uid).pw_name,
            group=grp.getgrgid(owner.st_gid).gr_name,
            uid=owner.st_uid,
            gid=owner.st_gid,
            mode="4750",
            sha256="2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
        )

    def test_tells_links_from_what_they_name(self, here: Bench, tmp_path: Path) -> None:
        (tmp_path / "dangling").symlink_to("nowhere")
        found = here.fact(facts.HostFile, path=str(tmp_path / "dangling"))
        assert found is not None
        assert found.kind == "link"

    def test_that_is_missing_is_none(self, here: Bench, tmp_path: Path) -> None:
        assert here.fact(facts.HostFile, path=str(tmp_path / "gone")) is None


class TestHostText:
    @pytest.mark.parametrize("text", ["", "no newline", "a\r\nb\n\n", "ünïcode\n", "$HOME `id` 'q'\n"])
    def test_comes_back_as_it_is(self, here: Bench, tmp_path: Path, text: str) -> None:
        path = tmp_path / "text"
        path.write_bytes(text.encode())
        assert (here.fact(facts.HostText, path=str(path)) or "") == text

    def test_that_is_no_text_or_missing_is_none(self, here: Bench, tmp_path: Path) -> None:
        (tmp_path / "binary").write_bytes(b"\xff\xfe")
        assert here.fact(facts.HostText, path=str(tmp_path / "binary")) is None
        assert here.fact(facts.HostText, path=str(tmp_path / "gone")) is None


def test_a_listing_names_plain_files_only(here: Bench, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.py", "a a.py"):
        (tmp_path / name).write_text("")
    assert here.fact(facts.Listing, path=str(tmp_path)) == ["a a.py", "b.py"]
    assert here.fact(facts.Listing, path=str(tmp_path / "gone")) == []


class TestSecretDigests:
    def test_are_equal_only_for_the_same_key_and_content(self, here: Bench, tmp_path: Path) -> None:
        for name, text in {"key": "k1", "other": "k2", "one": "hunter2", "same": "hunter2", "two": "hunter3"}.items():
            (tmp_path / name).write_text(text)
        paths = [str(tmp_path / name) for name in ("one", "same", "two")]
        first = here.fact(facts.SecretDigests, key=str(tmp_path / "key"), paths=paths)
        assert first[paths[0]] == first[paths[1]] != first[paths[2]]
        assert first[paths[0]] != here.fact(facts.SecretDigests, key=str(tmp_path / "other"), paths=paths)[paths[0]]

    def test_without_a_key_or_a_file_there_is_none(self, here: Bench, tmp_path: Path) -> None:
        (tmp_path / "key").write_text("k")
        assert here.fact(facts.SecretDigests, key=str(tmp_path / "key"), paths=[str(tmp_path / "gone")]) == {}
        assert here.fact(facts.SecretDigests, key=str(tmp_path / "gone"), paths=[str(tmp_path / "key")]) == {}


def test_only_fully_installed_packages_count() -> None:
    told = "install ok installed|nginx|1.22.1\ndeinstall ok config-files|apache2|2.4\ninstall ok unpacked|openssl|3"
    assert Bench.telling({"dpkg-query": told}).fact(facts.Packages, names=["nginx"]) == {"nginx": "1.22.1"}


def test_this_machines_own_packages_are_seen(here: Bench) -> None:
    found = here.fact(facts.Packages, names=["dpkg", "no-such-package"])
    assert list(found) == ["dpkg"]


class TestEngine:
    """On a host without `docker`, or whose engine is down, these are empty and fail nobody."""

    def test_says_nothing_where_it_is_not_installed(self) -> None:
        bare = Bench.telling({"command -v docker": "##PYINFRA_NOCMD##"})
        assert bare.fact(facts.Container, container="hub") is None
        assert bare.fact(facts.Network, network="users") is None
        assert bare.fact(facts.Image, image="hub:1") is None
        assert bare.fact(facts.Servers, listing="docker ps -q") == 0

    def test_says_nothing_where_it_is_down(self) -> None:
        down = Bench.telling({})
        assert down.fact(facts.Container, container="hub") is None
        assert down.fact(facts.Network, network="users") is None
        assert down.fact(facts.Image, image="hub:1") is None
        assert down.fact(facts.Servers, listing="docker ps -q") == 0

    def test_is_read_as_data(self) -> None:
        told = Bench.telling(
            {
                "docker inspect": '{"labels":{"a":"b"},"status":"running"}',
                "docker network inspect": '{"driver":"bridge","containers":2}',
                "docker image inspect": "sha256:abc",
                "docker ps": "server-b\nserver-a",
            }
        )
        assert told.fact(facts.Container, container="hub") == {"labels": {"a": "b"}, "status": "running"}
        assert told.fact(facts.Network, network="users") == {"driver": "bridge", "containers": 2}
        assert told.fact(facts.Image, image="hub:1") == "sha256:abc"
        assert told.fact(facts.Servers, listing="docker ps -q") == 2

    def test_is_never_asked_for_an_environment(self) -> None:
        assert "Env" not in facts.Container().command("hub")


def test_a_units_state_is_read() -> None:
    told = Bench.telling({"systemctl show": "ActiveState=active\nUnitFileState=enabled\nMainPID=12"})
    assert told.fact(facts.Unit, unit="nginx.service")["ActiveState"] == "active"


class TestSurvey:
    """The real script, on this machine."""

    def ask(self, here: Bench, **asked: object) -> dict[str, list[str]]:
        usual = {"ports": [], "paths": ["/"], "devices": ["/dev/null", "/dev/no-such"], "fqdn": "localhost"}
        usual |= {"sources": ["/etc", "/no such"], "owner": "root", "group": "root", "base": "/"}
        return here.fact(facts.Survey, **usual | asked)

    def test_tells_under_every_heading_that_preflight_reads(self, here: Bench) -> None:
        told = self.ask(here, base="/etc")
        assert any(line.startswith("ID=") for line in told["system"])
        assert told["arch"] == [os.uname().machine]
        assert told["user"] == [str(os.getuid())]
        assert abs(int(told["clock"][0]) - time.time()) < 5
        assert told["memory"][0].startswith("MemTotal: ")
        assert set(told["name"]) & {"127.0.0.1", "::1"}
        assert "127.0.0.1" in told["addresses"]
        assert told["owner"] == ["0", "root:x:0:"]
        assert told["base"] == ["0|0|755|directory"]
        assert told["device"] == ["/dev/null"]
        assert told["source"] == ["/etc"]

    def test_takes_a_source_as_it_is_written(self, here: Bench, tmp_path: Path) -> None:
        odd = tmp_path / "two words $HOME *"
        odd.mkdir()
        assert self.ask(here, sources=[str(odd), str(tmp_path / "two")])["source"] == [str(odd)]

    def test_names_the_process_that_holds_a_port(self, here: Bench) -> None:
        # "::" and not "::1": a machine may have no address for IPv6 and still speak it.
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_server(("::", 0), family=10) as other:
            taken, also = server.getsockname()[1], other.getsockname()[1]
            told = self.ask(here, ports=[taken, also])["port"]
        own = Path("/proc/self/comm").read_text().strip()
        assert sorted(told) == sorted([f"{taken:04X}|{own}", f"{also:04X}|{own}"])

    def test_says_nothing_of_a_free_port(self, here: Bench) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            free = server.getsockname()[1]
        assert self.ask(here, ports=[free])["port"] == []

    def test_measures_room_where_a_directory_is_going_to_be(self, here: Bench, tmp_path: Path) -> None:
        path, free, inodes = self.ask(here, paths=[str(tmp_path / "not" / "yet")])["disk"][0].split("|")
        assert path == str(tmp_path / "not" / "yet")
        system = os.statvfs(tmp_path)
        assert abs(int(free) - system.f_bavail * system.f_frsize) < 1024**3
        assert inodes.isdigit()

    def test_that_answers_nothing_is_empty(self) -> None:
        assert self.ask(Bench.telling({})) == {}
