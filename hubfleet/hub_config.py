"""What the hub on the host is told: from a `Lab` to hub.yaml and the lab's own configuration. Pure but for reading files."""

from hubfleet.settings import Lab
from hubfleet_hub import config as hub

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian's images keep the authorities they trust; a host's own bundle is there too."""

CONCURRENT_SPAWNS = 20
"""Servers that start at one time: more only makes each of them slower (about one in three seconds on two cores)."""


def hub_config(lab: Lab, image: str) -> hub.HubConfig:
    """The content of hub.yaml; `image` is the resolved name of the image of users' servers."""
    addresses, native, server = lab.addresses, lab.native, lab.server
    return hub.HubConfig(
        hub_name=lab.hub.hub_name,
        public_url=str(lab.hub.public_url),
        addresses=hub.Addresses(
            hub_core=addresses.hub_core,
            hub_users=addresses.hub_users,
            proxy_core=addresses.proxy_core,
            # The edge reaches the proxy through the bridge, the proxy reaches the hub with its own address.
            trusted_proxies=(addresses.core_gateway, addresses.proxy_core),
        ),
        login=tuple(lab.hub.login),
        users=hub.Users(
            admins=tuple(sorted(lab.users.admins)),
            allowed=tuple(sorted(lab.users.allowed)),
            banned=tuple(sorted(lab.users.banned)),
        ),
        native=hub.Native(
            open_signup=native.open_signup,
            ask_email=native.ask_email,
            min_password_length=native.min_password_length,
            check_common_password=native.check_common_password,
            failed_logins=native.failed_logins,
            lockout_seconds=native.lockout,
        )
        if "native" in lab.hub.login
        else None,
        spawner=lab.hub.spawner,
        server=hub.Server(
            image=image,
            allowed_images=(),
            command=tuple(server.command),
            environment=server_environment(lab),
            default_url=server.default_url,
            mem_limit=server.mem_limit,
            cpu_limit=server.cpu_limit,
            pids_limit=server.pids_limit,
            shm_size=server.shm_size,
            profile=server.profile,
            user="root" if server.profile != "restricted" else "",
            network=lab.names.users_network,
            volumes=(hub.Volume(source=CA_BUNDLE, target=CA_BUNDLE, read_only=True),) if lab.outside.extra_ca else (),
            devices=("/dev/fuse",) if server.profile == "desktop" else (),
            start_timeout=server.start_timeout,
            http_timeout=server.http_timeout,
            active_limit=server.active_limit,
            concurrent_spawns=CONCURRENT_SPAWNS,
        ),
        home=hub.Home(
            kind=lab.hub.homes,
            base_user_dir=lab.storage.base_user_dir,
            mount=server.home,
            uid=server.uid,
            gid=server.gid,
        ),
        cull=hub.Cull(timeout=lab.cull.timeout, every=lab.cull.every, kernel_timeout=lab.cull.kernel_timeout),
        db="secret" if lab.hub.hub_db_url else "sqlite",
        db_upgrade=lab.hub.hub_db_upgrade,
    )


def server_environment(lab: Lab) -> dict[str, str]:
    """The environment of users' servers: the campus network's ways out, under what the lab says itself."""
    outside, environment = lab.outside, {}
    if outside.outbound_proxy:
        no_proxy = ",".join(["localhost", "127.0.0.1", lab.addresses.hub_users, *outside.outbound_no_proxy])
        for name, value in (
            ("http_proxy", outside.outbound_proxy),
            ("https_proxy", outside.outbound_proxy),
            ("no_proxy", no_proxy),
        ):
            environment |= {name: value, name.upper(): value}
    if outside.extra_ca:
        # Python's and Node's packages bring bundles of their own and look here first.
        environment |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS"), CA_BUNDLE)
    if outside.pypi_mirror:
        environment["PIP_INDEX_URL"] = outside.pypi_mirror
    if outside.npm_mirror:
        environment["NPM_CONFIG_REGISTRY"] = outside.npm_mirror
    return environment | lab.server.environment


def config_files(lab: Lab) -> dict[str, str]:
    """The lab's own jupyterhub_config.d: file name to text."""
    if not lab.hub.hub_config_dir:
        return {}
    return {path.name: path.read_text("utf-8") for path in sorted(lab.local(lab.hub.hub_config_dir).glob("*.py"))}
