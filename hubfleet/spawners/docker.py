"""A container a user: the hub speaks to Docker, and a keeper makes the users' directories."""

import shlex

from hubfleet.containers import ContainerSpec, Mount
from hubfleet.settings import Lab
from hubfleet.spawners.parts import Companion, Parts, hub, image, listing, proxy
from hubfleet.teachers import image_name

SOCKET_DIRECTORY = "/run/hubfleet/homes"


def parts(lab: Lab) -> Parts:
    ours = lab.server.image == "singleuser"
    singleuser = image(lab, "singleuser")
    own = image_name(lab.local(lab.server.build), lab.images.repository, singleuser) if lab.server.build else ""
    server_image = own or (singleuser if ours else lab.server.image)
    return Parts(
        images=("hub", "singleuser") if ours else ("hub",),
        pulled=() if ours else (lab.server.image,),
        own=own,
        server_image=server_image,
        # A directory is made with its owner by the keeper, and an image that starts as root sees to a volume itself.
        question=_home_question(lab, server_image)
        if lab.hub.homes == "volume" and lab.server.profile == "restricted"
        else "",
        before=(_keeper(lab), proxy(lab)),
        hub=hub(lab, mounts=(Mount(lab.paths.run, SOCKET_DIRECTORY, read_only=False),), uses_engine=True),
        servers=listing(lab, "server"),
    )


def _keeper(lab: Lab) -> Companion:
    spec = ContainerSpec(
        name=lab.names.homes,
        hub=lab.hub.hub_name,
        role="homes",
        image=image(lab, "hub"),
        command=("python", "-m", "hubfleet_hub.homes", str(lab.server.uid), str(lab.server.gid)),
        user="0:0",
        memory=128 * 1024**2,
        mounts=(
            Mount(lab.storage.base_user_dir, "/homes", read_only=False),
            Mount(lab.paths.run, SOCKET_DIRECTORY, read_only=False),
        ),
        capabilities=("CHOWN", "FOWNER", "DAC_OVERRIDE"),
        read_only=True,
        log_max_size=lab.docker.log_max_size,
        log_max_files=lab.docker.log_max_files,
    )
    return Companion(spec)


_LOOK = (
    'if [ -w "$1" ]; then echo "good: users can write in $1"; else '
    'echo "bad: $1 belongs to $(stat -c %u:%g "$1") in it, and servers run as $(id -u):$(id -g); '
    'set server_uid, server_gid and server_home to what the image has"; fi'
)


def _home_question(lab: Lab, server_image: str) -> str:
    """Whether users can write in a volume that is new: it takes its owner from what the image has in its place."""
    words = ["docker", "run", "--rm", "--network", "none", "--user", f"{lab.server.uid}:{lab.server.gid}"]
    words += ["--cap-drop", "ALL", "--mount", f"type=volume,target={lab.server.home}", "--entrypoint", "/bin/sh"]
    return shlex.join([*words, server_image, "-c", _LOOK, "sh", lab.server.home])
