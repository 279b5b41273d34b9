"""hub.yaml: what is written is what is read, and what is wrong is said in one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubfleet_hub.config import ConfigError, HubConfig

Make = Callable[..., HubConfig]
Data = Callable[..., dict[str, Any]]


def test_what_the_control_side_writes_the_hub_reads(make: Make) -> None:
    config = make(users__admins=["ada", "bjørn"], server__environment={"A": "1: {x}"})
    assert HubConfig.from_yaml(config.to_yaml()) == config


def test_the_same_config_is_the_same_bytes(make: Make) -> None:
    assert make().to_yaml() == make().to_yaml()


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://hub.example.org", "/"),
        ("https://hub.example.org/", "/"),
        ("https://hub.example.org:8443/jupyter", "/jupyter/"),
        ("https://192.0.2.1/a/b/", "/a/b/"),
    ],
)
def test_the_base_url_is_the_path_of_the_public_url(make: Make, url: str, base: str) -> None:
    assert make(public_url=url).base_url == base


def test_a_trusted_proxy_is_known_by_both_spellings_of_its_address(make: Make) -> None:
    addresses = make(addresses__trusted_proxies=["10.210.0.1", "fd00::1"]).addresses
    assert addresses.trusted_downstream() == ["10.210.0.1", "fd00::1", "::ffff:10.210.0.1"]


GITHUB = {
    "provider": "github",
    "client_id": "id",
    "url": "",
    "allowed_organizations": [],
    "traits": {},
}
ORGANIZATION = GITHUB | {"allowed_organizations": ["lab"]}


@pytest.mark.parametrize(
    ("changes", "name", "refused"),
    [
        ({}, "anyone", False),
        ({"users__banned": ["eve"]}, "eve", True),
        ({"users__allowed": ["ada"]}, "ada", False),
        ({"users__allowed": ["ada"]}, "eve", True),
        ({"users__allowed": ["ada"]}, "admin", False),
        ({"users__allowed": ["ada"], "users__banned": ["ada"]}, "ada", True),
        ({"users__allowed": ["ada"]}, "hubfleet-verify-0", False),
        # An OAuth provider alone: nobody is let in for having an account there.
        ({"login": ["oauth"], "oauth": GITHUB}, "admin", False),
        ({"login": ["oauth"], "oauth": GITHUB}, "eve", True),
        ({"login": ["oauth"], "oauth": GITHUB, "users__allowed": ["ada"]}, "ada", False),
        ({"login": ["oauth"], "oauth": GITHUB, "users__allowed": ["ada"]}, "eve", True),
        # Members of organisations are known when they log in.
        ({"login": ["oauth"], "oauth": ORGANIZATION, "users__allowed": ["ada"]}, "member", False),
        ({"login": ["oauth"], "oauth": ORGANIZATION, "users__banned": ["member"]}, "member", True),
        ({"login": ["oauth"], "oauth": GITHUB | {"traits": {"allowed_scopes": ["lab"]}}}, "member", False),
        ({"login": ["native", "oauth"], "oauth": ORGANIZATION, "users__allowed": ["ada"]}, "github-member", False),
        ({"login": ["native", "oauth"], "oauth": ORGANIZATION, "users__allowed": ["ada"]}, "member", True),
        ({"login": ["native", "oauth"], "oauth": GITHUB, "users__allowed": ["ada"]}, "github-eve", True),
    ],
)
def test_who_is_refused(make: Make, changes: dict[str, Any], name: str, refused: bool) -> None:
    assert make(**changes).refuses(name) is refused


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"colour": "red"}, "hub.yaml: colour: Extra inputs are not permitted"),
        ({"server__mem_limit": 0}, "hub.yaml: server.mem_limit: Input should be greater than 0"),
        ({"hub_name": "Lab_1"}, "hub.yaml: hub_name: "),
        ({"public_url": "hub.example.org"}, "is no address of a hub"),
        ({"public_url": "https://hub.example.org/?x=1"}, "is no address of a hub"),
        ({"home__base_user_dir": "homes"}, "hub.yaml: home.base_user_dir: "),
        (
            {"addresses__hub_core": "hub"},
            "hub.yaml: addresses.hub_core: value is not a valid IPv4",
        ),
        ({"users__banned": ["admin"]}, "hub.yaml: users: admin: both admin and banned"),
        ({"native": None}, "login has 'native', so its settings are needed"),
        ({"login": ["ldap"]}, "hub.yaml: login.0: Input should be 'native'"),
    ],
)
def test_a_mistake_is_named_by_its_key(hub_data: Data, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as error:
        HubConfig.from_yaml(yaml.safe_dump(hub_data(**changes)))
    assert said in str(error.value)


def test_all_mistakes_are_told_at_once(hub_data: Data) -> None:
    with pytest.raises(ConfigError) as error:
        HubConfig.from_yaml(yaml.safe_dump(hub_data(db="mysql", server__cpu_limit=-1, cull__every=0)))
    assert len(str(error.value).splitlines()) == 3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hub\.yaml: No such file"):
        HubConfig.load(tmp_path / "hub.yaml")


def test_a_file_that_is_no_yaml_is_said_to_be_none() -> None:
    with pytest.raises(ConfigError, match="not YAML"):
        HubConfig.from_yaml("a: [")


def test_every_field_must_be_given(hub_data: Data) -> None:
    for key in hub_data():
        data = hub_data()
        del data[key]
        with pytest.raises(ConfigError, match=f"hub.yaml: {key}: Field required"):
            HubConfig.from_yaml(yaml.safe_dump(data))


@pytest.mark.parametrize(
    ("login", "user", "belongs_to"),
    [
        (["pam", "oauth"], "ada", "pam"),
        (["pam", "oauth"], "github-ada", "oauth"),
        (["native", "lti13"], "lti13-7", "lti13"),
        (["oauth"], "github-ada", "oauth"),
        (["pam"], "github-ada", "pam"),
        (["lti13", "oauth"], "declared", "oauth"),
    ],
)
def test_a_user_belongs_to_the_login_that_gives_such_names(
    hub_data: Data, login: list[str], user: str, belongs_to: str
) -> None:
    data = hub_data(login=login, users__oauth={"declared": "Somebody"})
    data["oauth"] = {
        "provider": "github",
        "client_id": "id",
        "url": "",
        "allowed_organizations": [],
        "traits": {},
    }
    data["lti13"] = {
        "issuer": "https://lms.example.org",
        "client_ids": ["hub"],
        "authorize_url": "https://lms.example.org/auth",
        "jwks_url": "https://lms.example.org/certs",
        "username_claim": "sub",
        "leeway": 60,
        "max_age": 600,
        "tool_name": "JupyterHub",
    }
    data["spawner"] = "local"
    assert HubConfig.model_validate(data).login_of(user) == belongs_to
