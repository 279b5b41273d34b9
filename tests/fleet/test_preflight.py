"""Preflight on a live host that has everything wrong with it, beside a host that is sound."""

from collections.abc import Callable

import pytest

from tests.fleet import Fleet, Host, HostSpec
from tests.fleet.ring import Four, Lab

#: What is wrong with the host, and how it comes to be so.
WRONG = {
    "disk": "mount -t tmpfs -o size=64m,nr_inodes=200 none /var/lib/hubfleet",
    "port": "systemctl disable -q --now nginx && systemd-run -q --unit other-web python3 -m http.server 80",
    "owner": "install -d -o 1234 -g 1234 /srv/hubfleet/users",
    "engine": (
        "mkdir -p /root/deb/DEBIAN && cd /root/deb && "
        "printf 'Package: podman-docker\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n' "
        "> DEBIAN/control && dpkg-deb --build . /root/podman-docker.deb && "
        "dpkg -r docker.io docker-buildx docker-cli && dpkg -i /root/podman-docker.deb"
    ),
    "system": "sed -i 's/^ID=.*/ID=fedora/' /usr/lib/os-release",
}

#: What people read; the memory and the name are wrong in the inventory.
TOLD = (
    "[system] runs fedora 13",
    "[disk] 0.1 GiB free for /var/lib/hubfleet/hub, wanted 2.0 GiB",
    "inodes free for /var/lib/hubfleet/hub, wanted 100000",
    "[port] port 80 is held by python3; stop it",
    "[memory] ",
    "[owner] /srv/hubfleet/users belongs to 1234:1234, settings say 0:0",
    "[engine] podman-docker stands in for `docker`; remove that package",
)
WARNED = "[name] nowhere.invalid does not resolve on the host; add it to DNS"


@pytest.fixture(scope="module")
def sick(started: Callable[..., list[Host]]) -> Host:
    (host,) = started(HostSpec("sick"))
    host.run("mkdir -p /var/lib/hubfleet")
    for command in WRONG.values():
        host.run(command)
    return host


@pytest.fixture(scope="module")
def lab(ring: Fleet, four: Four, sick: Host, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The sick host, and one that is a hub already."""
    wrong: dict[str, object] = {"public_url": "https://nowhere.invalid", "server_mem_limit": "9000G"}
    hosts = {sick.name: wrong, "alpha": four.lab.hosts["alpha"] | {"server_pids_limit": 777}}
    return Lab(ring, tmp_path_factory.mktemp("preflight"), hosts)


def test_a_dry_run_shows_every_finding_and_what_to_do(lab: Lab) -> None:
    printed = lab.pyinfra("--dry").replace("]: ", "] ")
    assert [told for told in (*TOLD, WARNED) if told not in printed] == []


def test_the_plan_shows_them_and_ends_with_an_error(lab: Lab) -> None:
    printed = lab.hubfleet("plan", code=1)
    assert [told for told in (*TOLD, WARNED) if told not in printed] == []
    assert "Traceback" not in printed


def test_an_error_stops_that_host_before_its_first_change_and_no_other(ring: Fleet, sick: Host, lab: Lab) -> None:
    before = sick.listing(), sick.packages()
    printed = lab.hubfleet("apply", code=1)
    table = printed[printed.index("HOST ") :]
    failed = next(line for line in table.splitlines() if line.startswith("sick "))
    assert "failed" in failed
    assert [told for told in TOLD if told not in table] == []
    assert next(line for line in table.splitlines() if line.startswith("alpha ")).split()[1] == "ok"
    assert (sick.listing(), sick.packages()) == before


def test_a_waived_finding_is_a_warning_and_stops_nothing(lab: Lab) -> None:
    waived = '["system","disk","inodes","port","memory","owner","engine"]'
    printed = lab.hubfleet("plan", "--data", f"preflight_waive={waived}", code=2)
    assert printed.count("(waived)") >= len(TOLD)
    assert "warning: [port] port 80 is held by python3" in printed


@pytest.mark.parametrize(
    ("access", "told"),
    [
        ({"_sudo": False}, "[privilege] commands run as user 1000, not root; set `_sudo: True`"),
        ({"_sudo_password": "not-the-password"}, "sudo"),
    ],
    ids=["no sudo", "a wrong password for sudo"],
)
def test_without_roots_rights_the_host_is_left_alone_and_told_why(
    ring: Fleet, four: Four, tmp_path_factory: pytest.TempPathFactory, access: dict[str, object], told: str
) -> None:
    lab = Lab(ring, tmp_path_factory.mktemp("sudo"), {"beta": four.lab.hosts["beta"] | access})
    before = ring.host("beta").listing()
    for verb in ("plan", "apply"):
        printed = lab.hubfleet(verb, code=1)
        assert told in printed
        assert "Traceback" not in printed
        assert "not-the-password" not in printed
    assert ring.host("beta").listing() == before
