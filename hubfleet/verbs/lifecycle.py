"""`hubfleet stop`, `start` and `remove`: a hub's services on its host, never its data."""

import shlex
import sys
from collections.abc import Callable

import click
import gevent
from pyinfra.api.host import Host

from hubfleet.containers import LABEL_HUB, LABEL_ROLE
from hubfleet.errors import UserError
from hubfleet.run import HostFailed, Run, command
from hubfleet.settings import Lab
from hubfleet.spawners import parts
from hubfleet.verbs.common import Target, connected

PATIENCE = 240
"""Seconds a hub may take until it answers."""

CALLED = {"homes": "keeper of homes", "shared": "shared JupyterLab"}
"""Containers' roles in words, where those differ."""

Step = tuple[str, str]
"""What is done, in words, and the shell command that does it."""


def stop(target: Target) -> int:
    """Stop users' servers and the hub; they stay stopped, also over a reboot, until `start` or `apply`."""
    return _on_hosts(target, lambda run, lab, host: _steps(host, stopping(lab)), "is stopped")


def start(target: Target) -> int:
    """Start the hub again and wait until it answers."""
    return _on_hosts(target, lambda run, lab, host: _start(lab, host), "answers again")


def remove(target: Target, yes: bool) -> int:
    """Take a hub's services off its host. Users' files, the hub's database and its secrets stay."""
    with connected(target) as (run, labs):
        for host in run.active:
            if not yes:
                _confirm(host, labs[host.name])

        def work(host: Host) -> None:
            _steps(host, removing(labs[host.name]))
            click.echo(f"{host.name}: the hub is removed. What stays on the host:")
            for what, place in kept(labs[host.name]):
                click.echo(f"  {place}  {what}")

        run.on_each(work)
        return _finish(run)


def _on_hosts(target: Target, work: Callable[[Run, Lab, Host], None], done: str) -> int:
    with connected(target) as (run, labs):

        def each(host: Host) -> None:
            work(run, labs[host.name], host)
            click.echo(f"{host.name}: {labs[host.name].hub.public_url} {done}")

        run.on_each(each)
        return _finish(run)


def _finish(run: Run) -> int:
    for name, report in run.reports.items():
        if report.reached and report.failure:
            click.echo(f"{name}: failed: {report.failure}", err=True)
    return 1 if any(report.failure for report in run.reports.values()) else 0


def _steps(host: Host, steps: list[Step]) -> None:
    for what, shell in steps:
        click.echo(f"{host.name}: {what}")
        answer = command(host, shell, timeout=300)
        if not answer.ok:
            raise HostFailed(f"{what}: {(answer.err or answer.out).strip()}")


def _confirm(host: Host, lab: Lab) -> None:
    if not sys.stdin.isatty():
        raise UserError("remove asks on a terminal before it removes a hub; --yes answers for scripts")
    click.echo(f"This removes the hub {lab.hub.public_url} from {host.name}; users' files and its database stay.")
    if click.prompt(f"Type the host's name ({host.name}) to go on") != host.name:
        raise UserError("that is not its name: nothing was removed")


def _ours(lab: Lab, role: str = "") -> str:
    """The shell words that list the ids of a hub's containers, stopped ones too."""
    words = ["docker", "ps", "-aq", "--filter", f"label={LABEL_HUB}={lab.hub.hub_name}"]
    if role:
        words += ["--filter", f"label={LABEL_ROLE}={role}"]
    return shlex.join(words)


def stopping(lab: Lab) -> list[Step]:
    """The hub first, so that it does not take stopped servers for crashed ones; then servers, then the rest."""
    present = "docker inspect --type container {0} >/dev/null 2>&1"
    one = f"if {present}; then docker stop -t 30 {{0}} >/dev/null; fi"
    made = parts(lab)
    others = [spec for spec in reversed(made.containers) if spec is not made.hub]
    return [
        ("stopping the hub", one.format(made.hub.name)),
        ("stopping users' servers", f"{_ours(lab, 'server')} | xargs -r docker stop -t 30 >/dev/null"),
        *((f"stopping the {CALLED.get(spec.role, spec.role)}", one.format(spec.name)) for spec in others),
    ]


def _start(lab: Lab, host: Host) -> None:
    names = lab.names
    _steps(
        host,
        [
            (f"starting the {CALLED.get(spec.role, spec.role)}", f"docker start {spec.name} >/dev/null")
            for spec in parts(lab).containers
        ],
    )
    click.echo(f"{host.name}: waiting until the hub answers")
    probe = f"docker exec {names.hub} python -m hubfleet_hub.health && docker exec {names.proxy} python -m "
    with gevent.Timeout(PATIENCE, HostFailed(f"no answer within {PATIENCE} s; see hubfleet logs")):
        while not command(host, probe + "hubfleet_hub.health proxy").ok:
            gevent.sleep(3)


def removing(lab: Lab) -> list[Step]:
    """Containers, networks, rules, units and the site; nothing that holds data."""
    names, hub = lab.names, shlex.quote(lab.hub.hub_name)
    engine = "command -v docker >/dev/null || exit 0; "
    networks = f"docker network ls -q --filter label={LABEL_HUB}={hub}"
    unit = f"{names.prefix}-network.service"
    egress, chain = f"{names.prefix}-egress.service", names.egress_chain
    rules = f"iptables -w 30 -S DOCKER-USER 2>/dev/null | grep -E -- ' -i ({names.users_bridge}|{names.core_bridge}) '"
    return [
        ("removing containers", f"{engine}{_ours(lab)} | xargs -r docker rm -f >/dev/null"),
        ("removing networks", f"{engine}{networks} | xargs -r docker network rm >/dev/null"),
        (
            "removing the network's unit and rules",
            f"systemctl disable -q --now {unit} 2>/dev/null; rm -f /etc/systemd/system/{unit}; "
            f"systemctl daemon-reload; rm -rf /usr/local/lib/hubfleet/{hub}; "
            f"{rules} | while read -r _ rule; do eval iptables -w 30 -D $rule; done",
        ),
        (
            "removing the unit and rules of the ways out",
            f"systemctl disable -q --now {egress} 2>/dev/null; rm -f /etc/systemd/system/{egress}; "
            "systemctl daemon-reload; for each in iptables ip6tables; do "
            f"$each -w 30 -t mangle -D PREROUTING -i {names.users_bridge} -j {chain}; "
            f"$each -w 30 -t mangle -F {chain}; $each -w 30 -t mangle -X {chain}; done 2>/dev/null; true",
        ),
        (
            "removing the site",
            # Without the stamp, a later apply loads its site even if it is the same.
            f"rm -f /etc/nginx/conf.d/{names.prefix}.conf {lab.paths.edge}/loaded; "
            "if systemctl is-active -q nginx.service; then nginx -t -q && systemctl reload nginx.service; fi",
        ),
        ("removing what builds left", f"rm -rf {lab.paths.build} {lab.paths.root}/deployed.yaml {lab.paths.lms}"),
    ]


def kept(lab: Lab) -> list[tuple[str, str]]:
    """What `remove` leaves, and where."""
    homes = (
        ("users' files, a volume each", f"docker volumes {lab.names.prefix}-home-*")
        if lab.hub.homes == "volume"
        else ("users' files", lab.storage.base_user_dir)
    )
    return [
        homes,
        ("the hub's database", lab.paths.state),
        ("its secrets, certificate and one-time passwords", lab.paths.root),
        ("with their packages, configuration and images: others may use them", "Docker and nginx"),
    ]
