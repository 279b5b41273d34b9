"""Hubs of all flavours, from one inventory, by one run."""

import json

import pytest

from tests.e2e.world import FLAVOURS, Deployment, World
from tests.fleet.ring import rows, unchanged


def test_one_run_makes_all_of_them_side_by_side(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    told = rows(deployment.printed)
    assert {host: row[0] for host, row in told.items()} == dict.fromkeys(FLAVOURS, "ok"), deployment.printed
    seconds = {host: int(row[3].removesuffix(" s")) for host, row in told.items()}
    slowest = max(seconds, key=lambda host: seconds[host])
    with capsys.disabled():
        print(
            f"\n{', '.join(FLAVOURS)}: {deployment.seconds:.0f} s; of it the slowest, {slowest}: {seconds[slowest]} s"
        )
    assert deployment.seconds < sum(seconds.values()) or len(FLAVOURS) == 1


def test_a_second_run_by_pyinfra_itself_changes_none_of_them(deployment: Deployment) -> None:
    assert unchanged(json.loads(deployment.lab.pyinfra("-y", "--json").out)["results"]) == set(FLAVOURS)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_each_hub_trusts_the_authorities_of_its_lab(world: World, deployment: Deployment, flavour: str) -> None:
    """GitHub's stand-in is vouched for by no other."""
    app = world.github.register("hub", "https://hub.example.org/")
    url = f"{world.github.url}/login/oauth/authorize?client_id={app.client_id}"
    code = f"import urllib.request; print(urllib.request.urlopen('{url}').status)"
    assert deployment.hub(flavour).docker(f'exec hubfleet-hub-hub python -c "{code}"') == "200"
