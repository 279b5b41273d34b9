"""What a lab can set: one model a concern.

A model's fields, with its `prefix` before them, are the keys of an inventory and of group_data:
`Docker.mirror` is `docker_mirror`. Models hold types, units and reasons, and no default: every default is
in `group_data/`.
"""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from hubfleet.settings.types import (
    Account,
    AnyNetwork,
    Checksum,
    HostPath,
    HttpUrl,
    Image,
    JsonObject,
    Line,
    LocalFile,
    Memory,
    Mode,
    NoProxy,
    OptionalUrl,
    Origin,
    Package,
    Registry,
    Seconds,
    SecretRef,
    ServerImage,
    Size,
    Slug,
    Subnet,
    Timeout,
    Url,
    UrlPath,
    UserName,
    Variable,
)


class Concern(BaseModel):
    """One concern's settings. `prefix` is what its keys begin with in an inventory."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    prefix: ClassVar[str] = ""

    @classmethod
    def keys(cls) -> dict[str, str]:
        """The concern's keys in an inventory, each with the field it fills."""
        return {cls.prefix + field: field for field in cls.model_fields}


class Hub(Concern):
    """The hub. Its name, its address, and the choice on each axis that makes a flavour."""

    hub_name: Slug = Field(
        description="The hub's name on its host: part of every container, network, unit and directory made "
        "there. Cannot be changed later without making a new hub."
    )
    public_url: Url = Field(
        description="The address people type. May hold a port and a path, or be a bare name or an IP "
        "address; callback URLs, proxy headers and the certificate's names follow from it."
    )
    login: list[Literal["native", "pam", "oauth", "lti13", "xnat"]] = Field(
        min_length=1, description="How people log in; several are shown on one page."
    )
    spawner: Literal["docker", "swarm", "local", "shared"] = Field(
        description="Where notebooks run: a container a user, a swarm service a user, inside the hub's "
        "container, or one JupyterLab for all."
    )
    homes: Literal["directory", "volume", "shared"] = Field(
        description="Where a user's files live: a directory under `base_user_dir`, a Docker volume, or shared storage."
    )
    edge: Literal["nginx", "haproxy"] = Field(description="The proxy on the host that ends TLS.")
    egress: Literal["open", "blocked", "allow"] = Field(description="What users' containers may reach outside.")
    engine: Literal["single", "swarm"] = Field(description="One host's Docker engine, or a swarm of several.")
    hub_db_url: SecretRef = Field(
        description="Reference to a PostgreSQL URL (it holds a password), or empty for SQLite on the host."
    )
    hub_db_upgrade: bool = Field(
        description="Whether a newer JupyterHub may upgrade a PostgreSQL database. SQLite is copied first "
        "and needs no leave; a PostgreSQL database you dump yourself, then set this for one run."
    )
    hub_mem_limit: Memory = Field(description="Memory of the hub's container.")
    hub_frame_ancestors: list[Origin] = Field(
        description="Origins whose pages may show the hub in a frame, such as https://lms.example.org; empty for none."
    )
    hub_cut_servers: bool = Field(
        description="Whether a new hub image may end servers that run inside the hub's container (spawner `local`). "
        "Set it for one run; without it such a run waits until none runs."
    )
    hub_config_dir: LocalFile = Field(
        description="Directory on the control machine, relative to the inventory, whose *.py JupyterHub "
        "reads last (jupyterhub_config.d); empty for none. Your own code: Hubfleet cannot vouch for it."
    )


