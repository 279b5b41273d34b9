"""Preflight: every finding from what a host tells, with what to do about it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hubfleet.preflight import FINDINGS, Finding, judge, paths, ports
from hubfleet.settings import Lab
from tests.unit.labs import lab_of

GIB = 1024**3
NOW = 1_800_000_000.0
ADDRESS = "192.0.2.10"

Make = Callable[..., Lab]
Report = dict[str, list[str]]


@pytest.fixture
def lab(tmp_path: Path) -> Make:
    return lambda **data: lab_of(tmp_path, **data)


def report(**told: list[str]) -> Report:
    """What a sound host tells, but for the headings given."""
    return {
        "system": ["ID=debian", 'VERSION_ID="13"', "VERSION_CODENAME=trixie"],
        "arch": ["x86_64"],
        "init": ["systemd"],
        "user": ["0"],
        "clock": [f"{NOW:.0f}"],
        "memory": [f"MemTotal: {64 * 1024**2}"],
        "disk": [f"/var/lib/docker|{500 * GIB}|9000000"],
        "port": [],
        "name": [ADDRESS],
        "addresses": [ADDRESS, "fe80::1%eth0"],
        "owner": ["0", "root:x:0:"],
        "base": [],
        "device": ["/dev/fuse"],
        "package": ["install ok installed|docker.io"],
    } | told


def found(lab: Lab, **told: list[str]) -> list[str]:
    """Findings as people read them."""
    return [str(finding) for finding in judge(lab, report(**told), ADDRESS, NOW)]


def test_a_sound_host_has_no_finding(lab: Make) -> None:
    assert found(lab()) == []


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        (
            {"system": ["ID=fedora", "VERSION_ID=42"]},
            "error [system]: runs fedora 42; Hubfleet supports Debian 12, 13; Ubuntu 22.04, 24.04",
        ),
        (
            {"system": ["ID=debian", 'VERSION_ID="11"']},
            "error [system]: runs debian 11; Hubfleet supports Debian 12, 13; Ubuntu 22.04, 24.04",
        ),
        (
            {"system": []},
            "error [system]: runs unknown unknown; Hubfleet supports Debian 12, 13; Ubuntu 22.04, 24.04",
        ),
        (
            {"init": ["tini"]},
            "error [system]: process 1 is tini; services are started by systemd: boot with it",
        ),
        ({"arch": ["armv7l"]}, "error [arch]: a armv7l processor; images exist for x86_64 and aarch64"),
        (
            {"user": ["1000"]},
            "error [privilege]: commands run as user 1000, not root; set `_sudo: True` (and `_sudo_password`), "
            "or log in as root",
        ),
        (
            {"disk": [f"/var/lib/docker|{2 * GIB}|9000000"]},
            "error [disk]: 2.0 GiB free for /var/lib/docker, wanted 10.0 GiB; make room or lower preflight_min_disk",
        ),
        (
            {"disk": [f"/srv/hubfleet/users|{500 * GIB}|12"]},
            "error [inodes]: 12 inodes free for /srv/hubfleet/users, wanted 100000; "
            "delete small files or lower preflight_min_inodes",
        ),
        (
            {"port": ["01BB|apache2"]},
            "error [port]: port 443 is held by apache2; stop it, or change public_url or edge_http_port",
        ),
        (
            {"port": ["0050|"]},
            "error [port]: port 80 is held by a process that could not be read; stop it, "
            "or change public_url or edge_http_port",
        ),
        (
            {"name": []},
            "warning [name]: hub.example.org does not resolve on the host; add it to DNS before people use it",
        ),
        (
            {"name": ["198.51.100.1", "198.51.100.2"]},
            "warning [name]: hub.example.org resolves to 198.51.100.1, 198.51.100.2, none of the host's addresses; "
            "fine behind a router, else mend DNS",
        ),
        (
            {"clock": [f"{NOW + 3600:.0f}"]},
            "error [clock]: its clock is 3600 s ahead of this machine's; switch on time synchronisation, "
            "or logins and certificates fail",
        ),
        (
            {"clock": [f"{NOW - 61:.0f}"]},
            "error [clock]: its clock is 61 s behind this machine's; switch on time synchronisation, "
            "or logins and certificates fail",
        ),
        (
            {"memory": [f"MemTotal: {4 * 1024**2}"]},
            "error [memory]: 4.0 GiB of memory, but the hub and one server may take 9.0 GiB; lower server_mem_limit",
        ),
        (
            {"owner": ["root:x:0:"]},
            "error [owner]: there is no user root; make it or change base_user_dir_owner",
        ),
        ({"owner": ["0"]}, "error [owner]: there is no group root; make it or change base_user_dir_group"),
        (
            {"base": ["1001|1001|755|directory"]},
            "error [owner]: /srv/hubfleet/users belongs to 1001:1001, settings say 0:0; change base_user_dir_owner "
            "and _group, or the owner yourself: Hubfleet will not",
        ),
        (
            {"base": ["0|0|644|regular file"]},
            "error [owner]: /srv/hubfleet/users is a regular file, not a directory; name another place",
        ),
        (
            {"device": []},
            "error [device]: /dev/fuse is not on the host, so no server would start; load its driver or take it off "
            "server_devices",
        ),
        (
            {"package": ["install ok installed|podman-docker"]},
            "error [engine]: podman-docker stands in for `docker`; remove that package",
        ),
        (
            {"package": ["install ok installed|docker-ce"]},
            "error [engine]: docker-ce is installed, docker_source asks for docker.io; set docker_source to "
            "'docker', or remove docker-ce yourself",
        ),
    ],
)
def test_each_finding_names_what_is_wrong_and_what_to_do(lab: Make, told: Report, finding: str) -> None:
    assert found(lab(), **told) == [finding]


@pytest.mark.parametrize(
    "told",
    [
        {"port": ["01BB|nginx", "0050|nginx"]},
        {"name": ["127.0.1.1"]},
        {"name": ["203.0.113.1", ADDRESS]},
        {"clock": [f"{NOW - 60:.0f}"]},
        {"disk": [f"/btrfs|{500 * GIB}|0"]},
        {"base": ["0|0|700|directory"]},
        {"package": ["install ok installed|docker.io", "install ok installed|docker-ce"]},
        {"package": []},
    ],
)
def test_what_is_fine_is_no_finding(lab: Make, told: Report) -> None:
    assert found(lab(), **told) == []


def test_all_findings_are_told_at_once(lab: Make) -> None:
    names = {
        finding.name
        for finding in judge(
            lab(server_volumes=[{"source": "/srv/course", "target": "/course"}]),
            report(
                system=["ID=arch"],
                arch=["riscv64"],
                user=["1000"],
                disk=["/|1|1"],
                port=["0050|apache2"],
                name=[],
                clock=["0"],
                memory=["MemTotal: 1"],
                owner=[],
                device=[],
                package=["install ok installed|podman-docker"],
            ),
            ADDRESS,
            NOW,
        )
    }
    assert names == set(FINDINGS) - {"lms", "image"}  # which are looked at once there is an image


def test_a_directory_that_servers_are_given_is_there_before_they_are(lab: Make) -> None:
    given = lab(server_volumes=[{"source": "/srv/course", "target": "/course"}, {"source": "data", "target": "/data"}])
    assert found(given, source=["/srv/course"]) == []
    assert found(given) == [
        "error [volume]: /srv/course is not on the host, so no server would start; make it, or take it off "
        "server_volumes"
    ]


def test_a_waived_error_is_a_warning_that_says_so(lab: Make) -> None:
    waiving = lab(preflight_waive=["port"])
    told = found(waiving, port=["01BB|haproxy"], init=["runit"])
    assert [line.partition(":")[0] for line in told] == ["error [system]", "warning [port]"]
    assert told[1].endswith("(waived)")


def test_a_host_that_tells_nothing_is_an_error(lab: Make) -> None:
    (finding,) = judge(lab(), {}, ADDRESS, NOW)
    assert finding == Finding(
        "system", "error", "the host answered nothing to a plain shell command; look at its login shell"
    )


def test_many_servers_at_their_limits_are_a_warning_with_the_number_that_fits(lab: Make) -> None:
    (line,) = found(lab(server_active_limit=100))
    assert line == (
        "warning [memory]: 64.0 GiB of memory, but 100 servers may take 801.0 GiB; "
        "server_active_limit 7 would fit at their limits"
    )


def test_servers_inside_the_hub_s_container_have_its_memory_and_no_other(lab: Make) -> None:
    inside: dict[str, object] = {
        "login": ["pam"],
        "spawner": "local",
        "server_home": "/home",
        "server_mem_limit": "63G",
    }
    assert found(lab(**inside, hub_mem_limit="64G")) == []
    (line,) = found(lab(**inside, hub_mem_limit="65G"))
    assert line == (
        "error [memory]: 64.0 GiB of memory, but the hub with all servers in it may take 65.0 GiB; lower hub_mem_limit"
    )


def test_an_address_in_public_url_is_looked_for_on_the_host(lab: Make) -> None:
    assert found(lab(public_url=f"https://{ADDRESS}"), name=[]) == []
    (line,) = found(lab(public_url="https://198.51.100.9"), name=[])
    assert line == (
        "warning [name]: public_url names 198.51.100.9, which is none of the host's addresses; "
        "fine behind a router that forwards to it"
    )


def test_the_edges_ports_and_the_places_that_need_room_are_looked_at(lab: Make) -> None:
    assert ports(lab()) == [80, 443]
    assert ports(lab(public_url="https://hub.example.org:8443", edge_http_port=0)) == [8443]
    assert paths(lab(base_user_dir="/data/users")) == ["/var/lib/docker", "/var/lib/hubfleet/hub", "/data/users"]
