"""The supervisor of a container in which hub and people's servers run: ``python -m hubfleet_hub.local``.

It merges people's accounts into the image's, keeps what changes in them, and runs the hub as its child: one that ends
is started again, and people's servers live on meanwhile. The container ends when it is told to, or when its hub never
came up at all, so that whoever put it there sees a container that failed.

    python -m hubfleet_hub.local restart     have the hub read its configuration anew; exit 1 and the reason when the
                                             configuration is bad (the hub then runs on as it was) or no hub comes up
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPException
from pathlib import Path
from types import FrameType

from . import health, linux
from .config import ConfigError

SOCKET = Path(os.environ.get("HUBFLEET_RUN", "/run/hubfleet")) / "supervisor"

COMES_UP_WITHIN = 300.0
"""Seconds from the hub's start to its answer; a database that is upgraded takes its time."""
ENDS_WITHIN = 30.0
WAITS = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before a hub that ended is started again: more each time, until one has come up."""


class Supervisor:
    """Runs one hub after the other."""

    def __init__(self) -> None:
        self._ending = threading.Event()
        self._one_at_a_time = threading.Lock()
        self._hub = self._start()
        self._came_up = False
        self._failures = 0

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-m", "hubfleet_hub"])

    def run(self) -> int:
        """Until the container is to end; returns its exit status."""
        while not self._ending.wait(0.2):
            with self._one_at_a_time:
                status = self._hub.poll()
                if status is None:
                    if not self._came_up or self._failures:
                        self._look()
                    continue
                if not self._came_up:
                    return status or 1
                wait = WAITS[min(self._failures, len(WAITS) - 1)]
                print(f"hub: ended with status {status}; it is started again in {wait:g} s", flush=True)
                self._failures += 1
                if not self._ending.wait(wait):
                    self._hub = self._start()
        self._end_hub()
        linux.end_processes(*(account.uid for account in linux.people()), *linux.VERIFY_UIDS.values())
        return 0

    def _look(self) -> None:
        if answers():
            self._came_up, self._failures = True, 0

    def end(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        self._ending.set()

    def _end_hub(self) -> None:
        self._hub.terminate()
        try:
            self._hub.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self._hub.kill()
            self._hub.wait()

    def restart(self) -> str:
        """Put a new hub in the old one's place; returns why not, empty when it answers."""
        judged = subprocess.run(
            [sys.executable, "-m", "hubfleet_hub.check"], capture_output=True, text=True, check=False
        )
        if judged.returncode:
            return (judged.stderr or judged.stdout).strip() + "; the hub runs on as it was"
        with self._one_at_a_time:
            self._end_hub()
            self._hub = self._start()
            until = time.monotonic() + COMES_UP_WITHIN
            while time.monotonic() < until:
                if self._hub.poll() is not None:
                    return f"the new hub ended with status {self._hub.returncode}; its log says why"
                if answers():
                    self._came_up, self._failures = True, 0
                    return ""
                if self._ending.wait(0.2):
                    return "the container ends"
        return f"the new hub did not answer within {COMES_UP_WITHIN:g} s; its log says why"

    def serve(self, listener: socket.socket) -> None:
        """Answer those who ask for a restart, one after the other."""
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):  # whoever asked has gone
                connection.recv(64)
                connection.sendall((self.restart() or "ok").encode())


def answers() -> bool:
    try:
        health.check("hub")
    except (OSError, HTTPException, ConfigError):
        return False
    return True


def listen() -> socket.socket:
    """Where root, and nobody else, asks for a restart."""
    SOCKET.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(SOCKET))
    finally:
        os.umask(before)
    listener.listen()
    return listener


def supervise() -> int:
    linux.install_pam()
    with linux.changing():
        pass
    stop = threading.Event()
    threading.Thread(target=linux.watch, args=(stop,), daemon=True).start()
    supervisor = Supervisor()
    signal.signal(signal.SIGTERM, supervisor.end)
    signal.signal(signal.SIGINT, supervisor.end)
    threading.Thread(target=supervisor.serve, args=(listen(),), daemon=True).start()
    status = supervisor.run()
    stop.set()
    return status


def ask_for_restart() -> str:
    """What the supervisor answers; empty when the new hub does."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(COMES_UP_WITHIN + ENDS_WITHIN + 60)
        try:
            asking.connect(str(SOCKET))
            asking.sendall(b"restart\n")
            answer = asking.recv(65536).decode()
        except OSError as error:
            return f"the supervisor cannot be asked: {error}"
    return "" if answer == "ok" else answer or "the supervisor ended before it answered"


def main() -> None:
    match sys.argv[1:]:
        case []:
            try:
                status = supervise()
            except (linux.AccountError, OSError) as error:
                sys.exit(f"accounts: {error}")
            sys.exit(status)
        case ["restart"]:
            if problem := ask_for_restart():
                sys.exit(f"restart: {problem}")
        case _:
            sys.exit("usage: python -m hubfleet_hub.local [restart]")


if __name__ == "__main__":
    main()
