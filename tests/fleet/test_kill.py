"""A run that is killed: the next one finishes what is missing, and ends where an undisturbed run ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hubfleet.images import ROOT
from tests.fleet import Host, HostSpec
from tests.fleet.final_state import differences, final_state
from tests.fleet.ring import RUN_TIMEOUT, Four, Lab

STARTS = "--> Starting operation: "


@dataclass(frozen=True)
class Point:
    """Where a run is killed: so long after the operation of this name, or of this number from 1, has begun."""

    host: HostSpec
    operation: str | int
    seconds: float = 0.0
    #: Whether packages have to be under way on the host by then.
    installing: bool = False
    #: Whether that work has to go on when the run is dead, so that the next one has something to wait for.
    outlived: bool = False

    def __str__(self) -> str:
        return self.host.name


THREE = [
    Point(HostSpec("killed-installing", ready=False), "Docker | install the engine", installing=True, outlived=True),
    Point(HostSpec("killed-pulling"), "Images | pull the hub's images", 1.0),
    Point(HostSpec("killed-starting"), "Hub | run the hub", 2.0),
]

#: Of the operations of a whole deploy, fifty; some are over in a moment and some take long.
TWENTY = [
    *(Point(HostSpec(f"killed-at-{number:02}"), number, 0.1 * (number % 7)) for number in range(1, 46, 3)),
    *(
        Point(HostSpec(f"killed-installing-{number}", ready=False), name, seconds, installing=True)
        for number, (name, seconds) in enumerate(
            [
                ("System | install base packages", 0.0),
                ("Docker | install the engine", 1.0),
                ("Docker | install the engine", 8.0),
                ("Docker | install the engine", 16.0),
                ("Edge | install nginx", 0.0),
            ]
        )
    ),
]


class Run:
    """`pyinfra INVENTORY deploy.py -y` under way, in a process group of its own."""

    def __init__(self, lab: Lab) -> None:
        self.log = lab.directory / "killed.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [str(Path(sys.executable).with_name("pyinfra")), str(lab.inventory), "deploy.py", "-y"],
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[str], bool]) -> None:
        """Poll what it printed. Fails the test when the run ends before it is ready."""
        end = time.monotonic() + RUN_TIMEOUT
        while not ready(printed := self.log.read_text()):
            assert self.process.poll() is None, f"the run ended before it could be killed:\n{printed}"
            assert time.monotonic() < end, f"not ready to be killed in {RUN_TIMEOUT} s:\n{printed}"
            time.sleep(0.05)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        assert self.process.wait() == -signal.SIGKILL, f"the run was over:\n{self.log.read_text()}"


@contextmanager
def run_of(lab: Lab) -> Iterator[Run]:
    run = Run(lab)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.kill()


def lab_for(four: Four, host: Host, directory: Path) -> Lab:
    """What `alpha` is, on another host."""
    lab = Lab(four.lab.fleet, directory, {host.name: four.lab.hosts["alpha"]}, common=four.lab.common)
    (directory / "group_data").mkdir()
    own = (four.lab.directory / "group_data" / "neurodesk.py").read_text()
    (directory / "group_data" / "neurodesk.py").write_text(own)
    return lab


def installing(host: Host) -> bool:
    return host.run("pgrep -x 'apt-get|dpkg'", check=False).code == 0


def kill_at(point: Point, host: Host, lab: Lab) -> None:
    def reached(printed: str) -> bool:
        if isinstance(point.operation, int):
            begun = printed.count(STARTS) >= point.operation
        else:
            begun = f"{STARTS}{point.operation}" in printed
        return begun and (not point.installing or installing(host))

    with run_of(lab) as run:
        run.wait_until(reached)
        # No wait for anything: the point lies within an operation.
        time.sleep(point.seconds)
        run.kill()
    if point.outlived:
        assert installing(host), "nothing outlived the run: there is nothing for the next one to wait for"


def found_after(point: Point, four: Four, started: Callable[..., list[Host]], directory: Path) -> list[str]:
    """Kill a run on a fresh host and run again: in what the host then differs from an undisturbed one."""
    (host,) = started(point.host)
    lab = lab_for(four, host, directory)
    kill_at(point, host, lab)
    again = lab.pyinfra("-y")
    found = differences(final_state(four.lab.fleet.host("alpha")), final_state(host))
    if found:
        return [*found, f"after this run:\n{again}"]
    four.lab.fleet.drop(host.name)
    return []


@pytest.mark.parametrize("point", THREE, ids=str)
def test_the_next_run_ends_where_an_undisturbed_one_does(
    four: Four, started: Callable[..., list[Host]], point: Point, tmp_path: Path
) -> None:
    found = found_after(point, four, started, tmp_path)
    assert not found, "\n".join(found)


@pytest.mark.full
@pytest.mark.parametrize("point", TWENTY, ids=str)
def test_wherever_it_was_killed_the_next_run_ends_where_an_undisturbed_one_does(
    four: Four, started: Callable[..., list[Host]], point: Point, tmp_path: Path
) -> None:
    found = found_after(point, four, started, tmp_path)
    assert not found, "\n".join(found)