class Share(BaseModel):
    """One person's home opened to another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    home: UserName = Field(description="Whose home.")
    to: UserName = Field(description="Who may enter it.")
    access: Literal["read", "write"] = Field(description="What they may do there.")


class Users(Concern):
    """Who may enter. Names are as JupyterHub keeps them: lower case."""

    prefix = "users_"

    admins: list[UserName] = Field(
        min_length=1,
        description="Administrators. Each gets an account with a one-time password before the hub can be reached.",
    )
    allowed: list[UserName] = Field(
        description="When not empty, only these and the admins may log in. Someone taken off loses sessions, "
        "tokens and running servers at the next run; files stay."
    )
    banned: list[UserName] = Field(description="Never let in, whatever else says so.")
    oauth: dict[UserName, Line] = Field(
        description="A user's name here and their login at the OAuth provider: either way of logging in leads to the "
        "same home. Of several logins on one page, people whom this does not name get names with a prefix, "
        "such as github-ada."
    )
    shares: list[Share] = Field(
        description="Homes opened to others, such as {'home': 'ada', 'to': 'grace', 'access': 'read'} (spawner "
        "`local`). One taken off the list is closed at the next run."
    )


class Native(Concern):
    """Accounts of the hub's own (NativeAuthenticator)."""

    prefix = "native_"

    open_signup: bool = Field(description="Let people in at once after signing up, without an admin's approval.")
    ask_email: bool = Field(description="Ask for an e-mail address at sign-up.")
    min_password_length: int = Field(ge=8, description="Shortest password, in characters.")
    check_common_password: bool = Field(description="Refuse well-known passwords.")
    failed_logins: int = Field(
        ge=0,
        description="Wrong passwords before an account is locked for a while; 0 never.",
    )
    lockout: Seconds = Field(description="Seconds an account stays locked.")


class OAuth(Concern):
    """Accounts of an OAuth provider (login `oauth`)."""

    prefix = "oauth_"

    provider: Literal[
        "auth0", "azuread", "bitbucket", "cilogon", "generic", "github", "gitlab", "globus", "google",
        "openshift",
    ] = Field(description="Who keeps the accounts, as oauthenticator names it.")  # fmt: skip
    client_id: Line = Field(description="The id that the provider gave this hub's application.")
    client_secret: SecretRef = Field(description="Reference to the secret that it gave with it.")
    url: OptionalUrl = Field(
        description="Address of a GitHub Enterprise or GitLab of your own, or empty for the public one."
    )
    allowed_organizations: list[Line] = Field(
        description="Organisations (GitLab: groups) whose members may log in besides `users_allowed`."
    )
    traits: JsonObject = Field(description="More traits of the provider's class, as oauthenticator documents them.")


class Lti13(Concern):
    """Launches from a learning management system (login `lti13`). Its administrator knows the first four."""

    prefix = "lti13_"

    issuer: Line = Field(description="The LMS's issuer (platform id), as it writes it into every launch.")
    client_ids: list[Line] = Field(description="The client ids under which the LMS knows this hub.")
    authorize_url: OptionalUrl = Field(description="The LMS's authentication request URL.")
    jwks_url: OptionalUrl = Field(description="The LMS's public keyset URL.")
    username_claim: Line = Field(
        description="The claim that names a user here: `sub` never changes and says nothing, `email` reads well, "
        "`custom_NAME` is a custom field of the launch. `users_admins` are values of it."
    )
    leeway: Seconds = Field(description="Seconds by which the clocks of LMS and hub may differ.")
    max_age: Timeout = Field(description="Seconds for which a launch is good after the LMS has signed it.")
    tool_name: Line = Field(description="The hub's name in the LMS.")


class Shared(Concern):
    """The one JupyterLab that all share (spawner `shared`)."""

    prefix = "shared_"

    name: Slug = Field(description="Its name: part of its address (/services/NAME/), and its directory's name.")


