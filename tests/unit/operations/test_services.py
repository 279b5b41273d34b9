"""Packages, units, networks, images, certificates and findings: what is run for which state of a host."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hubfleet import notices, operations
from hubfleet.images import BuildContext
from hubfleet.preflight import Finding
from tests.unit.operations.bench import Bench, Failed


class TestPackages:
    NAMES = ["nginx", "openssl"]

    def test_that_are_in_cost_nothing(self) -> None:
        host = Bench.telling({"dpkg-query": "install ok installed|nginx|1.22\ninstall ok installed|openssl|3"})
        assert host.commands(operations.packages, names=self.NAMES) == []

    @pytest.mark.parametrize(
        "state", ["deinstall ok config-files", "install ok half-configured", "install ok unpacked", "unknown"]
    )
    def test_only_the_missing_and_the_half_installed_are_installed(self, state: str) -> None:
        host = Bench.telling({"dpkg-query": f"install ok installed|nginx|1.22\n{state}|openssl|3"})
        commands = host.commands(operations.packages, names=self.NAMES)
        assert commands[-1].endswith("install -y --no-install-recommends openssl")

    def test_wait_for_a_busy_package_manager_and_finish_its_work_first(self) -> None:
        wait, configure, update, install = Bench.telling({}).commands(operations.packages, names=self.NAMES)
        assert "/var/lib/(dpkg/lock|apt/lists/lock)" in wait
        assert "dpkg --force-confold --configure -a" in configure
        assert "DPkg::Lock::Timeout=300" in update
        assert "DPkg::Lock::Timeout=300" in install

    def test_come_from_the_hosts_own_sources_or_from_ours_alone(self) -> None:
        own = Bench.telling({}).commands(operations.packages, names=self.NAMES)
        assert not any("Dir::Etc" in command for command in own)
        *_, update, install = Bench.telling({}).commands(operations.packages, names=self.NAMES, sources="/etc/ours")
        for command in (update, install):
            assert "-o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=/etc/ours" in command
        assert "APT::Get::List-Cleanup=0" in update

    def test_never_ask_a_question(self) -> None:
        commands = Bench.telling({}).commands(operations.packages, names=self.NAMES)
        assert all("DEBIAN_FRONTEND=noninteractive" in command for command in commands[1:])


class TestUnit:
    RUNNING = "ActiveState=active\nUnitFileState=enabled\nNeedDaemonReload=no"

    def commands(self, state: str) -> list[str]:
        return Bench.telling({"systemctl show": state}).commands(operations.unit, service="nginx.service")

    def test_that_runs_is_left_alone(self) -> None:
        assert self.commands(self.RUNNING) == []

    @pytest.mark.parametrize(
        ("was", "now"),
        [("=active", "=inactive"), ("=active", "=failed"), ("=enabled", "=disabled"), ("=no", "=yes")],
    )
    def test_that_does_not_is_enabled_started_and_looked_at_again(self, was: str, now: str) -> None:
        commands = self.commands(self.RUNNING.replace(was, now))
        assert commands[:2] == ["systemctl daemon-reload", "systemctl enable nginx.service"]
        assert commands[2].startswith("systemctl start nginx.service")
        assert commands[2].endswith("systemctl is-active --quiet nginx.service")


class TestNetwork:
    WANTED: dict[str, Any] = {
        "wanted": "hubfleet-lab-users",
        "hub": "lab",
        "subnet": "10.217.0.0/20",
        "pool": "10.217.8.0/21",
        "bridge": "hfu-lab",
        "isolated": True,
    }

    def there(self, *, containers: int = 0, subnet: str = "10.217.0.0/20", **options: str) -> Bench:
        shown = {"com.docker.network.bridge.name": "hfu-lab", "com.docker.network.bridge.enable_icc": "false"}
        found = {
            "driver": "bridge",
            "ipam": [{"Subnet": subnet}],
            "options": shown | {f"com.docker.network.bridge.{key}": value for key, value in options.items()},
            "labels": {},
            "containers": containers,
            "internal": False,
        }
        return Bench.telling({"docker network inspect": json.dumps(found)})

    def test_is_made_where_there_is_none(self) -> None:
        (made,) = Bench.telling({}).commands(operations.network, **self.WANTED)
        words = made.split()
        assert words[:3] == ["docker", "network", "create"]
        assert "com.docker.network.bridge.enable_icc=false" in words
        assert words[-3:] == ["--label", "io.hubfleet.hub=lab", "hubfleet-lab-users"]

    def test_as_wanted_is_left_alone(self) -> None:
        assert self.there().commands(operations.network, **self.WANTED) == []

    @pytest.mark.parametrize(
        ("drifted", "told"),
        [
            ({"subnet": "10.9.0.0/20"}, "subnet 10.9.0.0/20, wanted 10.217.0.0/20"),
            ({"name": "br-1"}, "bridge br-1, wanted hfu-lab"),
            ({"enable_icc": "true"}, "isolation true, wanted false"),
        ],
    )
    def test_that_drifted_is_told_and_never_taken_from_under_containers(
        self, drifted: dict[str, str], told: str
    ) -> None:
        notices.forget()
        used = self.there(containers=3, **drifted)
        (stop,) = used.commands(operations.network, **self.WANTED)
        assert told in stop
        assert "3 containers are on it: `hubfleet stop` this hub" in stop
        assert stop.endswith("false")
        assert told in notices.told("@fake")[0].text

    def test_that_drifted_is_replaced_when_nothing_is_on_it(self) -> None:
        commands = self.there(subnet="10.9.0.0/20").commands(operations.network, **self.WANTED)
        assert commands[0] == "docker network rm hubfleet-lab-users"
        assert commands[1].startswith("docker network create")


class TestImages:
    CONTEXT = BuildContext((("Dockerfile", b"FROM scratch\n", False),))

    def built(self, host: Bench, ca: str = "") -> list[str]:
        return host.commands(
            operations.image_built,
            image="hubfleet/hub:1",
            target="hub",
            context=self.CONTEXT,
            directory="/var/lib/hubfleet/hub/build",
            arguments={"BASE_IMAGE": "debian:13-slim"},
            ca=ca,
        )

    def test_that_are_there_are_neither_built_nor_pulled(self) -> None:
        there = Bench.telling({"docker image inspect": "sha256:1"})
        assert self.built(there) == []
        assert there.commands(operations.image_pulled, image="hubfleet/hub:1") == []

    def test_are_built_from_their_context_which_goes_again_even_when_the_run_is_cut_off(self) -> None:
        *_, build = self.built(Bench.telling({}))
        place = f"/var/lib/hubfleet/hub/build/{self.CONTEXT.digest}"
        assert f"--build-arg BASE_IMAGE=debian:13-slim {place}; rc=$?; rm -rf {place}; (exit $rc)" in build

    def test_see_extra_authorities_as_a_build_secret_only(self) -> None:
        (build,) = [
            command for command in self.built(Bench.telling({}), "/etc/ssl/ca.crt") if "docker build" in command
        ]
        assert "--secret id=ca,src=/etc/ssl/ca.crt" in build

    def test_to_pull_are_told_of_before(self) -> None:
        notices.forget()
        (pull,) = Bench.telling({}).commands(operations.image_pulled, image="vnmd/neurodesktop:2026-08-14")
        assert pull == "docker pull --quiet vnmd/neurodesktop:2026-08-14"
        assert notices.told("@fake")[0].image == "vnmd/neurodesktop:2026-08-14"


class TestFindings:
    ERROR = Finding("port", "error", "port 443 is held by apache2; stop it")
    WARNING = Finding("name", "warning", "hub.example.org does not resolve")

    def test_that_are_errors_stop_the_host_with_all_of_them(self) -> None:
        other = Finding("disk", "error", "1.0 GiB free; make room")
        with pytest.raises(Failed) as stopped:
            Bench.local().perform(operations.findings, found=[self.ERROR, self.WARNING, other])
        assert f"preflight: [port] {self.ERROR.text}; [disk] {other.text}" in str(stopped.value)

    def test_that_are_warnings_stop_nothing_and_are_told(self) -> None:
        notices.forget()
        host = Bench.local()
        assert host.commands(operations.findings, found=[self.WARNING]) == []
        assert [(told.kind, told.text) for told in notices.told(host.host.name)] == [
            ("warning", f"[name] {self.WARNING.text}")
        ]


class TestSelfSigned:
    """Real certificates by this machine's openssl."""

    def wanted(self, directory: Path, name: str = "hub.example.org", is_address: bool = False) -> dict[str, Any]:
        return {
            "certificate": str(directory / "tls.crt"),
            "key": str(directory / "tls.key"),
            "common_name": name,
            "is_address": is_address,
        }

    def names(self, directory: Path) -> str:
        shown = ["openssl", "x509", "-in", str(directory / "tls.crt"), "-noout", "-ext", "subjectAltName"]
        return subprocess.run(shown, capture_output=True, text=True, check=True).stdout.splitlines()[1].strip()

    @pytest.mark.parametrize(
        ("name", "is_address", "shown"),
        [
            ("hub.example.org", False, "DNS:hub.example.org"),
            (f"hub.{'very-' * 12}long.example.org", False, f"DNS:hub.{'very-' * 12}long.example.org"),
            ("192.0.2.7", True, "IP Address:192.0.2.7"),
            ("2001:db8::a:1", True, "IP Address:2001:DB8:0:0:0:0:A:1"),
        ],
    )
    def test_names_what_people_type_and_is_kept(
        self, here: Bench, tmp_path: Path, name: str, is_address: bool, shown: str
    ) -> None:
        assert here.perform(operations.self_signed, **self.wanted(tmp_path, name, is_address))
        assert self.names(tmp_path) == shown
        assert (tmp_path / "tls.key").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "tls.crt").stat().st_mode & 0o777 == 0o644
        assert not here.perform(operations.self_signed, **self.wanted(tmp_path, name, is_address))

    def test_is_made_anew_for_another_name(self, here: Bench, tmp_path: Path) -> None:
        here.perform(operations.self_signed, **self.wanted(tmp_path))
        assert here.perform(operations.self_signed, **self.wanted(tmp_path, "new.example.org"))
        assert self.names(tmp_path) == "DNS:new.example.org"

    def test_is_made_anew_when_key_and_certificate_do_not_fit(self, here: Bench, tmp_path: Path) -> None:
        here.perform(operations.self_signed, **self.wanted(tmp_path))
        (tmp_path / "tls.key").write_text("cut off between the two moves")
        assert here.perform(operations.self_signed, **self.wanted(tmp_path))
        assert not here.perform(operations.self_signed, **self.wanted(tmp_path))

    def test_is_made_anew_in_its_last_30_days(self, here: Bench, tmp_path: Path) -> None:
        here.perform(operations.self_signed, **self.wanted(tmp_path))
        paths = {key: str(tmp_path / name) for key, name in (("key", "tls.key"), ("crt", "tls.crt"))}
        renew = ["openssl", "req", "-x509", "-key", paths["key"], "-out", paths["crt"], "-days", "29", "-subj", "/CN=x"]
        subprocess.run([*renew, "-addext", "subjectAltName=DNS:hub.example.org"], check=True, capture_output=True)
        assert here.perform(operations.self_signed, **self.wanted(tmp_path))


