"""The first day of a personal hub, in a real browser: a password or GitHub, Python or R, a file found again."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.browser import SERVER_PATIENCE, Visitor
from tests.e2e.hub import Hub

Visit = Callable[[], Visitor]

ADMIN_PASSWORD = "a password of the admin's own"


def launch(visitor: Visitor, title: str) -> None:
    """A notebook of this language, from the launcher; its kernel is there."""
    visitor.page.locator(f".jp-LauncherCard[data-category='Notebook'][title='{title}']").click()
    expect(visitor.page.locator(".jp-Notebook-ExecutionIndicator")).to_have_attribute("data-status", "idle")
    visitor.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.wait_for()


def test_the_admin_comes_in_with_the_one_time_password_and_computes_in_python_and_in_r(hub: Hub, visit: Visit) -> None:
    admin, stranger = visit(), visit()
    one_time = hub.one_time_password("jupyterhub")
    stranger.go("/")
    stranger.page.locator("#login_submit").wait_for()
    expect(stranger.page.locator("a", has_text="GitHub")).to_be_visible()
    stranger.shoot("personal-login")
    assert one_time not in stranger.page.content()

    admin.log_in("jupyterhub", one_time)
    expect(admin.page.locator("h1")).to_have_text("Choose a password")
    admin.choose_password(one_time, ADMIN_PASSWORD)
    expect(admin.page.locator("#start")).to_be_visible()
    admin.start_server()
    launch(admin, "Python 3 (ipykernel)")
    admin.run_cell("import getpass, os; getpass.getuser(), os.getcwd()", "('jupyterhub', '/home/jupyterhub')")
    admin.run_cell("import numpy, pandas, matplotlib, scipy; int(numpy.ones(42).sum())", "42")
    admin.shoot("personal-lab")
    admin.go("/user/jupyterhub/lab?reset")
    launch(admin, "R")
    admin.run_cell("library(ggplot2); sum(1:8) + 6", "42")


def test_someone_of_github_comes_in_on_the_same_page_under_a_name_that_nobody_else_can_have(
    hub: Hub, visit: Visit
) -> None:
    octocat = visit()
    octocat.go("/hub/login?next=/hub/home")
    octocat.log_in_at_github("Octocat")
    expect(octocat.page.locator("#start")).to_be_visible()
    octocat.page.click("#start")
    octocat.page.locator(".jp-DirListing-content").wait_for(timeout=SERVER_PATIENCE)
    launch(octocat, "Python 3 (ipykernel)")
    octocat.run_cell("import getpass; getpass.getuser()", "'github-octocat'")
