"""Homes opened to others: which, who said so, and what is still to be done (`grants` is how).

The record is ``shares`` in the hub's state directory, mode 0600. Every change is noted before its first file is touched
and confirmed after the last, so that what was cut off anywhere is finished by the next start of the hub.

Who may write in a home can place programs where its owner starts them: write is for people who trust each other as
themselves.
"""

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from . import linux
from .acl import READ, WRITE
from .config import STATE, Share
from .grants import Walked, grant, revoke

Access = Literal["read", "write", "none"]


class ShareError(Exception):
    """A share is not as it was asked for; the message is one line, for whoever asked."""


@dataclass(frozen=True)
class Record:
    """One person's access to another's home."""

    home: str
    to: str
    uid: int
    """Whom the files' lists name."""
    access: Access
    """``none``: being taken away."""
    declared: bool
    """By the settings (``users_shares``), else by command."""
    done: bool = False
    """Whether every file is as `access` says."""

    def __str__(self) -> str:
        verb = {"read": "may read", "write": "may read and write", "none": "may no longer open"}[self.access]
        return f"{self.to} {verb} {self.home}'s files"


class Shares:
    """The shares of one hub, of the homes in ``homes``. ``find`` knows the uid of each person who has an account.

    What the methods return are lines to tell.
    """

    def __init__(self, state: Path, homes: Path, find: Callable[[str], int | None]) -> None:
        self._homes = homes
        self._find = find
        self._file = state / "shares"

    def all(self) -> list[Record]:
        """Raises ShareError when the record cannot be read."""
        try:
            return [Record(**entry) for entry in json.loads(self._file.read_text("utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise ShareError(f"{self._file} cannot be read ({error}); bring it back from a backup") from error

    def allow(self, home: str, to: str, access: Literal["read", "write"]) -> list[str]:
        """Open a home; if it is open, look through its files again. Raises ShareError."""
        with self._alone():
            before = self._record(home, to)
            if before is not None and before.declared and before.access != access:
                raise ShareError(f"{before}, say the settings; change users_shares there and deploy")
            declared = before is not None and before.declared
            return self._open(Record(home, to, self._other(home, to), access, declared))

    def disallow(self, home: str, to: str) -> list[str]:
        """Close a home, whether or not it is known to be open. Raises ShareError."""
        with self._alone():
            before = self._record(home, to)
            if before is not None and before.declared:
                raise ShareError(f"{before}, say the settings; take it out of users_shares there and deploy")
            return self._close(before or Record(home, to, self._other(home, to), "none", declared=False))

    def converge(self, declared: Iterable[Share]) -> list[str]:
        """Make it what the settings say and finish what was cut off; shares by command stay.

        Goes through the files of those homes alone whose shares changed. One that fails holds up no other: that is
        a line too. Raises ShareError when the record cannot be read.
        """
        wanted = {(share.home, share.to): share.access for share in declared}
        told: list[str] = []
        with self._alone():
            known = {(record.home, record.to): record for record in self.all()}
            for pair in sorted(wanted.keys() | known.keys()):
                try:
                    told += self._converge(*pair, wanted.get(pair), known.get(pair))
                except ShareError as error:
                    told.append(f"not done: {error}")
        return told

    def _converge(self, home: str, to: str, wanted: Access | None, before: Record | None) -> list[str]:
        if wanted is not None:
            after = Record(home, to, self._other(home, to), wanted, declared=True, done=True)
            return [] if before == after else self._open(after)
        assert before is not None
        if before.declared or before.access == "none":
            return self._close(before)
        return [] if before.done else self._open(before)

    def _open(self, record: Record) -> list[str]:
        # The link in the other's home is a part of it: until both have homes there is nothing to do, or to note.
        with self._home(record.home) as home, self._home(record.to) as other:
            self._save(replace(record, done=False))
            with _told_of(record):
                walked = grant(home, record.uid, READ | WRITE if record.access == "write" else READ)
                linked = self._link(other, record)
            told = [str(record), *linked, *_judged(record, walked)]
            self._save(replace(record, done=True))
        return told

    def _close(self, record: Record) -> list[str]:
        record = replace(record, access="none", declared=False, done=False)
        self._save(record)
        writers = any(each.access == "write" and each.home == record.home for each in self.all())
        with _told_of(record):
            walked = Walked()
            if os.path.lexists(self._homes / record.home):
                with self._home(record.home) as home:
                    walked = revoke(home, record.uid, writers=writers)
            if os.path.lexists(self._homes / record.to):
                with self._home(record.to) as other:
                    self._unlink(other, record)
        told = [str(record), *_judged(record, walked)]
        self._save(record, forget=True)
        return told

    def _other(self, home: str, to: str) -> int:
        """The uid of ``to``; both must be people of this hub."""
        if home == to:
            raise ShareError(f"{home} needs no share of a home of their own")
        for name in (home, to):
            # Names become parts of paths: a single part, whatever `find` thinks of it.
            if self._find(name) is None or name in ("", ".", "..") or "/" in name:
                raise ShareError(f"nobody here is called {name!r}")
        uid = self._find(to)
        assert uid is not None
        return uid

    @contextmanager
    def _home(self, person: str) -> Iterator[int]:
        """A home as a descriptor; one that belongs to nobody else."""
        try:
            descriptor = os.open(self._homes / person, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise ShareError(f"{person} has no home yet; it is made when they first log in") from None
        except OSError as error:
            raise ShareError(f"the home of {person} cannot be opened: {error.strerror}") from error
        try:
            if os.fstat(descriptor).st_uid != self._find(person):
                raise ShareError(f"the home of {person} does not belong to {person}; mend its owner")
            yield descriptor
        finally:
            os.close(descriptor)

    def _link(self, directory: int, record: Record) -> list[str]:
        """Put a link to the home into the other's."""
        target = str(self._homes / record.home)
        try:
            os.symlink(target, record.home, dir_fd=directory)
        except FileExistsError:
            if _link_in(directory, record.home) != target:
                place = self._homes / record.to / record.home
                return [f"{place} is there already and is left alone; the files are in {target}"]
        return []

    def _unlink(self, directory: int, record: Record) -> None:
        """Take the link away, if what is there is that."""
        if _link_in(directory, record.home) == str(self._homes / record.home):
            os.unlink(record.home, dir_fd=directory)

    # --- the record ---------------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time: a command may meet a start of the hub."""
        with open(self._file.with_suffix(".lock"), "w", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _record(self, home: str, to: str) -> Record | None:
        return next((each for each in self.all() if (each.home, each.to) == (home, to)), None)

    def _save(self, record: Record, *, forget: bool = False) -> None:
        others = [each for each in self.all() if (each.home, each.to) != (record.home, record.to)]
        entries = [asdict(each) for each in (others if forget else [*others, record])]
        unfinished = self._file.with_suffix(".new")
        with open(unfinished, "w", encoding="utf-8", opener=_private) as file:
            json.dump(entries, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._file)


def of_this_hub() -> Shares:
    """Those of the hub whose container this is; people who were locked out have homes too."""

    def uid(name: str) -> int | None:
        account = linux.Accounts.load().people.get(name)
        return account.uid if account else None

    return Shares(STATE, linux.HOMES, uid)


def converge(declared: Iterable[Share]) -> None:
    """What a start of the hub does: as `Shares.converge`; whatever fails is told in the log and holds up nothing."""
    try:
        told = of_this_hub().converge(declared)
    except (ShareError, OSError, linux.AccountError) as error:
        told = [f"not looked at: {error}"]
    for line in told:
        print(f"shares: {line}", flush=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _link_in(directory: int, name: str) -> str | None:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return None


@contextmanager
def _told_of(record: Record) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:
            raise ShareError(f"{record}: the file system of the homes keeps no POSIX ACLs") from error
        raise ShareError(f"{record}: {error.strerror}") from error


def _judged(record: Record, walked: Walked) -> list[str]:
    """What is worth telling of a walk. Raises ShareError when it did not get everywhere."""
    if walked.failures:
        first, count = walked.failures[0], len(walked.failures)
        raise ShareError(
            f"{record}, but for {count} file{'s' * (count != 1)} that could not be changed, such as {first}"
        )
    told = []
    if walked.masked:
        told.append(f"a mask gives less on {walked.masked} files, and stays: others would gain by more")
    if walked.foreign:
        told.append(f"{walked.foreign} entries are left alone: files that are somebody else's too, other file systems")
    return told
