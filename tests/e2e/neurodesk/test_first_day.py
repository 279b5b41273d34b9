"""The first day of a NeuroDesktop hub, in a real browser: from the admin's one-time password to a file found again."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.browser import Visitor
from tests.e2e.hub import Hub

Visit = Callable[[], Visitor]

ADMIN_PASSWORD = "a password of the admin's own"
ADA_PASSWORD = "analytical engine no. 2"


def test_from_the_one_time_password_to_a_file_that_outlives_its_server(hub: Hub, visit: Visit) -> None:
    admin, ada = visit(), visit()
    one_time = hub.one_time_password("admin")

    # The admin comes in with the one-time password, and gets nowhere before another is chosen.
    admin.go("/")
    admin.page.locator("#login_submit").wait_for()
    admin.shoot("login")
    admin.log_in("admin", one_time)
    expect(admin.page.locator("h1")).to_have_text("Choose a password")
    admin.shoot("must-change")
    admin.go("/hub/home")
    expect(admin.page.locator("#login_submit")).to_be_visible()
    admin.log_in("admin", one_time)
    admin.choose_password(one_time, one_time)
    expect(admin.page.locator(".alert.alert-danger")).to_contain_text("The new password is the old one")
    admin.choose_password(one_time, ADMIN_PASSWORD)
    expect(admin.page.locator("#start")).to_be_visible()

    # Ada signs up, and is not let in before the admin says so.
    ada.go("/hub/signup")
    ada.shoot("signup")
    ada.sign_up("ada", ADA_PASSWORD)
    expect(ada.page.locator(".alert")).to_be_visible()
    ada.shoot("signed-up")
    ada.log_in("ada", ADA_PASSWORD)
    expect(ada.page.locator(".login_error")).to_contain_text("not been authorized")
    ada.shoot("not-yet-approved")

    admin.go("/hub/authorize")
    row = admin.page.locator("tr", has_text="ada")
    expect(row).to_contain_text("No")
    admin.shoot("authorize")
    row.get_by_role("button", name="Authorize").click()
    expect(row).to_contain_text("Yes")

    ada.log_in("ada", "not her password")
    expect(ada.page.locator(".login_error")).to_contain_text("Invalid username or password")
    ada.log_in("ada", ADA_PASSWORD)
    expect(ada.page.locator("#start")).to_be_visible()
    ada.shoot("home")

    # She computes, writes a file, and finds it again in the next server.
    ada.start_server()
    ada.new_notebook()
    ada.run_cell("6*7", "42")
    ada.run_cell("print(open('kept.txt', 'w').write('still here'), 'characters')", "10 characters")
    ada.save()
    ada.shoot("lab")
    first = hub.inspect("hubfleet-hub-server-ada", "{{.Id}}")

    ada.stop_server()
    assert "hubfleet-hub-server-ada" not in hub.containers("server", all_of_them=True)
    ada.start_server()
    assert hub.inspect("hubfleet-hub-server-ada", "{{.Id}}") != first
    expect(ada.page.locator(".jp-DirListing-item", has_text="kept.txt")).to_be_visible()
    ada.go("/user/ada/lab?reset")  # without the notebook of before, which JupyterLab opens again
    ada.new_notebook()
    ada.run_cell("open('kept.txt').read()", "'still here'")
    ada.shoot("lab-replaced")


def test_a_stranger_does_not_become_admin_by_signing_up_under_an_admins_name(hub: Hub, visit: Visit) -> None:
    stranger = visit()
    for name in ("admin", "Admin", "deputy"):
        stranger.sign_up(name, "a stranger's password")
        expect(stranger.page.locator(".alert.alert-danger")).to_be_visible()
        stranger.log_in(name, "a stranger's password")
        expect(stranger.page.locator(".login_error")).to_contain_text("Invalid username or password")
