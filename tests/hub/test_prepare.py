"""Before the port opens: first admins exist, and who is no longer let in has nothing left to come in with."""

# mypy: disable-error-code="import-untyped"

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import bcrypt
import pytest
from jupyterhub import orm, roles
from jupyterhub.utils import utcnow
from nativeauthenticator.orm import UserInfo
from sqlalchemy.orm import Session

from hubfleet_hub.accounts import has_one_time_password, hash_password, is_password, make_tables, set_password
from hubfleet_hub.config import ConfigError, HubConfig
from hubfleet_hub.database import open_session
from hubfleet_hub.names import escape
from hubfleet_hub.passwd import set_one_time
from hubfleet_hub.prepare import end_what_is_no_longer_permitted, prepare

Make = Callable[..., HubConfig]
HASH = hash_password("one-time").decode()


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bcrypt, "gensalt", partial(bcrypt.gensalt, rounds=4))


@pytest.fixture
def db(here: Any) -> Iterator[Session]:
    with open_session(here.url) as session:
        make_tables(session.get_bind())  # type: ignore[arg-type]
        for role in roles.get_default_roles():
            roles.create_role(session, role)
        session.add(orm.OAuthClient(identifier="jupyterhub"))
        session.commit()
        yield session


def person(db: Session, name: str, *, admin: bool = False) -> orm.User:
    """Someone who is logged in: an account, a cookie, a token and a login half done."""
    user = orm.User(name=name, admin=admin)
    db.add(user)
    db.commit()
    roles.assign_default_roles(db, entity=user)
    user.new_api_token(note="mine")
    db.add(orm.OAuthCode(client_id="jupyterhub", code="c", user=user))
    set_password(db, name, hash_password("own"), one_time=False)
    db.commit()
    return user


def with_server(db: Session, user: orm.User) -> str:
    """Let ``user`` have a running server; returns the server's token."""
    base_url = f"/user/{user.name}/"
    token: str = user.new_api_token(note=f"Server at {base_url}")
    spawner = orm.Spawner(user=user, name="", server=orm.Server(base_url=base_url), started=utcnow())
    db.add(spawner)
    db.commit()
    return token


def logged_in_with(db: Session, user: orm.User) -> tuple[str, int, int]:
    tokens = db.query(orm.APIToken).filter_by(user_id=user.id).count()
    return user.cookie_id, tokens, db.query(orm.OAuthCode).filter_by(user_id=user.id).count()


def test_each_declared_admin_has_an_approved_account_with_its_one_time_password(here: Any, make: Make) -> None:
    for name in ("admin", "a.b@c.d"):
        here.secret(f"one-time/{escape(name)}.hash", HASH)
    prepare(make(users__admins=["admin", "a.b@c.d"]))
    with open_session(here.url) as db:
        for name in ("admin", "a.b@c.d"):
            account = UserInfo.find(db, name)
            assert account.is_authorized
            assert is_password("one-time", account.password)
            assert has_one_time_password(db, name)


def test_an_admin_who_chose_a_password_keeps_it(db: Session, here: Any, make: Make) -> None:
    here.secret("one-time/admin.hash", HASH)
    set_password(db, "admin", hash_password("chosen"), one_time=False)
    db.commit()
    prepare(make())
    db.expire_all()
    assert is_password("chosen", UserInfo.find(db, "admin").password)
    assert not has_one_time_password(db, "admin")


def test_a_stranger_who_signed_up_under_a_later_admins_name_is_locked_out(db: Session, here: Any, make: Make) -> None:
    here.secret("one-time/admin.hash", HASH)
    db.add(UserInfo(username="admin", password=hash_password("strangers"), is_authorized=False))
    db.commit()
    prepare(make())
    db.expire_all()
    account = UserInfo.find(db, "admin")
    assert account.is_authorized
    assert not is_password("strangers", account.password)
    assert has_one_time_password(db, "admin")


