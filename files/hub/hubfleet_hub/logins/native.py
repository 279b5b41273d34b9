"""Accounts of the hub's own: self sign-up approved by an admin, by NativeAuthenticator, with what it lacks.

Passwords are checked off the hub's event loop and an unknown name takes as long as a known one; no one signs up under
a name that ``hub.yaml`` gives away; approving and discarding are POSTs, so that no link can do them.
"""

# mypy: disable-error-code="import-untyped"

import asyncio
from functools import cache
from typing import Any

from jupyterhub import orm
from jupyterhub.scopes import needs_scope
from nativeauthenticator import NativeAuthenticator, handlers
from nativeauthenticator.orm import UserInfo
from tornado import web
from traitlets.config import Config

from hubfleet_hub.accounts import (
    LONGEST_PASSWORD,
    OneTimePassword,
    has_one_time_password,
    hash_password,
    is_password,
    make_tables,
    set_password,
)
from hubfleet_hub.config import VERIFY_USERS, HubConfig
from hubfleet_hub.configure import TEMPLATES
from hubfleet_hub.logins.passwords import PasswordLogin, Verdict
from hubfleet_hub.users import PermittedUsers


@cache
def _nobodys_password() -> bytes:
    return hash_password("the hash that an unknown name is compared with")


class HubfleetNativeAuthenticator(PasswordLogin, NativeAuthenticator):  # type: ignore[misc]
    """NativeAuthenticator with the promises of this module."""

    may_sign_up = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        make_tables(self.db.get_bind())

    def get_user(self, username: str) -> UserInfo | None:
        """The account as the database has it now: ``passwd`` writes there while the hub runs."""
        account = super().get_user(username)
        if account is not None:
            self.db.refresh(account)
        return account

    def user_exists(self, username: str) -> bool:
        """Whether nobody may sign up as ``username``: an account, or a name that ``hub.yaml`` gives to someone."""
        name = self.normalize_username(username)
        users = self.hub_config.users
        return name in {*users.admins, *users.banned, *VERIFY_USERS} or super().user_exists(name)

    async def judge(self, name: str, password: str) -> Verdict:
        """What ``password`` is worth for ``name``; counts failures, and is as slow for a name that is unknown."""
        account = self.get_user(name)
        right = await asyncio.to_thread(is_password, password, account.password if account else _nobodys_password())
        if account is None or (self.allowed_failed_logins and self.is_blocked(name)):
            return Verdict.WRONG
        if not right:
            self.add_login_attempt(name)
            return Verdict.WRONG
        self.successful_login(name)
        if not account.is_authorized:
            return Verdict.NOT_APPROVED
        return Verdict.ONE_TIME if has_one_time_password(self.db, name) else Verdict.GOOD

    async def refresh_user(self, user: Any, handler: Any = None) -> Any:
        account = self.get_user(user.name)
        if account is not None and not account.is_authorized:
            return False
        if has_one_time_password(self.db, user.name) and user.name not in self.hub_config.users.oauth:
            return False
        return await super().refresh_user(user, handler)

    def is_password_strong(self, password: str) -> bool:
        return len(password.encode()) <= LONGEST_PASSWORD and super().is_password_strong(password)

    async def sign_up(self, username: str, password: str, email: str) -> UserInfo | None:
        """A new account that waits for approval; None when the name, the password or the address will not do."""
        name = self.normalize_username(username)
        if self.user_exists(name) or not self.validate_username(name) or not self.is_password_strong(password):
            return None
        hashed = await asyncio.to_thread(hash_password, password)
        if self.user_exists(name):  # made by another request meanwhile
            return None
        # A name on the list of the allowed is somebody's: whoever comes first must not get it unseen.
        approved = self.open_signup and not self.hub_config.users.allowed
        try:
            account = UserInfo(username=name, password=hashed, email=email, is_authorized=approved)
        except AssertionError:  # NativeAuthenticator's word for a bad e-mail address
            return None
        self.db.add(account)
        self.db.commit()
        return account

    async def store_password(self, name: str, new: str) -> None:
        set_password(self.db, name, await asyncio.to_thread(hash_password, new), one_time=False)

    def change_password(self, username: str, new_password: str) -> bool:
        """What the admin's page does for somebody: as with ``passwd``, the password is good for choosing another."""
        name = self.normalize_username(username)
        if self.get_user(name) is None or not self.is_password_strong(new_password):
            return False
        set_password(self.db, name, hash_password(new_password), one_time=True)
        self.end_sessions(name)
        self.db.commit()
        return True

    async def delete_user(self, user: Any) -> None:
        self.db.query(OneTimePassword).filter_by(username=user.name).delete()
        await super().delete_user(user)

    def get_handlers(self, app: Any) -> list[tuple[str, type[web.RequestHandler]]]:
        return [
            *PasswordLogin.get_handlers(self, app),
            (r"/signup", SignUpHandler),
            (r"/authorize", handlers.AuthorizationAreaHandler),
            (r"/authorize/([^/]*)", ToggleAuthorizationHandler),
            (r"/discard/([^/]*)", DiscardHandler),
            (r"/change-password", ChangePasswordHandler),
            (r"/change-password/([^/]+)", handlers.ChangePasswordAdminHandler),
        ]


