"""People as Linux users of the container that the hub runs in (the spawner ``local``).

Who they are is one file in the hub's state, mode 0600, a line each: ``name:uid:password hash:day of its last change,
0 when another must be chosen:flags``. At the container's start the lines are merged into the image's own
``/etc/passwd``, ``group`` and ``shadow``; so a new image brings its own system accounts and people keep theirs. What
changes in ``/etc`` afterwards (``passwd``, ``chpasswd``, ``usermod -p``) is taken back into the file: by PAM before
``passwd`` ends, and by the supervisor (`hubfleet_hub.local`), which watches, for the rest. Lines are never removed:
a uid that owned files is nobody else's ever after.

As a command, for the container's root:

    python -m hubfleet_hub.linux list                the people: name, uid, and whether locked
    python -m hubfleet_hub.linux keep                take back what changed in /etc (PAM calls it)
    python -m hubfleet_hub.linux remove-verify NAME  remove a throw-away user of `verify` with home and processes
"""

import contextlib
import fcntl
import os
import secrets
import shlex
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from .config import STATE, VERIFY_USERS
from .names import linux_problem

ETC = Path("/etc")
HOMES = Path("/home")
"""Where the container has ``base_user_dir``; a person's home is the directory of their name in it."""

FIRST_UID = 2000
ADOPTED = range(1000, 60000)
"""Owners of homes that were there before: theirs is adopted when it is free."""
VERIFY_UIDS = {name: 1990 + number for number, name in enumerate(VERIFY_USERS)}

NO_PASSWORD = "!"
HOME_MODE = 0o750
ADMINS = "sudo"
"""The group whose members may become root."""
PAM_SERVICE = "hubfleet"

_KEEPER = ETC / "security" / "hubfleet-keep-accounts"


class AccountError(Exception):
    """Someone has no usable account; the message says why."""


@dataclass
class Account:
    """A person's."""

    name: str
    uid: int
    """The group of the same name has the same number."""
    password: str = NO_PASSWORD
    """As in /etc/shadow."""
    changed: int = 0
    """Days since 1970; 0: another password must be chosen."""
    admin: bool = False
    locked: bool = False

    @property
    def home(self) -> Path:
        return HOMES / self.name

    @property
    def one_time(self) -> bool:
        return self.has_password and self.changed == 0

    @property
    def has_password(self) -> bool:
        return self.password.startswith("$")

    def to_line(self) -> str:
        flags = ",".join(flag for flag in ("admin", "locked") if getattr(self, flag))
        return f"{self.name}:{self.uid}:{self.password}:{self.changed}:{flags}\n"

    @classmethod
    def from_line(cls, line: str) -> "Account":
        """Raises AccountError."""
        try:
            name, uid, password, changed, flags = line.split(":")
            account = cls(name, int(uid), password, int(changed))
        except ValueError as error:
            raise AccountError(f"the file of accounts has a line that is none: {line.partition(':')[0]!r}") from error
        account.admin, account.locked = ("admin" in flags, "locked" in flags)
        return account


