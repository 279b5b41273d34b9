"""The hub itself: images, networks, configuration, and its three containers."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from hubfleet import __version__, operations
from hubfleet.containers import Attachment, ContainerSpec, Mount
from hubfleet.hub_config import config_files, hub_config
from hubfleet.images import hub_context, image_name
from hubfleet.settings import Lab
from hubfleet.systems import CA_BUNDLE
from hubfleet.templates import render
from hubfleet_hub.config import HUB_UID
from hubfleet_hub.names import escape
from tasks.secrets import MADE_ON_THE_HOST, referred

LIBRARY = "/usr/local/lib/hubfleet"
"""Scripts of ours on the host, one directory a hub."""

USER = f"{HUB_UID}:{HUB_UID}"


@deploy("Images")
def provide_images(lab: Lab) -> None:
    """The hub's own images and the one of users' servers, before anybody waits for them."""
    images, outside = lab.images, lab.outside
    if images.source == "pull":
        operations.image_pulled(name="pull the hub's image", image=_image(lab, "hub"))
    else:
        arguments = ["--build-arg", f"BASE_IMAGE={images.base}"]
        for argument, value in (
            ("APT_MIRROR", outside.apt_mirror),
            ("PIP_INDEX_URL", outside.pypi_mirror),
            ("NPM_CONFIG_REGISTRY", outside.npm_mirror),
            ("HTTP_PROXY", outside.outbound_proxy),
            ("HTTPS_PROXY", outside.outbound_proxy),
            ("NO_PROXY", outside.no_proxy() if outside.outbound_proxy else ""),
        ):
            arguments += ["--build-arg", f"{argument}={value}"] if value else []
        ca = CA_BUNDLE if outside.extra_ca else ""
        operations.image_pulled(name="pull the base image", image=images.base)
        operations.image_built(
            name="build the hub's image",
            image=_image(lab, "hub"),
            target="hub",
            context=hub_context(),
            directory=lab.paths.build,
            arguments=arguments,
            ca=ca,
        )
        if lab.server.image == "singleuser":
            operations.image_built(
                name="build the image of users' servers",
                image=_server_image(lab),
                target="singleuser",
                context=hub_context(),
                directory=lab.paths.build,
                arguments=arguments,
                ca=ca,
            )
    if images.source == "pull" or lab.server.image != "singleuser":
        operations.image_pulled(name="pull the image of users' servers", image=_server_image(lab))


@deploy("Networks")
def make_networks(lab: Lab) -> None:
    """One network for hub, proxy and edge; one where servers reach hub and proxy and not one another."""
    names, addresses = lab.names, lab.addresses
    operations.network(
        name="make the core network",
        wanted=names.core_network,
        hub=lab.hub.hub_name,
        subnet=addresses.core_subnet,
        pool=addresses.core_subnet,
        bridge=names.core_bridge,
        isolated=False,
    )
    operations.network(
        name="make the users' network",
        wanted=names.users_network,
        hub=lab.hub.hub_name,
        subnet=addresses.users_subnet,
        pool=addresses.users_pool,
        bridge=names.users_bridge,
        isolated=True,
    )
    directory = f"{LIBRARY}/{lab.hub.hub_name}"
    script, unit = f"{directory}/network-rules", f"{names.prefix}-network.service"
    rules = render(
        "hub/network-rules.j2",
        bridge=names.users_bridge,
        open=[addresses.hub_users, addresses.proxy_users],
        closed=[names.core_bridge, names.users_bridge],
    )
    service = render("hub/network.service.j2", hub=lab.hub.hub_name, script=script)
    operations.directory(name="make the scripts' directory", path=directory)
    operations.file(name="place the rules", dest=script, content=rules, mode="0755")
    operations.file(name="place the rules' unit", dest=f"/etc/systemd/system/{unit}", content=service)
    operations.unit(name="start the rules at boot", service=unit)
    operations.applied(
        name="apply the rules",
        apply=f"systemctl daemon-reload && systemctl restart {unit}",
        reads={
            script: operations.content_hash(rules),
            f"/etc/systemd/system/{unit}": operations.content_hash(service),
        },
        stamp=f"{directory}/network-rules.loaded",
    )


@deploy("Hub")
def run_hub(lab: Lab) -> None:
    """One-time passwords and configuration first, then keeper of homes, proxy and hub: the port opens last."""
    paths, image = lab.paths, _image(lab, "hub")
    for user in host.loop(lab.users.admins):
        password, hashed = f"{paths.passwords}/{escape(user)}", f"{paths.one_time}/{escape(user)}.hash"
        operations.generated(
            name="make an admin's one-time password",
            dest=password,
            command="head -c 15 /dev/urandom | base64 | tr '+/' 'ab'",
            user="root",
            mode="0600",
        )
        operations.generated(
            name="hash an admin's one-time password for the hub",
            dest=hashed,
            command=f"docker run --rm -i --network none {image} python -m hubfleet_hub.passwd hash < {password}",
            user=str(HUB_UID),
            group=str(HUB_UID),
        )
    reads = _configure(lab)
    key = paths.digest_key
    operations.container(name="run the keeper of homes", spec=_homes(lab), reads={}, secrets={}, key=key)
    operations.container(
        name="run the proxy",
        spec=_proxy(lab),
        reads={},
        secrets={f"{paths.secrets}/proxy_token": None},
        key=key,
    )
    operations.container(
        name="run the hub",
        spec=_hub(lab),
        reads=reads,
        secrets=_secrets(lab),
        key=key,
        confirm=f"docker exec {lab.names.hub} python -m hubfleet_hub.prepare confirm",
    )
    operations.file(
        name="note what runs here",
        dest=f"{paths.root}/deployed.yaml",
        content=render(
            "hub/deployed.yaml.j2", version=__version__, flavour=lab.flavour, url=str(lab.hub.public_url), image=image
        ),
    )


def _image(lab: Lab, target: str) -> str:
    return image_name("hub" if target == "hub" else "singleuser", lab.images.repository, lab.images.base)


def _server_image(lab: Lab) -> str:
    return _image(lab, "singleuser") if lab.server.image == "singleuser" else lab.server.image


def _configure(lab: Lab) -> dict[str, str]:
    """Place what the hub reads, each file judged by the hub's own loader first. Their digests, by path."""
    paths, image = lab.paths, _image(lab, "hub")
    own = config_files(lab)
    files = {"hub.yaml": hub_config(lab, _server_image(lab)).to_yaml()}
    files |= {f"jupyterhub_config.d/{name}": text for name, text in sorted(own.items())}
    operations.directory(
        name="make the directory of the lab's own configuration",
        path=f"{paths.etc}/jupyterhub_config.d",
        group=str(HUB_UID),
        mode="0750",
    )
    for relative, text in host.loop(files.items()):
        check = render("hub/check.sh.j2", paths=paths, image=image, relative=relative, user=USER).strip()
        operations.file(
            name="place its configuration",
            dest=f"{paths.etc}/{relative}",
            content=text,
            group=str(HUB_UID),
            mode="0640",
            check=check,
        )
    operations.only(
        name="drop configuration that is gone from the lab's directory",
        path=f"{paths.etc}/jupyterhub_config.d",
        names=sorted(own),
    )
    return {relative: operations.content_hash(text) for relative, text in files.items()}