class SignUpHandler(handlers.SignUpHandler):  # type: ignore[misc]
    """NativeAuthenticator's sign-up with the hash made off the event loop."""

    async def post(self) -> None:
        if not self.authenticator.enable_signup:
            raise web.HTTPError(404)
        username = self.get_body_argument("username", strip=False)
        password = self.get_body_argument("signup_password", strip=False)
        matches = password == self.get_body_argument("signup_password_confirmation", strip=False)
        taken = self.authenticator.user_exists(username)
        account = None
        if matches and not taken:
            email = self.get_body_argument("email", "", strip=False)
            account = await self.authenticator.sign_up(username, password, email)
        alert, message = self.get_result_message(account, True, taken, matches, False)
        html = await self.render_template(
            "signup.html",
            ask_email=self.authenticator.ask_email_on_signup,
            result_message=message,
            alert=alert,
        )
        self.finish(html)


class ChangePasswordHandler(handlers.ChangePasswordHandler):  # type: ignore[misc]
    """A person's own new password; whoever else was logged in with the old one no longer is."""

    @web.authenticated
    async def post(self) -> None:
        user = self.current_user
        problem = await self.authenticator.replace_password(
            user.name,
            self.get_body_argument("old_password", strip=False),
            self.get_body_argument("new_password", strip=False),
            self.get_body_argument("new_password_confirmation", strip=False),
        )
        if not problem:
            self.set_hub_cookie(user)
        html = await self.render_template(
            "change-password.html",
            user_name=user.name,
            result_message=problem or "Your password has been changed successfully!",
            alert="alert-danger" if problem else "alert-success",
        )
        self.finish(html)


class ToggleAuthorizationHandler(handlers.LocalBase):  # type: ignore[misc]
    """Approves an account, or takes its approval back and ends its sessions."""

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def post(self, name: str) -> None:
        if self.authenticator.get_user(name) is None:
            raise web.HTTPError(404)
        if not UserInfo.change_authorization(self.db, name).is_authorized:
            self.authenticator.end_sessions(name)
            self.db.commit()
        self.redirect(self.hub.base_url + "authorize#" + name)


class DiscardHandler(handlers.LocalBase):  # type: ignore[misc]
    """Deletes an account that is not approved."""

    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def post(self, name: str) -> None:
        account = self.authenticator.get_user(name)
        if account is not None and not account.is_authorized:
            await self.authenticator.delete_user(orm.User(name=name))
            if self.users.get(name) is not None:
                self.users.delete(name)
        self.redirect(self.hub.base_url + "authorize")


def configure(c: Config, hub: HubConfig) -> type[PermittedUsers]:
    native = hub.native
    assert native is not None  # HubConfig sees to it
    c.JupyterHub.template_paths = [TEMPLATES, handlers.TEMPLATE_DIR]
    c.NativeAuthenticator.enable_signup = True
    c.NativeAuthenticator.open_signup = native.open_signup
    c.NativeAuthenticator.ask_email_on_signup = native.ask_email
    c.NativeAuthenticator.minimum_password_length = native.min_password_length
    c.NativeAuthenticator.check_common_password = native.check_common_password
    c.NativeAuthenticator.allowed_failed_logins = native.failed_logins
    c.NativeAuthenticator.seconds_before_next_try = native.lockout_seconds
    return HubfleetNativeAuthenticator
