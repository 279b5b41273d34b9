"""Everybody as a Linux user inside the hub's own container, which holds homes and kernels."""

import shlex

from hubfleet.containers import Mount, Restart
from hubfleet.settings import Lab
from hubfleet.spawners.parts import Parts, hub, proxy

CAPABILITIES = (
    "AUDIT_WRITE",  # sudo and PAM tell the kernel's log, and fail where they may not
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
)
"""What root needs to be many people: become them, end their servers, make their homes, say who may enter them."""

SUPERVISOR = ("python", "-m", "hubfleet_hub.local")


def parts(lab: Lab) -> Parts:
    name = lab.names.hub
    return Parts(
        images=("hub", "personal"),
        pulled=(),
        server_image="personal",
        before=(proxy(lab),),
        hub=hub(
            lab,
            "personal",
            mounts=(Mount(lab.storage.base_user_dir, lab.server.home, read_only=False),),
            command=SUPERVISOR,
            user="0:0",
            capabilities=CAPABILITIES,
            gains_privileges=True,
            pids=lab.server.pids_limit,
            shm_size=lab.server.shm_size,
        ),
        servers=f"docker exec {name} sh -c {shlex.quote(_SERVERS)}",
        restart=Restart(shlex.join(["docker", "exec", name, *SUPERVISOR, "restart"]), f"{lab.paths.root}/hub.read"),
    )


# A whole word of a command line, and the brackets keep this command from finding itself.
_SERVERS = "grep -lszx '/opt/user/bin/jupyterhub-singleuse[r]' /proc/[0-9]*/cmdline"
