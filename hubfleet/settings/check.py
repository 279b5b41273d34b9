"""From what pyinfra merged for each host to a `Lab`, or to one list of all mistakes on all hosts."""

import inspect
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pyinfra.api.arguments import all_global_arguments
from pyinfra.api.connectors import get_all_connectors
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State
from pyinfra.api.util import raise_if_bad_type
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.context import ctx_state

from hubfleet.settings.lab import FLAVOURS, Lab
from hubfleet.settings.originals import LATER, RENAMED
from hubfleet.settings.problems import Problem, SettingsError, nearest, one_of, problem, shown, wrong_value
from hubfleet.settings.rules import findings

REFERENCE = "docs/settings.md"

_directories: WeakKeyDictionary[Inventory, Path] = WeakKeyDictionary()
_lost: WeakKeyDictionary[Inventory, list[Problem]] = WeakKeyDictionary()
"""What pyinfra's merge passed over in silence, by the inventory that came of it."""
_verdicts: WeakKeyDictionary[Inventory, dict[str, Lab] | SettingsError] = WeakKeyDictionary()
_loading: ContextVar[bool] = ContextVar("loading", default=False)


# --- Entry points -------------------------------------------------------------------------------------------


def check(inventory_file: str) -> None:
    """The last line of an inventory: `check(__file__)`.

    Under `pyinfra` it judges all hosts with all that pyinfra is about to merge, `--data` and `--group-data`
    too, and ends the run with the list of mistakes before anything is contacted. Elsewhere it does nothing:
    who loads an inventory by other means judges it by `labs_of`.
    """
    from pyinfra_cli.util import parse_cli_arg

    call = _pyinfra_call()
    if _loading.get() or call is None:
        return
    data = dict(item.partition("=")[::2] for item in call["data"])
    overrides = {key: parse_cli_arg(value) for key, value in data.items()}
    try:
        check_inventory(inventory_file, overrides, call["group_data"])
    except SettingsError as error:
        sys.exit(f"{error}\nNothing was contacted.")


def check_inventory(
    inventory_file: str | Path,
    data: Mapping[str, Any] | None = None,
    group_data: Iterable[str] = (),
    cwd: str | Path | None = None,
) -> dict[str, Lab]:
    """Every host's lab. Contacts nothing.

    `data` is what `--data` would set, `group_data` more directories of group data, `cwd` the directory of the
    clone (default: the current one, as pyinfra has it). Raises SettingsError with all mistakes on all hosts.
    """
    inventory = load(inventory_file, data, group_data, cwd)
    return labs_of(inventory, _directories[inventory])


def check_run() -> None:
    """The first line of deploy.py: judge what pyinfra merged for all hosts, selected or not, before any
    change.

    Raises SettingsError, which is an error of pyinfra's: it shows the list and ends the run.
    """
    from pyinfra.context import host

    _labs(host.inventory)


def lab_of(host: Host) -> Lab:
    """The lab of pyinfra's current host. Raises SettingsError if any host's settings are wrong."""
    return _labs(host.inventory)[host.name]


def labs_of(inventory: Inventory, directory: str | Path) -> dict[str, Lab]:
    """Every host's lab, by name, in the inventory's order; `directory` is the inventory's.

    Raises SettingsError with all mistakes on all hosts.
    """
    _directories[inventory] = Path(directory).resolve()
    return _labs(inventory)


def _labs(inventory: Inventory) -> dict[str, Lab]:
    if inventory not in _verdicts:
        try:
            _verdicts[inventory] = _judge(inventory, _directory(inventory))
        except SettingsError as error:
            _verdicts[inventory] = error
    verdict = _verdicts[inventory]
    if isinstance(verdict, SettingsError):
        raise verdict
    return verdict


def _directory(inventory: Inventory) -> Path:
    if inventory in _directories:
        return _directories[inventory]
    call = _pyinfra_call()
    named = Path(call["inventory"]) if call else Path()
    return named.parent.resolve() if named.is_file() else Path.cwd()


