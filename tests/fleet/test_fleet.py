"""What the disposable hosts promise to those who test on them."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import docker
import paramiko
import pytest

from hubfleet.images import ROOT
from tests.fleet import Fleet, FleetError, Host, HostSpec, sweep
from tests.fleet.engine import FLEET_LABEL, IMAGE_PREFIX, client
from tests.fleet.fleet import names
from tests.fleet.images import base
from tests.fleet.images.debian import apt_sources

pytestmark = pytest.mark.fleet


@pytest.fixture(scope="module")
def hosts(fleet: Fleet) -> dict[str, Host]:
    """One of each kind, started side by side."""
    fleet.start(
        HostSpec("bare", ready=False),
        HostSpec("root"),
        HostSpec("sudo", login="sudo"),
        HostSpec("old", release="debian12"),
    )
    return fleet.hosts


KINDS = ["bare", "root", "sudo", "old"]


class TestAHost:
    @pytest.mark.parametrize("name", KINDS)
    def test_has_booted_with_no_unit_failed(self, hosts: dict[str, Host], name: str) -> None:
        settled = hosts[name].run("systemctl is-system-running --wait; systemctl --failed --no-legend", check=False)
        assert settled.out == "running\n"

    @pytest.mark.parametrize(("name", "version"), [("bare", "13"), ("root", "13"), ("old", "12")])
    def test_is_the_debian_that_was_asked_for(self, hosts: dict[str, Host], name: str, version: str) -> None:
        assert hosts[name].ssh(". /etc/os-release; echo $ID $VERSION_ID").out == f"debian {version}\n"

    def test_is_bare_when_asked_for_bare(self, hosts: dict[str, Host]) -> None:
        assert not {"docker.io", "nginx", "ca-certificates"} & hosts["bare"].packages().keys()

    def test_that_is_bare_installs_from_its_archive(self, hosts: dict[str, Host]) -> None:
        hosts["bare"].ssh("apt-get update -qq && apt-get install -qq --no-install-recommends acl")
        assert "acl" in hosts["bare"].packages()

    @pytest.mark.parametrize("name", ["root", "old"])
    def test_that_is_ready_runs_containers_of_its_own(self, hosts: dict[str, Host], name: str, fleet: Fleet) -> None:
        use_mirror(hosts[name], fleet)
        assert hosts[name].ssh("docker run --rm debian:13-slim echo inside").out == "inside\n"
        assert hosts[name].ssh("docker info -f '{{.Driver}}'").out == "overlay2\n"

    def test_lets_labadmin_become_root_by_password_only(self, hosts: dict[str, Host]) -> None:
        host = hosts["sudo"]
        assert host.ssh(f"echo {host.sudo_password} | sudo -S -p '' id -un").out == "root\n"
        assert host.ssh("sudo -n true", check=False).code == 1

    def test_lets_root_in_only_where_root_is_the_login(self, hosts: dict[str, Host]) -> None:
        assert hosts["root"].ssh("id -un").out == "root\n"
        with pytest.raises(paramiko.AuthenticationException):
            connect(hosts["sudo"], user="root")

    def test_is_known_by_a_key_of_its_own(self, hosts: dict[str, Host]) -> None:
        keys = [line.split()[2] for line in hosts["root"].known_hosts.read_text().splitlines()]
        assert len(keys) == len(set(keys)) == len(hosts)

    def test_counts_every_connection_also_a_silent_one(self, hosts: dict[str, Host]) -> None:
        host = hosts["root"]
        before = host.connections()
        with socket.create_connection((host.address, 22)) as silent:
            silent.recv(100)
        host.ssh("true")
        assert host.connections() == before + 2

    def test_answers_again_after_a_reboot_with_its_files(self, hosts: dict[str, Host]) -> None:
        host = hosts["old"]
        host.run("echo kept > /root/file; echo gone > /run/file; docker volume create kept")
        booted = host.run("cat /proc/1/stat | cut -d' ' -f22").out
        host.reboot()
        assert host.run("cat /proc/1/stat | cut -d' ' -f22").out != booted
        assert host.ssh("cat /root/file; ls /run/file", check=False).out == "kept\n"
        assert host.run("docker volume ls -q").out == "kept\n"

    def test_that_is_paused_answers_nobody_until_it_goes_on(self, hosts: dict[str, Host]) -> None:
        host = hosts["sudo"]
        host.pause()
        try:
            with socket.create_connection((host.address, 22), timeout=2) as asked, pytest.raises(TimeoutError):
                asked.recv(100)
        finally:
            host.unpause()
        assert host.ssh("echo back").out == "back\n"

    def test_lists_what_changed_on_it_and_nothing_else(self, hosts: dict[str, Host]) -> None:
        host = hosts["root"]
        before = host.listing()
        host.run("echo new > /etc/new; chmod 600 /etc/passwd; echo more >> /etc/issue; ln -s /a /etc/link")
        after = host.listing()
        changed = {path for path in before | after if before.get(path) != after.get(path)}
        assert changed == {"/etc/new", "/etc/passwd", "/etc/issue", "/etc/link"}
        assert (after["/etc/passwd"].mode, after["/etc/link"].content) == ("-0600", "/a")

    def test_takes_and_gives_files_byte_for_byte(self, hosts: dict[str, Host]) -> None:
        content = bytes(range(256))
        hosts["root"].copy_in(content, "/root/bytes", mode=0o600)
        assert hosts["root"].copy_out("/root/bytes") == content
        assert hosts["root"].run("stat -c '%a %U' /root/bytes").out == "600 root\n"

    def test_says_what_failed(self, hosts: dict[str, Host]) -> None:
        with pytest.raises(FleetError, match=r"root: 'ls /nowhere' ended with 2\n.*No such file"):
            hosts["root"].ssh("ls /nowhere")


class TestIsolationOfUsersNetworks:
    """The rule that keeps users' servers from one another rests on this; it has to hold on every engine."""

    @pytest.mark.parametrize("name", ["root", "old"])
    def test_without_icc_containers_meet_only_the_one_let_through(
        self, hosts: dict[str, Host], name: str, fleet: Fleet
    ) -> None:
        host = hosts[name]
        use_mirror(host, fleet)
        host.run(
            "docker network create -o com.docker.network.bridge.enable_icc=false "
            "-o com.docker.network.bridge.name=hf-test --subnet 10.217.9.0/24 isolated"
        )
        for container, last in {"hub": 10, "user-a": 11, "user-b": 12}.items():
            run = f"docker run -d --name {container} --network isolated --ip 10.217.9.{last} debian:13-slim"
            host.run(f"{run} bash -c 'while :; do sleep 1; done'")
        assert not reaches(host, "user-a", "10.217.9.12")
        assert not reaches(host, "user-a", "10.217.9.10")
        for side in ("-s", "-d"):
            host.run(f"iptables -I DOCKER-USER -i hf-test -o hf-test {side} 10.217.9.10 -j ACCEPT")
        assert reaches(host, "user-a", "10.217.9.10")
        assert reaches(host, "hub", "10.217.9.11")
        assert not reaches(host, "user-a", "10.217.9.12")


