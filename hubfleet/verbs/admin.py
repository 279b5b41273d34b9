"""`hubfleet admin`: the command `hub-admin` of a hub whose people are Linux users, from here."""

import shlex
import sys
from collections.abc import Sequence

import click
from pyinfra.api.host import Host

from hubfleet.errors import UserError
from hubfleet.run import HostFailed, command
from hubfleet.settings import Lab
from hubfleet.verbs.common import Target, connected

PATIENCE = 3600
"""Seconds that the hub may take: a share goes through every file of a home."""


def admin(target: Target, words: Sequence[str]) -> int:
    """Run `hub-admin` with `words` in the hub's container. What it prints and its exit status are passed on."""
    with connected(target) as (run, labs):
        if len(run.hosts) > 1:
            raise UserError("the inventory has several hubs: name the one with --limit HOST")
        status = 1

        def work(host: Host) -> None:
            nonlocal status
            lab = labs[host.name]
            if lab.hub.spawner != "local":
                raise HostFailed("only a hub whose people are Linux users (spawner = 'local') has hub-admin")
            password = _password() if "set-password" in words[:1] and "--help" not in words else ""
            # The prompt above is the only thing asked for: the command itself always has an end of its input.
            answer = command(host, script(lab, words), stdin=password, timeout=PATIENCE)
            out, _, ended = answer.out.rstrip("\n").rpartition("\n")
            if not ended.isdecimal():
                raise HostFailed((answer.err or answer.out).strip() or "the hub did not answer; see hubfleet status")
            status = int(ended)
            for printed, to_stderr in ((out, False), (answer.err, True)):
                if text := printed.rstrip("\n"):
                    click.echo(text, err=to_stderr)

        run.on_each(work)
        for name, report in run.reports.items():
            if report.reached and report.failure:
                click.echo(f"{name}: failed: {report.failure}", err=True)
                status = 1
        return status


def script(lab: Lab, words: Sequence[str]) -> str:
    """The shell script that runs it, with the exit status as its last line: pyinfra tells only whether it was 0."""
    return shlex.join(["docker", "exec", "-i", lab.names.hub, "hub-admin", *words]) + "; printf '\\n%s\\n' $?"


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("New password", hide_input=True, confirmation_prompt="The same again"))
