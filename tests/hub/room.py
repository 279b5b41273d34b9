"""A container's worth of machine without an engine: processes with /etc, /home and numbers of their own."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

SERVER = """#!/usr/bin/python3
# Stands where a single-user server does: answers under its own address, and tells what it was given.
import http.server, json, os, urllib.parse
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = {"pid": os.getpid(), "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(),
                "cwd": os.getcwd(), "environment": dict(os.environ)}
        umask = os.umask(0); os.umask(umask)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told | {"umask": umask}).encode())
where = urllib.parse.urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
http.server.HTTPServer((where.hostname, where.port), Answer).serve_forever()
"""


class Room:
    """Mounts and processes of its own, over the tests' site; `image` is what /etc has at first, a new one each time."""

    def __init__(self, site: Any, port: int = 0) -> None:
        self.site = site
        self.port = port
        self.etc = site.root / "room-etc"
        self.home = site.root / "room-home"
        self.run_directory = site.root / "room-run"
        for directory in (self.home, self.run_directory):
            directory.mkdir()
            directory.chmod(0o755)
        self.new_image()

    def leave(self) -> None:
        for directory in (self.etc, self.home, self.run_directory):
            shutil.rmtree(directory)

    def new_image(self) -> None:
        """As if the container were made anew."""
        shutil.rmtree(self.etc, ignore_errors=True)
        shutil.copytree("/etc", self.etc, symlinks=True, ignore=shutil.ignore_patterns("ssl", "alternatives"))
        subprocess.run(["cp", "-a", "--attributes-only", "/etc/shadow", str(self.etc / "shadow")], check=True)
        server = self.etc / "server"
        server.write_text(SERVER)
        server.chmod(0o755)
        group = self.etc / "group"
        if "sudo:" not in group.read_text():
            group.write_text(group.read_text() + "sudo:x:27:\n")

    @property
    def environment(self) -> dict[str, str]:
        environment: dict[str, str] = self.site.environment
        return environment | {
            "HUBFLEET_RUN": str(self.run_directory),
            "HUBFLEET_HUB_PORT": str(self.port),
            "A_SECRET_OF_THE_HUB": "1",
        }

    def command(self, *words: str) -> list[str]:
        """``words`` in a room without processes."""
        mounts = f"mount --bind {self.etc} /etc && mount --bind {self.home} /home"
        return ["unshare", "-mpf", "--kill-child", "--mount-proc", "sh", "-c", f"{mounts} && exec {shlex.join(words)}"]

    def run(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return _run(self.command(*words), stdin, self.environment)

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return self.run(sys.executable, "-c", code)


class Inhabited(Room):
    """A room in which a supervisor runs."""

    def __enter__(self) -> Self:
        return self

    def start(self) -> None:
        self.log = self.site.root / "room.log"
        with self.log.open("a") as log:
            words = self.command("tini", "--", sys.executable, "-m", "hubfleet_hub.local")
            self._process = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log)

    def runs(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """As if the machine lost its power."""
        self._process.kill()
        self._process.wait()
        time.sleep(0.2)

    def stop(self) -> int:
        """As `docker stop` does."""
        os.kill(self._first(), 15)
        return self._process.wait(60)

    def _first(self) -> int:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(children[0])

    def inside(self, *words: str, uid: int = 0, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """As `docker exec` does."""
        who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid else []
        enter = ["nsenter", "-t", str(self._first()), "-m", "-p", "--", *who, *words]
        return _run(enter, stdin, self.environment)

    def __exit__(self, *_: object) -> None:
        if self.runs():
            self.kill()
        self.leave()


def _run(words: list[str], stdin: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, input=stdin, env=environment, capture_output=True, text=True, timeout=120, check=False, cwd="/"
    )