class TestTheRegistry:
    def test_serves_a_pushed_image_under_its_docker_hub_name(self, fleet: Fleet, hosts: dict[str, Host]) -> None:
        name = f"lab/{fleet.name}:1"
        fleet.registry.push(base("debian12"), name)
        assert fleet.registry.has(name)
        assert not fleet.registry.has("lab/never-pushed:1")
        use_mirror(hosts["root"], fleet)
        hosts["root"].ssh(f"docker pull -q {name}")
        assert hosts["root"].ssh(f"docker run --rm {name} cat /etc/debian_version").out.startswith("12.")

    def test_serves_the_newest_push_of_a_name(self, fleet: Fleet) -> None:
        name = f"lab/{fleet.name}:moving"
        fleet.registry.push(base("debian12"), name)
        older = fleet.registry.image_id(name)
        fleet.registry.push(base("debian13"), name)
        assert fleet.registry.image_id(name) not in ("", older)

    def test_leaves_no_tag_of_its_own_on_the_engine(self, fleet: Fleet) -> None:
        fleet.registry.push(base("debian12"), f"lab/{fleet.name}:tags")
        assert not [tag for image in client().images.list() for tag in image.tags if fleet.registry.local in tag]


class TestAFleet:
    def test_is_found_again_by_another_process(self, fleet: Fleet, hosts: dict[str, Host]) -> None:
        code = f"from tests.fleet import Fleet; print(Fleet.load({fleet.name!r}).host('sudo').ssh('id -un').out)"
        found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True)
        assert found.stdout.strip() == "labadmin"

    def test_that_is_not_up_is_named(self) -> None:
        with pytest.raises(FleetError, match="no fleet 'nowhere' is up; start it with: script/demo"):
            Fleet.load("nowhere")

    def test_writes_an_inventory_that_pyinfra_follows_to_each_host(
        self, fleet: Fleet, hosts: dict[str, Host], tmp_path: Path
    ) -> None:
        groups: dict[str, list[tuple[Host, dict[str, object]]]] = {
            "hubs": [(hosts["root"], {"greeting": "hello"})],
            "others": [(hosts["sudo"], {}), (hosts["old"], {})],
        }
        inventory = fleet.inventory(tmp_path / "inventory.py", groups)
        pyinfra = Path(sys.executable).with_name("pyinfra")
        command = [str(pyinfra), "-y", str(inventory), "exec", "--", "id -un >/root/who"]
        ran = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert [hosts[name].run("cat /root/who").out for name in ("root", "sudo", "old")] == ["root\n"] * 3

    def test_keeps_keys_and_passwords_from_other_users(self, fleet: Fleet, hosts: dict[str, Host]) -> None:
        open_to_others = [path for path in fleet.directory.rglob("*") if path.stat().st_mode & 0o077]
        assert fleet.directory.stat().st_mode & 0o777 == 0o700
        assert not [path for path in open_to_others if path.name in ("state.json", "id_ed25519")]

    def test_takes_a_network_of_its_own(self, fleet: Fleet) -> None:
        with Fleet("test-second") as second:
            assert not second.subnet.overlaps(fleet.subnet)

    def test_that_is_offline_reaches_its_registry_and_nothing_else(self, hosts: dict[str, Host]) -> None:
        look_up = f"timeout 5 getent hosts {urlsplit(apt_sources()[0].uri).hostname}"
        assert hosts["root"].run(look_up).out
        with Fleet("test-offline", offline=True) as offline:
            (host,) = offline.start(HostSpec("alone"))
            offline.registry.push(base("debian13"), "debian:13-slim")
            use_mirror(host, offline)
            host.ssh("docker pull -q debian:13-slim")
            assert host.run(look_up, check=False).out == ""

    def test_leaves_nothing_behind(self) -> None:
        with Fleet("test-gone") as gone:
            gone.start(HostSpec("host", ready=False))
            assert leftovers("test-gone")
            directory = gone.directory
        assert not leftovers("test-gone")
        assert not directory.exists()

    def test_of_a_killed_process_is_swept_away_and_no_other(self, fleet: Fleet) -> None:
        code = (
            "import os, signal; from tests.fleet import Fleet, HostSpec\n"
            "fleet = Fleet('test-killed'); fleet.__enter__(); fleet.start(HostSpec('host', ready=False))\n"
            "fleet.host('host').pause(); os.kill(os.getpid(), signal.SIGKILL)"
        )
        killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert leftovers("test-killed")
        others = set(names()) - {"test-killed"}
        assert "test-killed" in sweep()
        assert not leftovers("test-killed")
        assert fleet.name in others & set(names())

    def test_starts_clean_whatever_one_of_its_name_left(self) -> None:
        left = Fleet("test-again")
        left.__enter__()
        left.start(HostSpec("old", ready=False))
        with Fleet("test-again") as again:
            assert again.hosts == {}
            with pytest.raises(docker.errors.NotFound):
                left.host("old").container.reload()

    def test_leaves_what_is_not_its_own_alone(self) -> None:
        stranger = client().containers.create(base("debian13"), "true", name=f"hubfleet-stranger-{os.getpid()}")
        try:
            with Fleet("stranger"):
                pass
            stranger.reload()
        finally:
            stranger.remove()

    def test_names_its_images_so_that_no_other_is_taken_for_ours(self) -> None:
        assert base("debian13").startswith(f"{IMAGE_PREFIX}/")


