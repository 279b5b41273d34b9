"""The native login, from outside a real hub: `python -m hubfleet_hub` without a proxy and without Docker."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from hubfleet_hub.config import VERIFY_USERS, HubConfig
from tests.hub.running import Hub, Visitor, free_port


@pytest.fixture(scope="module")
def hub(site: Any, make: Callable[..., HubConfig]) -> Iterator[Hub]:
    port = free_port()
    site.write(
        make(
            public_url=f"http://127.0.0.1:{port}/",
            users__admins=["admin", "second"],
            users__banned=["banned"],
            native__failed_logins=3,
            cull__timeout=0,
        )
    )
    hashed = site.run("hubfleet_hub.passwd", "hash", stdin="one-time-1\n").stdout
    for name in ("admin", "second"):
        site.secret(f"one-time/{name}.hash", hashed.strip())
    with Hub(site, port) as running:
        yield running


@pytest.fixture
def visitor(hub: Hub) -> Visitor:
    return Visitor(hub)


@pytest.fixture(scope="module")
def admin(hub: Hub) -> Visitor:
    visitor = Visitor(hub)
    assert visitor.choose("admin", "one-time-1", "admins-own-1").status_code == 302
    return visitor


@pytest.fixture(scope="module")
def member(hub: Hub, admin: Visitor) -> Callable[[str], Visitor]:
    """Someone who signed up, was approved and is logged in; the password is ``NAME-secret-1``."""

    def join(name: str) -> Visitor:
        visitor = Visitor(hub)
        visitor.sign_up(name, f"{name}-secret-1")
        assert admin.post(f"authorize/{name}", "authorize").status_code == 302
        assert visitor.log_in(name, f"{name}-secret-1").status_code == 302
        return visitor

    return join


Join = Callable[[str], Visitor]


@pytest.mark.parametrize("name", ["nobody", "second", "", "x" * 300, "a/b", "ü"])
def test_a_refused_login_answers_403_and_says_no_more(visitor: Visitor, name: str) -> None:
    answer = visitor.log_in(name, "wrong")
    assert answer.status_code == 403
    assert "Invalid username or password" in answer.text
    assert not visitor.is_in()


def test_a_password_longer_than_bcrypt_reads_is_a_wrong_one(visitor: Visitor) -> None:
    assert visitor.log_in("second", "one-time-1" + "x" * 100).status_code == 403


def test_an_unknown_name_takes_as_long_as_a_known_one(hub: Hub, member: Join) -> None:
    member("timed")

    def fastest(name: str) -> float:
        times = []
        for _ in range(3):
            visitor = Visitor(hub)
            visitor.get("login")
            start = time.monotonic()
            visitor.log_in(name, "wrong")
            times.append(time.monotonic() - start)
        return min(times)

    assert fastest("no-such-name") > 0.5 * fastest("timed")
    assert fastest("no-such-name") > 0.1  # a bcrypt was computed


def test_who_is_not_approved_is_told_so_and_stays_out(visitor: Visitor) -> None:
    assert visitor.sign_up("pending", "pending-secret-1") == "Your information has been sent to the admin."
    answer = visitor.log_in("pending", "pending-secret-1")
    assert answer.status_code == 403
    assert "has not been authorized by an administrator yet" in answer.text
    assert not visitor.is_in()


def test_that_an_account_waits_is_told_to_its_owner_only(visitor: Visitor) -> None:
    visitor.sign_up("waiting", "waiting-secret-1")
    assert "Invalid username or password" in visitor.log_in("waiting", "wrong").text


def test_an_approved_account_logs_in(member: Join) -> None:
    assert member("approved").is_in()


@pytest.mark.parametrize("name", ["admin", "second", "ADMIN", "banned", *VERIFY_USERS])
def test_nobody_signs_up_under_a_name_that_is_given_away(visitor: Visitor, name: str) -> None:
    assert "username is already in use" in visitor.sign_up(name, "strangers-secret-1")


@pytest.mark.parametrize(
    ("name", "password", "email"),
    [
        ("a,b", "good-secret-1", "a@example.org"),
        ("a b", "good-secret-1", "a@example.org"),
        ("short", "short", "a@example.org"),
        ("common", "password", "a@example.org"),
        ("long", "x" * 73, "a@example.org"),
        ("mail", "good-secret-1", "no address"),
    ],
)
def test_a_sign_up_that_will_not_do_is_refused(
    visitor: Visitor, admin: Visitor, name: str, password: str, email: str
) -> None:
    assert "Something went wrong" in visitor.sign_up(name, password, email)
    assert f'id="{name}"' not in admin.get("authorize").text


def test_approval_can_be_taken_back_and_with_it_the_way_in(member: Join, admin: Visitor, visitor: Visitor) -> None:
    someone = member("unapproved")
    admin.post("authorize/unapproved", "authorize")
    assert not someone.is_in()
    assert visitor.log_in("unapproved", "unapproved-secret-1").status_code == 403


def test_no_link_can_approve_or_discard(visitor: Visitor, admin: Visitor) -> None:
    visitor.sign_up("linked", "linked-secret-1")
    for page in ("authorize/linked", "discard/linked"):
        assert admin.get(page).status_code == 405
        assert admin.session.post(admin.hub.url + page, timeout=60).status_code == 403  # no token of the form
    assert visitor.log_in("linked", "linked-secret-1").status_code == 403
    assert 'id="linked"' in admin.get("authorize").text


@pytest.mark.parametrize("page", ["authorize/admin", "discard/admin", "authorize", "change-password/admin"])
def test_only_an_admin_reaches_the_admins_pages(member: Join, page: str) -> None:
    someone = member("curious-" + page.replace("/", "-"))
    assert someone.get(page).status_code in (403, 405)
    assert someone.post(page, "change-password", new_password="x").status_code in (403, 405)


def test_a_discarded_account_is_gone_and_its_name_free(visitor: Visitor, admin: Visitor) -> None:
    visitor.sign_up("discarded", "discarded-secret-1")
    assert admin.post("discard/discarded", "authorize").status_code == 302
    assert 'id="discarded"' not in admin.get("authorize").text
    assert "sent to the admin" in visitor.sign_up("discarded", "discarded-secret-2")


def test_a_one_time_password_gives_no_session(visitor: Visitor) -> None:
    answer = visitor.log_in("second", "one-time-1")
    assert answer.status_code == 200
    assert "Choose a password" in answer.text
    assert not visitor.is_in()
    assert visitor.get("api/user").status_code == 403


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("wrong", "seconds-own-1", "seconds-own-1", "current password was incorrect"),
        ("one-time-1", "one-time-1", "one-time-1", "The new password is the old one"),
        ("one-time-1", "seconds-own-1", "seconds-own-2", "match the confirmation"),
        ("one-time-1", "short", "short", "must have at least 8 characters"),
        ("one-time-1", "password", "password", "not be too common"),
    ],
)
def test_a_new_password_that_will_not_do_changes_nothing(
    visitor: Visitor, old: str, new: str, again: str, said: str
) -> None:
    answer = visitor.choose("second", old, new, again)
    assert answer.status_code == 403
    assert said in answer.text
    assert not visitor.is_in()
    assert visitor.log_in("second", "one-time-1").status_code == 200


def test_the_first_admin_is_in_after_choosing_a_password(admin: Visitor, visitor: Visitor) -> None:
    assert admin.is_in()
    assert admin.get("admin").status_code == 200
    assert visitor.log_in("admin", "one-time-1").status_code == 403
    assert visitor.log_in("admin", "admins-own-1").status_code == 302


def test_a_one_time_password_set_while_the_hub_runs_ends_every_session(member: Join, visitor: Visitor) -> None:
    reset = member("reset")
    done = reset.hub.site.run("hubfleet_hub.passwd", "set", "reset", stdin="one-time-2\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert not reset.is_in()
    assert visitor.log_in("reset", "reset-secret-1").status_code == 403
    assert visitor.choose("reset", "one-time-2", "reset-secret-2").status_code == 302
    assert visitor.is_in()


def test_a_password_that_an_admin_sets_is_a_one_time_password(member: Join, admin: Visitor, visitor: Visitor) -> None:
    someone = member("forgetful")
    fields = dict.fromkeys(("new_password", "new_password_confirmation"), "from-the-admin-1")
    answer = admin.post("change-password/forgetful", "change-password/forgetful", **fields)
    assert "changed successfully" in answer.text
    assert not someone.is_in()
    assert "Choose a password" in visitor.log_in("forgetful", "from-the-admin-1").text
    assert visitor.choose("forgetful", "from-the-admin-1", "forgetful-own-2").status_code == 302


def test_a_form_that_expired_is_shown_again_with_the_reason(visitor: Visitor) -> None:
    fields = {"username": "second", "password": "one-time-1", "_xsrf": "old"}
    for page in ("login", "new-password"):
        answer = visitor.session.post(visitor.hub.url + page, data=fields, timeout=60)
        assert answer.status_code == 403
        assert "Login form invalid or expired. Try again." in answer.text
        assert 'id="password_input"' in answer.text


def test_an_own_new_password_ends_the_other_sessions(member: Join, visitor: Visitor) -> None:
    here = member("changer")
    visitor.log_in("changer", "changer-secret-1")
    fields = {"new_password": "changer-secret-2", "new_password_confirmation": "changer-secret-2"}
    wrong = here.post("change-password", "change-password", old_password="wrong", **fields)
    assert "current password was incorrect" in wrong.text
    same = dict.fromkeys(("old_password", "new_password", "new_password_confirmation"), "changer-secret-1")
    assert "is the old one" in here.post("change-password", "change-password", **same).text
    good = here.post("change-password", "change-password", old_password="changer-secret-1", **fields)
    assert "changed successfully" in good.text
    assert here.is_in()
    assert not visitor.is_in()


def test_a_name_is_locked_after_the_failures_that_were_set(member: Join, visitor: Visitor) -> None:
    member("locked")
    for _ in range(3):
        visitor.log_in("locked", "wrong")
    answer = visitor.log_in("locked", "locked-secret-1")
    assert answer.status_code == 403
    assert "Invalid username or password" in answer.text


def test_the_metrics_ask_for_a_token(visitor: Visitor) -> None:
    token = (visitor.hub.site.root / "secrets" / "status_token").read_text().strip()
    assert visitor.get("metrics").status_code == 403
    assert visitor.get("metrics", headers={"Authorization": f"token {token}"}).status_code == 200


def test_the_token_of_verify_makes_its_own_users_and_no_others(visitor: Visitor) -> None:
    token = (visitor.hub.site.root / "secrets" / "verify_token").read_text().strip()
    headers = {"Authorization": f"token {token}"}

    def call(method: str, path: str) -> int:
        return requests.request(method, visitor.hub.url + "api/" + path, headers=headers, timeout=60).status_code

    assert call("POST", f"users/{VERIFY_USERS[0]}") == 201
    assert call("DELETE", f"users/{VERIFY_USERS[0]}") == 204
    assert call("POST", "users/mallory") == 404
    assert call("GET", "users/admin") == 404
    assert call("POST", "users/admin/server") == 404
    assert call("POST", "users/admin/tokens") in (403, 404)


def test_no_password_and_no_secret_is_in_the_log(hub: Hub, admin: Visitor) -> None:
    text = hub.log.read_text()
    secrets = [path.read_text().strip() for path in (hub.site.root / "secrets").rglob("*") if path.is_file()]
    assert [value for value in [*secrets, "one-time-1", "admins-own-1"] if value in text] == []
