"""What a choice of spawner puts on a host."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hubfleet.hub_config import hub_config
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


@pytest.fixture
def pad(tmp_path: Path) -> Callable[..., Lab]:
    (tmp_path / "secret").write_text("a client's secret")
    settings = {
        "users_admins": ["ada"],
        "users_allowed": ["bob"],
        "oauth_client_id": "id",
        "oauth_client_secret": "file:secret",
    }
    return lambda **data: lab_of(tmp_path, "collaborative", **settings | data)


def test_the_jupyterlab_that_all_share_has_a_server_s_limits_and_the_host_s_notebooks(pad: Callable[..., Lab]) -> None:
    (lab,) = parts(pad(server_mem_limit="4G", server_cpu_limit=3)).after
    command = lab.spec.create_command("digest")
    assert "--memory 4294967296" in command
    assert "--cpus 3" in command
    assert "source=/srv/hubfleet/users/lab,target=/home/jovyan " in command
    assert "--cap-drop ALL --security-opt no-new-privileges" in command


def test_its_token_is_a_file_that_makes_it_a_new_container_when_it_changes(pad: Callable[..., Lab]) -> None:
    (lab,) = parts(pad()).after
    assert lab.secrets == ("/var/lib/hubfleet/hub/secrets/shared_token",)
    assert not [name for name in lab.spec.environment if "TOKEN" in name]


def test_it_calls_the_hub_by_an_address_under_the_path_that_people_type(pad: Callable[..., Lab]) -> None:
    (lab,) = parts(pad(public_url="https://hub.example.org:8443/jupyter")).after
    told = lab.spec.environment
    assert told["JUPYTERHUB_API_URL"] == "http://10.217.0.2:8081/jupyter/hub/api"
    assert told["JUPYTERHUB_SERVICE_PREFIX"] == "/jupyter/services/lab/"
    assert told["JUPYTERHUB_PUBLIC_URL"] == "https://hub.example.org:8443/jupyter/services/lab/"


def test_its_idle_kernels_are_culled_when_told(pad: Callable[..., Lab]) -> None:
    def told(**data: object) -> str:
        return " ".join(parts(pad(**data)).after[0].spec.command)

    assert "--MappingKernelManager.cull_idle_timeout=600" in told(cull_kernel_timeout=600)
    assert "cull" not in told(cull_kernel_timeout=0)


def test_with_no_way_out_nobody_outside_is_asked_for_names(pad: Callable[..., Lab], tmp_path: Path) -> None:
    assert "--dns 127.0.0.1 " in parts(pad()).after[0].spec.create_command("digest")
    assert "--dns" not in parts(pad(egress="open")).after[0].spec.create_command("digest")
    assert "--dns" not in parts(pad()).hub.create_command("digest")
    for egress, asked in (("open", ""), ("blocked", "127.0.0.1")):
        assert hub_config(lab_of(tmp_path, egress=egress), "image").server.nameserver == asked
