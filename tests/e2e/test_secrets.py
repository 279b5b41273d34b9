"""No secret of a hub shows anywhere but in its own file."""

import pytest

from tests.e2e.hub import Hub
from tests.e2e.person import Person
from tests.fleet.ring import leaked, secrets_of

SHOWN = {
    "docker inspect": "docker ps -aq | xargs docker inspect",
    "image history": "docker images -q | sort -u | xargs -n1 docker history --no-trunc",
    "images": "docker images -q | xargs docker inspect",
    "process list": "ps -eww -o args",
    "containers' logs": "for id in $(docker ps -aq); do docker logs $id; done 2>&1",
    "journal": "journalctl -q --no-pager",
    "edge's logs": "cat /var/log/nginx/*",
    "files everybody can read": "find / -xdev -path /proc -prune -o -type f -perm -o=r -newer /etc/os-release "
    "-size -200k -not -path '/usr/*' -print0 | xargs -0 cat",
}


@pytest.fixture(scope="module")
def secrets(hub: Hub, deputy: Person) -> dict[str, str]:
    """Each secret of the hub by its path, and what people chose or were given."""
    deputy.start()
    return secrets_of(hub.host) | {"the deputy's password": deputy.password, "the deputy's token": deputy.token}


@pytest.mark.parametrize("place", SHOWN)
def test_no_secret_shows_on_the_host(hub: Hub, secrets: dict[str, str], place: str) -> None:
    text = hub.host.run(SHOWN[place], check=False).out
    assert len(text) > 100, f"{place} shows nothing at all: {text!r}"
    assert leaked(text, secrets) == []


def test_no_secret_is_printed_by_a_run_at_its_most_talkative(hub: Hub, secrets: dict[str, str]) -> None:
    changed = hub.lab.pyinfra("-y", "-vvv", "--diff", "--data", "cull_every=602")
    assert leaked(changed, secrets) == []
    back = hub.lab.hubfleet("plan", code=2) + hub.lab.pyinfra("--dry", "-vvv", "--diff") + hub.apply()
    assert leaked(back, secrets) == []


def test_secrets_can_be_read_by_root_and_the_hub_alone(hub: Hub, secrets: dict[str, str]) -> None:
    paths = " ".join(path for path in secrets if path.startswith("/"))
    for line in hub.host.run(f"stat -c '%a %u %n' {paths}").out.splitlines():
        mode, owner, path = line.split()
        assert mode in ("400", "600"), line
        assert owner in ("0", "40740"), line
    hub.host.run("useradd -m nosy 2>/dev/null", check=False)
    for path in paths.split():
        assert hub.host.run(f"cat {path}", user="nosy", check=False).code != 0, path