@dataclass
class Accounts:
    """Everybody who ever had an account, by name."""

    path: Path
    people: dict[str, Account] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None = None) -> "Accounts":
        """What the file says. Raises AccountError."""
        accounts = cls(path or STATE / "accounts")
        with contextlib.suppress(FileNotFoundError):
            for line in accounts.path.read_text("utf-8").splitlines():
                account = Account.from_line(line)
                accounts.people[account.name] = account
        return accounts

    def save(self) -> None:
        text = "".join(account.to_line() for account in self.people.values())
        with contextlib.suppress(FileNotFoundError):
            if self.path.read_text("utf-8") == text:
                return
        _replace(self.path, text, mode=0o600)

    def find(self, name: str) -> Account | None:
        """The account ``name``, if it is usable: None for a locked one too."""
        account = self.people.get(name)
        return account if account is not None and not account.locked else None

    def add(self, name: str) -> Account:
        """The account ``name``, made when there is none. Raises AccountError."""
        if name in self.people:
            return self.people[name]
        if problem := linux_problem(name) or _taken(name):
            raise AccountError(f"{name} {problem}")
        self.people[name] = Account(name, self._uid_for(name))
        return self.people[name]

    def _uid_for(self, name: str) -> int:
        taken = {account.uid for account in self.people.values()} | set(VERIFY_UIDS.values())
        taken |= {int(fields[2]) for file in ("passwd", "group") for fields in _entries(file)}
        owners = _owners()
        mine = owners.pop(name, None)
        if mine is not None and mine in ADOPTED and mine not in taken:
            return mine
        # Nor one that some other home belongs to: its owner may get an account tomorrow.
        taken |= set(owners.values()) | ({mine} if mine is not None else set())
        first = max([FIRST_UID - 1, *(account.uid for account in self.people.values() if account.uid >= FIRST_UID)]) + 1
        return next(uid for uid in range(first, ADOPTED.stop) if uid not in taken)

    def take_from_etc(self) -> None:
        """Passwords as /etc has them now, where it has the account at all."""
        ids = {fields[0]: fields[2] for fields in _entries("passwd")}
        for name, password, changed, *_ in _entries("shadow"):
            account = self.people.get(name)
            if account is not None and ids.get(name) == str(account.uid):
                account.password, account.changed = password, int(changed or 0)

    def write_to_etc(self) -> list[str]:
        """Have /etc know everybody; returns the names that the image has for itself."""
        ids = {fields[0]: fields[2] for fields in _entries("passwd")}
        names = {number: name for name, number in ids.items()}
        ours = [
            account
            for account in self.people.values()
            if ids.get(account.name, str(account.uid)) == str(account.uid)
            and names.get(str(account.uid), account.name) == account.name
        ]
        _write(ours, known=set(self.people))
        return sorted(self.people.keys() - {account.name for account in ours})


@contextlib.contextmanager
def changing() -> Iterator[Accounts]:
    """The accounts for a change: alone, with what /etc has now; written to /etc and to the file afterwards.

    In this order, since /etc is asked first the next time: cut off between the two, nothing is undone.
    """
    path = STATE / "accounts"
    with path.with_name("accounts.lock").open("a") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        accounts = Accounts.load(path)
        accounts.take_from_etc()
        yield accounts
        for name in accounts.write_to_etc():
            print(f"accounts: {name} is a name or uid of the image's own now; that person cannot come in", flush=True)
        accounts.save()


def find(name: str) -> Account | None:
    """The usable account ``name``, or None. Raises AccountError for a file that cannot be read."""
    return Accounts.load().find(name)


def people() -> list[Account]:
    """Everybody with a usable account, by name. Raises AccountError for a file that cannot be read."""
    accounts = Accounts.load().people.values()
    return sorted((account for account in accounts if not account.locked), key=lambda account: account.name)


def ensure(name: str) -> Account:
    """The account ``name``, usable and with a home; made when there is none. Raises AccountError."""
    if name in VERIFY_UIDS:
        account = Account(name, VERIFY_UIDS[name])
        with changing():
            _write([account], shell="/usr/sbin/nologin")
    else:
        with changing() as accounts:
            account = accounts.add(name)
            account.locked = False
        if _ids(name) != account.uid:
            raise AccountError(f"{name} is a name or uid of the image's own; choose another name for this person")
    make_home(account)
    return account


