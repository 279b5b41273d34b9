"""Users' directories on the host: made with the right owner, whatever the name; never taken from anyone else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from hubfleet_hub.names import escape
from tests.e2e.hub import Hub
from tests.e2e.person import Person, ServerRefused

USERS = "/srv/hubfleet/users"

HARD_NAMES = ["foo_bar", "a.b@example.org", "-rf", "..a", "zoë-müller", "o'neil", "x" * 100]


def made_by(admin: Person, name: str) -> Person:
    """Someone whose account an admin made through the API, holding a token."""
    made = admin.ask("POST", "/hub/api/users", json={"usernames": [name]})
    assert made.status_code == 201, made.text
    token = admin.ask("POST", f"/hub/api/users/{quote(name, safe='')}/tokens", json={})
    assert token.status_code == 201, token.text
    return Person(admin.hub, name, token=token.json()["token"])


def test_a_hard_name_gets_a_directory_of_its_own_with_the_right_owner(hub: Hub, deputy: Person) -> None:
    people = [made_by(deputy, name) for name in HARD_NAMES]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Person.start, people))
    for person in people:
        directory = f"{USERS}/{escape(person.name)}"
        person.write("mine.txt", person.name.encode())
        container = f"hubfleet-hub-server-{escape(person.name)}"
        assert hub.host.run(f"stat -c '%u:%g %a' {directory}").out.strip() == "1000:100 700"
        assert hub.host.run(f"stat -c '%u:%g' {directory}/mine.txt").out.strip() == "1000:100"
        assert hub.host.copy_out(f"{directory}/mine.txt").decode() == person.name
        mounted = hub.inspect(
            container, '{{range .Mounts}}{{if eq .Destination "/home/jovyan"}}{{.Source}}{{end}}{{end}}'
        )
        assert mounted == directory
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Person.stop, people))
    assert len({escape(name) for name in HARD_NAMES}) == len(HARD_NAMES)


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("rosa", "install -d -o 4242 -g 4242 -m 0700 {0} && touch {0}/theirs", "belongs to 4242:4242"),
        ("sol", "ln -s /etc {0}", "is no directory"),
        ("tam", "touch {0}", "is no directory"),
    ],
    ids=["of-another-owner", "a-link", "a-file"],
)
def test_what_is_there_already_and_is_not_theirs_stays_and_they_read_why(
    hub: Hub, newcomer: Callable[[str], Person], name: str, make: str, reason: str
) -> None:
    path = f"{USERS}/{name}"
    hub.host.run(make.format(path))
    before = hub.host.listing(path)
    person = newcomer(name)
    with pytest.raises(ServerRefused, match=reason):
        person.start()
    assert reason in person.get(f"/hub/spawn/{name}").text
    assert hub.host.listing(path) == before
    assert f"hubfleet-hub-server-{name}" not in hub.containers("server", all_of_them=True)
