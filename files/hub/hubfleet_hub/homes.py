"""The keeper of homes: makes a user's directory on the host, for a hub that is not root and sees no user's file.

It runs as root in a container of its own (``python -m hubfleet_hub.homes UID GID``) that has no network, no
capability but CHOWN, FOWNER and DAC_OVERRIDE, and two mounts: ``base_user_dir`` and the directory of its socket. A
request is a line of JSON, ``{"user": "raw name"}``; the answer is a line too, ``{"ok": true, "directory": "escaped
name", "created": false}`` or ``{"ok": false, "reason": "..."}``. It escapes the name itself, so whoever can reach the
socket can have empty directories made with names that are safe, and nothing else.
"""

import asyncio
import contextlib
import json
import os
import secrets
import socketserver
import stat
import sys
from pathlib import Path
from threading import Lock
from typing import Any

from .config import HOMES_SOCKET, HUB_UID
from .names import escape

HOMES = Path("/homes")
"""Where the keeper's container has ``base_user_dir``."""

MODE = 0o700
LONGEST_LINE = 8192
ANSWER_WITHIN = 30.0
"""Seconds that a hub waits: shared storage may be slow, a dead keeper answers never."""


class HomeError(Exception):
    """A user has no usable directory; the message is for the user and for whoever runs the host."""


class Keeper:
    """Makes directories in ``base`` that belong to ``uid`` and ``gid``."""

    def __init__(self, base: Path, uid: int, gid: int) -> None:
        self.base = base
        self.uid = uid
        self.gid = gid
        self._one_at_a_time = Lock()

    def keep(self, user: str) -> tuple[str, bool]:
        """See that ``user`` has a directory: its name, and whether it was made now. Raises HomeError.

        One that exists is left as it is: giving a whole tree to another owner is for a person to decide.
        """
        try:
            directory = escape(user)
        except ValueError as error:
            raise HomeError(str(error)) from error
        with self._one_at_a_time:
            try:
                base = os.open(self.base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            except OSError as error:
                raise HomeError(f"the directory of all homes cannot be opened: {error.strerror}") from error
            try:
                return directory, self._keep_in(base, directory)
            except OSError as error:
                raise HomeError(
                    f"the home {directory} cannot be made for {self.uid}:{self.gid}: {error.strerror}"
                ) from error
            finally:
                os.close(base)

    def _keep_in(self, base: int, directory: str) -> bool:
        try:
            found = os.stat(directory, dir_fd=base, follow_symlinks=False)
        except FileNotFoundError:
            self._make(base, directory)
            return True
        if not stat.S_ISDIR(found.st_mode):
            raise HomeError(f"the home {directory} is no directory; move what is there out of the way")
        if found.st_uid != self.uid:
            raise HomeError(
                f"the home {directory} belongs to {found.st_uid}:{found.st_gid}, and servers run as "
                f"{self.uid}:{self.gid}; change its owner, or the setting"
            )
        return False

    def _make(self, base: int, directory: str) -> None:
        # Under a name that no escaping gives, and moved when it is complete: cut off anywhere, nothing half-made
        # has the user's name.
        unfinished = f".{directory}.{secrets.token_hex(4)}"
        os.mkdir(unfinished, MODE, dir_fd=base)
        try:
            made = os.open(unfinished, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=base)
            try:
                os.fchmod(made, MODE)
                os.fchown(made, self.uid, self.gid)
            finally:
                os.close(made)
            os.rename(unfinished, directory, src_dir_fd=base, dst_dir_fd=base)
        except OSError:
            os.rmdir(unfinished, dir_fd=base)
            raise

    def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request, whatever it is."""
        try:
            user = json.loads(line)["user"]
            if not isinstance(user, str):
                raise TypeError
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "reason": 'not a request: {"user": NAME} is'}
        try:
            directory, created = self.keep(user)
        except HomeError as error:
            return {"ok": False, "reason": str(error)}
        return {"ok": True, "directory": directory, "created": created}


class Server(socketserver.ThreadingUnixStreamServer):
    """Listens on a socket that the hub's group may use."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, path: Path, keeper: Keeper) -> None:
        self.keeper = keeper
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            super().__init__(str(path), _Request)
        finally:
            os.umask(before)
        os.chown(path, -1, HUB_UID)
        path.chmod(0o660)


class _Request(socketserver.StreamRequestHandler):
    timeout = 10
    server: Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # whoever asked has gone; there is nobody to tell
            line = self.rfile.readline(LONGEST_LINE)
            if line:
                self.wfile.write(json.dumps(self.server.keeper.answer(line)).encode() + b"\n")


async def ask(user: str, path: Path = HOMES_SOCKET, within: float = ANSWER_WITHIN) -> str:
    """Have the keeper see to the directory of ``user``; returns the directory's name. Raises HomeError."""
    try:
        async with asyncio.timeout(within):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(json.dumps({"user": user}).encode() + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
    except TimeoutError as error:
        raise HomeError(f"the keeper of homes did not answer within {within:g} s") from error
    except OSError as error:
        raise HomeError(f"the keeper of homes cannot be reached: {error.strerror}") from error
    if not line:
        raise HomeError("the keeper of homes ended before it answered")
    answer = json.loads(line)
    if not answer["ok"]:
        raise HomeError(answer["reason"])
    return str(answer["directory"])


def main() -> None:
    uid, gid = (int(argument) for argument in sys.argv[1:])
    Server(HOMES_SOCKET, Keeper(HOMES, uid, gid)).serve_forever()


if __name__ == "__main__":
    main()