class TestJudged:
    ASKED: dict[str, Any] = {
        "finding": "lms", "subject": "https://lms.example.org/certs", "question": "docker run jwks",
        "needs": ["hub:1", "core"], "later": "asks for the keys later", "waived": False,
    }  # fmt: skip
    BAD = "bad: answers 404 Not Found; is it the public keyset URL?"

    @pytest.fixture(autouse=True)
    def _told_anew(self) -> None:
        notices.forget()

    def test_what_is_good_changes_nothing(self) -> None:
        host = Bench.telling({"docker run jwks": "good: 2 usable keys, 2048 bits or more"})
        assert host.commands(operations.judged, **self.ASKED) == []

    def test_what_is_bad_stops_the_host_and_says_what_to_do(self) -> None:
        host = Bench.telling({"docker run jwks": self.BAD})
        (command,) = host.commands(operations.judged, **self.ASKED)
        line = "[lms] https://lms.example.org/certs: answers 404 Not Found; is it the public keyset URL?"
        assert command == f"echo '{line}' >&2; false"
        assert [(notice.kind, notice.text) for notice in notices.told(host.host.name)] == [("error", line)]

    def test_what_is_bad_and_waived_is_a_warning(self) -> None:
        host = Bench.telling({"docker run jwks": self.BAD})
        assert host.commands(operations.judged, **self.ASKED | {"waived": True}) == []
        (notice,) = notices.told(host.host.name)
        assert notice.kind == "warning"

    def test_what_a_bare_host_cannot_tell_yet_is_asked_in_the_run(self) -> None:
        host = Bench.telling({})
        assert host.commands(operations.judged, **self.ASKED) == ["docker run jwks"]
        (notice,) = notices.told(host.host.name)
        assert (notice.kind, notice.text) == ("info", "asks for the keys later")

    def test_what_the_engine_does_not_ask_stops_the_host_too(self) -> None:
        host = Bench.telling({"docker run jwks": "docker: Error response from daemon: no such network."})
        (command,) = host.commands(operations.judged, **self.ASKED)
        assert "Error response from daemon" in command
        assert command.endswith(">&2; false")

    def test_a_question_is_asked_only_where_what_it_needs_is(self) -> None:
        here = Bench.local()
        asked = self.ASKED | {"question": "echo good: it is"}
        assert here.commands(operations.judged, **asked) == ["echo good: it is"]  # no engine has hub:1 and core
        assert here.commands(operations.judged, **asked | {"needs": []}) == []
