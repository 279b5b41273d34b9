"""A lab's own image of users' servers, and what is asked of it."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from hubfleet import teachers
from hubfleet.spawners import parts
from tests.unit.labs import lab_of


@pytest.fixture
def course(tmp_path: Path) -> Path:
    directory = tmp_path / "python101"
    directory.mkdir()
    (directory / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    return directory


def built(tmp_path: Path, **data: object) -> str:
    lab = lab_of(tmp_path, "classroom", login=["native"], server_build="python101", **data)
    made = parts(lab)
    assert made.own == made.server_image
    assert "singleuser" in made.images  # what it is FROM
    return made.own


def test_its_name_changes_with_its_files_and_with_our_image_and_nothing_else(tmp_path: Path, course: Path) -> None:
    first = built(tmp_path)
    assert first.startswith("hubfleet/course:")
    (course / ".git").mkdir()
    (course / ".git" / "HEAD").write_text("whatever a commit changes")
    assert built(tmp_path) == first
    (course / "data.py").write_text("x = 1\n")
    second = built(tmp_path)
    assert second != first
    assert built(tmp_path, image_base="debian:12-slim") != second


def test_too_many_files_are_told(course: Path) -> None:
    for number in range(teachers.MOST):
        (course / str(number)).touch()
    assert list(teachers.problems(course)) == ["has 2001 files, more than 2000; leave data to server_volumes"]


@pytest.mark.parametrize(
    ("data", "asks"),
    [
        ({}, True),
        ({"homes": "directory"}, False),  # the keeper makes it with its owner
        ({"server_profile": "desktop"}, False),  # starts as root, and sees to it itself
    ],
)
def test_an_image_is_asked_who_may_write_in_a_new_volume(tmp_path: Path, data: dict[str, object], asks: bool) -> None:
    assert bool(parts(lab_of(tmp_path, "classroom", login=["native"], **data)).question) == asks


def test_the_answer_names_both_owners(tmp_path: Path) -> None:
    words = shlex.split(parts(lab_of(tmp_path, "classroom", login=["native"])).question)
    script = words[words.index("-c") + 1]
    assert _look(script, tmp_path) == f"good: users can write in {tmp_path}"
    command = ["setpriv", "--reuid=1000", "--regid=100", "--clear-groups"] if os.getuid() == 0 else []
    told = _look(script, Path("/"), *command)
    assert told.startswith("bad: / belongs to 0:0 in it, and servers run as ")
    assert "; set server_uid, server_gid and server_home" in told


def _look(script: str, directory: Path, *command: str) -> str:
    words = [*command, "sh", "-c", script, "sh", str(directory)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return done.stdout.strip()
