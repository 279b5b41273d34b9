"""Someone who takes a course, with a browser of their own and without one."""

from dataclasses import dataclass, field

import requests
from playwright.sync_api import expect

from tests.e2e.browser import SERVER_PATIENCE, Visitor
from tests.e2e.person import Person
from tests.fleet.standins.launches import Click
from tests.fleet.standins.lms import Lms

TOOL = "python101"


@dataclass
class Student(Person):
    """They come by a launch; `name` is their e-mail address."""

    lms: Lms = field(kw_only=True, repr=False)

    @property
    def click(self) -> Click:
        """On the link in the course, by whom the LMS knows."""
        (person,) = (person for person in self.lms.people.values() if person.email == self.name)
        return Click(self.lms, self.lms.tools[TOOL], person, self.web)

    def come(self) -> requests.Response:
        """A whole launch; the last answer of the hub."""
        click = self.click
        asked = click.begin()
        return click.send(asked, self.lms.key.sign(click.claims(asked)))


def enter_course(visitor: Visitor, lms: Lms, login: str) -> None:
    """In a browser: logs in at the LMS, and looks at the course."""
    page = visitor.page
    page.goto(f"{lms.url}/login")
    page.fill("#username", login)
    page.fill("#password", lms.people[login].password)
    page.click("#loginbtn")
    page.locator(f"#open-{TOOL}").wait_for()


def open_window(visitor: Visitor) -> Visitor:
    """Clicks on the link that opens the hub in a new window, and waits for JupyterLab there."""
    with visitor.page.expect_popup() as opened:
        visitor.page.click(f"#open-{TOOL}")
    opened.value.locator(".jp-DirListing-content").wait_for(timeout=SERVER_PATIENCE)
    return Visitor(opened.value, visitor.url)


def open_frame(visitor: Visitor) -> Visitor:
    """Clicks on the link that shows the hub within the LMS's own page, and waits for JupyterLab there."""
    visitor.page.click(f"#embed-{TOOL}")
    inside = Visitor(visitor.page, visitor.url, frame="#tool")
    expect(inside.lab.locator(".jp-DirListing-content")).to_be_visible(timeout=SERVER_PATIENCE)
    return inside
