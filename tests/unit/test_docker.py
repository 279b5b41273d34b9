"""The engine's configuration and our images' names: pure."""

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from hubfleet.daemon import merge_daemon, wanted_daemon
from hubfleet.images import BuildContext, Julia, Recipe, hub_context
from hubfleet.spawners.parts import image
from hubfleet.systems import Archive, System
from tests.unit.labs import lab_of


class TestDaemonJson:
    def test_rotates_logs_keeps_containers_and_filters_ipv6_by_default(self, tmp_path: Path) -> None:
        assert wanted_daemon(lab_of(tmp_path).docker) == {
            "log-driver": "json-file",
            "log-opts": {"max-size": "10485760", "max-file": "5"},
            "live-restore": True,
            "ip6tables": True,
            "experimental": True,
            "default-address-pools": [{"base": "10.210.0.0/16", "size": 24}],
        }

    def test_holds_mirrors_registries_and_a_labs_own_keys(self, tmp_path: Path) -> None:
        lab = lab_of(
            tmp_path,
            docker_mirror=["https://mirror.example.org"],
            docker_insecure_registries=["registry.example.org:5000"],
            docker_daemon={"debug": True},
        )
        wanted = wanted_daemon(lab.docker)
        assert wanted["registry-mirrors"] == ["https://mirror.example.org"]
        assert wanted["insecure-registries"] == ["registry.example.org:5000"]
        assert wanted["debug"] is True

    @pytest.mark.parametrize("existing", [None, "", "  \n", "{}"])
    def test_may_not_be_there_yet(self, existing: str | None) -> None:
        assert json.loads(merge_daemon(existing, {"a": 1})) == {"a": 1}

    def test_keeps_what_the_host_has_and_settles(self) -> None:
        once = merge_daemon('{"data-root": "/big", "live-restore": false}', {"live-restore": True})
        assert json.loads(once) == {"data-root": "/big", "live-restore": True}
        assert merge_daemon(once, {"live-restore": True}) == once

    @pytest.mark.parametrize("broken", ["{", "[]", "3", '"x"'])
    def test_that_is_no_object_is_refused_with_what_to_do(self, broken: str) -> None:
        with pytest.raises(ValueError, match=r"is no JSON.*; mend or remove it"):
            merge_daemon(broken, {})


class TestImageNames:
    def test_change_with_sources_modes_and_names_and_nothing_else(self, tmp_path: Path) -> None:
        def context(name: str = "Dockerfile", text: str = "FROM x\n", mode: int = 0o644) -> BuildContext:
            directory = tmp_path / f"{len(list(tmp_path.iterdir()))}"
            (directory / "__pycache__").mkdir(parents=True)
            (directory / "__pycache__" / "x.pyc").write_text(str(directory))
            (directory / name).write_text(text)
            (directory / name).chmod(mode)
            return BuildContext.of(directory)

        assert context().digest == context().digest == context(mode=0o600).digest
        others = {context(name="other").digest, context(text="FROM y\n").digest, context(mode=0o755).digest}
        assert len(others | {context().digest}) == 4

    def test_are_of_bytes_that_depend_on_nothing_but_the_sources(self) -> None:
        assert hub_context().archive().read() == hub_context().archive().read()
        with tarfile.open(fileobj=io.BytesIO(hub_context().archive().read())) as packed:
            members = packed.getmembers()
        assert {"Dockerfile", "hubfleet_hub/config.py"} <= {member.name for member in members}
        assert {(member.uid, member.mtime) for member in members} == {(0, 0)}

    def test_tell_targets_and_bases_apart_and_are_never_latest(self) -> None:
        julia = Julia("1.12.1", "https://example.org/julia.tar.gz", "0" * 64)
        names = {
            Recipe("hub", "debian:13-slim").name("hubfleet"),
            Recipe("singleuser", "debian:13-slim").name("hubfleet"),
            Recipe("hub", "debian:12-slim").name("hubfleet"),
            Recipe("hub", "debian:13-slim").name("registry.example.org/lab"),
            Recipe("personal", "debian:13-slim").name("hubfleet"),
            Recipe("personal", "debian:13-slim", ("r", "latex")).name("hubfleet"),
            Recipe("personal", "debian:13-slim", ("r", "latex"), julia).name("hubfleet"),
            Recipe("personal", "debian:13-slim", ("r", "latex"), julia, ("tree",)).name("hubfleet"),
            Recipe("personal", "debian:13-slim", ("r", "latex"), replace(julia, sha256="1" * 64)).name("hubfleet"),
        }
        assert len(names) == 9
        assert not any(name.endswith(":latest") or ":" not in name for name in names)

    def test_are_not_others_for_the_order_of_parts_or_where_julia_comes_from(self) -> None:
        julia = Julia("1.12.1", "https://example.org/julia.tar.gz", "0" * 64)
        mirrored = replace(julia, url="https://mirror.example.org/julia.tar.gz")
        one = Recipe("personal", "debian:13-slim", ("r", "latex"), julia)
        assert one.name("hubfleet") == Recipe("personal", "debian:13-slim", ("latex", "r"), mirrored).name("hubfleet")

    def test_of_a_lab_depend_on_parts_where_they_are_in_it(self, tmp_path: Path) -> None:
        labs = lab_of(tmp_path, "personal"), lab_of(tmp_path, "personal", image_parts=["git"])
        assert len({image(lab, "personal") for lab in labs}) == 2
        assert len({image(lab, "hub") for lab in labs}) == 1


class TestSystems:
    def test_are_read_from_os_release(self) -> None:
        report = {"system": ["ID=debian", 'VERSION_ID="13"', "VERSION_CODENAME=trixie", "NAME='x'", "odd"]}
        assert System.of(report) == System("debian", "13", "trixie")
        assert System.of({}) == System("", "", "")

    @pytest.mark.parametrize(
        ("system", "packages"),
        [
            (System("debian", "12", "bookworm"), ["docker.io"]),
            (System("debian", "13", "trixie"), ["docker.io", "docker-cli", "docker-buildx"]),
            (System("ubuntu", "24.04", "noble"), ["docker.io", "docker-buildx"]),
        ],
    )
    def test_have_the_engine_in_packages_of_their_own(self, system: System, packages: list[str]) -> None:
        assert system.engine_packages == packages

    def test_of_ubuntu_find_corrections_in_the_same_archive_of_a_mirror(self) -> None:
        (archive,) = System("ubuntu", "24.04", "noble").archives("http://mirror.example.org/ubuntu/")
        assert archive == Archive(
            "http://mirror.example.org/ubuntu", "noble noble-updates noble-security", "main universe"
        )
