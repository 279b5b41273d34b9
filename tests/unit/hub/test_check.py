"""A configuration that would not start a hub is refused in one line, before it replaces one that does."""

from collections.abc import Callable
from typing import Any

import pytest

from hubfleet_hub.config import HubConfig


@pytest.fixture
def checked(site: Any, make: Callable[..., HubConfig]) -> Callable[[str], tuple[int, str]]:
    """The exit status and the one line for a lab's own file."""
    site.write(make())

    def check(own: str) -> tuple[int, str]:
        site.write_own("50-own.py", own)
        done = site.run("hubfleet_hub.check")
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, (done.stdout or done.stderr).strip().splitlines()[-1]

    return check


def test_a_good_one_passes(checked: Any) -> None:
    assert checked("c.JupyterHub.log_level = 'DEBUG'") == (0, "check: the hub's configuration is good")


def test_an_own_file_sees_what_was_set_before(checked: Any) -> None:
    assert checked("c.DockerSpawner.extra_create_kwargs['labels']['mine'] = 'x'")[0] == 0


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("x = 1\nx.y", r"50-own.py, line 2: AttributeError: 'int' object has no attribute 'y'"),
        ("def", "50-own.py, line 1: SyntaxError: invalid syntax"),
        ("c.DockerSpawner.remove = 'perhaps'", "a setting has a value that JupyterHub refuses"),
        ("c.JupyterHub.authenticator_class = 'no.such.Class'", "Bad config encountered during initialization"),
    ],
)
def test_a_mistake_is_told_with_its_place(checked: Any, own: str, said: str) -> None:
    status, line = checked(own)
    assert status == 1
    assert said in line


def test_a_mistake_in_hub_yaml_is_told(site: Any) -> None:
    path = site.root / "etc" / "hub.yaml"
    path.write_text(path.read_text().replace("hub_name: lab", "hub_name: LAB"))
    done = site.run("hubfleet_hub.check")
    assert done.returncode == 1
    assert "check: hub.yaml: hub_name: " in done.stderr
