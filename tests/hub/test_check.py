"""A configuration that would not start a hub is refused in one line, before it replaces one that does."""

from collections.abc import Callable
from typing import Any

import pytest

from hubfleet_hub import check, config
from hubfleet_hub.config import HubConfig

Judge = Callable[[str], str]


@pytest.fixture
def judge(here: Any, make: Callable[..., HubConfig], monkeypatch: pytest.MonkeyPatch) -> Judge:
    """What is said of a lab's own file."""
    here.write(make())
    monkeypatch.setattr(config, "ETC", here.root / "etc")
    monkeypatch.setattr(check, "ETC", here.root / "etc")

    def say(own: str) -> str:
        here.write_own("50-own.py", own)
        return check.check()

    return say


def test_an_own_file_sees_what_was_set_before(judge: Judge) -> None:
    assert judge("c.DockerSpawner.extra_create_kwargs['labels']['mine'] = 'x'") == ""


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("x = 1\nx.y", r"50-own.py, line 2: AttributeError: 'int' object has no attribute 'y'"),
        ("def", "50-own.py, line 1: SyntaxError: invalid syntax"),
        ("import no_such_module", "50-own.py, line 1: ModuleNotFoundError: No module named 'no_such_module'"),
        ("c.DockerSpawner.remove = 'perhaps'", "a setting has a value that JupyterHub refuses"),
        ("c.JupyterHub.authenticator_class = 'no.such.Class'", "a setting has a value that JupyterHub refuses"),
    ],
)
def test_a_mistake_is_told_with_its_place(judge: Judge, own: str, said: str) -> None:
    assert said in judge(own)


def test_a_mistake_in_hub_yaml_is_told(judge: Judge, here: Any) -> None:
    path = here.root / "etc" / "hub.yaml"
    path.write_text(path.read_text().replace("hub_name: lab", "hub_name: LAB"))
    assert judge("").startswith("hub.yaml: hub_name: ")


def test_the_deploy_gets_one_line_and_an_exit_status(site: Any, make: Callable[..., HubConfig]) -> None:
    site.write(make())
    site.write_own("50-own.py", "")
    good = site.run("hubfleet_hub.check")
    assert (good.returncode, good.stdout) == (0, "check: the hub's configuration is good\n")
    site.write_own("50-own.py", "1 / 0")
    bad = site.run("hubfleet_hub.check")
    assert bad.returncode == 1
    assert bad.stderr.startswith("check: ")
    assert bad.stderr.endswith("50-own.py, line 1: ZeroDivisionError: division by zero\n")