def _secrets(lab: Lab) -> dict[str, str | None]:
    """The secret files the hub reads at its start; None: made on the host."""
    made: dict[str, str | None] = {f"{lab.paths.secrets}/{name}": None for name in MADE_ON_THE_HOST}
    return made | {path: operations.content_hash(text) for path, text in referred(lab).items()}


def _homes(lab: Lab) -> ContainerSpec:
    return ContainerSpec(
        name=lab.names.homes,
        hub=lab.hub.hub_name,
        role="homes",
        image=_image(lab, "hub"),
        command=("python", "-m", "hubfleet_hub.homes", str(lab.server.uid), str(lab.server.gid)),
        user="0:0",
        memory=128 * 1024**2,
        mounts=(
            Mount(lab.storage.base_user_dir, "/homes", read_only=False),
            Mount(lab.paths.run, "/run/hubfleet/homes", read_only=False),
        ),
        capabilities=("CHOWN", "FOWNER", "DAC_OVERRIDE"),
        read_only=True,
        log_max_size=lab.docker.log_max_size,
        log_max_files=lab.docker.log_max_files,
    )


def _proxy(lab: Lab) -> ContainerSpec:
    addresses = lab.addresses
    return ContainerSpec(
        name=lab.names.proxy,
        hub=lab.hub.hub_name,
        role="proxy",
        image=_image(lab, "hub"),
        command=(
            "python",
            "-m",
            "hubfleet_hub.proxy",
            addresses.hub_core,
            addresses.proxy_core,
            lab.hub.public_url.base_path,
        ),
        user=USER,
        memory=512 * 1024**2,
        networks=(
            Attachment(lab.names.core_network, addresses.proxy_core),
            Attachment(lab.names.users_network, addresses.proxy_users),
        ),
        mounts=(Mount(f"{lab.paths.secrets}/proxy_token", "/run/hubfleet/secrets/proxy_token"),),
        read_only=True,
        log_max_size=lab.docker.log_max_size,
        log_max_files=lab.docker.log_max_files,
        health=("python", "-m", "hubfleet_hub.health", "proxy"),
    )


def _hub(lab: Lab) -> ContainerSpec:
    addresses, paths = lab.addresses, lab.paths
    return ContainerSpec(
        name=lab.names.hub,
        hub=lab.hub.hub_name,
        role="hub",
        image=_image(lab, "hub"),
        command=("python", "-m", "hubfleet_hub"),
        user=USER,
        memory=lab.hub.hub_mem_limit,
        networks=(
            Attachment(lab.names.core_network, addresses.hub_core),
            Attachment(lab.names.users_network, addresses.hub_users),
        ),
        mounts=(
            Mount(paths.state, "/srv/hubfleet/state", read_only=False),
            Mount(paths.etc, "/etc/hubfleet"),
            Mount(paths.secrets, "/run/hubfleet/secrets"),
            Mount(paths.run, "/run/hubfleet/homes", read_only=False),
        ),
        log_max_size=lab.docker.log_max_size,
        log_max_files=lab.docker.log_max_files,
        uses_engine=True,
        health=("python", "-m", "hubfleet_hub.health"),
    )
