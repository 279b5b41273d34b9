"""What JupyterHub is told, computed from `HubConfig` alone."""

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from traitlets.config import Config

from .config import HUB_PORT, MEMBERS, PROXY_PORT, SECRETS, STATE, VERIFY_USERS, HubConfig, Shared, read_secret

DATABASE = STATE / "jupyterhub.sqlite"

TEMPLATES = str(Path(__file__).with_name("templates"))
"""Our own pages, before JupyterHub's."""

REFRESH_AGE = 60
"""Seconds for which a session is trusted before its user is looked at again."""

ROUTES_CHECKED_EVERY = 10
"""Seconds after which a restarted proxy has its routes again."""


def database_url(hub: HubConfig) -> str:
    """Raises ConfigError when the secret cannot be read."""
    if hub.db == "sqlite":
        return f"sqlite:///{DATABASE}"
    # SQLAlchemy's own driver for postgresql:// is psycopg2, which the image does not have.
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", read_secret("hub_db_url"))


def configure(c: Config, hub: HubConfig) -> None:
    """Fill JupyterHub's config. Raises ConfigError when a secret is missing."""
    _hub(c, hub)
    _users(c, hub)
    _servers(c, hub)
    _services(c, hub)
    _logins(c, hub)
    import_module(f"hubfleet_hub.spawners.{hub.spawner}").configure(c, hub)


def load_own(c: Config, directory: Path) -> None:
    """Run a lab's own files in the order of their names; each sees ``c`` as the one before left it."""
    for path in sorted(directory.glob("*.py")):
        exec(compile(path.read_text("utf-8"), path, "exec"), {"c": c, "__file__": str(path), "__name__": path.stem})


def _hub(c: Config, hub: HubConfig) -> None:
    c.JupyterHub.base_url = hub.base_url
    c.JupyterHub.public_url = hub.public_url
    c.JupyterHub.bind_url = f"http://0.0.0.0:{PROXY_PORT}{hub.base_url}"
    c.JupyterHub.hub_bind_url = f"http://0.0.0.0:{HUB_PORT}"
    c.JupyterHub.hub_connect_url = hub.addresses.hub_core_url
    c.JupyterHub.trusted_downstream_ips = hub.addresses.trusted_downstream()
    c.JupyterHub.cookie_secret_file = str(SECRETS / "cookie_secret")
    c.JupyterHub.db_url = database_url(hub)
    # A hub that restarts or is replaced leaves servers and routes as they are.
    c.JupyterHub.cleanup_servers = False
    c.JupyterHub.cleanup_proxy = False
    # A proxy that was restarted has no routes until the hub looks; JupyterHub's default is to look in five minutes.
    c.JupyterHub.last_activity_interval = ROUTES_CHECKED_EVERY
    c.JupyterHub.tornado_settings = tornado_settings(hub)
    c.CryptKeeper.keys = [read_secret("crypt_key")]
    c.ConfigurableHTTPProxy.should_start = False
    c.ConfigurableHTTPProxy.api_url = hub.addresses.proxy_api_url
    c.ConfigurableHTTPProxy.auth_token = read_secret("proxy_token")


def tornado_settings(hub: HubConfig) -> dict[str, Any]:
    """How the hub's cookies and pages may be used by other sites: not at all, but for `HubConfig.frame_ancestors`."""
    if not hub.frame_ancestors:
        cookies = {"samesite": "Lax"}
        settings: dict[str, Any] = {}
    else:
        # In another site's frame a browser sends only cookies that say so.
        cookies = {"samesite": "None"}
        report = f"{hub.base_url}hub/security/csp-report"
        policy = f"frame-ancestors {' '.join(hub.frame_ancestors)}; report-uri {report}"
        settings = {"headers": {"Content-Security-Policy": policy}}
    # The edge ends TLS, and the proxy behind it reports http.
    secure = {"secure": True} if hub.secure else {}
    return {"cookie_options": cookies | secure, **settings}


def _users(c: Config, hub: HubConfig) -> None:
    users = hub.users
    c.PermittedUsers.hub_config = hub
    c.Authenticator.admin_users = set(users.admins)
    c.Authenticator.blocked_users = set(users.banned)
    c.Authenticator.allow_all = not users.allowed
    c.Authenticator.allowed_users = {*users.allowed, *users.admins} if users.allowed else set()
    # JupyterHub's default lets everyone in who is in the database already, taken off the list or not.
    c.Authenticator.allow_existing_users = False
    c.Authenticator.auth_refresh_age = REFRESH_AGE


