"""Runs over a collaborative hub that is as it should be."""

import json

from tests.e2e.hub import Hub
from tests.fleet.ring import leaked, secrets_of, unchanged


def test_a_second_run_changes_nothing_and_a_dry_run_says_so_and_shows_no_secret(hub: Hub) -> None:
    assert unchanged(json.loads(hub.lab.pyinfra("-y", "--json").out)["results"]) == {hub.host.name}
    printed = hub.lab.pyinfra("--dry", "-vvv", "--diff") + hub.lab.hubfleet("plan")
    assert "Nothing would change." in printed
    assert leaked(printed, secrets_of(hub.host)) == []


def test_verify_proves_the_room_s_page_and_a_kernel(hub: Hub) -> None:
    assert "42" in hub.lab.hubfleet("verify")
