"""`HubConfig`: what the control side writes to ``hub.yaml`` and the hub reads, one class on both sides.

No field has a default: every default lives in the control side's ``group_data``, so that a value is written
down in one place.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyAddress, ValidationError, model_validator

ETC = Path(os.environ.get("HUBFLEET_ETC", "/etc/hubfleet"))
"""Where ``hub.yaml`` and ``jupyterhub_config.d`` are; a candidate's while `hubfleet_hub.check` judges it."""

SECRETS = Path(os.environ.get("HUBFLEET_SECRETS", "/run/hubfleet/secrets"))
"""One file a secret, mode 0400, owned by the hub's user."""

STATE = Path(os.environ.get("HUBFLEET_STATE", "/srv/hubfleet/state"))
"""The hub's database and its copies."""

HOMES_SOCKET = Path("/run/hubfleet/homes/socket")
"""Where the keeper of homes listens (`hubfleet_hub.homes`)."""

HUB_PORT = int(os.environ.get("HUBFLEET_HUB_PORT", "8081"))
PROXY_PORT = 8000
PROXY_API_PORT = 8001
SHARED_PORT = 8888
HUB_UID = 40740
"""The user and group that hub and proxy run as: no account of any distribution, the same on every host."""

VERIFY_USERS = tuple(f"hubfleet-verify-{number}" for number in range(4))
"""The throw-away users of `verify`; several, so that two runs at one time need not meet. Named one by one because
JupyterHub limits a scope to names, not to a prefix: the token of `verify` is good for these users alone."""

MEMBERS = "members"
"""The group of those who may enter the one JupyterLab that all share: everybody who has logged in and still may."""

HubName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]


def _as_jupyterhub_spells(name: str) -> str:
    if name != name.lower():
        raise ValueError(f"JupyterHub knows names in lower case only; write {name.lower()!r}")
    return name


UserName = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_as_jupyterhub_spells)]
AbsolutePath = Annotated[str, Field(pattern=r"^/[^\x00]*$")]
Bytes = Annotated[int, Field(gt=0)]
Seconds = Annotated[int, Field(gt=0)]
SecondsOrOff = Annotated[int, Field(ge=0)]
Id = Annotated[int, Field(ge=0, lt=2**32 - 1)]

Login = Literal["native", "pam", "oauth", "lti13"]
SpawnerKind = Literal["docker", "local", "shared"]
Profile = Literal["restricted", "desktop", "privileged"]
Homes = Literal["directory", "volume"]
Database = Literal["sqlite", "secret"]


URL_TRAITS = {"github": "github_url", "gitlab": "gitlab_url", "openshift": "openshift_url"}
"""Of the OAuth providers that a lab can run itself: the trait of oauthenticator that holds the address."""

ORGANIZATION_TRAITS = {
    "bitbucket": "allowed_teams",
    "github": "allowed_organizations",
    "gitlab": "allowed_gitlab_groups",
    "globus": "allowed_globus_groups",
}
"""The trait that holds the organisations, whatever a provider calls them, whose members are let in."""


class ConfigError(Exception):
    """``hub.yaml`` cannot be used; the message says which key, which value and why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Addresses(_Part):
    """Fixed addresses on the hub's networks: a JupyterHub 6 server keeps the first answer to a name."""

    hub_core: IPvAnyAddress
    """The hub on the network it shares with the proxy and the edge."""
    hub_users: IPvAnyAddress
    """The hub on the network of the users' servers; they call back to it."""
    proxy_core: IPvAnyAddress
    """The proxy on the core network: its API listens here alone."""
    trusted_proxies: tuple[IPvAnyAddress, ...]
    """The addresses that the edge's requests arrive with: they may say in X-Forwarded-For who asked."""

    @property
    def proxy_api_url(self) -> str:
        return f"http://{_in_url(self.proxy_core)}:{PROXY_API_PORT}"

    @property
    def hub_core_url(self) -> str:
        return f"http://{_in_url(self.hub_core)}:{HUB_PORT}"

    @property
    def hub_users_url(self) -> str:
        return f"http://{_in_url(self.hub_users)}:{HUB_PORT}"

    def trusted_downstream(self) -> list[str]:
        """The trusted addresses as any socket may report them: ``192.0.2.1`` and ``::ffff:192.0.2.1``."""
        spelled = [str(address) for address in self.trusted_proxies]
        return spelled + [f"::ffff:{address}" for address in self.trusted_proxies if address.version == 4]


