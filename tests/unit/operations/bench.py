"""A bench for operations: the real ones, on this machine's own shell or against told answers."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pyinfra.api.command import PyinfraCommand, StringCommand
from pyinfra.api.config import Config
from pyinfra.api.facts import FactBase
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.context import ctx_config, ctx_host, ctx_state

Operation = Callable[..., object]
T = TypeVar("T")


class Failed(AssertionError):
    """A command of an operation failed; the text is what it printed."""


@dataclass(frozen=True)
class Bench:
    """One host as pyinfra sees it."""

    host: Host

    @classmethod
    def local(cls) -> "Bench":
        """This machine: commands really run."""
        return cls._of("@local", {})

    @classmethod
    def telling(cls, answers: Mapping[str | re.Pattern[str], str]) -> "Bench":
        """A host that answers a command holding the text (or matching the pattern) with these lines, others with
        nothing, and changes nothing.
        """
        return cls._of("@fake", {"fake_responses": dict(answers), "fake_delay": 0, "fake_delay_jitter": 0})

    @classmethod
    def _of(cls, connector: str, data: dict[str, Any]) -> "Bench":
        state = State(Inventory(([(connector, data)], {})), Config())
        host = next(iter(state.inventory))
        host.connect()
        state.activate_host(host)
        return cls(host)

    @contextmanager
    def _in_context(self, executing: bool = False) -> Iterator[None]:
        state = self.host.state
        state.is_executing = executing
        with ctx_state.use(state), ctx_config.use(state.config), ctx_host.use(self.host):
            yield

    def fact(self, fact: type[FactBase[T]], **arguments: Any) -> T:
        with self._in_context():
            return self.host.get_fact(fact, **arguments)

    def commands(self, operation: Operation, **arguments: Any) -> list[str]:
        """What it would run, as a log would show it; nothing when all is as wanted."""
        with self._in_context():
            return [str(command) for command in _inner(operation)(**arguments)]

    def perform(self, operation: Operation, **arguments: Any) -> bool:
        """Run it to its end; whether it changed anything. Raises Failed."""
        changed = False
        with self._in_context(executing=True):
            for command in _inner(operation)(**arguments):
                changed = True
                ready = StringCommand(command) if isinstance(command, str) else command
                done, output = ready.execute(self.host.state, self.host, {})
                if not done:
                    raise Failed(f"{ready}\n{output.output}")
        return changed


def _inner(operation: Operation) -> Callable[..., Iterator[PyinfraCommand | str]]:
    return cast(Any, operation)._inner  # type: ignore[no-any-return]