class Volume(BaseModel):
    """One more directory or Docker volume in every server."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    source: Line = Field(description="An absolute path on the host, or a volume's name.")
    target: HostPath = Field(description="Where servers see it.")
    read_only: bool = Field(default=True, description="Whether servers may only read it.")


class Server(Concern):
    """A user's single-user server. No hub ships without limits."""

    prefix = "server_"

    image: ServerImage = Field(
        description="Image of the servers, with a tag or a digest (never `latest`, which means something "
        "else each day), or `singleuser` for the small JupyterLab that comes with Hubfleet.",
    )
    build: LocalFile = Field(
        description="Directory on the control machine, relative to the inventory, with a Dockerfile of your own from "
        "which the servers' image is built on the host, again when a file in it changes; empty for none. Its build "
        "argument BASE_IMAGE is the JupyterLab that comes with Hubfleet, and `server_image` stays `singleuser`. PyPI "
        "mirror and proxy are build arguments by their usual names, extra authorities the build secret `ca`."
    )
    volumes: list[Volume] = Field(
        description="More directories or volumes in every server, such as "
        "{'source': '/srv/course', 'target': '/home/jovyan/course'}; read-only unless 'read_only' is False."
    )
    command: list[Line] = Field(description="Command of the container; empty for the image's own.")
    environment: dict[Variable, Line] = Field(description="Environment of every server. Readable by users: no secrets.")
    home: HostPath = Field(description="Where a user's home appears inside the container.")
    default_url: UrlPath = Field(description="The page a server opens with.")
    uid: int = Field(
        ge=1,
        description="Numeric owner of users' directories; the user that the image runs as.",
    )
    gid: int = Field(ge=0, description="Numeric group of users' directories.")
    profile: Literal["restricted", "desktop", "privileged"] = Field(
        description="Rights of the container: `restricted` has none beyond its user's; `desktop` has what "
        "nested containers and FUSE need; with `privileged` every user is root on the host."
    )
    devices: list[HostPath] = Field(description="Devices of the host given to every server, such as /dev/fuse.")
    mem_limit: Memory = Field(description="Memory of one server; swap is not given on top.")
    cpu_limit: float = Field(gt=0, description="Processors of one server.")
    pids_limit: int = Field(ge=64, description="Processes and threads of one server.")
    shm_size: Size = Field(description="Shared memory (/dev/shm) of one server.")
    start_timeout: Timeout = Field(description="Seconds a container may take to start.")
    http_timeout: Timeout = Field(description="Seconds a started server may take to answer.")
    concurrent_spawns: int = Field(
        ge=1, description="Servers that may be starting at once; who comes then is asked to try again."
    )
    active_limit: int = Field(ge=0, description="Servers that may run at once; 0 for no limit.")


class Cull(Concern):
    """When idle servers and kernels are stopped. 0 switches one off."""

    prefix = "cull_"

    timeout: Seconds = Field(description="Seconds without activity after which a server is stopped.")
    every: int = Field(ge=30, description="Seconds between two looks.")
    kernel_timeout: Seconds = Field(description="Seconds without activity after which a kernel is stopped.")


class Storage(Concern):
    """Where users' files live on the host."""

    base_user_dir: HostPath = Field(description="Directory that holds one directory a user.")
    base_user_dir_owner: Account = Field(description="Its owner.")
    base_user_dir_group: Account = Field(description="Its group.")
    base_user_dir_mode: Mode = Field(description="Its mode. Others need `x` to reach their own directory.")


class Tls(Concern):
    """The certificate at the edge."""

    prefix = "tls_"

    mode: Literal["self_signed", "files", "acme", "external"] = Field(
        description="`self_signed` makes one on the host; `files` takes `tls_cert` and `tls_key`."
    )
    cert: LocalFile = Field(
        description="PEM file on the control machine, relative to the inventory: certificate and chain."
    )
    key: SecretRef = Field(description="Reference to the private key, such as file:hub.key or age:hub.key.age.")
    profile: Literal["intermediate", "modern"] = Field(description="Mozilla's TLS guideline to follow.")


class Edge(Concern):
    """The proxy on the host."""

    prefix = "edge_"

    http_port: int = Field(ge=0, le=65535, description="Port that redirects to https; 0 for none.")
    max_upload: Size = Field(description="Largest request body, hence largest single upload.")
    tunnel_timeout: Timeout = Field(description="Seconds a WebSocket may stay silent.")


