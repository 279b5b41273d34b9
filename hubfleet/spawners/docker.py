"""A container a user: the hub speaks to Docker, and a keeper makes the users' directories."""

from hubfleet.containers import ContainerSpec, Mount
from hubfleet.settings import Lab
from hubfleet.spawners.parts import Companion, Parts, hub, image, listing, proxy

SOCKET_DIRECTORY = "/run/hubfleet/homes"


def parts(lab: Lab) -> Parts:
    ours = lab.server.image == "singleuser"
    return Parts(
        images=("hub", "singleuser") if ours else ("hub",),
        pulled=() if ours else (lab.server.image,),
        server_image=image(lab, "singleuser") if ours else lab.server.image,
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
