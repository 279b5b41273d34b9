"""Who is let in, looked at again while people are in: the same for every login."""

# mypy: disable-error-code="import-untyped"

import asyncio
from typing import Any

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from jupyterhub.utils import maybe_future
from tornado.web import HTTPError
from traitlets import Instance

from . import linux
from .config import MEMBERS, VERIFY_USERS, HubConfig


class NoAccount(HTTPError):
    """Somebody can have no account here; the message is for them and for the admin who adds them."""

    def __init__(self, message: str) -> None:
        super().__init__(403, message)
        self.jupyterhub_message = message

    def __str__(self) -> str:
        return str(self.jupyterhub_message)


class PermittedUsers(Authenticator):  # type: ignore[misc]
    """Mixin of every login: people whom ``hub.yaml`` no longer lets in are blocked, with whatever they had open."""

    hub_config = Instance(HubConfig, config=True, help="What hub.yaml says.")

    has_form = False
    """Whether people type a name and a password on the hub's own page."""
    may_sign_up = False
    """Whether that page leads to one where people make accounts."""
    login_hint = ""
    """Of a login that begins elsewhere, so that no button can begin it: what the page says instead."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # JupyterHub stops the servers of blocked users when it starts, and knows nothing of people who were taken
        # off the list of the allowed.
        names = {name for (name,) in self.db.query(orm.User.name)}
        self.blocked_users |= {name for name in names if self.hub_config.refuses(name)}

    def ways_in(self) -> "list[PermittedUsers]":
        """The logins that the login page offers."""
        return [self]

    def get_handlers(self, app: Any) -> list[tuple[str, type[Any]]]:
        from .logins.page import LoginPage

        return [("/login", LoginPage), *(pair for pair in super().get_handlers(app) if pair[0] != "/login")]

    async def add_user(self, user: Any) -> None:
        """Whoever logged in for the first time or was added by an admin; and everybody, when the hub starts."""
        if self.hub_config.spawner == "local" and not self.hub_config.refuses(user.name):
            try:
                await asyncio.to_thread(linux.ensure, user.name)
            except (linux.AccountError, OSError) as error:
                raise NoAccount(f"{user.name} can have no account here: {error}") from error
        await maybe_future(super().add_user(user))

    async def delete_user(self, user: Any) -> None:
        if self.hub_config.spawner == "local":
            leave = linux.remove_verify if user.name in VERIFY_USERS else linux.lock
            await asyncio.to_thread(leave, user.name)
        await maybe_future(super().delete_user(user))

    async def refresh_user(self, user: Any, handler: Any = None) -> Any:
        """Every page and API request of a person asks, at most every ``auth_refresh_age`` seconds."""
        if self.hub_config.refuses(user.name):
            return False
        return self._member(await super().refresh_user(user, handler))

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        return self._member(await super().run_post_auth_hook(handler, auth_model))

    def _member(self, auth_model: Any) -> Any:
        """Whoever is let in is a member, where membership is what opens the one JupyterLab that all share."""
        if isinstance(auth_model, dict) and self.hub_config.spawner == "shared":
            auth_model["groups"] = sorted({*(auth_model.get("groups") or ()), MEMBERS})
        return auth_model
