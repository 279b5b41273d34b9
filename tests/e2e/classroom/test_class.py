"""A day of a class: from the link in the course to the same files in another server, in real browsers."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from hubfleet_hub.names import escape
from tests.e2e.browser import Chromium, Visitor, everyday
from tests.e2e.classroom.settings import TEACHER, course
from tests.e2e.classroom.student import Student, enter_course, open_frame, open_window
from tests.e2e.hub import Hub, wait_until
from tests.e2e.test_verbs import rows as seen
from tests.fleet.images import stand_ins
from tests.fleet.ring import STATE, leaked, rows, secrets_of
from tests.fleet.standins.lms import Lms

Visit = Callable[[], Visitor]
Come = Callable[[str], Student]


def server_of(email: str) -> str:
    """The container of somebody's server."""
    return f"hubfleet-hub-server-{escape(email)}"


def test_a_click_in_the_course_leads_to_jupyterlab_in_a_new_window_and_to_the_same_files_again(
    hub: Hub, lms: Lms, visit: Visit
) -> None:
    ada = lms.enrol("ada")
    window = visit()
    enter_course(window, lms, "ada")
    lab = open_window(window)
    lab.new_notebook()
    lab.run_cell("import course; course.ANSWER", "42")  # the teacher's image
    lab.run_cell("open('course/exercise.txt').read()", "six by seven")
    lab.run_cell("open('course/exercise.txt', 'w')", "Read-only file system")
    lab.run_cell("print(open('kept.txt', 'w').write('still here'), 'characters')", "10 characters")
    lab.shoot("classroom-lab")
    first = hub.inspect(server_of(ada.email), "{{.Id}}")

    lab.stop_server()
    lab.shoot("classroom-home")
    again = open_window(window)
    assert hub.inspect(server_of(ada.email), "{{.Id}}") != first
    expect(again.page.locator(".jp-DirListing-item", has_text="kept.txt")).to_be_visible()
    again.go(f"/user/{ada.email}/lab?reset")
    again.new_notebook()
    again.run_cell("open('kept.txt').read()", "'still here'")
    again.stop_server()


def test_whoever_comes_without_the_course_is_told_where_to_begin(hub: Hub, visit: Visit) -> None:
    stranger = visit()
    stranger.go("/")
    expect(stranger.page.locator("body")).to_contain_text("Enter from your course")
    stranger.shoot("classroom-login")
    stranger.page.get_by_role("link", name="What to enter there").click()
    expect(stranger.page.locator("#lti13-setup")).to_contain_text(f"{hub.url}/hub/lti13/oauth_login")
    stranger.shoot("classroom-setup")


def test_the_teacher_is_an_admin_by_their_claim_and_a_student_is_none(hub: Hub, lms: Lms, enrolled: Come) -> None:
    lms.enrol("curie", TEACHER)
    teacher = Student(hub, TEACHER, lms=lms)
    assert teacher.come().status_code == 302
    assert teacher.get("/hub/admin").status_code == 200
    assert teacher.take_token().about()["admin"] is True
    student = enrolled("bob")
    assert student.get("/hub/admin").status_code == 403
    assert student.about()["admin"] is False


def test_a_hub_that_no_site_may_frame_is_not_shown_in_one(hub: Hub, lms: Lms, visit: Visit) -> None:
    lms.enrol("cleo")
    window = visit()
    enter_course(window, lms, "cleo")
    with window.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        window.page.click("#embed-python101")
    window.shoot("classroom-refused-frame")


@pytest.fixture
def framed(hub: Hub, lms: Lms) -> Iterator[Hub]:
    """The hub with leave to be shown within the LMS's own pages."""
    hub.apply(hub_frame_ancestors=[lms.url])
    yield hub
    hub.apply(hub_frame_ancestors=[])


def test_in_the_lms_s_own_page_it_works_too(framed: Hub, lms: Lms, started: Chromium) -> None:
    dora = lms.enrol("dora")
    with everyday(started) as browser:
        window = Visitor(browser.new_page(), framed.url)
        enter_course(window, lms, "dora")
        lab = open_frame(window)
        lab.new_notebook()
        lab.run_cell("6*7", "42")
        lab.run_cell("open('course/exercise.txt').read()", "six by seven")
        window.shoot("classroom-frame")
    assert framed.inspect(server_of(dora.email), "{{.State.Running}}") == "true"


def test_the_lms_rotates_its_key_and_the_next_login_works(lms: Lms, visit: Visit) -> None:
    lms.enrol("eva")
    window = visit()
    enter_course(window, lms, "eva")
    lms.rotate()
    open_window(window).stop_server()


def test_the_lms_hangs_and_the_hub_s_other_pages_answer_within_a_second(hub: Hub, lms: Lms, enrolled: Come) -> None:
    at_work = enrolled("finn")
    gus = Student(hub, lms.enrol("gus").email, lms=lms)
    click = gus.click
    asked = click.begin()
    lms.rotate()  # so that the hub has to ask for the key
    token = lms.key.sign(click.claims(asked))
    with lms.hang(), ThreadPoolExecutor(1) as pool:
        launch = pool.submit(click.send, asked, token)
        slowest, asked_times = 0.0, 0
        while not launch.done():
            for path in ("/hub/home", "/hub/token"):
                began = time.monotonic()
                assert at_work.get(path).status_code == 200
                slowest, asked_times = max(slowest, time.monotonic() - began), asked_times + 1
        assert launch.result().status_code == 504
    assert asked_times > 5
    assert slowest < 1
    assert gus.come().status_code == 302


