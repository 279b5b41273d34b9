"""`hubfleet VERB INVENTORY`: the verbs' words, options and exit statuses."""

import functools
import sys
from collections.abc import Callable
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
def apply(target: Target, deploy: Path, yes: bool) -> int:
    """Make the hosts what the inventory says.

    Applies at once. A host that fails does not stop the others; the table at the end says which and why.
    """
    from hubfleet.verbs.apply import apply as verb

    return verb(target, deploy)


def main() -> NoReturn:
    """Run the command line; people's mistakes are told in a line or a list, without a traceback."""
    interruptible()
    try:
        status = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        status = 1
    except (UserError, SettingsError) as error:
        click.echo(f"error: {error}", err=True)
        status = 1
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        status = 130
    sys.exit(status if isinstance(status, int) else 0)
