"""One-time passwords: ``hash`` turns the one on stdin into a hash, ``set USER`` gives it to an account.

The password comes on stdin, so that no process list shows it.
"""

# mypy: disable-error-code="import-untyped"

import sys

from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from . import linux
from .accounts import end_sessions, hash_password, make_tables, set_password
from .config import ConfigError, HubConfig
from .configure import database_url
from .database import DatabaseError, open_session


def set_one_time(db: Session, hub: HubConfig, name: str, password: str) -> None:
    """Give ``name`` the one-time password ``password`` and end its sessions.

    Raises ConfigError for a stranger, and for someone whose password is kept elsewhere.
    """
    match hub.login_of(name):
        case "native":
            _set_in_database(db, hub, name, password)
        case "pam":
            _set_in_linux(db, hub, name, password)
        case _:
            raise ConfigError(f"{name!r} has no password on this hub: such people log in elsewhere")
    user = orm.User.find(db, name)
    if user is not None:
        end_sessions(db, user, keep_servers=True)
    db.commit()


def _set_in_database(db: Session, hub: HubConfig, name: str, password: str) -> None:
    make_tables(db.get_bind())  # type: ignore[arg-type]
    known = {*hub.users.admins, *hub.users.allowed}
    if UserInfo.find(db, name) is None and name not in known:
        raise ConfigError(
            f"{name!r} has no account on this hub; people sign up first, or are listed in users_admins or users_allowed"
        )
    set_password(db, name, hash_password(password), one_time=True)


def _set_in_linux(db: Session, hub: HubConfig, name: str, password: str) -> None:
    known = {*hub.users.admins, *hub.users.allowed, *hub.users.oauth}
    if (name not in known and orm.User.find(db, name) is None) or hub.refuses(name):
        raise ConfigError(
            f"{name!r} may not use this hub; an admin adds people on the hub's admin page, or they are listed in "
            "users_admins or users_allowed"
        )
    linux.ensure(name)
    linux.set_password(name, hash_password(password).decode(), one_time=True)


def main() -> None:
    password = sys.stdin.read().rstrip("\n")
    try:
        match sys.argv[1:]:
            case ["hash"]:
                print(hash_password(password).decode())
            case ["set", name]:
                hub = HubConfig.load()
                with open_session(database_url(hub)) as db:
                    set_one_time(db, hub, name, password)
            case _:
                sys.exit("usage: python -m hubfleet_hub.passwd hash | set USER   (the password on stdin)")
    except (ConfigError, DatabaseError, linux.AccountError, ValueError) as error:
        sys.exit(f"passwd: {error}")


if __name__ == "__main__":
    main()