class Share(_Part):
    """One person's home opened to another."""

    home: UserName
    to: UserName
    access: Literal["read", "write"]


class Users(_Part):
    """Who may use the hub."""

    admins: tuple[UserName, ...]
    """Have an account before the port opens, with a one-time password."""
    allowed: tuple[UserName, ...]
    """Who else may log in; empty: whoever an admin approves."""
    banned: tuple[UserName, ...]
    """May not log in, whatever else is said of them."""
    oauth: dict[UserName, str]
    """Who else a person is: the name here to the login at the OAuth provider. Both lead to the same home."""
    shares: tuple[Share, ...]
    """Homes that others may enter; of the spawner ``local``."""

    @model_validator(mode="after")
    def _no_admin_is_banned(self) -> Self:
        if both := sorted(set(self.admins) & set(self.banned)):
            raise ValueError(f"{', '.join(both)}: both admin and banned; take the name off one of the lists")
        return self


class Native(_Part):
    """Accounts of the hub's own (NativeAuthenticator): self sign-up, approved by an admin."""

    open_signup: bool
    """Whoever signs up may log in at once; has no effect while `Users.allowed` names people."""
    ask_email: bool
    min_password_length: Annotated[int, Field(ge=1)]
    check_common_password: bool
    failed_logins: Annotated[int, Field(ge=0)]
    """Failures in a row after which an account is locked for `lockout_seconds`; 0: never."""
    lockout_seconds: SecondsOrOff


class OAuth(_Part):
    """Accounts of an OAuth provider (oauthenticator). The client's secret is the secret ``oauth_client_secret``."""

    provider: str = Field(min_length=1)
    """As JupyterHub names oauthenticator's classes: ``github``, ``gitlab``, ``google``, ..."""
    client_id: str = Field(min_length=1)
    url: str
    """The provider's own address, for one that a lab runs itself; empty: the public one."""
    allowed_organizations: tuple[str, ...]
    """Whose members may log in besides those whom `Users` names."""
    traits: dict[str, Any]
    """Anything else that the provider's class can be told, by the name of its trait."""

    @property
    def lets_in_others(self) -> bool:
        """Whether the provider may let in people whom `Users` does not name."""
        return bool(self.allowed_organizations) or any(name.startswith("allow") for name in self.traits)


class Lti13(_Part):
    """Launches from a learning management system, signed as LTI 1.3 says."""

    issuer: str = Field(min_length=1)
    client_ids: Annotated[tuple[str, ...], Field(min_length=1)]
    authorize_url: str = Field(min_length=1)
    jwks_url: str = Field(min_length=1)
    username_claim: str = Field(min_length=1)
    """``sub``, ``email``, ... or ``custom_NAME`` for one of the launch's custom fields."""
    leeway: SecondsOrOff
    """By how much the clocks of LMS and hub may differ."""
    max_age: Seconds
    """Since a launch was signed."""
    tool_name: str


class Shared(_Part):
    """The one JupyterLab that all share; of the spawner ``shared``. Its token is the secret ``shared_token``."""

    name: HubName
    """Of the service: the page is ``/services/NAME/``."""
    address: IPvAnyAddress
    """Its fixed address on the users' network."""

    @property
    def url(self) -> str:
        return f"http://{_in_url(self.address)}:{SHARED_PORT}"

    @property
    def client_id(self) -> str:
        """Who it is to the hub's OAuth."""
        return f"service-{self.name}"

    @property
    def access_scope(self) -> str:
        return f"access:services!service={self.name}"


