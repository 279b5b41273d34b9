"""Users as data: what the inventory says of people holds after the next run, for those who are in as well."""

from collections.abc import Callable, Iterator

import pytest

from tests.e2e.hub import Hub, wait_until
from tests.e2e.person import Person
from tests.fleet.ring import STATE

Come = Callable[[str], Person]


@pytest.fixture
def back_to_all(hub: Hub) -> Iterator[None]:
    """Ends with nobody banned and everyone allowed."""
    yield
    hub.apply(users_banned=[], users_allowed=[], users_admins=["admin", "deputy"])


@pytest.mark.usefixtures("back_to_all")
def test_those_taken_off_lose_sessions_tokens_and_servers_and_keep_their_files(hub: Hub, newcomer: Come) -> None:
    una, vic, wim = (newcomer(name).start() for name in ("una", "vic", "wim"))
    for person in (una, vic, wim):
        person.write("kept.txt", b"still here")
    kernel = wim.kernel()
    kernel.run("x = 41")

    hub.apply(users_banned=["una"], users_allowed=["wim"])
    for person in (una, vic):  # one banned, one on the list no more
        assert not person.logged_in()
        assert person.ask("GET", "/hub/api/user").status_code == 403
        assert person.log_in().status_code == 403
        assert hub.host.run(f"cat /srv/hubfleet/users/{person.name}/kept.txt").out == "still here"
    wait_until(lambda: hub.containers("server") == ["hubfleet-hub-server-wim"], "the servers of both are gone")
    assert wim.logged_in()
    assert kernel.run_after_reconnecting_once("x + 1") == "42"
    wim.stop()

    hub.apply(users_banned=[], users_allowed=[])
    assert una.log_in().ok
    assert una.take_token().start().kernel().run("open('kept.txt').read()") == "'still here'"
    una.stop()


@pytest.mark.usefixtures("back_to_all")
def test_an_admin_added_gets_a_one_time_password_and_one_taken_off_is_admin_no_more(hub: Hub) -> None:
    hub.apply(users_admins=["admin", "deputy", "xena"])
    path = f"{STATE}/passwords/xena"
    assert hub.host.run(f"stat -c '%a %U' {path}").out.strip() == "600 root"
    xena = Person(hub, "xena")
    assert xena.replace_one_time(hub.one_time_password("xena")).ok
    assert xena.take_token().about()["admin"] is True
    assert xena.get("/hub/authorize").ok

    hub.apply(users_admins=["admin", "deputy"])
    assert xena.log_in().ok
    assert xena.take_token().about()["admin"] is False
    assert xena.get("/hub/authorize").status_code in (403, 404)


@pytest.mark.usefixtures("back_to_all")
def test_a_stranger_who_signed_up_before_the_name_became_an_admins_is_out(hub: Hub) -> None:
    stranger = Person(hub, "yuri")
    assert stranger.sign_up().ok
    hub.apply(users_admins=["admin", "deputy", "yuri"])
    assert stranger.log_in().status_code == 403
    assert Person(hub, "yuri").replace_one_time(hub.one_time_password("yuri")).ok
