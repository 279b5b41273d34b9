"""pyinfra's loader, planner and runner, driven in this process so that every outcome is known.

The one module that touches what pyinfra does not promise to keep (`pyinfra_cli`, the inside of `State`), for
which pyinfra is pinned to 3.10. What it changes about a run: a host that fails, in whatever way, ends alone
and with a reason that can be shown; nothing ends the others.
"""

import pyinfra_cli  # isort: skip  # patches the standard library for gevent, before anything here can open a socket

import contextlib
import fnmatch
import logging
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NoReturn

import gevent
import pyinfra
import pyinfra.connectors.util
from paramiko import SSHException
from pyinfra.api.arguments import CONNECTOR_ARGUMENT_KEYS, pop_global_arguments
from pyinfra.api.command import FileUploadCommand, FunctionCommand, PyinfraCommand, StringCommand
from pyinfra.api.config import Config
from pyinfra.api.exceptions import ConnectError, NoGroupError, PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operations import run_host_op
from pyinfra.api.state import BaseStateCallback, State, StateStage
from pyinfra.connectors.util import CommandOutput
from pyinfra.context import ctx_config, ctx_host, ctx_inventory, ctx_state
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.util import exec_file, parse_cli_arg

from hubfleet import notices
from hubfleet.errors import UserError
from hubfleet.settings import load

assert pyinfra_cli  # imported for what importing it does

ROOT = Path(__file__).resolve().parent.parent
"""The clone: where `deploy.py`, `config.py`, `group_data/` and `files/` are."""

CHATTER = ("Error: executed ", "Failed to load host keys ")
"""What pyinfra says that tells nothing: a failure's second line, and that no known_hosts file is there yet."""

LOST = "the connection to the host was lost; what ran there may go on by itself"

Outcome = Literal["changed", "no change", "failed"]


class HostFailed(PyinfraError):
    """Ends one host's part of a run where it is raised."""


@dataclass
class Report:
    """How far one host came."""

    failure: str = ""
    """Why it came no further; empty as long as all is well."""
    reached: bool = False
    changed: int = 0
    unchanged: int = 0
    running: str = ""
    """The operation under way: what an interruption may have left half done."""
    errors: list[str] = field(default_factory=list)
    """What it complained about since its last operation began."""
    seconds: float = 0
    """How long it was worked on: without what only other hosts were waited for."""

    def fail(self, reason: str) -> None:
        """Keep the first reason: later ones follow from it."""
        self.failure = self.failure or reason


@dataclass(frozen=True)
class Change:
    """One operation that would change one host."""

    name: str
    details: list[str]
    """What it said about the difference: a file's diff, mostly."""
    commands: list[str]
    """What would run, with hidden values masked."""


@dataclass(frozen=True)
class Answer:
    """What a command on a host came to."""

    ok: bool
    out: str
    err: str


class _State(State):
    """pyinfra's state, except that failing hosts never end a run, and a host that fails runs nothing more."""

    def fail_hosts(self, hosts_to_fail: Any, activated_count: int | None = None) -> None:
        self.failed_hosts.update(hosts_to_fail)
        self.active_hosts -= set(hosts_to_fail)
        current = ctx_host.get()
        if current in hosts_to_fail:
            raise HostFailed("a fact could not be read")


class _ConnectErrors(BaseStateCallback):
    def __init__(self, reports: dict[str, Report]) -> None:
        self.reports = reports

    def host_connect_error(self, state: State, host: Host, error: ConnectError) -> None:  # type: ignore[override]
        self.reports[host.name].fail(str(error))


class _Log(logging.Handler):
    """Sorts what pyinfra logs: by host and operation while planning, onto the screen while applying."""

    def __init__(self, run: "Run") -> None:
        super().__init__(logging.INFO)
        self.run = run

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        host: Host | None = ctx_host.get()
        if host is None:
            if record.levelno >= logging.WARNING:
                self.run.echo(text)
            return
        text = text.removeprefix(host.print_prefix)
        if text.startswith(CHATTER):
            return
        if record.levelno >= logging.ERROR:
            self.run.reports[host.name].errors.append(text)
        in_operation = host.current_op_hash is not None
        if in_operation and self.run.details is not None:
            self.run.details[host.name].append(text)
        elif in_operation or record.levelno >= logging.WARNING:
            self.run.echo(f"    {host.name}: {text}")


