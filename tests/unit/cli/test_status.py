"""`hubfleet status`: what a host answers becomes a row, and a hub that is not well is not `up`."""

import json

from hubfleet.verbs.status import Status, read
from tests.unit.cli.play import Lab

NOW = 1_800_000_000
"""2027-01-15 08:00:00 UTC."""

WELL = f"""\
@@containers
homes|running||2027-01-15T07:00:00.1Z|sha256:0123456789abcdef
proxy|running|healthy|2027-01-15T07:00:00.1Z|sha256:0123456789abcdef
hub|running|healthy|2027-01-15T07:58:00.1Z|sha256:0123456789abcdef
server|running||2027-01-15T07:58:00.1Z|sha256:fedcba
@@deployed
# Made by Hubfleet
hubfleet: 0.1.0
url: https://one.example.org/
@@disk
1073741824
@@certificate
notAfter=Jan 25 09:00:00 2027 GMT
@@now
{NOW}
@@hub
{{"version": "5.5.4", "users": 12, "servers": 3}}
"""


def row(text: str) -> Status:
    made = Status("one", "https://one.example.org/")
    read(made, text, ["hub", "proxy", "homes"])
    return made


def test_a_well_hub_is_told_in_full() -> None:
    assert row(WELL) == Status(
        host="one",
        url="https://one.example.org/",
        state="up",
        jupyterhub="5.5.4",
        hubfleet="0.1.0",
        image="0123456789ab",
        up_seconds=120,
        users=12,
        active_servers=3,
        disk_free=1024**3,
        certificate_days=10,
        containers={"homes": "running", "proxy": "healthy", "hub": "healthy"},
    )


def test_a_container_that_is_not_running_makes_it_down() -> None:
    found = row(WELL.replace("proxy|running|healthy", "proxy|exited|unhealthy"))
    assert (found.state, found.why) == ("down", "proxy exited; see hubfleet logs")


def test_an_unhealthy_container_makes_it_down() -> None:
    assert row(WELL.replace("hub|running|healthy", "hub|running|unhealthy")).state == "down"


def test_a_hub_that_does_not_answer_makes_it_down() -> None:
    found = row(WELL.replace('{"version": "5.5.4", "users": 12, "servers": 3}', ""))
    assert (found.state, found.why) == ("down", "the hub does not answer; see hubfleet logs")


def test_a_certificate_that_has_run_out_makes_it_down() -> None:
    found = row(WELL.replace("Jan 25", "Jan 10"))
    assert (found.state, found.why) == ("down", "the certificate has run out")


def test_a_bare_host_has_no_hub() -> None:
    found = row(f"@@containers\n@@deployed\n@@disk\n@@certificate\n@@now\n{NOW}\n@@hub\n")
    assert (found.state, found.why) == ("not deployed", "run hubfleet apply")


def test_unreachable_hosts_are_rows_too_and_the_exit_status_is_1(lab: Lab) -> None:
    lab.hosts(
        one={"fake_responses": {"@@containers": WELL.splitlines()}}, gone={"ssh_hostname": "127.0.0.1", "ssh_port": 1}
    )
    result = lab.hubfleet("status")
    assert result.status == 1
    lines = {line.split()[0]: line for line in result.out.splitlines()}
    assert "up" in lines["@fake/one"].split()
    assert "unreachable" in lines["gone"]
    assert "port 1 on 127.0.0.1" in lines["gone"]


def test_when_all_are_up_the_exit_status_is_0_and_json_has_the_numbers(lab: Lab) -> None:
    lab.hosts(one={"fake_responses": {"@@containers": WELL.splitlines()}})
    result = lab.hubfleet("status", "--json")
    assert result.status == 0
    assert json.loads(result.out)[0]["active_servers"] == 3