def _pyinfra_call() -> dict[str, Any] | None:
    """What `pyinfra` was called with, if this process is that; read anew, since greenlets do not share click's."""
    if Path(sys.argv[0]).stem != "pyinfra":
        return None
    from pyinfra_cli.cli import cli as pyinfra_command

    params: dict[str, Any] = pyinfra_command.make_context("pyinfra", sys.argv[1:], resilient_parsing=True).params
    return params


# --- Loading ------------------------------------------------------------------------------------------------


def load(
    inventory_file: str | Path,
    data: Mapping[str, Any] | None = None,
    group_data: Iterable[str] = (),
    cwd: str | Path | None = None,
) -> Inventory:
    """The inventory as pyinfra's own loader makes it; see `check_inventory`. Raises SettingsError."""
    # Not at the top: pyinfra_cli patches the standard library for gevent, and who only wants a `Lab` needs none of it.
    from pyinfra_cli.exceptions import UnexpectedExternalError
    from pyinfra_cli.inventory import make_inventory
    from pyinfra_cli.util import exec_file

    path = Path(inventory_file)
    if not path.is_file():
        raise SettingsError(
            [Problem("", str(path), "", "is no file", "name an inventory, such as inventories/prod.py")]
        )
    cwd = str(Path(cwd or Path.cwd()).resolve())
    try:
        with _under_way():
            attributes: dict[str, Any] = exec_file(str(path), return_locals=True)
            if problems := list(_structure(attributes)):
                raise SettingsError(problems)
            inventory: Inventory = make_inventory(
                str(path), override_data=dict(data or {}), cwd=cwd, group_data_directories=list(group_data)
            )
    except SettingsError:
        raise
    except PyinfraError as error:
        raise SettingsError([Problem("", str(path), "", str(error), "mend the file")]) from None
    except UnexpectedExternalError as error:
        raise SettingsError([_broken(Path(error.filename), error.exception)]) from None
    except SyntaxError as error:
        raise SettingsError([_broken(Path(error.filename or path), error)]) from None
    _lost[inventory] = [*_twice(attributes), *_overruled(attributes, inventory)]
    _directories[inventory] = path.parent.resolve()
    return inventory


@contextmanager
def _under_way() -> Iterator[None]:
    """Loading: an inventory's own `check` steps aside, and pyinfra's loader finds the state it needs."""
    state: AbstractContextManager[object] = nullcontext() if ctx_state.isset() else ctx_state.use(State())
    with state:
        token = _loading.set(True)
        try:
            yield
        finally:
            _loading.reset(token)


def _broken(file: Path, error: Exception) -> Problem:
    line = error.lineno if isinstance(error, SyntaxError) else None
    if line is None and error.__traceback__:
        frames = [frame for frame in inspect.getinnerframes(error.__traceback__) if Path(frame.filename) == file]
        line = frames[-1].lineno if frames else None
    what = error.msg if isinstance(error, SyntaxError) else error
    where = f"{file} line {line}" if line else str(file)
    return Problem("", where, "", f"{type(error).__name__}: {what}", "mend the file")


def _structure(attributes: dict[str, Any]) -> Iterator[Problem]:
    """What pyinfra would pass over or misread in an inventory's groups."""
    for name, value in attributes.items():
        if name.startswith("_"):
            continue
        if name in FLAVOURS and not isinstance(value, list | tuple):
            yield Problem("", name, "", "is no list of hosts", 'write [("hub.example.org", {...})]')
        if not isinstance(value, list | tuple):
            continue
        hosts = value[0] if isinstance(value, tuple) and len(value) == 2 else value
        data = value[1] if isinstance(value, tuple) and len(value) == 2 else {}
        if not isinstance(hosts, list) or not isinstance(data, dict):
            hint = 'write [("hub.example.org", {...})], or ([...], {...}) for a group with data'
            yield Problem("", name, "", "is no list of hosts", hint)
            continue
        for entry in hosts:
            host = entry[0] if isinstance(entry, tuple) and len(entry) == 2 else entry
            settings = entry[1] if isinstance(entry, tuple) and len(entry) == 2 else {}
            if not isinstance(host, str) or not host or not isinstance(settings, dict):
                hint = 'write ("hub.example.org", {...}); a list that is no group begins with _'
                yield Problem("", name, "", f"has {shown(name, entry) or 'an entry'}, which is no host", hint)


