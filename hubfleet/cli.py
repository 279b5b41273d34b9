"""`hubfleet VERB INVENTORY`: the verbs' words, options and exit statuses."""

import functools
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

# Before anything opens a socket: importing it makes the standard library cooperate with pyinfra's greenlets.
from hubfleet.run import ROOT, interruptible, overrides  # isort: skip

import click

from hubfleet import __version__
from hubfleet.errors import UserError
from hubfleet.settings import SettingsError, check_inventory
from hubfleet.verbs.common import Target

Verb = Callable[..., int]


def _verb(*, hosts: bool = True) -> Callable[[Verb], Verb]:
    """The arguments every verb takes, gathered into a Target."""

    def decorate(function: Verb) -> Verb:
        @click.argument("inventory", type=click.Path(path_type=Path))
        @click.option("--data", multiple=True, metavar="KEY=VALUE", help="A value over what the inventory says.")
        @functools.wraps(function)
        def wrapped(inventory: Path, data: tuple[str, ...], limit: tuple[str, ...] = (), **options: Any) -> int:
            return function(Target(inventory, limit, data), **options)

        if hosts:
            wrapped = click.option(
                "--limit", multiple=True, metavar="HOST", help="Only these hosts: name, pattern or group."
            )(wrapped)
        return wrapped

    return decorate


_deploy = click.option(
    "--deploy",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
    default=ROOT / "deploy.py",
    help="A deploy file of your own, in place of Hubfleet's.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubfleet", message="%(prog)s %(version)s")
def cli() -> None:
    """JupyterHubs on the machines a lab already owns.

    INVENTORY is a file such as inventories/prod.py. The exit status is true: 0 when all is well, 1 when
    something is not, 130 after Ctrl-C; `plan` has 2 for changes.
    """


@cli.command()
@_verb(hosts=False)
def check(target: Target) -> int:
    """Check the inventory's settings, contacting nothing."""
    labs = check_inventory(target.inventory, overrides(target.data), cwd=ROOT)
    for name, lab in labs.items():
        click.echo(f"{name}: {lab.flavour}, {lab.hub.public_url}")
    click.echo(f"{len(labs)} host{'s' * (len(labs) != 1)}: the settings are sound.")
    return 0


@cli.command()
@_verb()
@_deploy
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
def plan(target: Target, deploy: Path, as_json: bool) -> int:
    """Show what would change, the commands, and what people will notice.

    Changes nothing. Exit status 0: no change; 2: changes; 1: a host cannot be reached or must not be changed.
    """
    from hubfleet.verbs.plan import plan as verb

    return verb(target, deploy, as_json)


@cli.command()
@_verb()
@_deploy
@click.option("-y", "--yes", is_flag=True, help="Accepted for scripts: apply never asks.")
@click.option("--cut-servers", is_flag=True, help="This time, servers inside a hub's container may be cut off.")
def apply(target: Target, deploy: Path, yes: bool, cut_servers: bool) -> int:
    """Make the hosts what the inventory says.

    Applies at once. A host that fails does not stop the others; the table at the end says which and why.
    """
    from hubfleet.verbs.apply import apply as verb

    data = (*target.data, "hub_cut_servers=True") if cut_servers else target.data
    return verb(replace(target, data=data), deploy)


@cli.command()
@_verb()
@click.option(
    "--resolve",
    multiple=True,
    metavar="NAME:ADDRESS",
    help="Connect to ADDRESS for NAME, before DNS knows it.",
)
@click.option("--dry", is_flag=True, help="Make nothing on the hub: certificate, redirect and login page only.")
def verify(target: Target, resolve: tuple[str, ...], dry: bool) -> int:
    """Prove a hub from outside, as a user would.

    Logs nobody out and touches nobody's files: a throw-away user starts a server, runs a cell, and goes again.
    """
    from hubfleet.verbs.verify import verify as verb

    pairs = [item.partition(":") for item in resolve]
    if not all(name and address for name, _, address in pairs):
        raise click.UsageError("--resolve takes NAME:ADDRESS")
    return verb(target, {name: address.strip("[]") for name, _, address in pairs}, dry)


@cli.command()
@_verb()
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def status(target: Target, as_json: bool) -> int:
    """Show all hubs in one table; exit status 1 when one is not up."""
    from hubfleet.verbs.status import status as verb

    return verb(target, as_json)


@cli.command()
@_verb()
@click.argument("user", required=False, default="")
@click.option("-n", "--lines", type=click.IntRange(1), default=100, show_default=True, help="How many lines.")
@click.option("--of", "part", type=click.Choice(["hub", "proxy", "homes", "shared"]), default="hub", help="Whose log.")
def logs(target: Target, user: str, lines: int, part: str) -> int:
    """Print the hub's log, or that of USER's server."""
    from hubfleet.verbs.logs import logs as verb

    return verb(target, user, lines, part)


@cli.command()
@_verb()
def stop(target: Target) -> int:
    """Stop the hub and all users' servers, until `start` or `apply`."""
    from hubfleet.verbs.lifecycle import stop as verb

    return verb(target)


@cli.command()
@_verb()
def start(target: Target) -> int:
    """Start a stopped hub and wait until it answers."""
    from hubfleet.verbs.lifecycle import start as verb

    return verb(target)


@cli.command()
@_verb()
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(target: Target, yes: bool) -> int:
    """Take the hub off its host; users' files, database and secrets stay.

    Stops all users' servers. Asks for the host's name on a terminal.
    """
    from hubfleet.verbs.lifecycle import remove as verb

    return verb(target, yes)


@cli.command()
@_verb()
@click.argument("user")
@click.option("--show", is_flag=True, help="Print the password here too.")
def passwd(target: Target, user: str, show: bool) -> int:
    """Give USER a new one-time password and end their sessions."""
    from hubfleet.verbs.passwd import passwd as verb

    return verb(target, user, show)


@cli.command(context_settings={"ignore_unknown_options": True})
@_verb()
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED)
def admin(target: Target, words: tuple[str, ...]) -> int:
    """Run hub-admin on a hub whose people are Linux users.

    \b
    set-password USER       a new password, typed at a prompt or on standard input
    allow-read ada grace    grace may read ada's files
    allow-write ada grace   grace may read and change ada's files
    disallow ada grace      ada's home is closed to grace again
    list                    who may enter whose home
    """
    from hubfleet.verbs.admin import admin as verb

    return verb(target, words)


def command_line(words: Sequence[str]) -> int:
    """Do what the words say and return the exit status.

    People's mistakes are told in a line or a list, without a traceback.
    """
    try:
        status = cli.main(list(words), prog_name="hubfleet", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 1
    except (UserError, SettingsError) as error:
        click.echo(f"error: {error}", err=True)
        return 1
    except BrokenPipeError:
        # Who reads it has gone; Python's own last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return 130
    return status if isinstance(status, int) else 0


def main() -> NoReturn:
    """The command `hubfleet`."""
    interruptible()
    sys.exit(command_line(sys.argv[1:]))
