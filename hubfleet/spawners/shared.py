"""One JupyterLab that all share, in a container of its own: a service of the hub, with its notebooks on the host."""

import json

from hubfleet.containers import Attachment, ContainerSpec, Mount
from hubfleet.egress import nameserver
from hubfleet.hub_config import server_environment
from hubfleet.settings import Lab
from hubfleet.spawners.parts import AUTHORITIES, Companion, Parts, hub, image, listing, proxy
from hubfleet_hub.config import HUB_PORT, SHARED_PORT

TOKEN = "/run/hubfleet/secrets/shared_token"
"""Where the container finds the token by which the hub knows it (`hubfleet_shared`)."""


def parts(lab: Lab) -> Parts:
    return Parts(
        images=("hub", "shared"),
        pulled=(),
        server_image=image(lab, "shared"),
        before=(proxy(lab),),
        hub=hub(lab),
        after=(_jupyterlab(lab),),
        servers=listing(lab, "shared"),
    )


def _jupyterlab(lab: Lab) -> Companion:
    server, token = lab.server, f"{lab.paths.secrets}/shared_token"
    arguments = [f"--ServerApp.root_dir={server.home}"]
    if lab.cull.kernel_timeout:
        arguments.append(f"--MappingKernelManager.cull_idle_timeout={lab.cull.kernel_timeout}")
    spec = ContainerSpec(
        name=lab.names.shared,
        hub=lab.hub.hub_name,
        role="shared",
        image=image(lab, "shared"),
        command=("python", "-m", "hubfleet_shared", *arguments),
        user=f"{server.uid}:{server.gid}",
        memory=server.mem_limit,
        cpus=server.cpu_limit,
        pids=server.pids_limit,
        shm_size=server.shm_size,
        networks=(Attachment(lab.names.users_network, lab.addresses.shared),),
        nameserver=nameserver(lab),
        mounts=(
            Mount(lab.shared_directory, server.home, read_only=False),
            Mount(token, TOKEN),
            *([Mount(AUTHORITIES, AUTHORITIES)] if lab.outside.extra_ca else []),
            *(Mount(volume.source, volume.target, volume.read_only) for volume in server.volumes),
        ),
        environment=server_environment(lab) | _environment(lab),
        log_max_size=lab.docker.log_max_size,
        log_max_files=lab.docker.log_max_files,
        health=("python", "-m", "hubfleet_shared", "health"),
    )
    return Companion(spec, (token,))


def _environment(lab: Lab) -> dict[str, str]:
    """What JupyterHub tells the services that it starts itself, but for the token."""
    name, base, public = lab.shared.name, lab.hub.public_url.base_path, str(lab.hub.public_url)
    scopes = json.dumps([f"access:services!service={name}"])
    return {
        "HOME": lab.server.home,
        "JUPYTERHUB_API_URL": f"http://{lab.addresses.hub_users}:{HUB_PORT}{base}hub/api",
        "JUPYTERHUB_BASE_URL": base,
        "JUPYTERHUB_CLIENT_ID": f"service-{name}",
        "JUPYTERHUB_COOKIE_OPTIONS": json.dumps({"secure": lab.hub.public_url.scheme == "https"}),
        "JUPYTERHUB_DEFAULT_URL": lab.server.default_url,
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": scopes,
        "JUPYTERHUB_OAUTH_SCOPES": scopes,
        "JUPYTERHUB_PUBLIC_HUB_URL": f"{public}hub/",
        "JUPYTERHUB_PUBLIC_URL": f"{public}services/{name}/",
        "JUPYTERHUB_SERVICE_NAME": name,
        "JUPYTERHUB_SERVICE_PREFIX": f"{base}services/{name}/",
        "JUPYTERHUB_SERVICE_URL": f"http://0.0.0.0:{SHARED_PORT}",
    }