def use_mirror(host: Host, fleet: Fleet) -> None:
    """What Hubfleet does with ``docker_mirror``, by hand."""
    fleet.registry.push(base("debian13"), "debian:13-slim")
    wanted = f'{{"registry-mirrors": ["{fleet.registry.address}"]}}'
    if host.run("cat /etc/docker/daemon.json", check=False).out != wanted:
        host.run("mkdir -p /etc/docker")
        host.copy_in(wanted.encode(), "/etc/docker/daemon.json")
        host.run("systemctl restart docker")


def reaches(host: Host, container: str, address: str) -> bool:
    """Whether a packet sent in a container arrives: a closed port refuses, a blocked one is silent."""
    knock = f"docker exec {container} timeout 3 bash -c '</dev/tcp/{address}/9'"
    return "refused" in host.run(knock, check=False).err


def connect(host: Host, *, user: str) -> None:
    """Logs in as somebody else than the host's administrator."""
    with paramiko.SSHClient() as ssh:
        ssh.load_host_keys(str(host.known_hosts))
        ssh.connect(host.address, username=user, key_filename=str(host.ssh_key), allow_agent=False)


def leftovers(name: str) -> list[object]:
    """Everything on the engine that carries the fleet's label."""
    wanted: dict[str, str | list[str] | bool] = {"label": f"{FLEET_LABEL}={name}"}
    engine = client()
    found: list[object] = list(engine.containers.list(all=True, filters=wanted))
    return found + list(engine.networks.list(filters=wanted)) + list(engine.volumes.list(filters=wanted))
