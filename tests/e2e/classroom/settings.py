"""A class whose students come from an LMS, with its teacher's own image and course material on the host."""

from pathlib import Path

from hubfleet.images import Target
from tests.e2e.world import World
from tests.fleet import Host

IMAGES: tuple[Target, ...] = ("hub", "singleuser")

TEACHER = "curie@example.org"

MATERIAL = "/srv/python101"

DOCKERFILE = """\
ARG BASE_IMAGE
FROM ${BASE_IMAGE}
COPY course.py /opt/course/
ENV PYTHONPATH=/opt/course
"""


def settings(world: World, host: Host) -> dict[str, object]:
    tool = world.lms.enter("Python 101", f"https://{host.address}/", client_id="python101")
    host.run(f"install -d {MATERIAL} && echo 'six by seven' > {MATERIAL}/exercise.txt")
    return world.lms.settings(tool) | {
        "users_admins": [TEACHER],
        "server_build": str(course(world.directory / "python101")),
        "server_volumes": [{"source": MATERIAL, "target": "/home/jovyan/course"}],
    }


def course(directory: Path, dockerfile: str = DOCKERFILE) -> Path:
    """A teacher's directory to build from."""
    directory.mkdir(exist_ok=True)
    (directory / "Dockerfile").write_text(dockerfile)
    (directory / "course.py").write_text("ANSWER = 42\n")
    return directory
