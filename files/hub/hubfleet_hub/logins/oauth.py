"""Accounts of an OAuth provider, by oauthenticator: whoever `hub.yaml` names, and members of its organisations."""

# mypy: disable-error-code="import-untyped"

from importlib.metadata import entry_points
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets.config import Config

from hubfleet_hub.config import ORGANIZATION_TRAITS, URL_TRAITS, HubConfig, OAuth, read_secret
from hubfleet_hub.users import PermittedUsers

ORGANIZATION_SCOPES = {"github": ["read:org"], "gitlab": ["read_api"]}
"""What a person is asked leave for, without which nobody learns of memberships that are not public."""


class People(PermittedUsers):
    """Mixin before a provider's class: its people by the names that they have here.

    Whom `hub.yaml` names is judged by the name here; the provider's own rules (organisations, a lab's traits) by the
    name there. The provider's class must not see our list: a stranger there who is called like somebody here is not
    that somebody.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.known: set[str] = set()

    def _theirs(self, user_info: dict[str, Any]) -> str:
        name: str = super().user_info_to_username(user_info)
        return name.lower()

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        return self.hub_config.name_of("oauth", self._theirs(user_info))

    async def check_allowed(self, username: str, auth_model: dict[str, Any]) -> bool:
        users = self.hub_config.users
        if username in {*users.admins, *users.allowed, *self.known}:
            return True
        theirs = self._theirs(auth_model["auth_state"][self.user_auth_state_key])
        return bool(await super().check_allowed(theirs, auth_model))

    async def add_user(self, user: Any) -> None:
        """Remember who is in the hub's database, where that is enough to be let in (`allow_existing_users`)."""
        await super().add_user(user)
        self.allowed_users.discard(user.name)
        if self.allow_existing_users:
            self.known.add(user.name)

    async def delete_user(self, user: Any) -> None:
        await super().delete_user(user)
        self.known.discard(user.name)


def provider_class(oauth: OAuth) -> type[Authenticator]:
    """oauthenticator's class for a provider."""
    name = "generic-oauth" if oauth.provider == "generic" else oauth.provider
    (found,) = entry_points(group="jupyterhub.authenticators", name=name)
    loaded: type[Authenticator] = found.load()
    return loaded


def configure(c: Config, hub: HubConfig) -> type[Authenticator]:
    """Raises ConfigError when the client's secret cannot be read."""
    oauth = hub.oauth
    assert oauth is not None  # HubConfig sees to it
    provider = provider_class(oauth)
    login: type[Authenticator] = type(f"Hubfleet{provider.__name__}", (People, provider), {})
    traits = c[login.__name__]
    traits.client_id = oauth.client_id
    traits.client_secret = read_secret("oauth_client_secret")
    traits.oauth_callback_url = f"{hub.public_url.rstrip('/')}/hub/oauth_callback"
    traits.allow_all = False
    traits.allowed_users = set()
    # A few colleagues: whom an admin adds on the admin page may come in. Not beside organisations, whose members, once
    # let in, would be known for ever.
    traits.allow_existing_users = hub.spawner == "local" and not hub.users.allowed and not oauth.allowed_organizations
    traits.any_allow_config = True  # `People` lets in whom hub.yaml names; JupyterHub need not warn that nobody may
    traits.custom_403_message = refusal(hub)
    if oauth.url:
        traits[URL_TRAITS[oauth.provider]] = oauth.url.rstrip("/")
    if oauth.allowed_organizations:
        traits[ORGANIZATION_TRAITS[oauth.provider]] = set(oauth.allowed_organizations)
        if oauth.provider in ORGANIZATION_SCOPES:
            traits.scope = ORGANIZATION_SCOPES[oauth.provider]
    for name, value in oauth.traits.items():
        traits[name] = value
    return login


def refusal(hub: HubConfig) -> str:
    """What someone reads whom the provider knows and this hub does not let in."""
    admins = ", ".join(hub.users.admins)
    return f"You are not on this hub's list of people. Please ask its administrators to put you there: {admins}."