def test_another_image_is_another_word_and_nobody_logs_in_again(hub: Hub, enrolled: Come) -> None:
    hana = enrolled("hana").start()
    kernel = hana.kernel()
    kernel.run("x = 41")
    before = hub.inspect(server_of(hana.name), "{{.Id}} {{.Config.Image}}")
    assert "hubfleet/course:" in before
    built = hub.settings["server_build"]
    (other,) = (name for name in stand_ins() if "neurodesktop" in name)
    hub.apply(server_build="", server_image=other)
    assert hana.logged_in()
    assert hub.inspect(server_of(hana.name), "{{.Id}} {{.Config.Image}}") == before
    assert kernel.run_after_reconnecting_once("x + 1") == "42"
    hana.stop()
    hana.start()
    assert hub.inspect(server_of(hana.name), "{{.Config.Image}}") == other
    hub.apply(server_build=built, server_image="singleuser")
    assert hana.logged_in()
    hana.stop()


def test_an_image_whose_user_could_not_write_is_told_before_the_hub_is_touched(
    hub: Hub, enrolled: Come, tmp_path: Path
) -> None:
    ours = hub.settings["server_build"]
    others = (
        "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nUSER root\nRUN usermod --uid 1234 jovyan && chown -R 1234 /home/jovyan\n"
    )
    hub.change(server_build=str(course(tmp_path / "others", others + "USER 1234\n")))
    before = hub.inspect("hubfleet-hub-hub", "{{.Id}}")
    refused = hub.lab.hubfleet("apply", code=1)
    assert "/home/jovyan belongs to 1234:100 in it, and servers run as 1000:100; set server_uid" in refused
    assert hub.inspect("hubfleet-hub-hub", "{{.Id}}") == before
    hub.apply(server_uid=1234)
    iris = enrolled("iris").start()
    assert iris.kernel().run("import os; open('mine.txt', 'w').write('mine'), os.getuid()") == "(4, 1234)"
    iris.stop()
    hub.apply(server_build=ours, server_uid=1000)


def test_a_directory_of_course_material_that_is_not_there_is_told_before_anything_is_changed(hub: Hub) -> None:
    ours = hub.settings["server_volumes"]
    hub.change(server_volumes=[{"source": "/srv/python102", "target": "/home/jovyan/course"}])
    assert "[volume] /srv/python102 is not on the host" in hub.lab.hubfleet("apply", code=1)
    hub.change(server_volumes=ours)


def test_keys_that_are_none_are_told_before_the_hub_is_touched(hub: Hub, lms: Lms) -> None:
    ours = hub.settings["lti13_jwks_url"]
    before = hub.inspect("hubfleet-hub-hub", "{{.Id}}")
    hub.change(lti13_jwks_url=f"{lms.url}/login")
    assert f"[lms] {lms.url}/login: is no set of keys" in hub.lab.hubfleet("plan", code=1)
    hub.change(lti13_jwks_url=f"{lms.url}/nothing")
    assert f"[lms] {lms.url}/nothing: answers 404 Not Found" in hub.lab.hubfleet("apply", code=1)
    assert hub.inspect("hubfleet-hub-hub", "{{.Id}}") == before
    hub.change(lti13_jwks_url=ours)


def test_a_dry_run_tells_a_change_and_no_secret(hub: Hub) -> None:
    hub.change(cull_every=601)
    told = hub.lab.hubfleet("plan", code=2)
    assert "hub restarts" in told
    assert leaked(told, secrets_of(hub.host)) == []
    del hub.settings["cull_every"]
    hub.change()


def test_a_second_run_changes_nothing_and_says_where_the_lms_s_administrator_reads_on(hub: Hub) -> None:
    printed = hub.lab.hubfleet("apply")
    assert rows(printed)["classroom"][:2] == ["ok", "0"]
    assert f"{STATE}/lms.txt" in printed
    sheet = hub.host.run(f"cat {STATE}/lms.txt").out
    for address in (f"{hub.url}/hub/lti13/oauth_login", f"{hub.url}/hub/lti13/oauth_callback"):
        assert address in sheet


def test_verify_proves_it(hub: Hub) -> None:
    proved = seen(hub.lab.hubfleet("verify"))
    for what in ("LTI login", "LTI tool", "LMS's keys", "server", "kernel", "stop", "clean up"):
        assert proved[what][0] == "proved", proved


def test_it_is_back_after_a_reboot_and_so_are_the_students_files(hub: Hub, enrolled: Come) -> None:
    jon = enrolled("jon").start()
    jon.write("kept.txt", b"still here")
    hub.host.reboot()

    def answers() -> bool:
        try:
            return requests.get(f"{hub.url}/hub/login", verify=str(hub.certificate), timeout=10).ok
        except requests.ConnectionError:
            return False

    wait_until(answers, "the login page is back", 240)
    assert jon.come().status_code == 302
    jon.take_token()
    jon.stop()
    assert jon.start().kernel().run("open('kept.txt').read()") == "'still here'"
    jon.stop()