def _logins(c: Config, hub: HubConfig) -> None:
    c.JupyterHub.template_paths = [TEMPLATES]
    classes = {login: import_module(f"hubfleet_hub.logins.{login}").configure(c, hub) for login in hub.login}
    if len(classes) == 1:
        (c.JupyterHub.authenticator_class,) = classes.values()
        return
    from .logins.side_by_side import SideBySide

    c.JupyterHub.authenticator_class = SideBySide
    c.SideBySide.logins = classes


def _servers(c: Config, hub: HubConfig) -> None:
    server = hub.server
    c.Spawner.hub_connect_url = hub.addresses.hub_users_url
    c.Spawner.start_timeout = server.start_timeout
    c.Spawner.http_timeout = server.http_timeout
    c.Spawner.default_url = server.default_url
    c.Spawner.args = server_arguments(hub)
    c.JupyterHub.active_server_limit = server.active_limit
    c.JupyterHub.concurrent_spawn_limit = server.concurrent_spawns


def server_arguments(hub: HubConfig) -> list[str]:
    """What every server is started with. In a frame of another site it needs leave to be shown, and an XSRF cookie that
    browsers send there; its other cookies are as the hub's (JUPYTERHUB_COOKIE_OPTIONS)."""
    arguments = []
    if hub.cull.kernel_timeout:
        arguments.append(f"--MappingKernelManager.cull_idle_timeout={hub.cull.kernel_timeout}")
    if hub.frame_ancestors:
        settings = {
            # 'self': JupyterLab shows pages of its own in frames.
            "headers": {"Content-Security-Policy": f"frame-ancestors 'self' {' '.join(hub.frame_ancestors)}"},
            "xsrf_cookie_kwargs": tornado_settings(hub)["cookie_options"],
        }
        arguments.append(f"--ServerApp.tornado_settings={settings}")
    return arguments


def _services(c: Config, hub: HubConfig) -> None:
    services: list[dict[str, Any]] = [
        {"name": "status", "api_token": read_secret("status_token")},
        {"name": "verify", "api_token": read_secret("verify_token")},
    ]
    roles: list[dict[str, Any]] = [
        {
            "name": "status",
            "services": ["status"],
            "scopes": ["list:users", "read:hub", "read:metrics", "read:servers", "read:users:activity"],
        }
    ]
    if hub.shared is not None:
        _shared(c, hub.shared, services, roles)
    else:
        _culled(hub, services, roles)
        scopes = [
            f"{scope}!user={user}" for user in VERIFY_USERS for scope in ("admin:users", "servers", "access:servers")
        ]
        roles.append({"name": "verify", "services": ["verify"], "scopes": scopes})
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles


def _culled(hub: HubConfig, services: list[dict[str, Any]], roles: list[dict[str, Any]]) -> None:
    """Users' servers that are idle are stopped."""
    if not hub.cull.timeout:
        return
    services.append(
        {
            "name": "idle-culler",
            "command": [
                sys.executable,
                "-m",
                "jupyterhub_idle_culler",
                f"--timeout={hub.cull.timeout}",
                f"--cull-every={hub.cull.every}",
            ],
        }
    )
    roles.append(
        {
            "name": "idle-culler",
            "services": ["idle-culler"],
            "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        }
    )


def _shared(c: Config, shared: Shared, services: list[dict[str, Any]], roles: list[dict[str, Any]]) -> None:
    """The one JupyterLab as a service of the hub, which members alone may enter, and the page after logging in."""
    services.append(
        {
            "name": shared.name,
            "url": shared.url,
            "api_token": read_secret("shared_token"),
            "oauth_client_id": shared.client_id,
            "oauth_no_confirm": True,
        }
    )
    roles += [
        {"name": MEMBERS, "groups": [MEMBERS], "scopes": [shared.access_scope]},
        {"name": "verify", "services": ["verify"], "scopes": [shared.access_scope]},
        # JupyterHub's own role lets everybody have servers; here nobody has one.
        {"name": "user", "scopes": ["read:users!user", "users:activity!user", "tokens!user"]},
    ]
    c.Authenticator.manage_groups = True  # `PermittedUsers` says who is a member
    page = f"{c.JupyterHub.base_url}services/{shared.name}/"
    c.JupyterHub.default_url = page
    c.JupyterHub.template_vars = {"shared_url": page}
