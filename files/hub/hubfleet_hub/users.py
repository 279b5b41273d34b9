"""Who is let in, looked at again while people are in: the same for every login."""

# mypy: disable-error-code="import-untyped"

from typing import Any

from jupyterhub import orm
from jupyterhub.auth import Authenticator
from traitlets import Instance

from .config import MEMBERS, HubConfig


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

    async def refresh_user(self, user: Any, handler: Any = None) -> Any:
        """Every page and API request of a person asks, at most every ``auth_refresh_age`` seconds."""
        if self.hub_config.refuses(user.name):
            return False
        return await super().refresh_user(user, handler)

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        """Whoever is let in is a member, where membership is what opens the one JupyterLab that all share."""
        auth_model = await super().run_post_auth_hook(handler, auth_model)
        if auth_model and self.hub_config.spawner == "shared":
            auth_model["groups"] = sorted({*(auth_model.get("groups") or ()), MEMBERS})
        return auth_model
