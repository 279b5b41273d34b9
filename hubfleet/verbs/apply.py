"""`hubfleet apply`: make hosts what the inventory says, and say truly how that went.

It applies at once and asks nothing: `hubfleet plan` is the look before.
"""

from pathlib import Path

import click
from pyinfra.api.command import QuoteString

from hubfleet import notices
from hubfleet.run import Report, Run, command
from hubfleet.settings import Lab
from hubfleet.verbs.access import read_command
from hubfleet.verbs.common import Target, opened
from hubfleet.verbs.text import coloured, table
from hubfleet_hub.names import escape

INTERRUPTED = 130


def apply(target: Target, deploy: Path) -> int:
    """Run the deploy file; 0 when every host is as it should be, 1 when one is not, 130 after Ctrl-C."""
    with opened(target, progress_on_stdout=True) as (run, labs):
        interrupted = False
        try:
            _run(run, deploy)
        except KeyboardInterrupt:
            interrupted = True
        click.echo()
        click.echo(_table(run, interrupted))
        if interrupted:
            _print_interrupted(run)
            return INTERRUPTED
        for host in run.hosts:
            for notice in notices.told(host.name):
                if notice.kind == "warning":
                    click.echo(f"\n{host.name}: {notice.text}")
        for host in run.active:
            _print_next_step(run, target, labs[host.name])
        return 1 if any(report.failure for report in run.reports.values()) else 0


def _run(run: Run, deploy: Path) -> None:
    click.echo(f"Connecting to {', '.join(host.name for host in run.hosts)}")
    run.connect()
    for name, report in run.reports.items():
        if report.failure:
            click.echo(f"{name}: {coloured('unreachable')}: {report.failure}")
    run.prepare(deploy, detect=False)
    for name, report in run.reports.items():
        if report.reached and report.failure:
            click.echo(f"{name}: {coloured('failed')}: {report.failure}")
    for host, name, outcome, seconds in run.execute():
        took = f" ({seconds:.0f} s)" if seconds >= 5 else ""
        click.echo(f"{host.name}: {name}: {coloured(outcome)}{took}")
        report = run.reports[host.name]
        if outcome == "failed" and not report.errors:
            click.echo(f"    {host.name}: {report.failure}")


def _table(run: Run, interrupted: bool) -> str:
    def result(report: Report) -> tuple[str, str]:
        if report.failure:
            return ("failed" if report.reached else "unreachable"), report.failure
        return ("interrupted", report.running) if interrupted else ("ok", "")

    rows = [
        (name, result(report)[0], report.changed, report.unchanged, f"{report.seconds:.0f} s", result(report)[1])
        for name, report in run.reports.items()
    ]
    return table(("HOST", "RESULT", "CHANGED", "UNCHANGED", "TOOK", "WHY"), rows)


def _print_interrupted(run: Run) -> None:
    click.echo("\nInterrupted. Nothing is undone, and another `hubfleet apply` finishes what is missing.")
    for name, report in run.reports.items():
        if report.running:
            click.echo(f"{name}: what was running there may go on by itself: {report.running}")


def _print_next_step(run: Run, target: Target, lab: Lab) -> None:
    host = next(host for host in run.hosts if host.name == lab.host)
    click.echo(f"\n{lab.host}: {click.style(str(lab.hub.public_url), bold=True)}")
    inventory = target.inventory
    admin = next(iter(lab.users.admins))
    password = f"{lab.paths.passwords}/{escape(admin)}"
    if not lab.keeps_passwords:
        click.echo(f"  {admin} is its admin, and logs in {_elsewhere(lab)}")
    elif command(host, "test", "-s", QuoteString(password)).ok:
        click.echo(f"  {admin}'s one-time password, to be changed at the first login, is on the host:")
        click.echo(f"    {read_command(host, password)}")
    else:
        click.echo(f"  {admin} has chosen a password; for another one: hubfleet passwd {inventory} {admin}")
    if "lti13" in lab.hub.login:
        click.echo("  What the LMS's administrator has to enter, in the words of Moodle and of Canvas, is on the host:")
        click.echo(f"    {read_command(host, lab.paths.lms)}")
    if "native" in lab.hub.login:
        click.echo(f"  Next: log in as {admin} and let people in at {lab.hub.public_url}hub/authorize")
    if "pam" in lab.hub.login and not lab.users.allowed:
        click.echo(f"  Next: log in as {admin} and add people at {lab.hub.public_url}hub/admin")
    click.echo(f"  Prove it from outside, as a user would: hubfleet verify {inventory} --limit {lab.host}")


def _elsewhere(lab: Lab) -> str:
    if "lti13" in lab.hub.login:
        return f"from the course in the LMS {lab.lti13.issuer}"
    return f"with the account at {lab.oauth.url or lab.oauth.provider}"
