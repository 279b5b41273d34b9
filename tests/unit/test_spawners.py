"""What a choice of spawner puts on a host."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubfleet.settings import Lab, check_inventory
from hubfleet.spawners import parts

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def personal(tmp_path: Path) -> Callable[..., Lab]:
    def made(**data: object) -> Lab:
        inventory = tmp_path / "lab.py"
        inventory.write_text(f"personal = [('@local', { ({'public_url': 'https://hub.example.org'} | data)!r})]\n")
        return check_inventory(inventory, cwd=ROOT)["@local"]

    return made


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


def test_nobody_keeps_their_homes_but_the_container_itself(personal: Callable[..., Lab]) -> None:
    assert [spec.role for spec in parts(personal()).containers] == ["proxy", "hub"]


def test_who_may_log_in_is_nothing_that_a_container_is_made_of(personal: Callable[..., Lab]) -> None:
    before, after = (parts(personal(users_allowed=allowed)) for allowed in ([], ["ada"]))
    assert before.hub.digest({}) == after.hub.digest({})
    assert before.hub.digest({}) != replace(after.hub, image="hubfleet/personal:newer").digest({})
