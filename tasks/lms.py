"""The LMS that a class comes from: its keys, and what its administrator has to know of the hub."""

from pyinfra.api.deploy import deploy

from hubfleet import lms, operations
from hubfleet.hub_config import hub_config
from hubfleet.settings import Lab
from hubfleet.spawners import parts
from hubfleet_hub.lms import sheet


@deploy("LMS")
def meet(lab: Lab) -> None:
    """Judge its keys before the hub is touched, and lay out what to enter there."""
    if "lti13" not in lab.hub.login:
        return
    made = parts(lab)
    operations.judged(
        name="judge the LMS's public keys",
        finding="lms",
        subject=lab.lti13.jwks_url,
        question=lms.question(lab),
        needs=[made.hub.image, lab.names.core_network],
        later=f"asks {lab.lti13.jwks_url} for the LMS's keys, once there is an image to ask with",
        waived="lms" in lab.preflight.waive,
    )
    operations.file(
        name="lay out what to enter in the LMS",
        dest=lab.paths.lms,
        content=sheet(hub_config(lab, made.server_image)),
    )