class Volume(_Part):
    """One more directory or volume in every server."""

    source: str = Field(min_length=1)
    """An absolute path on the host, or a volume's name."""
    target: AbsolutePath
    read_only: bool


class Server(_Part):
    """A user's container."""

    image: str = Field(min_length=1)
    allowed_images: tuple[str, ...]
    """What else users may choose; empty: no choice."""
    command: tuple[str, ...]
    """Empty: the image's own."""
    environment: dict[str, str]
    default_url: str
    """Where a user lands, e.g. ``/lab``; empty: the image's choice."""
    mem_limit: Bytes
    """Memory and swap together, in bytes."""
    cpu_limit: Annotated[float, Field(gt=0)]
    """Cores."""
    pids_limit: Annotated[int, Field(gt=0)]
    """Processes and threads."""
    shm_size: Bytes
    """Size of ``/dev/shm`` in bytes."""
    profile: Profile
    """How much of the host's kernel a server may use: see `hubfleet_hub.spawners.docker`."""
    user: Literal["", "root"]
    """Who the image starts as; empty: the image's own user."""
    network: str = Field(min_length=1)
    """The Docker network of the servers."""
    nameserver: str
    """Who is asked for names that Docker itself does not know; empty: whom the host asks."""
    volumes: tuple[Volume, ...]
    devices: tuple[AbsolutePath, ...]
    """Devices of the host in every server, e.g. ``/dev/fuse``; each must exist there."""
    start_timeout: Seconds
    """From the create call to a container that runs."""
    http_timeout: Seconds
    """From a container that runs to an answer."""
    active_limit: Annotated[int, Field(ge=0)]
    """Servers that run at one time; 0: no limit."""
    concurrent_spawns: Annotated[int, Field(ge=0)]
    """Servers that start at one time; 0: no limit."""


class Home(_Part):
    """A user's files."""

    kind: Homes
    base_user_dir: AbsolutePath
    """On the host; a user's directory is ``base_user_dir/<escaped name>``. Not used by volumes."""
    mount: AbsolutePath
    """Where a server sees it."""
    uid: Id
    gid: Id


class Cull(_Part):
    """What is idle is stopped."""

    timeout: SecondsOrOff
    """A server unused this long; 0: never."""
    every: Seconds
    """How often to look."""
    kernel_timeout: SecondsOrOff
    """A kernel unused this long inside its server; 0: never."""


