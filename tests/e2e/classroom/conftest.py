"""People of a course, as the LMS knows them."""

from collections.abc import Callable

import pytest

from tests.e2e.classroom.student import Student
from tests.e2e.hub import Hub
from tests.e2e.world import World
from tests.fleet.standins.lms import Lms


@pytest.fixture(scope="session")
def lms(world: World) -> Lms:
    return world.lms


@pytest.fixture(scope="module")
def enrolled(hub: Hub, lms: Lms) -> Callable[[str], Student]:
    """Someone takes the course, and has come to the hub from it; they hold a token."""

    def come(login: str) -> Student:
        student = Student(hub, lms.enrol(login).email, lms=lms)
        assert student.come().status_code == 302
        student.take_token()
        return student

    return come
