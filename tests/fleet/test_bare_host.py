"""A bare host: a dry run that tells the truth and touches nothing, a deploy, and a second one that changes nothing."""

import json
from collections.abc import Callable

import pytest

from tests.fleet import Fleet, Host, HostSpec
from tests.fleet.ring import STATE, Lab, certificate, leaked, secrets_of, shows_login, unchanged

DB_URL = "postgresql://hub:dry-run-password-4711@db.example.org/hub"


def state(host: Host) -> dict[str, object]:
    return {"files": host.listing(), "packages": host.packages(), "containers": host.containers()}


@pytest.fixture(scope="module")
def bare(started: Callable[..., list[Host]]) -> Host:
    return started(HostSpec("bare", ready=False))[0]


@pytest.fixture(scope="module")
def lab(ring: Fleet, bare: Host, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Images are built on the host, as they are where no registry has them."""
    hosts: dict[str, dict[str, object]] = {"bare": {"public_url": "https://hub.example.org"}}
    return Lab(ring, tmp_path_factory.mktemp("lab"), hosts, common={"image_source": "build"})


@pytest.fixture(scope="module")
def printed(lab: Lab) -> str:
    """What a whole deploy onto the bare host prints at its most talkative."""
    return lab.pyinfra("-y", "-vvv", "--diff")


def test_a_dry_run_ends_well_changes_nothing_and_shows_no_secret(ring: Fleet, bare: Host, lab: Lab) -> None:
    before = state(bare)
    directory = lab.directory / "dry"
    named: dict[str, object] = {"public_url": "https://hub.example.org", "hub_db_url": "env:RING_DB_URL"}
    named |= certificate(directory, "hub.example.org")
    dry = Lab(ring, directory, {"bare": named}, common=lab.common)
    printed = dry.pyinfra("--dry", "-vvv", "--diff", env={"RING_DB_URL": DB_URL})
    assert "Docker | install the engine" in printed
    assert state(bare) == before
    secrets = {"hub_db_url": DB_URL, "its password": "dry-run-password-4711"}
    assert leaked(printed, secrets | {"tls_key": (directory / "hub.key").read_text()}) == []


def test_the_plan_tells_that_there_are_changes_and_makes_none(bare: Host, lab: Lab) -> None:
    before = state(bare)
    printed = lab.hubfleet("plan", code=2)
    assert "Docker: install the engine" in printed
    assert "`hubfleet apply` makes these changes." in printed
    assert state(bare) == before


def test_one_command_makes_it_a_hub(bare: Host, printed: str) -> None:
    assert "Results" in printed
    assert shows_login(bare)
    assert bare.containers() == {f"hubfleet-hub-{role}": "running" for role in ("homes", "hub", "proxy")}


def test_the_run_that_made_the_secrets_printed_none(bare: Host, printed: str) -> None:
    secrets = secrets_of(bare)
    assert {f"{STATE}/secrets/proxy_token", f"{STATE}/passwords/admin", f"{STATE}/edge/tls.key"} <= set(secrets)
    assert leaked(printed, secrets) == []


@pytest.mark.usefixtures("printed")
def test_a_second_run_reports_no_change_in_any_operation(lab: Lab) -> None:
    assert unchanged(json.loads(lab.pyinfra("-y", "--json").out)["results"]) == {"bare"}


@pytest.mark.usefixtures("printed")
def test_a_dry_run_on_the_finished_host_tells_of_no_change(bare: Host, lab: Lab) -> None:
    before = state(bare)
    planned = json.loads(lab.pyinfra("--dry", "--json").out)["plan"]
    told = [each["name"] for each in planned if each["hosts_with_change"] or each["hosts_with_conditional_change"]]
    assert told == []
    assert lab.hubfleet("check").endswith("1 host: the settings are sound.\n")
    assert "Nothing would change." in lab.hubfleet("plan")
    assert state(bare) == before


@pytest.mark.usefixtures("printed")
def test_a_changed_setting_shows_its_diff_and_no_secret(bare: Host, lab: Lab) -> None:
    changed = ("--data", "server_mem_limit=2G")
    printed = lab.pyinfra("--dry", "-vvv", "--diff", *changed)
    assert "+  mem_limit: 2147483648" in printed
    planned = lab.hubfleet("plan", *changed, code=2)
    assert "hub restarts" in planned
    assert leaked(printed + planned, secrets_of(bare)) == []
