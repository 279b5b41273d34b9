"""Where the hub's state and users' files live on the host."""

from pyinfra.api.deploy import deploy

from hubfleet import operations
from hubfleet.settings import Lab
from hubfleet_hub.config import HUB_UID


@deploy("Storage")
def lay_out(lab: Lab) -> None:
    """Directories with owner, group and mode. Users' files are never touched: not their owner, not their mode."""
    paths, storage, hub = lab.paths, lab.storage, str(HUB_UID)
    operations.directory(name="make the hub's directory", path=paths.root)
    operations.directory(name="make the state directory", path=paths.state, user=hub, group=hub, mode="0700")
    operations.directory(name="make the configuration directory", path=paths.etc, group=hub, mode="0750")
    operations.directory(name="make the secrets directory", path=paths.secrets, group=hub, mode="0750")
    operations.directory(name="make the one-time hashes directory", path=paths.one_time, group=hub, mode="0750")
    operations.directory(name="make the passwords directory", path=paths.passwords, mode="0700")
    operations.directory(name="make the socket directory", path=paths.run, group=hub, mode="0750")
    operations.directory(name="make the build directory", path=paths.build, mode="0700")
    operations.directory(name="make the edge's directory", path=paths.edge, mode="0700")
    operations.directory(
        name="make base_user_dir",
        path=storage.base_user_dir,
        user=storage.base_user_dir_owner,
        group=storage.base_user_dir_group,
        mode=storage.base_user_dir_mode,
        adopt=False,
    )
    if lab.hub.spawner == "shared":
        operations.directory(
            name="make the directory of the shared notebooks",
            path=lab.shared_directory,
            user=str(lab.server.uid),
            group=str(lab.server.gid),
            mode="0750",
            adopt=False,
        )
