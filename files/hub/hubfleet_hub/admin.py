"""``hub-admin``: passwords and shares of homes, for admins in their terminal (``sudo hub-admin``) and on the host."""

# mypy: disable-error-code="import-untyped"

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

from jupyterhub import orm

from . import linux
from .accounts import end_sessions, hash_password
from .config import ConfigError, HubConfig
from .configure import database_url
from .database import DatabaseError, open_session
from .shares import ShareError, of_this_hub


class AdminError(Exception):
    """It was not done; the message is one line."""


def set_password(name: str, password: str, *, one_time: bool) -> None:
    """Give a person a password and end their sessions; servers stay. Raises AdminError and what it comes upon."""
    hub = HubConfig.load()
    if linux.find(name) is None:
        raise AdminError(f"nobody here is called {name!r}")
    shortest = hub.native.min_password_length if hub.native else 1
    if len(password) < shortest:
        raise AdminError(f"a password has {shortest} characters at least")
    linux.set_password(name, hash_password(password).decode(), one_time=one_time)
    with open_session(database_url(hub)) as db:
        user = orm.User.find(db, name)
        if user is not None:
            end_sessions(db, user, keep_servers=True)
        db.commit()


def _typed_password(name: str) -> str:
    """Asked for twice at a terminal, else the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass(f"New password of {name}: ")
    if getpass.getpass("The same again: ") != password:
        raise AdminError("the two are not the same; nothing was changed")
    return password


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hub-admin",
        description="Passwords, and homes opened to others. What is already so is no error.",
        epilog="Homes are opened by access control lists: files made later are shared too, what begins with a dot at "
        "the top of a home is not, and nobody's file gets another owner. Who may write in a home can put "
        "programs there that its owner will start.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    password = commands.add_parser(
        "set-password",
        help="give USER a new password, typed at a prompt or on standard input",
        description="Give USER a new password, typed at a prompt or, from a script, the first line of standard input. "
        "Their sessions end; running servers stay.",
    )
    password.add_argument("user", metavar="USER")
    password.add_argument("--one-time", action="store_true", help="to be changed at the next login")
    for command, words in (
        ("allow-read", "let OTHER read the files of OWNER: 'allow-read ada grace', and grace may read ada's files"),
        ("allow-write", "let OTHER read and change them: 'allow-write ada grace', and grace may write ada's files"),
        ("disallow", "take all of that away again: 'disallow ada grace', and ada's home is closed to grace"),
    ):
        share = commands.add_parser(command, help=words, description=words[0].upper() + words[1:] + ".")
        share.add_argument("owner", metavar="OWNER", help="whose home it is")
        share.add_argument("other", metavar="OTHER", help="who is let in, or no longer")
    commands.add_parser("list", help="show who may enter whose home, and who said so")
    return parser


def _do(words: argparse.Namespace) -> list[str]:
    match words.command:
        case "set-password":
            set_password(words.user, _typed_password(words.user), one_time=words.one_time)
            return [f"{words.user} has a new password"]
        case "allow-read":
            return of_this_hub().allow(words.owner, words.other, "read")
        case "allow-write":
            return of_this_hub().allow(words.owner, words.other, "write")
        case "disallow":
            return of_this_hub().disallow(words.owner, words.other)
        case _:
            return [
                f"{record} ({'by the settings' if record.declared else 'by command'}"
                f"{'' if record.done else '; not finished: the next start of the hub tries again'})"
                for record in sorted(of_this_hub().all(), key=lambda record: (record.home, record.to))
            ] or ["no home is shared"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0: done; 1: not done, and why on standard error; 2: not understood."""
    words = _parser().parse_args(arguments)
    try:
        if os.geteuid() != 0:
            raise AdminError("only root can do that; write: sudo hub-admin ...")
        for line in _do(words):
            print(line)
    except (AdminError, ConfigError, DatabaseError, ShareError, ValueError, linux.AccountError) as error:
        print(f"hub-admin: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"hub-admin: {error.filename or 'the hub'}: {error.strerror}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("hub-admin: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