def test_without_its_hash_an_admin_is_not_made_and_the_file_is_named(here: Any, make: Make) -> None:
    with pytest.raises(ConfigError, match=r"one-time/nobody\.hash: No such file.*run the deploy again"):
        prepare(make(users__admins=["nobody"]))


def test_a_file_that_holds_no_hash_is_refused(here: Any, make: Make) -> None:
    here.secret("one-time/clear.hash", "the password itself")
    with pytest.raises(ConfigError, match="holds no bcrypt hash"):
        prepare(make(users__admins=["clear"]))


@pytest.mark.parametrize("lists", [{"users__banned": ["ada"]}, {"users__allowed": ["bob"]}])
def test_who_is_refused_has_nothing_to_come_in_with(db: Session, make: Make, lists: dict[str, Any]) -> None:
    ada, bob = person(db, "ada"), person(db, "bob")
    with_server(db, ada)
    cookie, bobs = ada.cookie_id, logged_in_with(db, bob)
    end_what_is_no_longer_permitted(db, make(**lists))
    db.commit()
    assert ada.cookie_id != cookie
    assert logged_in_with(db, ada)[1:] == (0, 0)
    assert logged_in_with(db, bob) == bobs


def test_the_account_of_who_is_refused_stays(db: Session, make: Make) -> None:
    person(db, "ada")
    end_what_is_no_longer_permitted(db, make(users__banned=["ada"]))
    db.commit()
    assert is_password("own", UserInfo.find(db, "ada").password)


def test_who_is_no_longer_declared_admin_is_none_and_logs_in_anew(db: Session, make: Make) -> None:
    ada = person(db, "ada", admin=True)
    token = with_server(db, ada)
    cookie = ada.cookie_id
    end_what_is_no_longer_permitted(db, make())
    db.commit()
    assert not ada.admin
    assert [role.name for role in ada.roles] == ["user"]
    assert ada.cookie_id != cookie
    assert logged_in_with(db, ada)[1:] == (1, 0)
    assert orm.APIToken.find(db, token)  # the running server's own


def test_a_declared_admin_stays_logged_in(db: Session, make: Make) -> None:
    ada = person(db, "ada", admin=True)
    before = logged_in_with(db, ada)
    end_what_is_no_longer_permitted(db, make(users__admins=["ada"]))
    db.commit()
    assert ada.admin
    assert logged_in_with(db, ada) == before


def test_a_new_one_time_password_ends_sessions_and_spares_the_running_server(db: Session, make: Make) -> None:
    ada = person(db, "ada")
    token = with_server(db, ada)
    cookie = ada.cookie_id
    set_one_time(db, make(), "ada", "new-one-time")
    assert ada.cookie_id != cookie
    assert logged_in_with(db, ada)[1:] == (1, 0)
    assert orm.APIToken.find(db, token)
    assert is_password("new-one-time", UserInfo.find(db, "ada").password)
    assert has_one_time_password(db, "ada")


def test_a_token_that_only_looks_like_the_servers_does_not_survive(db: Session, make: Make) -> None:
    ada = person(db, "ada")
    token = with_server(db, ada)
    forged = ada.new_api_token(note="Server at /user/ada/")
    earlier = ada.new_api_token(note="Server at /user/ada/")
    orm.APIToken.find(db, earlier).created = utcnow() - timedelta(days=1)
    db.commit()
    set_one_time(db, make(), "ada", "new-one-time")
    assert orm.APIToken.find(db, token)
    assert not orm.APIToken.find(db, forged)
    assert not orm.APIToken.find(db, earlier)


def test_a_one_time_password_for_a_stranger_is_refused(db: Session, make: Make) -> None:
    with pytest.raises(ConfigError, match="'typo' has no account on this hub"):
        set_one_time(db, make(), "typo", "x")
    assert UserInfo.find(db, "typo") is None


def test_someone_on_the_list_of_the_allowed_can_be_given_an_account(db: Session, make: Make) -> None:
    set_one_time(db, make(users__allowed=["ada"]), "ada", "one-time")
    assert UserInfo.find(db, "ada").is_authorized
    assert has_one_time_password(db, "ada")