class HubConfig(_Part):
    """Everything that ``hub.yaml`` says. Secrets are files in `SECRETS`, never in here."""

    hub_name: HubName
    """Part of every name made on the host."""
    public_url: str
    """What a browser types, with port and path: ``https://hub.example.org/jupyter/``."""
    addresses: Addresses
    login: Annotated[tuple[Login, ...], Field(min_length=1)]
    users: Users
    native: Native | None
    """Must be given when `login` has ``native``."""
    oauth: OAuth | None
    """Must be given when `login` has ``oauth``."""
    lti13: Lti13 | None
    """Must be given when `login` has ``lti13``."""
    frame_ancestors: tuple[str, ...]
    """Origins whose pages may show the hub in a frame; empty: nobody's but its own."""
    spawner: SpawnerKind
    shared: Shared | None
    """Must be given when `spawner` is ``shared``."""
    server: Server
    home: Home
    cull: Cull
    db: Database
    """``sqlite`` in `STATE`, or the URL in the secret ``hub_db_url``."""
    db_upgrade: bool
    """Leave to upgrade a database that we cannot copy (not SQLite); the lab has dumped it."""

    @model_validator(mode="after")
    def _url_is_one(self) -> Self:
        url = urlsplit(self.public_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment:
            raise ValueError(
                f"public_url: {self.public_url!r} is no address of a hub; write https://name[:port]/[path/]"
            )
        return self

    @model_validator(mode="after")
    def _login_is_described(self) -> Self:
        for login in ("native", "oauth", "lti13"):
            if login in self.login and getattr(self, login) is None:
                raise ValueError(f"{login}: login has {login!r}, so its settings are needed")
        if self.spawner == "shared" and self.shared is None:
            raise ValueError("shared: spawner is 'shared', so its settings are needed")
        return self

    @model_validator(mode="after")
    def _root_has_capabilities(self) -> Self:
        if self.server.user == "root" and self.server.profile == "restricted":
            raise ValueError(
                "server.user: root has no capability in the profile 'restricted' and no image starts so; "
                "leave user empty or choose the profile 'desktop'"
            )
        return self

    def name_of(self, login: Login, theirs: str) -> str:
        """The user whom ``login``, which redirects to others' accounts, calls ``theirs`` (lower case).

        A name that ``users.oauth`` declares is that person's. With several logins on one page every other name gets
        the login's own prefix, so that a stranger called like somebody here is not that somebody: ``github-ada``.
        """
        if login == "oauth":
            for ours, declared in self.users.oauth.items():
                if declared.lower() == theirs:
                    return ours
        return theirs if len(self.login) == 1 else f"{self.prefix_of(login)}{theirs}"

    def prefix_of(self, login: Login) -> str:
        """What names of ``login`` begin with when there are several logins."""
        return f"{self.oauth.provider if login == 'oauth' and self.oauth else login}-"

    def login_of(self, name: str) -> Login:
        """The login that the user ``name`` belongs to: by its prefix, else the one whose names are our own."""
        for login in self.login:
            if login in ("oauth", "lti13") and len(self.login) > 1 and name.startswith(self.prefix_of(login)):
                return login
        for login in self.login:
            if login in ("native", "pam"):
                return login
        return "oauth" if "oauth" in self.login and name in self.users.oauth else self.login[0]

    def refuses(self, name: str) -> bool:
        """Whether ``name`` may neither log in nor have a server.

        False for someone of whom the OAuth provider decides when they log in, as of members of an organisation.
        """
        users = self.users
        if name in VERIFY_USERS or name in users.admins or name in users.allowed:
            return name in users.banned
        if name in users.banned:
            return True
        if self.oauth is not None and self.login_of(name) == "oauth":
            return not self.oauth.lets_in_others and (len(self.login) == 1 or bool(users.allowed))
        return bool(users.allowed)

    @property
    def base_url(self) -> str:
        """The path of `public_url`, with a slash at both ends."""
        path = urlsplit(self.public_url).path.strip("/")
        return f"/{path}/" if path else "/"

    @property
    def secure(self) -> bool:
        return urlsplit(self.public_url).scheme == "https"

    @property
    def server_prefix(self) -> str:
        """What the names of this hub's server containers begin with."""
        return f"hubfleet-{self.hub_name}-server"

    def home_volume(self, escaped: str) -> str:
        """The volume of the user whose escaped name is given."""
        return f"hubfleet-{self.hub_name}-home-{escaped}"

    def to_yaml(self) -> str:
        """The text of ``hub.yaml``: the same config gives the same bytes."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=True, allow_unicode=True)

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Read what `to_yaml` wrote. Raises ConfigError with one line for each mistake."""
        try:
            data: Any = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ConfigError(f"hub.yaml is not YAML: {error}") from error
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise ConfigError("\n".join(_line(mistake) for mistake in error.errors())) from error

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read ``hub.yaml`` from ``path`` (default: in `ETC`). Raises ConfigError."""
        path = path or ETC / "hub.yaml"
        try:
            text = path.read_text("utf-8")
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        return cls.from_yaml(text)


def read_secret(name: str) -> str:
    """The secret's value without the newline at its end. Raises ConfigError."""
    path = SECRETS / name
    try:
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; run the deploy again, which writes it") from error


def _in_url(address: Any) -> str:
    return f"[{address}]" if address.version == 6 else str(address)


def _line(mistake: Any) -> str:
    key = ".".join(str(part) for part in mistake["loc"])
    message = mistake["msg"].removeprefix("Value error, ")
    return f"hub.yaml: {key}: {message}" if key else f"hub.yaml: {message}"
