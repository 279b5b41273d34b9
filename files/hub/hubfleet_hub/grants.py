"""One person's access to every file of another's home, given and taken by POSIX ACLs.

Files get what read or write means and directories the same as default, so that what is made later is shared too; x goes
only where it was, and nothing gets another owner. Left as they are:

- what begins with a dot at the top of the home: keys and tokens are there, ssh refuses a key that others may read, and
  who reads the key of a kernel can run code in it. A dot file made later inherits like any file, but programs make
  those that matter with mode 0600, which keeps them closed;
- a file of someone else's that has other names too: it may be at home elsewhere;
- links, and other file systems;
- a mask that keeps somebody else out (`Acl.granting`).

No path is looked up twice: what a descriptor was opened for is what is changed, whatever its owner moves meanwhile.
"""

import os
import resource
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .acl import ACCESS, DEFAULT, EXECUTE, READ, WRITE, Acl, drop_default, execute_of


class Found(NamedTuple):
    """A file or directory of a home."""

    descriptor: int
    """O_PATH, closed when the walk goes on."""
    status: os.stat_result
    path: str
    """Below the home, with a slash before it; empty for the home itself."""


@dataclass
class Walked:
    """What a walk through a home did not do."""

    masked: int = 0
    """Files whose mask gives less than was asked for."""
    foreign: int = 0
    """Files of someone else's with other names too, and other file systems."""
    failures: list[str] = field(default_factory=list)
    """Path and reason."""


def grant(home: int, to: int, wanted: int) -> Walked:
    """Give the user ``to`` what ``wanted`` says (`READ`, or with `WRITE`) on the home that is open as ``home``.

    With `WRITE`, what they make there is the home's owner's to read and write too. Raises OSError when not even the
    home itself can be changed.
    """
    owner, walked = os.fstat(home).st_uid, Walked()
    for found in _below(home, walked, dots=False):
        try:
            if not _grant(found, owner, to, wanted):
                walked.masked += 1
        except OSError as error:
            _failed(walked, found, error)
    return walked


def revoke(home: int, to: int, *, writers: bool) -> Walked:
    """Take from the user ``to`` everything on a home, also where its owner gave it.

    ``writers`` says whether someone else may still write there. What ``to`` made stays theirs, and the owner's to read
    and write. Raises OSError as `grant` does; the home itself comes first, so that nothing in it can be reached.
    """
    owner, walked, dropped = os.fstat(home).st_uid, Walked(), list[Acl]()
    for found in _below(home, walked, dots=True):
        try:
            _revoke(found, owner, to, writers, dropped)
        except OSError as error:
            _failed(walked, found, error)
    return walked


def _grant(found: Found, owner: int, to: int, wanted: int) -> bool:
    descriptor, status, _ = found
    execute = execute_of(status.st_mode)
    before = Acl.read(descriptor, ACCESS) or Acl.of_mode(status.st_mode)
    after = before
    if status.st_uid != to:
        after = after.granting(to, wanted | execute, owner)
    if status.st_uid != owner:
        after = after.granting(owner, READ | WRITE | execute, owner)
    if after != before:
        after.write(descriptor, ACCESS)
    if stat.S_ISDIR(status.st_mode):
        inherited = Acl.read(descriptor, DEFAULT)
        default = (inherited or before.plain()).granting(to, wanted | EXECUTE, owner)
        if wanted & WRITE:
            default = default.granting(owner, READ | WRITE | EXECUTE, owner)
        if default != inherited:
            default.write(descriptor, DEFAULT)
    return status.st_uid == to or after.allows(to) == wanted | execute


def _revoke(found: Found, owner: int, to: int, writers: bool, dropped: list[Acl]) -> None:
    descriptor, status, _ = found
    before = Acl.read(descriptor, ACCESS) or Acl.of_mode(status.st_mode)
    after = before.without(to)
    if status.st_uid == owner:
        after = after.without(owner)
    else:
        after = after.granting(owner, READ | WRITE | execute_of(status.st_mode), owner)
    if after != before:
        after.write(descriptor, ACCESS)
    default = Acl.read(descriptor, DEFAULT) if stat.S_ISDIR(status.st_mode) else None
    if default is None:
        return
    rest = default.without(to)
    if not writers:
        rest = rest.without(owner)
    if rest == default:
        return
    # One that says what the directory says, or a directory above it inherited on, came with the share.
    if rest == after.plain() or rest in dropped:
        dropped.append(rest)
        drop_default(descriptor)
    else:
        rest.write(descriptor, DEFAULT)


def _failed(walked: Walked, found: Found, error: OSError) -> None:
    if not found.path:
        raise error
    walked.failures.append(f"{found.path[1:]!r}: {error.strerror}")


def _below(home: int, walked: Walked, *, dots: bool) -> Iterator[Found]:
    """The home itself, then its files and directories; a directory before it is listed, so that a file made
    meanwhile is either listed or inherits. ``dots``: also what begins with a dot at the top.
    """
    top = os.fstat(home)
    _allow_deep_trees()
    yield Found(home, top, "")
    waiting = [(os.dup(home), "", [name for name in _names(home) if dots or not name.startswith(".")])]
    try:
        while waiting:
            directory, path, names = waiting[-1]
            if not names:
                os.close(directory)
                waiting.pop()
                continue
            name = names.pop()
            with suppress(FileNotFoundError):
                descriptor = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=directory)
                status = os.fstat(descriptor)
                waiting.append((descriptor, f"{path}/{name}", []))
                kind = stat.S_IFMT(status.st_mode)
                if kind not in (stat.S_IFREG, stat.S_IFDIR):
                    continue
                linked = kind == stat.S_IFREG and status.st_nlink > 1 and status.st_uid != top.st_uid
                if linked or status.st_dev != top.st_dev:
                    walked.foreign += 1
                    continue
                yield Found(descriptor, status, waiting[-1][1])
                if kind == stat.S_IFDIR:
                    waiting[-1][2].extend(_names(descriptor))
    finally:
        for directory, _, _ in waiting:
            os.close(directory)


def _names(descriptor: int) -> list[str]:
    return [entry.name for entry in Path(f"/proc/self/fd/{descriptor}").iterdir()]


def _allow_deep_trees() -> None:
    """A descriptor is open for each level of the tree: as many as this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
