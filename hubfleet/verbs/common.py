"""What all verbs that reach hosts begin with."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from hubfleet.run import Run
from hubfleet.settings import Lab, labs_of


@dataclass(frozen=True)
class Target:
    """What a verb was asked to work on."""

    inventory: Path
    limit: Sequence[str] = ()
    """Hosts by name, pattern or group; all when empty."""
    data: Sequence[str] = ()
    """`key=value`, over what inventory and group data say."""


@contextlib.contextmanager
def opened(target: Target, progress_on_stdout: bool = False) -> Iterator[tuple[Run, dict[str, Lab]]]:
    """A run over a target's hosts and every host's lab, before anything is contacted.

    Raises UserError or SettingsError with everything that is wrong.
    """

    def echo(text: str) -> None:
        click.echo(text, err=not progress_on_stdout)

    with Run(target.inventory, target.limit, target.data, echo) as run:
        yield run, labs_of(run.inventory, target.inventory.resolve().parent)


@contextlib.contextmanager
def connected(target: Target) -> Iterator[tuple[Run, dict[str, Lab]]]:
    """The same, with the hosts connected; those that cannot be reached are named and left out."""
    with opened(target) as (run, labs):
        run.connect()
        for name, report in run.reports.items():
            if report.failure:
                click.echo(f"{name}: unreachable: {report.failure}", err=True)
        yield run, labs
