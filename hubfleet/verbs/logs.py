"""`hubfleet logs`: what the hub, or a user's server, wrote."""

import shlex

import click
from pyinfra.api.host import Host

from hubfleet.run import HostFailed, command
from hubfleet.spawners import parts
from hubfleet.verbs.common import Target, connected
from hubfleet_hub.names import escape

LABEL_USER = "io.hubfleet.user"


def logs(target: Target, user: str, lines: int, part: str) -> int:
    """Print the last lines of a container's log on each host; 1 where there is none."""
    with connected(target) as (run, labs):
        several = len(run.hosts) > 1
        found: dict[str, str] = {}

        def read(host: Host) -> None:
            lab = labs[host.name]
            if user and parts(lab).restart:
                click.echo(f"{host.name}: users' servers run beside the hub and write to its own log", err=True)
                names = [lab.names.hub]
            elif user:
                labels = (f"io.hubfleet.hub={lab.hub.hub_name}", f"{LABEL_USER}={escape(user)}")
                filters = " ".join(f"--filter {shlex.quote('label=' + label)}" for label in labels)
                names = command(host, f"docker ps -a {filters} --format '{{{{.Names}}}}'").out.split()
                if not names:
                    raise HostFailed(f"{user} has no server here")
            else:
                names = [getattr(lab.names, part)]
            texts = []
            for name in names:
                answer = command(host, f"docker logs --tail {lines} {shlex.quote(name)} 2>&1")
                if not answer.ok:
                    raise HostFailed(answer.out or answer.err)
                texts.append(answer.out)
            found[host.name] = "\n".join(texts)

        run.on_each(read)
        for host in run.hosts:
            for line in found.get(host.name, "").splitlines():
                click.echo(f"{host.name}: {line}" if several else line)
        # A user has a server on one hub and none on the others: that is no failure.
        if user and found:
            return 1 if any(not report.reached for report in run.reports.values()) else 0
        for name, report in run.reports.items():
            if report.reached and report.failure:
                click.echo(f"{name}: {report.failure}", err=True)
        return 1 if any(report.failure for report in run.reports.values()) else 0
