"""What happens before the hub's port opens: database, first admins, people who are no longer let in.

``python -m hubfleet_hub.prepare`` does it, ``python -m hubfleet_hub.prepare confirm`` says that the hub which came up
afterwards is healthy, so that an upgrade of its database stays.
"""

# mypy: disable-error-code="import-untyped"

import json
import sys
from typing import Any

from jupyterhub import orm, roles
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from . import linux, shares
from .accounts import end_sessions, make_tables, set_password
from .config import MEMBERS, STATE, VERIFY_USERS, ConfigError, HubConfig, read_secret
from .configure import database_url
from .database import DatabaseError, bring_up_to_date, confirm, open_session
from .names import escape

ADMISSION = STATE / "admission.json"
"""Who was let in at the last start, and by what."""


def prepare(hub: HubConfig) -> None:
    """Raises ConfigError or DatabaseError with what to do."""
    url = database_url(hub)
    bring_up_to_date(url, upgrade_allowed=hub.db_upgrade)
    with open_session(url) as db:
        if "native" in hub.login:
            make_tables(db.get_bind())  # type: ignore[arg-type]
            make_first_admins(db, hub)
        if hub.spawner == "local":
            bring_in_people(db, hub)
        end_what_is_no_longer_permitted(db, hub)
        end_what_was_given_on_anothers_word(db, hub)
        db.commit()
    note_admission(hub)
    if hub.spawner == "local":
        shares.converge(hub.users.shares)


def make_first_admins(db: Session, hub: HubConfig) -> None:
    """Give each declared admin an account with the one-time password whose hash the deploy left.

    An account under such a name that was never approved is a stranger's who signed up before the name was declared:
    it gets the one-time password too, and the stranger's is gone.
    """
    for name in hub.users.admins:
        account = UserInfo.find(db, name)
        if account is not None and account.is_authorized:
            continue
        hashed = one_time_hash(name)
        if account is not None:
            account.is_authorized = True
        set_password(db, name, hashed.encode(), one_time=True)
        print(f"users: {name} has an account and a one-time password", flush=True)


def one_time_hash(name: str) -> str:
    """The hash of an admin's one-time password, as the deploy left it. Raises ConfigError."""
    hashed = read_secret(f"one-time/{escape(name)}.hash")
    if not hashed.startswith("$2"):
        raise ConfigError(f"one-time/{escape(name)}.hash holds no bcrypt hash; delete it and deploy again")
    return hashed


def bring_in_people(db: Session, hub: HubConfig) -> None:
    """See that everybody who may come in has a Linux account and a home, and that nobody else can use theirs.

    Those are whom ``hub.yaml`` names and whom the hub knows: an admin added them, or a login let them in. Whose account
    cannot be made is named in the log, and keeps nobody else out.
    """
    named = {*hub.users.admins, *hub.users.allowed, *hub.users.oauth}
    known = {name for (name,) in db.query(orm.User.name)} - set(VERIFY_USERS)
    people = sorted(name for name in named | known if not hub.refuses(name))
    for name in people:
        try:
            linux.ensure(name)
        except (linux.AccountError, OSError) as error:
            print(f"users: {error}", flush=True)
    for account in linux.people():
        if account.name not in people:
            linux.lock(account.name)
    with linux.changing() as accounts:
        for account in accounts.people.values():
            account.admin = account.name in hub.users.admins
            if account.admin and not account.has_password and hub.login_of(account.name) == "pam":
                account.password, account.changed = one_time_hash(account.name), 0
                print(f"users: {account.name} has an account and a one-time password", flush=True)


def end_what_is_no_longer_permitted(db: Session, hub: HubConfig) -> None:
    """Take sessions, tokens and the admin role from those whom ``hub.yaml`` does not give them (any more).

    Files and accounts stay. Servers of those who are refused altogether are stopped by the hub (`users`).
    """
    for user in db.query(orm.User):
        refused = hub.refuses(user.name)
        demoted = user.admin and user.name not in hub.users.admins
        if demoted:
            user.admin = False
            roles.assign_default_roles(db, entity=user)
            print(f"users: {user.name} is no longer an admin", flush=True)
        if refused or demoted:
            end_sessions(db, user, keep_servers=not refused)


def end_what_was_given_on_anothers_word(db: Session, hub: HubConfig) -> None:
    """Have people log in, and be judged, anew when what let them in at an OAuth provider may no longer do so.

    Who came in as a member of which organisation is known to the provider alone, and only while they log in. So with
    an organisation gone, or another provider, it is everyone whom ``hub.yaml`` does not name; and someone whom it no
    longer names may still be a member.
    """
    if not ADMISSION.exists():
        return
    before, now = json.loads(ADMISSION.read_text()), _admission(hub)
    all_of_them = before["rules"] != now["rules"] or not set(before["organizations"]) <= set(now["organizations"])
    for user in db.query(orm.User):
        if user.name in now["named"] or hub.login_of(user.name) != "oauth":
            continue
        if all_of_them or user.name in before["named"]:
            end_sessions(db, user, keep_servers=False)
            user.groups = [group for group in user.groups if group.name != MEMBERS]
            print(f"users: {user.name} must log in again to be let in", flush=True)


def note_admission(hub: HubConfig) -> None:
    """Remember for the next start who was let in, and by what; after the commit, so that a cut repeats the work."""
    new = ADMISSION.with_suffix(".new")
    new.write_text(json.dumps(_admission(hub)))
    new.replace(ADMISSION)


def _admission(hub: HubConfig) -> dict[str, Any]:
    oauth = hub.oauth
    return {
        "named": [*hub.users.admins, *hub.users.allowed, *VERIFY_USERS],
        "organizations": list(oauth.allowed_organizations) if oauth else [],
        "rules": [oauth.provider, oauth.url, oauth.traits] if oauth else [],
    }


def main() -> None:
    if sys.argv[1:] == ["confirm"]:
        confirm(STATE)
        return
    try:
        prepare(HubConfig.load())
    except (ConfigError, DatabaseError, linux.AccountError) as error:
        sys.exit(f"hub: {error}")


if __name__ == "__main__":
    main()
