"""The hub itself: images, networks, configuration, and its containers."""

from pyinfra.api.deploy import deploy
from pyinfra.context import host

from hubfleet import __version__, operations
from hubfleet.hub_config import config_files, hub_config
from hubfleet.images import BuildContext, hub_context
from hubfleet.settings import Lab
from hubfleet.spawners import parts
from hubfleet.spawners.parts import USER, image, recipe
from hubfleet.systems import CA_BUNDLE
from hubfleet.templates import render
from hubfleet_hub.config import HUB_UID
from hubfleet_hub.names import escape
from tasks.secrets import MADE_ON_THE_HOST, referred

LIBRARY = "/usr/local/lib/hubfleet"
"""Scripts of ours on the host, one directory a hub."""


@deploy("Images")
def provide_images(lab: Lab) -> None:
    """The hub's own images and those of users' servers, before anybody waits for them."""
    images, outside, needed = lab.images, lab.outside, parts(lab)
    around = {
        "APT_MIRROR": outside.apt_mirror,
        "PIP_INDEX_URL": outside.pypi_mirror,
        "NPM_CONFIG_REGISTRY": outside.npm_mirror,
        "HTTP_PROXY": outside.outbound_proxy,
        "HTTPS_PROXY": outside.outbound_proxy,
        "NO_PROXY": outside.no_proxy() if outside.outbound_proxy else "",
    }
    around = {key: value for key, value in around.items() if value}
    ca = CA_BUNDLE if outside.extra_ca else ""
    if images.source == "pull":
        for target in host.loop(needed.images):
            operations.image_pulled(name="pull the hub's images", image=image(lab, target))
    else:
        operations.image_pulled(name="pull the base image", image=images.base)
        for target in host.loop(needed.images):
            operations.image_built(
                name="build the hub's images",
                image=image(lab, target),
                target=target,
                context=hub_context(),
                directory=lab.paths.build,
                arguments=recipe(lab, target).arguments | around,
                ca=ca,
            )
    if needed.own:
        operations.image_built(
            name="build the image of users' servers from the lab's own Dockerfile",
            image=needed.own,
            target="",
            context=BuildContext.of(lab.local(lab.server.build)),
            directory=lab.paths.build,
            arguments={"BASE_IMAGE": image(lab, "singleuser")} | around,
            ca=ca,
        )
    for name in host.loop(needed.pulled):
        operations.image_pulled(name="pull the image of users' servers", image=name)
    if needed.question:
        operations.judged(
            name="judge the image of users' servers",
            finding="image",
            subject=needed.server_image,
            question=needed.question,
            needs=[needed.server_image],
            later=f"looks whether users can write in {lab.server.home} of {needed.server_image}, once it is here",
            waived="image" in lab.preflight.waive,
        )


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
    """One-time passwords and configuration first, then the proxy and what else the hub needs, then the hub."""
    paths, made = lab.paths, parts(lab)
    if made.restart:
        operations.servers_spared(
            name="spare the servers that run inside the hub's container",
            spec=made.hub,
            servers=made.servers,
            agreed=lab.hub.hub_cut_servers,
        )
    hasher = f"docker run --rm -i --network none {made.hub.image} python -m hubfleet_hub.passwd hash"
    for user in host.loop(lab.admins_with_passwords):
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
            command=f"{hasher} < {password}",
            user=str(HUB_UID),
            group=str(HUB_UID),
        )
    reads, key = _configure(lab), lab.paths.digest_key
    for companion in host.loop(made.before):
        operations.container(
            name="run what the hub needs",
            spec=companion.spec,
            reads={},
            secrets=dict.fromkeys(companion.secrets),
            key=key,
        )
    operations.container(
        name="run the hub",
        spec=made.hub,
        reads=reads,
        secrets=_secrets(lab),
        key=key,
        confirm=f"docker exec {lab.names.hub} python -m hubfleet_hub.prepare confirm",
        restart=made.restart,
    )
    for companion in host.loop(made.after):
        operations.container(
            name="run what needs the hub",
            spec=companion.spec,
            reads={},
            secrets=dict.fromkeys(companion.secrets),
            key=key,
        )
    operations.file(
        name="note what runs here",
        dest=f"{paths.root}/deployed.yaml",
        content=render(
            "hub/deployed.yaml.j2",
            version=__version__,
            flavour=lab.flavour,
            url=str(lab.hub.public_url),
            image=made.hub.image,
        ),
    )


def _configure(lab: Lab) -> dict[str, str]:
    """Place what the hub reads, each file judged by the hub's own loader first. Their digests, by path."""
    paths, made = lab.paths, parts(lab)
    own = config_files(lab)
    files = {"hub.yaml": hub_config(lab, made.server_image).to_yaml()}
    files |= {f"jupyterhub_config.d/{name}": text for name, text in sorted(own.items())}
    operations.directory(
        name="make the directory of the lab's own configuration",
        path=f"{paths.etc}/jupyterhub_config.d",
        group=str(HUB_UID),
        mode="0750",
    )
    for relative, text in host.loop(files.items()):
        check = render("hub/check.sh.j2", paths=paths, image=made.hub.image, relative=relative, user=USER).strip()
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
    if lab.outside.extra_ca:
        files[CA_BUNDLE] = lab.read(lab.outside.extra_ca)  # placed already, and read at the start like the others
    return {path: operations.content_hash(text) for path, text in files.items()}


def _secrets(lab: Lab) -> dict[str, str | None]:
    """The secret files the hub reads at its start; None: made on the host."""
    made: dict[str, str | None] = {f"{lab.paths.secrets}/{name}": None for name in MADE_ON_THE_HOST}
    return made | {path: operations.content_hash(text) for path, text in referred(lab).items()}
