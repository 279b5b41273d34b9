"""One-time passwords: ``hash`` turns the one on stdin into a hash, ``set USER`` gives it to an account.

The password comes on stdin, so that no process list shows it.
"""

# mypy: disable-error-code="import-untyped"

import sys

from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from .accounts import end_sessions, hash_password, make_tables, set_password
from .config import ConfigError, HubConfig
from .configure import database_url
from .database import DatabaseError, open_session


def set_one_time(db: Session, hub: HubConfig, name: str, password: str) -> None:
    """Give ``name`` the one-time password ``password`` and end its sessions. Raises ConfigError for a stranger."""
    known = {*hub.users.admins, *hub.users.allowed}
    if UserInfo.find(db, name) is None and name not in known:
        raise ConfigError(
            f"{name!r} has no account on this hub; people sign up first, or are listed in hub_admins or hub_allowed"
        )
    set_password(db, name, hash_password(password), one_time=True)
    user = orm.User.find(db, name)
    if user is not None:
        end_sessions(db, user, keep_servers=True)
    db.commit()


def main() -> None:
    password = sys.stdin.read().rstrip("\n")
    try:
        match sys.argv[1:]:
            case ["hash"]:
                print(hash_password(password).decode())
            case ["set", name]:
                hub = HubConfig.load()
                with open_session(database_url(hub)) as db:
                    make_tables(db.get_bind())  # type: ignore[arg-type]
                    set_one_time(db, hub, name, password)
            case _:
                sys.exit("usage: python -m hubfleet_hub.passwd hash | set USER   (the password on stdin)")
    except (ConfigError, DatabaseError, ValueError) as error:
        sys.exit(f"passwd: {error}")


if __name__ == "__main__":
    main()
