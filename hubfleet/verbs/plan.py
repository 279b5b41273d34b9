"""`hubfleet plan`: what a run would change, the commands it would run, and what people will notice of it."""

import json
from pathlib import Path

import click
from pyinfra.api.host import Host

from hubfleet import notices
from hubfleet.notices import Notice
from hubfleet.run import Change, Run, command
from hubfleet.settings import Lab
from hubfleet.spawners import parts
from hubfleet.verbs.common import Target, opened
from hubfleet.verbs.images import download_size
from hubfleet.verbs.text import indented, size, table

DETAILS = 120
"""Lines of one operation's differences that the text shows: a bundle of certificates has thousands."""

NO_CHANGE, ERROR, CHANGES = 0, 1, 2


def plan(target: Target, deploy: Path, as_json: bool) -> int:
    """Print the plan; 0: nothing would change, 2: something would, 1: it cannot be told or must not be."""
    with opened(target) as (run, labs):
        run.connect()
        run.prepare(deploy, detect=True)
        changes = run.changes()
        told = {host.name: _sized(notices.told(host.name), labs[host.name]) for host in run.hosts}
        for host in run.active:
            if changes[host.name] and not any(notice.kind == "cut" for notice in told[host.name]):
                told[host.name] += _nobody_cut_off(host, labs[host.name])
        status = _status(run, changes, told)
        if as_json:
            click.echo(json.dumps(_as_data(run, changes, told, status), indent=2))
        else:
            _print(run, labs, changes, told, status)
    return status


def _status(run: Run, changes: dict[str, list[Change]], told: dict[str, list[Notice]]) -> int:
    if any(report.failure for report in run.reports.values()):
        return ERROR
    if any(notice.kind == "error" for of_host in told.values() for notice in of_host):
        return ERROR
    return CHANGES if any(changes.values()) else NO_CHANGE


def _sized(told: list[Notice], lab: Lab) -> list[Notice]:
    def with_size(notice: Notice) -> Notice:
        if notice.kind != "pull":
            return notice
        count = download_size(notice.image, tuple(lab.docker.mirror))
        told_size = "size not known" if count is None else f"about {size(count)} to download"
        return Notice(notice.kind, f"{notice.text} ({told_size})", notice.image)

    return [with_size(notice) for notice in told]


def _nobody_cut_off(host: Host, lab: Lab) -> list[Notice]:
    """The good news, where there are servers that could have been cut off."""
    listed = command(host, parts(lab).servers, "2>/dev/null")
    count = len(listed.out.splitlines())
    return [Notice("cut", f"servers cut off: 0 of {count}")] if listed.ok and count else []


def _print(
    run: Run,
    labs: dict[str, Lab],
    changes: dict[str, list[Change]],
    told: dict[str, list[Notice]],
    status: int,
) -> None:
    for host in run.hosts:
        click.secho(f"{host.name}  {labs[host.name].hub.public_url}", bold=True)
        for change in changes[host.name]:
            click.secho(f"  {change.name}", fg="yellow")
            for line in change.details[:DETAILS]:
                click.echo(indented(line, 6))
            if len(change.details) > DETAILS:
                click.echo(f"      … {len(change.details) - DETAILS} more lines: --json has them all")
            for line in change.commands:
                click.echo("    $ " + indented(line, 6).lstrip())
        report = run.reports[host.name]
        if report.failure:
            click.secho(f"  cannot be planned to the end: {report.failure}", fg="red")
        elif not changes[host.name]:
            click.echo("  no change")
        click.echo()
    click.secho("Findings on the hosts", bold=True)
    _print_notices(told, ("error", "warning"), "none")
    click.secho("What people will notice", bold=True)
    _print_notices(told, ("restart", "cut", "pull", "info"), "nothing")
    rows = [
        (
            host.name,
            _word(run.reports[host.name].reached, run.reports[host.name].failure, changes[host.name]),
            len(changes[host.name]),
            run.reports[host.name].unchanged,
            run.reports[host.name].failure,
        )
        for host in run.hosts
    ]
    click.echo(table(("HOST", "PLAN", "CHANGES", "UNCHANGED", "WHY"), rows))
    click.echo()
    words = {
        NO_CHANGE: "Nothing would change.",
        CHANGES: "`hubfleet apply` makes these changes.",
        ERROR: "Not everything can be planned, or a finding stands in the way: see above.",
    }
    click.echo(words[status])


def _word(reached: bool, failure: str, changes: list[Change]) -> str:
    if not reached:
        return "unreachable"
    if failure:
        return "failed"
    return "changes" if changes else "no change"


def _print_notices(told: dict[str, list[Notice]], kinds: tuple[str, ...], none: str) -> None:
    lines = [
        f"  {host}: {notice.kind + ': ' if notice.kind in ('error', 'warning') else ''}{notice.text}"
        for host, of_host in told.items()
        for kind in kinds
        for notice in of_host
        if notice.kind == kind
    ]
    click.echo("\n".join(lines) or f"  {none}")
    click.echo()


def _as_data(
    run: Run, changes: dict[str, list[Change]], told: dict[str, list[Notice]], status: int
) -> dict[str, object]:
    return {
        "status": status,
        "hosts": {
            host.name: {
                "reached": run.reports[host.name].reached,
                "failure": run.reports[host.name].failure,
                "unchanged": run.reports[host.name].unchanged,
                "changes": [vars(change) for change in changes[host.name]],
                "notices": [{"kind": notice.kind, "text": notice.text} for notice in told[host.name]],
            }
            for host in run.hosts
        },
    }