class Run:
    """One pass over the hosts of an inventory. Use as a context manager: leaving it disconnects.

    Before anything is contacted, the constructor raises SettingsError when the inventory cannot be read and
    UserError when `limit` matches nothing.
    """

    def __init__(
        self,
        inventory: Path,
        limit: Sequence[str] = (),
        data: Sequence[str] = (),
        echo: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`data` are `key=value` texts; `echo` gets each line of progress."""
        self.echo = echo
        self.details: dict[str, list[str]] | None = None
        """What operations say by host, while they are asked what they would do."""
        notices.forget()
        _quiet()
        path = inventory.resolve()
        with contextlib.ExitStack() as leaving:
            leaving.enter_context(contextlib.chdir(ROOT))
            self.state: State = _State()
            self.state.cwd = str(ROOT)
            ctx_state.set(self.state)
            self.inventory = load(path, overrides(data))
            ctx_inventory.set(self.inventory)
            self.hosts = select(self.inventory, limit)
            self.state.init(self.inventory, _config(), initial_limit=self.hosts)
            self.reports = {host.name: Report() for host in self.hosts}
            self.state.callback_handlers.append(_ConnectErrors(self.reports))
            handler = _Log(self)
            pyinfra.logger.addHandler(handler)
            leaving.callback(pyinfra.logger.removeHandler, handler)
            self._leave = leaving.pop_all()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, *exc: object) -> None:
        with self._leave, gevent.Timeout(10, exception=False):
            for host in self.state.activated_hosts:
                with contextlib.suppress(Exception):
                    host.disconnect()

    @property
    def active(self) -> list[Host]:
        """The hosts that are connected and have not failed, in the inventory's order."""
        return [host for host in self.hosts if host in self.state.active_hosts]

    def _each(self, hosts: Sequence[Host], work: Callable[[Host], object]) -> None:
        """Do something on hosts side by side; what one raises fails that one."""

        def guarded(host: Host) -> None:
            report = self.reports[host.name]
            began = time.monotonic()
            try:
                with ctx_config.use(self.state.config.copy()), ctx_host.use(host):
                    work(host)
            except Exception as error:
                report.fail(LOST if _lost(host) else _reason(error, report.errors))
                self.state.failed_hosts.add(host)
                self.state.active_hosts.discard(host)
            finally:
                report.seconds += time.monotonic() - began

        greenlets = [self.state.pool.spawn(guarded, host) for host in hosts]
        try:
            gevent.joinall(greenlets)
        except BaseException:
            # What they clean up, they clean up before the connections go; a second Ctrl-C ends that too.
            gevent.killall(greenlets, timeout=90)
            raise

    def connect(self) -> None:
        """Connect to the hosts, side by side."""
        self.state.set_stage(StateStage.Connect)

        def connect(host: Host) -> None:
            host.connect(show_errors=False)
            if not host.connected:
                raise HostFailed(self.reports[host.name].failure)
            self.reports[host.name].reached = True
            self.state.activate_host(host)

        self._each(self.hosts, connect)

    def prepare(self, deploy: Path, detect: bool) -> None:
        """Read what the deploy file asks of each host; with `detect`, also whether that changes anything."""
        self.state.set_stage(StateStage.Prepare)
        self.state.check_for_changes = detect
        self.state.current_deploy_filename = str(deploy)
        with self._listening():
            self._each(self.active, lambda host: exec_file(str(deploy)))

    @contextlib.contextmanager
    def _listening(self) -> Iterator[dict[str, list[str]]]:
        self.details = {host.name: [] for host in self.hosts}
        try:
            yield self.details
        finally:
            self.details = None

    def order(self) -> list[str]:
        """The operations' hashes in the order they run. Raises UserError when there is no such order."""
        try:
            return [str(op_hash) for op_hash in self.state.get_op_order()]
        except PyinfraError as error:
            raise UserError(f"the deploy file's operations have no order: {error}") from None

    def name_of(self, host: Host, op_hash: str) -> str:
        """An operation's name as this host's deploy code gave it: `Docker: install the engine`."""
        names = self.state.op_meta[op_hash].names
        # pyinfra keeps the names of all hosts in one set, each after those of the deploys around it.
        own = str(self.state.ops[host][op_hash].global_arguments.get("name") or "")
        return next((name for name in sorted(names) if name.endswith(own)), own).replace(" | ", ": ")

    def changes(self) -> dict[str, list[Change]]:
        """The operations that would change each host, in order. Reads from it again, and changes nothing."""
        self.state.config.DIFF = True
        order = self.order()
        found: dict[str, list[Change]] = {host.name: [] for host in self.hosts}

        def look(host: Host) -> None:
            report = self.reports[host.name]
            for op_hash in order:
                data = self.state.ops[host].get(op_hash)
                if data is None:
                    continue
                if not data.operation_meta.will_change:
                    report.unchanged += 1
                    continue
                details[host.name].clear()
                commands = [_shown(command) for command in data.command_generator()]
                said = [line.rstrip() for line in details[host.name] if line.strip()]
                found[host.name].append(Change(self.name_of(host, op_hash), said, commands))
                report.changed += 1

        with self._listening() as details:
            self._each(self.active, look)
        return found

    def execute(self) -> Iterator[tuple[Host, str, Outcome, float]]:
        """Run what was prepared, operation by operation, each on all its hosts at once.

        Yields host, operation's name, outcome and seconds as each comes to its end.
        """
        self.state.set_stage(StateStage.Execute)
        self.state.is_executing = True
        for op_hash in self.order():
            together = self.state.op_meta[op_hash].global_arguments
            waiting = [host for host in self.active if op_hash in self.state.ops[host]]
            at_once = 1 if together.get("_serial") else together.get("_parallel") or len(waiting) or 1
            while batch := waiting[:at_once]:
                waiting = waiting[at_once:]
                began = time.monotonic()
                for host in batch:
                    self.reports[host.name].running = self.name_of(host, op_hash)
                    self.reports[host.name].errors.clear()
                with self._reminder(batch, began):
                    self._each(batch, lambda host, op_hash=op_hash: self._run(host, op_hash))  # type: ignore[misc]
                for host in batch:
                    report = self.reports[host.name]
                    data = self.state.ops[host][op_hash].operation_meta
                    outcome: Outcome = "failed"
                    if report.failure:
                        report.failure = f"{report.running}: {report.failure}"
                    else:
                        outcome = "changed" if data.did_change() else "no change"
                        report.changed += outcome == "changed"
                        report.unchanged += outcome == "no change"
                    yield host, report.running, outcome, time.monotonic() - began
                    report.running = ""

    def _run(self, host: Host, op_hash: str) -> None:
        if not run_host_op(self.state, host, op_hash):
            raise HostFailed(_last(self.reports[host.name].errors) or "a command failed")

    @contextlib.contextmanager
    def _reminder(self, hosts: list[Host], began: float) -> Iterator[None]:
        """Say every half minute what is being waited for: building or installing takes its time."""

        def remind() -> NoReturn:
            while True:
                gevent.sleep(30)
                names = ", ".join(host.name for host in hosts)
                running = self.reports[hosts[0].name].running
                self.echo(f"    {names}: {running}: still at it after {time.monotonic() - began:.0f} s")

        greenlet = gevent.spawn(remind)
        try:
            yield
        finally:
            greenlet.kill(block=False)

    def on_each(self, work: Callable[[Host], object]) -> None:
        """Do something on every connected host, side by side; what it raises is that host's failure."""
        self._each(self.active, work)


def command(host: Host, *words: object, stdin: str | None = None, timeout: int = 60) -> Answer:
    """Run one command as root on a connected host, as operations do (with sudo as the inventory says).

    `words` are joined by spaces; a QuoteString is quoted. `stdin` is never logged. `timeout` is in seconds.
    """
    arguments, _ = pop_global_arguments(host.state, host, {})
    connector = {key: value for key, value in arguments.items() if key in CONNECTOR_ARGUMENT_KEYS}
    connector["_timeout"] = timeout
    if stdin is not None:
        connector["_stdin"] = stdin
    output: CommandOutput
    try:
        ok, output = host.run_shell_command(StringCommand(*words), **connector)
    except TimeoutError:
        return Answer(False, "", f"no answer within {timeout} s")
    except (OSError, SSHException) as error:
        return Answer(False, "", f"{type(error).__name__}: {error}")
    return Answer(ok, output.stdout, output.stderr)


def overrides(data: Sequence[str]) -> dict[str, Any]:
    """`key=value` texts as pyinfra reads `--data`. Raises UserError for one that is none."""
    pairs = [item.partition("=") for item in data]
    for item, (key, equals, _) in zip(data, pairs, strict=True):
        if not key or not equals:
            raise UserError(f"--data {item}: write it as key=value")
    return {key: parse_cli_arg(value) for key, _, value in pairs}


def select(inventory: Inventory, limit: Sequence[str]) -> list[Host]:
    """The hosts that `--limit` names, by group or by pattern, in the inventory's order; all without it.

    Raises UserError when one pattern matches nothing.
    """
    hosts = list(inventory)
    if not hosts:
        raise UserError("the inventory has no hosts")
    if not limit:
        return hosts
    wanted: set[str] = set()
    for pattern in limit:
        try:
            names = {host.name for host in inventory.get_group(pattern)}
        except NoGroupError:
            names = {host.name for host in hosts if fnmatch.fnmatch(host.name, pattern)}
        if not names:
            known = ", ".join(host.name for host in hosts)
            raise UserError(f"--limit {pattern} matches no host; the inventory has {known}")
        wanted |= names
    return [host for host in hosts if host.name in wanted]


def interruptible() -> None:
    """Make Ctrl-C a KeyboardInterrupt in the main greenlet, wherever the run is."""
    main = gevent.getcurrent()
    gevent.signal_handler(signal.SIGINT, gevent.kill, main, KeyboardInterrupt)


def _config() -> Config:
    config = Config()
    ctx_config.set(config)
    exec_file(str(ROOT / "config.py"))
    config.lock_current_state()
    return config


def _quiet() -> None:
    # With `is_cli`, an operation is the same one on all hosts when the same line of deploy code calls it.
    pyinfra.is_cli = True
    pyinfra.logger.setLevel(logging.INFO)
    pyinfra.logger.propagate = False
    # What it logs of a connection that fails is a traceback; the failure itself reaches us as an exception.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    if not sys.stdin.isatty():
        vars(pyinfra.connectors.util)["getpass"] = _no_password


def _no_password(prompt: str = "") -> NoReturn:
    raise HostFailed("sudo asks for a password: give the host `_sudo_password` in the inventory")


def _lost(host: Host) -> bool:
    """Whether the SSH connection to a host that was reached is gone: to pyinfra that is a failed command."""
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if host.connected and client else None
    return transport is not None and not transport.is_active()


def _shown(command: PyinfraCommand) -> str:
    if isinstance(command, FileUploadCommand):
        return f"upload to {command.dest}"
    if isinstance(command, FunctionCommand):
        return f"call {command.function.__name__}"
    return str(command)


def _reason(error: Exception, errors: list[str]) -> str:
    if isinstance(error, HostFailed):
        return _last(errors) or str(error)
    if isinstance(error, UnexpectedExternalError):
        return _plain(error.exception, "")
    if isinstance(error, PyinfraError):
        return str(error)
    return _plain(error, "")


def _plain(error: BaseException, filename: str) -> str:
    """An unforeseen exception in a line: its kind, its text, and the innermost line that is not pyinfra's."""
    where = ""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    traceback = error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if "site-packages" not in file and not file.startswith("<") and file != __file__:
            where = f"line {traceback.tb_lineno}"
            if file != filename:
                where = f"{Path(file).name} {where}"
        traceback = traceback.tb_next
    return f"{where}: {type(error).__name__}: {error}" if where else f"{type(error).__name__}: {error}"


def _last(lines: list[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
