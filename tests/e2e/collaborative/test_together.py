"""Two people in one notebook, each in a browser of their own."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import SERVER_PATIENCE, Visitor
from tests.e2e.hub import Hub

Visit = Callable[[], Visitor]

#: Milliseconds: what one types is at the other's by then.
TOGETHER = 1000


#: JupyterLab's list of files; its list of people has the same look.
FILES = ".jp-FileBrowser .jp-DirListing-content"


#: What JupyterLab asks its server, as it asks it.
WHO_AM_I = """fetch("/services/lab/api/me", {headers: {"X-XSRFToken": document.cookie.match(/_xsrf=([^;]+)/)[1]}})
    .then(answer => answer.json())"""


def enter(visitor: Visitor, login: str, path: str = "/") -> None:
    """From the address that people are given into the lab, with no click but those of logging in."""
    visitor.go(path)
    visitor.log_in_at_github(login)
    visitor.page.locator(FILES).wait_for(timeout=SERVER_PATIENCE)


def test_what_one_types_and_computes_is_at_the_others(hub: Hub, visit: Visit) -> None:
    ada, bob = visit(), visit()
    ada.go("/")
    ada.page.locator("a", has_text="GitHub").wait_for()
    ada.shoot("collaborative-login")
    enter(ada, "Ada")
    ada.new_notebook()
    enter(bob, "bob", "/services/lab/lab/tree/Untitled.ipynb")
    theirs = bob.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    theirs.wait_for(timeout=SERVER_PATIENCE)

    ours = ada.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    ours.click()
    ada.page.keyboard.type("6*7  # by Ada")
    expect(theirs).to_have_text("6*7  # by Ada", timeout=TOGETHER)
    theirs.click()
    bob.page.keyboard.press("End")
    bob.page.keyboard.type(" and Bob")
    expect(ours).to_have_text("6*7  # by Ada and Bob", timeout=TOGETHER)

    bob.page.keyboard.press("Shift+Enter")
    for visitor in (ada, bob):
        expect(visitor.page.locator(".jp-OutputArea-output").first).to_contain_text("42")
    ada.shoot("collaborative-lab")


def test_each_is_there_under_their_own_name_and_colour(hub: Hub, visit: Visit) -> None:
    ada, bob = visit(), visit()
    enter(ada, "Ada")
    enter(bob, "bob")
    about = [visitor.page.evaluate(WHO_AM_I) for visitor in (ada, bob)]
    assert [each["identity"]["username"] for each in about] == ["ada", "bob"]
    ada.page.get_by_role("tab", name=re.compile("Collaboration")).click()
    expect(ada.page.get_by_label("Online Collaborators", exact=True)).to_contain_text("bob")
    ada.shoot("collaborative-people")


@pytest.mark.parametrize("path", ["/services/lab/lab", "/services/lab/", "/"], ids=["lab", "service", "front door"])
def test_the_lab_shows_however_it_is_opened_and_after_a_reload(hub: Hub, visit: Visit, path: str) -> None:
    """jupyterhub#3671 was a blank page."""
    ada = visit()
    enter(ada, "Ada", path)
    ada.page.reload()
    ada.page.locator(FILES).wait_for(timeout=SERVER_PATIENCE)


def test_somebody_not_on_the_list_reads_whom_to_ask(hub: Hub, visit: Visit) -> None:
    mallory = visit()
    mallory.go("/")
    mallory.log_in_at_github("mallory")
    expect(mallory.page.locator("body")).to_contain_text("Please ask its administrators to put you there: ada.")
    mallory.shoot("collaborative-refused")
