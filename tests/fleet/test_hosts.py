"""Several hosts at once: Debian 13 as root and by sudo with a password, Debian 12, and one that does not answer."""

import json
import re
from pathlib import Path

import pytest
import yaml

from hubfleet.images import ROOT
from tests.fleet import Fleet
from tests.fleet.ring import STATE, Four, Lab, rows, shows_login, unchanged

GOOD = ("alpha", "beta", "gamma")


def test_the_others_finish_and_the_table_says_which_did_not_and_why(four: Four) -> None:
    told = rows(four.printed)
    assert {host: row[0] for host, row in told.items()} == dict.fromkeys(GOOD, "ok") | {"delta": "unreachable"}
    assert told["delta"][-1], f"the table says nothing of why:\n{four.printed}"


@pytest.mark.parametrize("name", GOOD)
def test_each_of_the_others_is_a_hub_behind_https(ring: Fleet, four: Four, name: str) -> None:
    host = ring.host(name)
    assert shows_login(host)
    assert host.containers() == {f"hubfleet-hub-{role}": "running" for role in ("homes", "hub", "proxy")}


@pytest.mark.parametrize("name", GOOD)
def test_verify_proves_each_of_them_from_outside(ring: Fleet, four: Four, name: str) -> None:
    resolve = ("--resolve", f"hub.example.org:{ring.host(name).address}") if name == "alpha" else ()
    four.lab.hubfleet("verify", "--limit", name, *resolve)


def test_the_passwords_for_sudo_are_nowhere_in_what_was_printed(ring: Fleet, four: Four) -> None:
    assert ring.host("beta").sudo_password
    assert ring.host("beta").sudo_password not in four.printed


@pytest.mark.parametrize("name", GOOD)
def test_a_labs_own_group_data_outside_the_clone_overrides_ours(ring: Fleet, four: Four, name: str) -> None:
    assert not four.lab.directory.resolve().is_relative_to(ROOT)
    written = yaml.safe_load(ring.host(name).run(f"cat {STATE}/etc/hub.yaml").out)
    assert written["server"]["pids_limit"] == 777


def test_a_second_run_by_pyinfra_itself_changes_none_of_them_and_ends_with_an_error_for_the_one(four: Four) -> None:
    printed = four.lab.pyinfra("-y", "--json", code=1)
    assert re.search(r"delta.*(timed out|banner|No existing session|Error)", printed), printed
    assert unchanged(json.loads(printed.out)["results"]) == set(GOOD)


BAD = {
    "wrong type": "_bad = {'server_cpu_limit': 'two'}",
    "unknown key": "_bad = {'server_mem_limitt': '1G'}",
    "a secret as a value": "_bad = {'hub_db_url': 'postgresql://hub:secret@db/hub'}",
}


@pytest.mark.parametrize("bad", list(BAD.values()), ids=list(BAD))
def test_a_bad_inventory_reaches_no_sshd(ring: Fleet, four: Four, tmp_path: Path, bad: str) -> None:
    spoilt = f"{bad}\nfor _, _data in neurodesk:\n    _data.update(_bad)\n"
    asks = "from hubfleet.settings.check import check\ncheck(__file__)\n"
    lab = Lab(ring, tmp_path, four.lab.hosts)
    lab.write(spoilt)
    before = {name: ring.host(name).connections() for name in GOOD}
    for verb in ("check", "plan", "apply", "verify", "status"):
        assert "mistakes in the inventory" in lab.hubfleet(verb, code=1)
    lab.write(spoilt + asks)
    printed = lab.pyinfra("-y", code=1)
    assert "mistakes in the inventory" in printed
    assert all(f"{name}: " in printed for name in GOOD)
    assert "Traceback" not in printed
    assert {name: ring.host(name).connections() for name in GOOD} == before


def test_a_good_run_is_seen_by_sshd(ring: Fleet, four: Four) -> None:
    before = ring.host("alpha").connections()
    four.lab.hubfleet("plan", "--limit", "alpha")
    assert ring.host("alpha").connections() > before
