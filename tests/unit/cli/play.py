"""A lab's own directory, with hosts that pyinfra's connectors play, and the command line as people run it."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from hubfleet.cli import command_line

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Lab:
    """Inventory `lab.py` and deploy file `deploy.py` in a directory outside the clone."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.inventory = directory / "lab.py"
        self.deploy = directory / "deploy.py"

    def hosts(self, **hosts: dict[str, object]) -> None:
        """Write the inventory: each host by its short name, with data beside a public_url of its own.

        `local` is this machine, the others answer every command with success unless `fake_responses` says else.
        """
        quick = {"fake_delay": 0, "fake_delay_jitter": 0}
        entries = []
        for name, data in hosts.items():
            connector = "" if "ssh_hostname" in data else "@fake/"
            full = "@local" if name == "local" else f"{connector}{name}"
            entries.append(
                (full, {"public_url": f"https://{name}.example.org", **({} if connector == "" else quick), **data})
            )
        self.inventory.write_text(f"neurodesk = {entries!r}\n")

    def deploys(self, code: str) -> None:
        """Write the deploy file."""
        head = """\
        from io import StringIO
        from pathlib import Path
        from pyinfra.api import HiddenValue, StringCommand, operation
        from pyinfra.api.facts import FactBase
        from pyinfra.context import host
        from pyinfra.operations import files, server
        from hubfleet.notices import tell
        HERE = Path(__file__).parent
        """
        self.deploy.write_text(dedent(head) + dedent(code))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `hubfleet`, in a session of its own so that a signal to it is to nobody else."""
        return subprocess.Popen(
            [sys.executable, "-m", "hubfleet", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'files/hub'}"},
        )

    def hubfleet(self, verb: str, *words: str) -> Result:
        """Run `hubfleet VERB INVENTORY WORDS` here: a process of its own would spend its time on imports."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = command_line([verb, str(self.inventory), *words])
        return Result(status, out.getvalue(), err.getvalue())

    def plan(self, *words: str) -> Result:
        return self.hubfleet("plan", "--deploy", str(self.deploy), *words)

    def apply(self, *words: str) -> Result:
        return self.hubfleet("apply", "--deploy", str(self.deploy), *words)

    def interrupt(self, *words: str, when: Callable[[], bool]) -> Result:
        """Start `hubfleet`, press Ctrl-C once `when` is true, and wait for its end."""
        process = self.start(*words)
        end = time.monotonic() + 20
        while not when() and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        return Result(process.returncode, out, err)
