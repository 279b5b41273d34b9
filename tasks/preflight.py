"""Looking at the live host before its first change."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from hubfleet import preflight
from hubfleet.facts import Survey
from hubfleet.operations import findings
from hubfleet.settings import Lab


def survey(lab: Lab) -> dict[str, list[str]]:
    """What the host told; read once a run and host."""
    report: dict[str, list[str]] = host.get_fact(
        Survey,
        ports=preflight.ports(lab),
        paths=preflight.paths(lab),
        devices=lab.server.devices,
        sources=preflight.sources(lab),
        fqdn=lab.hub.public_url.host,
        owner=lab.storage.base_user_dir_owner,
        group=lab.storage.base_user_dir_group,
        base=lab.storage.base_user_dir,
    )
    return report


@deploy("Preflight")
def judge_host(lab: Lab, report: dict[str, list[str]]) -> None:
    """Tell everything that stands in the way; an error stops this host, and this host only."""
    address = host.data.get("ssh_hostname") or host.name
    findings(name="judge the host", found=preflight.judge(lab, report, address))
