"""Bad data on many hosts at once: one list, exit status 1, and nobody was contacted. Through the real command."""

import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubfleet.preflight import FINDINGS
from tests.unit.settings.bad_data import CASES
from tests.unit.settings.conftest import ROOT

NAMES = [f"h{number:02}" for number in range(len(CASES))]


@dataclass
class Run:
    status: int
    told: str
    was_contacted: bool

    def about(self, host: str) -> list[str]:
        return re.findall(rf"^  {host}: (.*)$", self.told, re.MULTILINE)


@pytest.fixture(scope="module")
def run(made: Path) -> Run:
    """All cases in one inventory of hosts that would accept a connection, given to `pyinfra`."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.setblocking(False)
        hosts = [
            (name, _reachable(number, listener.getsockname()[1]) | {"public_url": f"https://{name}.example.org"} | data)
            for number, (name, (_, data, _)) in enumerate(zip(NAMES, CASES, strict=True), 1)
        ]
        inventory = made / "bad.py"
        inventory.write_text(f"from hubfleet.settings.check import check\n\nneurodesk = {hosts!r}\n\ncheck(__file__)\n")
        pyinfra = [str(Path(sys.executable).with_name("pyinfra")), "-y", str(inventory), "deploy.py"]
        done = subprocess.run(pyinfra, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        return Run(done.returncode, done.stdout + done.stderr, was_contacted=_has_visitor(listener))


def _has_visitor(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except BlockingIOError:
        return False
    return True


def _reachable(number: int, port: int) -> dict[str, Any]:
    """One machine each, all of them this one. As restricted as can be, so that a case is about itself alone."""
    return {"ssh_hostname": f"127.0.0.{number}", "ssh_port": port, "server_profile": "restricted"}


@pytest.mark.parametrize(
    ("host", "lines"),
    [pytest.param(name, lines, id=what) for name, (what, _, lines) in zip(NAMES, CASES, strict=True)],
)
def test_every_mistake_is_told_with_its_reason_and_what_to_do(
    run: Run, made: Path, host: str, lines: list[str]
) -> None:
    ended = datetime.now(UTC) - timedelta(days=3)
    known = {"name": host, "here": made, "ended": f"{ended:%Y-%m-%d}", "findings": ", ".join(FINDINGS)}
    assert run.about(host) == [line.format(**known) for line in lines]


def test_there_are_more_than_thirty_kinds() -> None:
    assert len({what for what, _, _ in CASES}) == len(CASES) > 30


def test_all_mistakes_on_all_hosts_are_one_list_in_the_order_of_the_hosts(run: Run) -> None:
    told = re.findall(r"^  (h\d+): ", run.told, re.MULTILINE)
    assert told == [name for name, (_, _, lines) in zip(NAMES, CASES, strict=True) for _ in lines]
    assert f"{len(told)} mistakes in the inventory:" in run.told


def test_the_run_ends_with_status_1(run: Run) -> None:
    assert run.status == 1


def test_no_host_is_contacted(run: Run) -> None:
    assert not run.was_contacted
    assert "Nothing was contacted." in run.told


def test_the_hosts_of_this_test_would_have_been_reached() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        listener.setblocking(False)
        host = _reachable(len(CASES), listener.getsockname()[1])
        with socket.create_connection((host["ssh_hostname"], host["ssh_port"])):
            assert _has_visitor(listener)


def test_no_traceback_is_shown(run: Run) -> None:
    assert "Traceback" not in run.told


def test_what_may_be_a_secret_is_never_repeated(run: Run) -> None:
    assert "hunter2" in repr(CASES)
    assert "hunter2" not in run.told
