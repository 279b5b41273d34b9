"""One JupyterLab that all share, in a container of its own."""

from hubfleet.settings import Lab
from hubfleet.spawners.parts import Parts, hub, image, listing, proxy


def parts(lab: Lab) -> Parts:
    return Parts(
        images=("hub", "shared"),
        pulled=(),
        server_image=image(lab, "shared"),
        before=(proxy(lab),),
        hub=hub(lab),
        servers=listing(lab, "shared"),
    )
