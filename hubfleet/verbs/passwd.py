"""`hubfleet passwd`: a new one-time password, made on the host, kept where only root there can read it."""

import shlex

import click
from pyinfra.api.host import Host

from hubfleet.errors import UserError
from hubfleet.run import HostFailed, command
from hubfleet.settings import Lab
from hubfleet.verbs.access import read_command
from hubfleet.verbs.common import Target, connected
from hubfleet_hub.names import escape


def passwd(target: Target, user: str, show: bool) -> int:
    """Give a user a new one-time password, to be changed at the next login; their sessions end."""
    with connected(target) as (run, labs):
        if len(run.hosts) > 1:
            raise UserError("the inventory has several hubs: name the one with --limit HOST")

        def work(host: Host) -> None:
            lab = labs[host.name]
            if not lab.keeps_passwords:
                raise HostFailed("this hub keeps no passwords: people log in elsewhere")
            path = f"{lab.paths.passwords}/{escape(user)}"
            answer = command(host, script(lab, user))
            if not answer.ok:
                raise HostFailed((answer.err or answer.out).strip() or "the hub did not take it; see hubfleet logs")
            click.echo(f"{host.name}: {user} has a new one-time password, to be changed at the next login.")
            if show:
                click.echo(command(host, "cat", shlex.quote(path)).out)
            else:
                click.echo(f"It is on the host; to read it: {read_command(host, path)}")

        run.on_each(work)
        for name, report in run.reports.items():
            if report.reached and report.failure:
                click.echo(f"{name}: failed: {report.failure}", err=True)
        return 1 if any(report.failure for report in run.reports.values()) else 0


def script(lab: Lab, user: str) -> str:
    """The shell script that makes and sets it: the password is in a file and a pipe, in no command's words."""
    path = shlex.quote(f"{lab.paths.passwords}/{escape(user)}")
    new = f"{path}.new"
    setter = shlex.join(["docker", "exec", "-i", lab.names.hub, "python", "-m", "hubfleet_hub.passwd", "set", user])
    return (
        f"umask 077 && rm -f {new} && head -c 15 /dev/urandom | base64 | tr '+/' 'ab' > {new} && "
        f"if {setter} < {new}; then mv -f {new} {path}; else rm -f {new}; false; fi"
    )