def _groups(attributes: dict[str, Any]) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Name, hosts and own data of each group of an inventory whose structure is sound."""
    for name, value in attributes.items():
        if not name.startswith("_") and isinstance(value, list | tuple):
            yield (name, *value) if isinstance(value, tuple) else (name, value, {})


def _twice(attributes: dict[str, Any]) -> Iterator[Problem]:
    for name, entries, _ in _groups(attributes):
        hosts = Counter(entry[0] if isinstance(entry, tuple) else entry for entry in entries)
        for host in (host for host, count in hosts.items() if count > 1):
            yield Problem(host, "", "", f"is listed twice in {name}", "keep one entry")


def _overruled(attributes: dict[str, Any], inventory: Inventory) -> Iterator[Problem]:
    """A group's own data that has no effect, since a file of group data sets the same key: pyinfra says nothing."""
    for name, _, data in _groups(attributes):
        merged = inventory.data if name == "all" else inventory.get_group_data(name)
        for key, given in data.items():
            if merged.get(key) != given:
                reason = f"is set for {name} and has no effect, since group_data/{name}.py sets it too"
                yield Problem("", key, shown(key, given), reason, "set it beside each host, or in your own group_data")


# --- Judging ------------------------------------------------------------------------------------------------


def _judge(inventory: Inventory, directory: Path) -> dict[str, Lab]:
    hosts = list(inventory)
    if not hosts:
        raise SettingsError(
            [Problem("", "", "", "has no hosts", "list one under a flavour: " + one_of(list(FLAVOURS)))]
        )
    flats = {host.name: _flat(host) for host in hosts}
    problems = list(_lost.get(inventory, []))
    if all(_undefaulted(flat) for flat in flats.values()):
        hint = "run from the directory that Hubfleet was cloned to"
        raise SettingsError([Problem("", "", "", f"finds no defaults in {Path.cwd() / 'group_data'}", hint)])
    values: dict[str, dict[str, Any]] = {}
    for host in hosts:
        values[host.name], found = _judge_host(host, flats[host.name], directory)
        problems += found
    problems += _between(hosts, flats, values)
    if problems:
        raise SettingsError(problems)
    return {
        host.name: Lab.model_validate(
            {
                "host": host.name,
                "directory": str(directory),
                "flavour": _flavours(host)[0],
                **Lab.gather(flats[host.name]),
            }
        )
        for host in hosts
    }


def _flat(host: Host) -> dict[str, Any]:
    merged: dict[str, Any] = host.data.dict()
    return merged


def _undefaulted(flat: Mapping[str, Any]) -> bool:
    return len(flat.keys() & Lab.keys()) < len(Lab.keys()) / 2


def _flavours(host: Host) -> list[str]:
    return [flavour for flavour in FLAVOURS if flavour in host.groups]


@cache
def _judges() -> dict[str, type[BaseModel]]:
    """A model for each key on its own, so that one wrong value hides no other mistake."""
    return {
        key: create_model(
            key, __config__=ConfigDict(strict=True), value=(model.model_fields[field].rebuild_annotation(), ...)
        )
        for model in Lab.concerns().values()
        for key, field in model.keys().items()
    }


@cache
def secret_keys() -> frozenset[str]:
    """The keys whose values refer to secrets. What stands there by mistake may be the secret itself."""
    return frozenset(
        key
        for model in Lab.concerns().values()
        for key, field in model.keys().items()
        if "secret" in model.model_fields[field].metadata
    )


@cache
def _pyinfra_keys() -> dict[str, Any]:
    """The host data that pyinfra itself reads, each with its type."""
    connectors = [connector.data_cls for connector in get_all_connectors().values()]
    known = {key: kind for data in connectors for key, kind in get_type_hints(data).items()}
    return known | {key: kind for key, kind in all_global_arguments() if key.startswith("_")}


