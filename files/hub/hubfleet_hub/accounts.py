"""The native login's accounts in the hub's database, as the login, the first start and ``passwd`` use them."""

# mypy: disable-error-code="import-untyped"

import secrets

import bcrypt
from jupyterhub import orm
from nativeauthenticator.orm import UserInfo
from sqlalchemy import Column, Unicode
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

LONGEST_PASSWORD = 72
"""Bytes: bcrypt reads no further, and version 5 refuses what is longer."""


class OneTimePassword(orm.Base):  # type: ignore[misc]
    """The accounts whose password is good for one thing, to choose another."""

    __tablename__ = "hubfleet_one_time"
    username = Column(Unicode(255), primary_key=True)


def make_tables(engine: Engine) -> None:
    """Make the tables that are missing: NativeAuthenticator's and ours."""
    for table in (UserInfo.__table__, OneTimePassword.__table__):
        table.create(engine, checkfirst=True)


def hash_password(password: str) -> bytes:
    """Raises ValueError for a password that bcrypt would cut."""
    if len(password.encode()) > LONGEST_PASSWORD:
        raise ValueError(f"a password has {LONGEST_PASSWORD} bytes at most")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt())


def is_password(password: str, hashed: bytes) -> bool:
    return len(password.encode()) <= LONGEST_PASSWORD and bcrypt.checkpw(password.encode(), hashed)


def has_one_time_password(db: Session, name: str) -> bool:
    # A query by column always asks the database; db.get would give what this process remembers.
    return db.query(OneTimePassword.username).filter_by(username=name).first() is not None


def set_password(db: Session, name: str, hashed: bytes, *, one_time: bool) -> None:
    """Give the account ``name`` a password; make the account, approved, when there is none. Does not commit."""
    account = UserInfo.find(db, name)
    if account is None:
        db.add(UserInfo(username=name, password=hashed, is_authorized=True))
    else:
        account.password = hashed
    db.query(OneTimePassword).filter_by(username=name).delete()
    if one_time:
        db.add(OneTimePassword(username=name))


def end_sessions(db: Session, user: orm.User, *, keep_servers: bool) -> None:
    """Make everything that ``user`` is logged in with worthless: cookies, tokens, half-done logins. No commit.

    ``keep_servers`` leaves the tokens that running servers themselves ask the hub with: without it a server could
    not let its own user in again.
    """
    user.cookie_id = secrets.token_hex(16)
    spawners = db.query(orm.Spawner).filter_by(user_id=user.id)
    kept = {_token_of(db, user, spawner) for spawner in spawners} if keep_servers else set()
    for token in db.query(orm.APIToken).filter_by(user_id=user.id):
        if token.id not in kept:
            db.delete(token)
    db.query(orm.OAuthCode).filter_by(user_id=user.id).delete()


def _token_of(db: Session, user: orm.User, spawner: orm.Spawner) -> int | None:
    """The id of a running server's token: the last with its note from before it started, so that a person cannot
    have one kept by giving it that note."""
    if spawner.server is None or spawner.started is None:
        return None
    found = (
        db.query(orm.APIToken.id)
        .filter_by(user_id=user.id, note=f"Server at {spawner.server.base_url}")
        .filter(orm.APIToken.created <= spawner.started)
        .order_by(orm.APIToken.created.desc())
        .first()
    )
    return found[0] if found else None
