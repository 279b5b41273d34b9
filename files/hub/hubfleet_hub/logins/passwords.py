"""Logins with a name and a password on the hub's own page: what is the same wherever the password is kept.

A refused login answers 403 and says no more, and a one-time password opens nothing but the page on which another is
chosen.
"""

# mypy: disable-error-code="import-untyped"

from enum import Enum, auto
from typing import Any

from jupyterhub import orm
from tornado import web
from tornado.httputil import url_concat

from hubfleet_hub.accounts import LONGEST_PASSWORD, end_sessions
from hubfleet_hub.logins.page import LoginPage
from hubfleet_hub.users import PermittedUsers


class Verdict(Enum):
    """What a name and a password are worth."""

    GOOD = auto()
    ONE_TIME = auto()
    NOT_APPROVED = auto()
    WRONG = auto()


class PasswordLogin(PermittedUsers):
    """A login with a form. Its class has ``minimum_password_length`` and ``is_password_strong`` besides."""

    has_form = True

    async def judge(self, name: str, password: str) -> Verdict:
        """What ``password`` is worth for ``name``; as slow for a name that is unknown."""
        raise NotImplementedError

    async def store_password(self, name: str, new: str) -> None:
        """Keep ``new`` as the password that ``name`` chose. Does not commit. Raises ValueError when it is refused."""
        raise NotImplementedError

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        name: str = self.normalize_username(data["username"])
        verdict = handler.verdict or await self.judge(name, data["password"])
        if verdict is not Verdict.GOOD:
            return None
        user = orm.User.find(self.db, name)
        if user is not None:
            self.db.refresh(user)  # `passwd` may have given it another cookie_id since the hub read it
        return name

    async def replace_password(self, name: str, old: str, new: str, confirmation: str) -> str:
        """Give ``name``, who knows ``old``, the password ``new``; returns what is wrong, empty when it is done.

        Everything that was logged in with the old one is worthless afterwards.
        """
        if await self.judge(name, old) not in (Verdict.GOOD, Verdict.ONE_TIME):
            return "Your current password was incorrect. Please try again."
        if new != confirmation:
            return "Your new password didn't match the confirmation. Please try again."
        if new == old:
            return "The new password is the old one. Please choose another."
        if not self.is_password_strong(new):
            return (
                f"The new password must have at least {self.minimum_password_length} characters, at most "
                f"{LONGEST_PASSWORD} bytes, and not be too common."
            )
        try:
            await self.store_password(name, new)
        except ValueError as error:
            return str(error)
        self.end_sessions(name)
        self.db.commit()
        return ""

    def end_sessions(self, name: str) -> None:
        """Log ``name`` out everywhere. Does not commit."""
        user = orm.User.find(self.db, name)
        if user is not None:
            self.db.refresh(user)
            end_sessions(self.db, user, keep_servers=True)

    def get_handlers(self, app: Any) -> list[tuple[str, type[Any]]]:
        return [("/login", PasswordPage), ("/new-password", NewPasswordPage)]


class PasswordPage(LoginPage):
    """The login page of a hub where a form is among the logins."""

    verdict: Verdict | None = None

    def _render(self, login_error: str | None = None, username: str | None = None, **kwargs: Any) -> Any:
        if self.verdict is Verdict.NOT_APPROVED:
            login_error = f"User {username} has not been authorized by an administrator yet."
        return super()._render(login_error, username, **kwargs)

    async def post(self) -> None:
        name = self.authenticator.normalize_username(self.get_body_argument("username"))
        password = self.get_body_argument("password", strip=False)
        self.verdict = await self.authenticator.judge(name, password)
        if self.verdict is Verdict.ONE_TIME:
            self.finish(await render_new_password(self, name))
        else:
            await super().post()


async def render_new_password(handler: Any, name: str, message: str = "") -> str:
    """The page on which ``name`` chooses a password; it gives no session."""
    html: str = await handler.render_template(
        "new-password.html",
        user_name=name,
        message=message,
        minimum_length=handler.authenticator.minimum_password_length,
        post_url=url_concat(handler.hub.base_url + "new-password", {"next": handler.get_argument("next", default="")}),
    )
    return html


class NewPasswordPage(PasswordPage):
    """Where a one-time password is exchanged for one that the person chose, and logs in."""

    def get(self) -> None:
        self.redirect(self.settings["login_url"])

    async def post(self) -> None:
        name = self.authenticator.normalize_username(self.get_body_argument("username"))
        new = self.get_body_argument("new_password", strip=False)
        problem = await self.authenticator.replace_password(
            name,
            self.get_body_argument("old_password", strip=False),
            new,
            self.get_body_argument("new_password_confirmation", strip=False),
        )
        if problem:
            self.set_status(403)
            self.finish(await render_new_password(self, name, problem))
            return
        user = await self.login_user({"username": name, "password": new})
        if user is None:
            raise web.HTTPError(403, f"{name} may not use this hub.")
        self._jupyterhub_user = user
        self.redirect(self.get_next_url(user))