def _judge_host(host: Host, flat: Mapping[str, Any], directory: Path) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = list(_flavour(host))
    for key, judge in _judges().items():
        if key not in flat:
            problems.append(Problem(host.name, key, "", "is not set", "add it beside the host in the inventory"))
            continue
        try:
            values[key] = dict(judge.model_validate({"value": flat[key]}))["value"]
        except ValidationError as error:
            secret = key in secret_keys()
            problems += [wrong_value(host.name, key, mistake, secret) for mistake in error.errors()]
    for finding in findings(values, directory):
        # A value that got here is of the right kind: where a secret is referred to, it is a reference.
        problems.append(problem(host.name, finding.key, flat, finding.message, harmless=True))
    settings = Lab.keys()
    for key in flat:
        if key not in settings:
            problems += _stranger(host.name, key, flat)
    return values, problems


def _flavour(host: Host) -> Iterator[Problem]:
    found = _flavours(host)
    if len(found) > 1:
        hint = "list it under one; a second hub on one machine comes with a later version"
        yield Problem(host.name, "", "", f"is in the flavours {' and '.join(found)}", hint)
    elif not found:
        groups = [group for group in host.groups if group != "all"]
        meant = next((match for group in groups if (match := nearest(group, list(FLAVOURS)))), "")
        hint = f"did you mean {meant}?" if meant else f"list it under one of {', '.join(FLAVOURS)}"
        yield Problem(host.name, "", "", f"is in no flavour, only in {', '.join(groups) or 'no group'}", hint)


def _stranger(host: str, key: str, flat: Mapping[str, Any]) -> Iterator[Problem]:
    """What is wrong with a key that is no setting of ours."""
    kinds = _pyinfra_keys()
    if key in kinds:
        try:
            raise_if_bad_type(flat[key], kinds[key], TypeError, "")
        except TypeError:
            kind = getattr(kinds[key], "__name__", str(kinds[key]))
            yield problem(host, key, flat, f"is not what pyinfra takes; give it as {kind}")
        return
    if key.upper() in RENAMED:
        yield problem(host, key, flat, f"is no key of Hubfleet; {RENAMED[key.upper()]}")
        return
    meant = nearest(key, [known for known in (*Lab.keys(), *kinds) if known.startswith("_") == key.startswith("_")])
    later = next((feature for prefix, feature in LATER.items() if key.lower().startswith(prefix)), "")
    if later:
        yield problem(host, key, flat, f"is no key of this version; {later} comes with a later one")
    elif meant:
        yield problem(host, key, flat, f"is no key; did you mean {meant}?")
    elif not key.startswith("_"):
        yield problem(host, key, flat, f"is no key; see {REFERENCE}; data of your own begins with _")


def _between(
    hosts: list[Host], flats: Mapping[str, Mapping[str, Any]], values: Mapping[str, Mapping[str, Any]]
) -> Iterator[Problem]:
    """What is wrong only because of another host."""
    machines: dict[tuple[str, int], str] = {}
    addresses: dict[str, str] = {}
    for host in hosts:
        machine = _machine(host, flats[host.name])
        if machine in machines:
            hint = "keep one; several hubs on one machine come with a later version"
            yield Problem(host.name, "", "", f"reaches the same machine as {machines[machine]}", hint)
        machines.setdefault(machine, host.name)
        address = str(values[host.name].get("public_url", ""))
        if address and address in addresses:
            message = f"is the address of {addresses[address]} too; give each hub its own"
            yield problem(host.name, "public_url", flats[host.name], message)
        addresses.setdefault(address, host.name)


def _machine(host: Host, flat: Mapping[str, Any]) -> tuple[str, int]:
    if host.connector_cls is not SSHConnector:
        return host.name, 0
    name = flat.get("ssh_hostname") or host.name.removeprefix("@ssh/")
    port = flat.get("ssh_port") or 22
    return str(name).rstrip(".").lower(), port if isinstance(port, int) else 0