def set_password(name: str, hashed: str, *, one_time: bool) -> None:
    """Give the account ``name`` a password, made with crypt(3). Raises AccountError when there is no such account."""
    with changing() as accounts:
        account = accounts.people.get(name)
        if account is None:
            raise AccountError(f"{name} has no account")
        account.password, account.changed = hashed, 0 if one_time else int(time.time() // 86400)


def lock(name: str) -> None:
    """Let ``name`` in no more, and end what still runs as them; home and password stay."""
    with changing() as accounts:
        account = accounts.people.get(name)
        if account is None or account.locked:
            return
        account.locked = True
    print(f"users: the Linux account {name} is locked", flush=True)
    end_processes(account.uid)


def make_home(account: Account) -> None:
    """See that ``account`` has a home, made from /etc/skel; one that exists is left as it is. Raises AccountError."""
    try:
        base = os.open(HOMES, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise AccountError(f"the directory of all homes cannot be opened: {error.strerror}") from error
    try:
        found = os.stat(account.name, dir_fd=base, follow_symlinks=False)
    except FileNotFoundError:
        _make_home(account, base)
    else:
        if not stat.S_ISDIR(found.st_mode):
            raise AccountError(f"the home {account.name} is no directory; move what is there out of the way")
        if found.st_uid != account.uid:
            raise AccountError(
                f"the home {account.name} belongs to uid {found.st_uid}, and {account.name} is uid {account.uid}; "
                "change its owner"
            )
    finally:
        os.close(base)


def _make_home(account: Account, base: int) -> None:
    # Under another name, which only root can enter, and moved when it is complete.
    unfinished = f".{account.name}.{secrets.token_hex(4)}"
    place = HOMES / unfinished
    os.mkdir(unfinished, 0o700, dir_fd=base)
    try:
        skeleton = ETC / "skel"
        if skeleton.is_dir():
            shutil.copytree(skeleton, place, symlinks=True, dirs_exist_ok=True)
            place.chmod(0o700)
        for directory, _, files in os.walk(place):
            for name in files:
                os.chown(Path(directory, name), account.uid, account.uid, follow_symlinks=False)
            os.chown(directory, account.uid, account.uid, follow_symlinks=False)
        place.chmod(HOME_MODE)
        os.rename(unfinished, account.name, src_dir_fd=base, dst_dir_fd=base)
    except OSError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise AccountError(f"the home {account.name} cannot be made: {error.strerror}") from error


def remove_verify(name: str) -> None:
    """Take a throw-away user of `verify` away with everything: processes, home, account. Raises AccountError."""
    if name not in VERIFY_UIDS:
        raise AccountError(f"{name} is no throw-away user; people's accounts and files are never removed")
    uid = VERIFY_UIDS[name]
    end_processes(uid)
    home = HOMES / name
    with contextlib.suppress(FileNotFoundError):
        if home.lstat().st_uid != uid:
            raise AccountError(f"{home} is not of uid {uid}, so it is left alone")
        shutil.rmtree(home)
    with changing():
        _write([], gone={name})


def end_processes(*uids: int, patience: float = 5.0) -> None:
    """End everything that runs as one of ``uids``: kindly, and after ``patience`` seconds for certain."""
    until = time.monotonic() + patience
    for kindly in (True, False):
        while (left := _processes(uids)) and (not kindly or time.monotonic() < until):
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGTERM if kindly else signal.SIGKILL)
            time.sleep(0.2)


def _processes(uids: Collection[int]) -> list[int]:
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and process.stat().st_uid in uids and _state(process) != "Z":
                found.append(int(process.name))
    return found


def _state(process: Path) -> str:
    return (process / "stat").read_text().rpartition(") ")[2][:1]


# --- /etc ---------------------------------------------------------------------------------------------------


def _entries(file: str) -> list[list[str]]:
    return [line.split(":") for line in (ETC / file).read_text("utf-8").splitlines() if ":" in line]


def _ids(name: str) -> int | None:
    return next((int(fields[2]) for fields in _entries("passwd") if fields[0] == name), None)


def _taken(name: str) -> str:
    for file in ("passwd", "group"):
        if any(fields[0] == name for fields in _entries(file)):
            return "is a name that the image has for itself"
    return ""


def _owners() -> dict[str, int]:
    owners = {}
    for home in os.scandir(HOMES):
        if home.is_dir(follow_symlinks=False):
            owners[home.name] = home.stat(follow_symlinks=False).st_uid
    return owners


def _write(
    ours: list[Account],
    *,
    known: Collection[str] = (),
    gone: Collection[str] = (),
    shell: str = "/bin/bash",
) -> None:
    """Have /etc know ``ours`` and not ``gone``; of ``known`` the admins among ``ours`` alone may become root."""
    by_name = {account.name: account for account in ours}

    def passwd(account: Account, old: list[str]) -> list[str]:
        gecos, its_shell = (old[4], old[6]) if old else ("", shell)
        return [account.name, "x", str(account.uid), str(account.uid), gecos, str(account.home), its_shell]

    def shadow(account: Account, old: list[str]) -> list[str]:
        # An account that expired long ago: whoever is locked has their password again when they are let in again.
        expires = "1" if account.locked else ""
        rest = old[3:7] if old else ["0", "99999", "7", ""]
        return [account.name, account.password, str(account.changed), *rest, expires, ""]

    def group(account: Account, old: list[str]) -> list[str]:
        return [account.name, "x", str(account.uid), old[3] if old else ""]

    def merge(file: str, make: Callable[[Account, list[str]], list[str]]) -> None:
        missing = dict(by_name)
        lines = []
        for fields in _entries(file):
            account = missing.pop(fields[0], None)
            if fields[0] not in gone:
                lines.append(make(account, fields) if account else fields)
        lines += [make(account, []) for account in missing.values()]
        for fields in lines:
            if file == "group" and fields[0] == ADMINS:
                others = [member for member in fields[3].split(",") if member and member not in known]
                fields[3] = ",".join(others + [account.name for account in ours if account.admin])
        text = "".join(":".join(fields) + "\n" for fields in lines)
        if text != (ETC / file).read_text("utf-8"):
            _replace(ETC / file, text)

    with (ETC / ".pwd.lock").open("a") as alone:  # the lock of passwd(1) and its like
        fcntl.lockf(alone, fcntl.LOCK_EX)
        merge("shadow", shadow)
        merge("group", group)
        merge("passwd", passwd)


def _replace(path: Path, text: str, mode: int | None = None) -> None:
    """Give ``path`` the content ``text`` at once and for good, with the mode and owner that it has."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    try:
        old = path.stat()
    except FileNotFoundError:
        old = None
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if old is not None:
            os.fchown(file, old.st_uid, old.st_gid)
        os.fchmod(file, mode if mode is not None else stat.S_IMODE(old.st_mode) if old else 0o600)
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)


# --- PAM, and what else changes /etc ------------------------------------------------------------------------


def install_pam() -> None:
    """A PAM service of our own for the login page, and PAM's word to us when somebody changed a password."""
    _place(
        ETC / "pam.d" / PAM_SERVICE,
        # No delay from PAM, which would hold a thread: the login page makes refusals wait itself.
        "auth required pam_unix.so nodelay\naccount required pam_unix.so\n",
        0o644,
    )
    # Changed passwords are kept before `passwd` ends. It runs as root for whoever called it, in their directory, so
    # nothing of theirs may have a say: not their environment, not their directory, and not sh without -p.
    words = ["/usr/bin/env", "-i", f"PYTHONPATH={os.environ.get('PYTHONPATH', '')}", f"HUBFLEET_STATE={STATE}"]
    words += [sys.executable, "-P", "-s", "-m", __spec__.name, "keep"]
    _place(_KEEPER, f"#!/bin/sh -p\ncd / && exec {shlex.join(words)}\n", 0o755)
    stack = ETC / "pam.d" / "common-password"
    line = f"password optional pam_exec.so quiet seteuid {_KEEPER}\n"
    text = stack.read_text("utf-8")
    if line not in text:
        _replace(stack, text.rstrip("\n") + "\n" + line)


def _place(path: Path, text: str, mode: int) -> None:
    path.parent.mkdir(exist_ok=True)
    _replace(path, text, mode)


def watch(stop: Event, every: float = 0.5) -> None:
    """Take back what changes in /etc, until ``stop``."""
    seen = ""
    while True:
        now = _signature()
        if now != seen:
            try:
                with changing():
                    pass
                seen = _signature()
            except (OSError, AccountError, ValueError) as error:
                print(f"accounts: what changed in {ETC} cannot be kept: {error}", flush=True)
                seen = now
        if stop.wait(every):
            return


def _signature() -> str:
    stats = [(ETC / file).stat() for file in ("passwd", "group", "shadow")]
    return repr([(found.st_ino, found.st_mtime_ns, found.st_size) for found in stats])


def main() -> None:
    try:
        match sys.argv[1:]:
            case ["list"]:
                for account in Accounts.load().people.values():
                    print(account.name, account.uid, "locked" if account.locked else "")
            case ["keep"]:
                os.setuid(0)  # whoever called passwd could stop a process whose real uid is theirs
                with changing():
                    pass
            case ["remove-verify", name]:
                remove_verify(name)
            case _:
                sys.exit("usage: python -m hubfleet_hub.linux list | keep | remove-verify NAME")
    except (AccountError, OSError) as error:
        sys.exit(f"accounts: {error}")


if __name__ == "__main__":
    main()
