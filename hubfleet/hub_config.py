"""What the hub reads: `HubConfig`, the class on both sides, and the lab's own Python. Pure but for reading files."""

from hubfleet.egress import nameserver
from hubfleet.settings.lab import Lab
from hubfleet.systems import CA_BUNDLE
from hubfleet_hub.config import HubConfig

_AUTHORITIES = {"source": CA_BUNDLE, "target": CA_BUNDLE, "read_only": True}


def hub_config(lab: Lab, image: str) -> HubConfig:
    """The content of hub.yaml. `image` is what `server_image` stands for: `singleuser` has become a name by then."""
    server, addresses = lab.server, lab.addresses
    return HubConfig.model_validate(
        {
            "hub_name": lab.hub.hub_name,
            "public_url": str(lab.hub.public_url),
            "addresses": {
                "hub_core": addresses.hub_core,
                "hub_users": addresses.hub_users,
                "proxy_core": addresses.proxy_core,
                # The edge is a process of the host: its requests come from the host's end of the core network.
                "trusted_proxies": [addresses.core_gateway],
            },
            "login": lab.hub.login,
            "users": lab.users.model_dump(),
            "native": {
                "open_signup": lab.native.open_signup,
                "ask_email": lab.native.ask_email,
                "min_password_length": lab.native.min_password_length,
                "check_common_password": lab.native.check_common_password,
                "failed_logins": lab.native.failed_logins,
                "lockout_seconds": lab.native.lockout,
            },
            "oauth": lab.oauth.model_dump(exclude={"client_secret"}) if "oauth" in lab.hub.login else None,
            "lti13": lab.lti13.model_dump() if "lti13" in lab.hub.login else None,
            "frame_ancestors": lab.hub.hub_frame_ancestors,
            "spawner": lab.hub.spawner,
            "shared": {"name": lab.shared.name, "address": lab.addresses.shared}
            if lab.hub.spawner == "shared"
            else None,
            "server": {
                "image": image,
                "allowed_images": [],
                "command": server.command,
                "environment": server_environment(lab),
                "default_url": server.default_url,
                "mem_limit": server.mem_limit,
                "cpu_limit": server.cpu_limit,
                "pids_limit": server.pids_limit,
                "shm_size": server.shm_size,
                "profile": server.profile,
                # Images made for more than notebooks set up the container as root and then become NB_UID.
                "user": "" if server.profile == "restricted" else "root",
                "network": lab.names.users_network,
                "nameserver": nameserver(lab),
                "volumes": [
                    *(volume.model_dump() for volume in server.volumes),
                    *([_AUTHORITIES] if lab.outside.extra_ca else []),
                ],
                "devices": server.devices,
                "start_timeout": server.start_timeout,
                "http_timeout": server.http_timeout,
                "active_limit": server.active_limit,
                "concurrent_spawns": server.concurrent_spawns,
            },
            "home": {
                "kind": lab.hub.homes,
                "base_user_dir": lab.storage.base_user_dir,
                "mount": server.home,
                "uid": server.uid,
                "gid": server.gid,
            },
            "cull": lab.cull.model_dump(),
            "db": "secret" if lab.hub.hub_db_url else "sqlite",
            "db_upgrade": lab.hub.hub_db_upgrade,
        }
    )


def ways_out(lab: Lab, *direct: str) -> dict[str, str]:
    """The environment by which a container's programs find the campus network's proxy and authorities.

    `direct` are the addresses of ours that are no proxy's business.
    """
    outside = lab.outside
    environment: dict[str, str] = {}
    if outside.outbound_proxy:
        no_proxy = outside.no_proxy(*direct)
        ways = {"http_proxy": outside.outbound_proxy, "https_proxy": outside.outbound_proxy, "no_proxy": no_proxy}
        environment |= ways | {name.upper(): value for name, value in ways.items()}
    if outside.extra_ca:
        # Python's and Node's packages bring bundles of their own, unless told of another.
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "NODE_EXTRA_CA_CERTS")
        environment |= dict.fromkeys(names, CA_BUNDLE)
    return environment


def server_environment(lab: Lab) -> dict[str, str]:
    """The environment of users' servers: the campus network's ways out, under what the lab says itself."""
    outside = lab.outside
    environment = ways_out(lab, lab.addresses.hub_users)
    if outside.pypi_mirror:
        environment["PIP_INDEX_URL"] = outside.pypi_mirror
    if outside.npm_mirror:
        environment["NPM_CONFIG_REGISTRY"] = outside.npm_mirror
    return environment | lab.server.environment


def config_files(lab: Lab) -> dict[str, str]:
    """The lab's own jupyterhub_config.d: text by file name, in the order in which JupyterHub reads it."""
    if not lab.hub.hub_config_dir:
        return {}
    return {file.name: file.read_text() for file in sorted(lab.local(lab.hub.hub_config_dir).glob("*.py"))}
