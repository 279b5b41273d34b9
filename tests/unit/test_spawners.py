"""What a choice of spawner puts on a host."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubfleet.settings import Lab
from hubfleet.spawners import parts
from tests.unit.labs import lab_of
from tests.unit.settings.conftest import certificate


@pytest.fixture
def personal(tmp_path: Path) -> Callable[..., Lab]:
    return lambda **data: lab_of(tmp_path, "personal", **data)


def test_people_inside_the_hub_s_container_get_no_engine_and_no_right_over_the_host(
    personal: Callable[..., Lab],
) -> None:
    command = parts(personal()).hub.create_command("digest")
    assert "docker.sock" not in command
    assert "--privileged" not in command
    assert "--cap-drop ALL" in command
    for capability in ("SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN", "NET_RAW", "MKNOD", "SYS_CHROOT", "SETFCAP", "DAC_READ"):
        assert capability not in command
    assert "source=/srv/hubfleet/users,target=/home " in command


def test_they_share_what_the_hub_s_container_may_use(personal: Callable[..., Lab]) -> None:
    made = parts(personal(hub_mem_limit="2G", server_pids_limit=700, server_shm_size="128M")).hub
    assert (made.memory, made.pids, made.shm_size) == (2 * 1024**3, 700, 128 * 1024**2)


def test_the_hub_finds_the_campus_network_s_way_out_and_trusts_its_authorities(
    personal: Callable[..., Lab], tmp_path: Path
) -> None:
    certificate(tmp_path, "campus", ["ca.example.org"])
    made = parts(personal(outbound_proxy="http://proxy.example.org:3128", extra_ca="campus.pem")).hub
    assert made.environment["https_proxy"] == "http://proxy.example.org:3128"
    assert "10.217.16.3" in made.environment["no_proxy"].split(",")
    assert "source=/etc/ssl/certs," in made.create_command("digest")
    assert parts(personal()).hub.environment == {}


def test_nobody_keeps_their_homes_but_the_container_itself(personal: Callable[..., Lab]) -> None:
    assert [spec.role for spec in parts(personal()).containers] == ["proxy", "hub"]


def test_who_may_log_in_is_nothing_that_a_container_is_made_of(personal: Callable[..., Lab]) -> None:
    before, after = (parts(personal(users_allowed=allowed)) for allowed in ([], ["ada"]))
    assert before.hub.digest({}) == after.hub.digest({})
    assert before.hub.digest({}) != replace(after.hub, image="hubfleet/personal:newer").digest({})
