"""Everybody as a Linux user inside the hub's own container, which holds homes and kernels."""

from hubfleet.containers import Mount
from hubfleet.settings import Lab
from hubfleet.spawners.parts import Parts, hub, proxy


def parts(lab: Lab) -> Parts:
    return Parts(
        images=("hub", "personal"),
        pulled=(),
        server_image="personal",
        before=(proxy(lab),),
        hub=hub(
            lab,
            "personal",
            mounts=(Mount(lab.storage.base_user_dir, lab.server.home, read_only=False),),
            user="0:0",
        ),
    )