class AddressPool(BaseModel):
    """A pool Docker takes subnets from."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    base: AnyNetwork = Field(description="Network, such as 10.210.0.0/16.")
    size: int = Field(ge=8, le=64, description="Prefix length of each subnet.")


class Docker(Concern):
    """The container engine."""

    prefix = "docker_"

    source: Literal["distribution", "docker"] = Field(
        description="The engine from Debian or Ubuntu, or from Docker's own repository."
    )
    apt_url: OptionalUrl = Field(
        description="Address of Docker's apt repository for this system (with source `docker`)."
    )
    apt_key: LocalFile = Field(
        description="File on the control machine with that repository's signing key, relative to the inventory."
    )
    mirror: list[HttpUrl] = Field(description="Mirrors of Docker Hub, asked first.")
    insecure_registries: list[Registry] = Field(description="Registries (host:port) spoken to without TLS.")
    log_max_size: Size = Field(description="Size at which a container's log is rotated.")
    log_max_files: int = Field(ge=1, description="Rotated logs kept a container.")
    live_restore: bool = Field(description="Keep containers running while the engine restarts.")
    address_pools: list[AddressPool] = Field(
        description="Where Docker takes subnets from; choose what the campus does not use. Empty for Docker's own."
    )
    daemon: JsonObject = Field(description="More keys for daemon.json, as Docker documents them.")


class Network(Concern):
    """The hub's own networks on the host, and the way out through a campus network."""

    prefix = "network_"

    users_subnet: Subnet = Field(description="IPv4 network of users' servers; /28 or larger.")
    core_subnet: Subnet = Field(description="IPv4 network of hub and proxy; /28 or larger.")


class Outside(Concern):
    """How a host reaches the world: campus networks have proxies, mirrors and authorities of their own."""

    outbound_proxy: OptionalUrl = Field(
        description="HTTP proxy for apt, the engine, image builds and users' servers, or empty."
    )
    outbound_no_proxy: list[NoProxy] = Field(
        description="Names and networks reached without that proxy, such as a `docker_mirror` or an `apt_mirror` "
        "of the campus. apt heeds whole names and addresses alone."
    )
    extra_ca: LocalFile = Field(
        description="PEM file on the control machine, relative to the inventory, with authorities to trust "
        "beside the system's own: hosts, engine and image builds."
    )
    apt_mirror: OptionalUrl = Field(
        description="Mirror of the system's archive, such as http://mirror.example.org/debian (its security archive "
        "is then http://mirror.example.org/debian-security), or empty for what hosts and images have. Hubfleet's own "
        "runs of apt read it and nothing else; the host's own sources stay as they are, and image builds swap it in."
    )
    pypi_mirror: OptionalUrl = Field(description="Python package index for image builds, or empty for the default.")
    npm_mirror: OptionalUrl = Field(description="npm registry for image builds, or empty for the default.")

    @property
    def apt_sources(self) -> str:
        """Directory on the host of the only sources that our runs of apt read; empty for the host's own."""
        return "/etc/apt/hubfleet.d" if self.apt_mirror else ""

    @property
    def direct_hosts(self) -> list[str]:
        """Of what is reached without `outbound_proxy`, the single hosts: apt knows no domains and no networks."""
        return [name for name in self.outbound_no_proxy if name[0] not in ".*" and not set("/:") & set(name)]

    def no_proxy(self, *more: str) -> str:
        """What is reached without `outbound_proxy`, as the variable NO_PROXY holds it."""
        return ",".join(["localhost", "127.0.0.1", *more, *self.outbound_no_proxy])


class Images(Concern):
    """The hub's own images."""

    prefix = "image_"

    source: Literal["build", "pull"] = Field(
        description="Build them on the host, or pull images built elsewhere from the same sources."
    )
    repository: Image = Field(description="Registry and folder they are named under.")
    parts: list[Literal["science", "r", "latex", "git"]] = Field(
        description="What the personal image has beside JupyterLab: scientific Python, R with its kernel, export to "
        "PDF by LaTeX, git in JupyterLab."
    )
    apt: list[Package] = Field(
        description="More Debian packages in the personal image, such as r-cran-lme4 or texlive-lang-german."
    )
    julia_version: Line = Field(description="Julia for the personal image, such as 1.12.1; empty for none.")
    julia_url: OptionalUrl = Field(description="Where its archive (.tar.gz for Linux, x86-64) is.")
    julia_sha256: Checksum = Field(description="The archive's SHA-256, in hexadecimal digits.")
    base: Image = Field(description="Debian image they are built from; a digest pins it for good.")


class Preflight(Concern):
    """What is looked at on the live host before the first change."""

    prefix = "preflight_"

    waive: list[str] = Field(description="Names of findings to live with, as preflight prints them.")
    min_disk: Size = Field(description="Free space wanted where Docker and the hub keep their data.")
    min_inodes: int = Field(ge=0, description="Free inodes wanted there.")
    max_clock_skew: Seconds = Field(description="Seconds the host's clock may differ from the control machine's.")
