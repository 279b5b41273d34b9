"""Several logins on one page, as one authenticator that hands everything on to the login a user belongs to.

Our own and not jupyterhub-multiauthenticator: 0.4.0 gives its members no database (NativeAuthenticator dies at its
start), gives every form a page of its own, leaves the hub's questions about users (refresh, delete, validate, add) at
the outer class, and refreshes a user by whichever login's page they are on.
"""

# mypy: disable-error-code="import-untyped"

from typing import Any

from jupyterhub.utils import maybe_future
from traitlets import Dict

from hubfleet_hub.users import PermittedUsers

_PAGES_OF_THE_HUB = {"/login", "/logout"}


class SideBySide(PermittedUsers):
    """The authenticator of a hub with several logins."""

    logins = Dict(config=True, help="The class of each login, by its name in hub.yaml.")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.members = {
            login: made(parent=self, _deprecated_db_session=self._deprecated_db_session)
            for login, made in self.logins.items()
        }
        members = self.ways_in()
        self.enable_auth_state = any(member.enable_auth_state for member in members)
        self.manage_groups = any(member.manage_groups for member in members)
        self.refresh_pre_spawn = any(member.refresh_pre_spawn for member in members)

    def ways_in(self) -> list[PermittedUsers]:
        return list(self.members.values())

    def member_of(self, name: str) -> PermittedUsers:
        """The login that the user ``name`` belongs to."""
        member: PermittedUsers = self.members[self.hub_config.login_of(name)]
        return member

    def get_handlers(self, app: Any) -> list[tuple[str, type[Any]]]:
        """The pages of all logins, each bound to its own; of ``/login`` there is one, the form's where there is one."""
        pages = dict(super().get_handlers(app))
        for member in self.ways_in():
            for path, page in member.get_handlers(app):
                place = "/" + path.lstrip("/")
                if place not in _PAGES_OF_THE_HUB or (place == "/login" and member.has_form):
                    pages[place] = bound(page, member)
        return list(pages.items())

    def check_allow_config(self) -> None:
        for member in self.ways_in():
            member.check_allow_config()

    def validate_username(self, username: str) -> bool:
        valid: bool = self.member_of(username).validate_username(username)
        return valid

    async def refresh_user(self, user: Any, handler: Any = None) -> Any:
        return await maybe_future(self.member_of(user.name).refresh_user(user, handler))

    async def add_user(self, user: Any) -> None:
        await maybe_future(self.member_of(user.name).add_user(user))

    async def delete_user(self, user: Any) -> None:
        for member in self.ways_in():
            await maybe_future(member.delete_user(user))

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        await maybe_future(self.member_of(user.name).pre_spawn_start(user, spawner))

    async def post_spawn_stop(self, user: Any, spawner: Any) -> None:
        await maybe_future(self.member_of(user.name).post_spawn_stop(user, spawner))


def bound(page: type[Any], member: PermittedUsers) -> type[Any]:
    """``page`` with ``member`` as its authenticator, but for looking at whoever is in, which may be another's."""

    class Bound(page):  # type: ignore[misc]
        authenticator = member

        async def refresh_auth(self, user: Any, force: bool = False) -> Any:
            self.authenticator = self.settings["authenticator"]
            try:
                return await super().refresh_auth(user, force)
            finally:
                del self.authenticator

    Bound.__name__ = page.__name__
    Bound.__qualname__ = page.__qualname__
    return Bound
