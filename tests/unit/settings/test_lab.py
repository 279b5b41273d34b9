"""What follows from settings, and what must hold between the tables of settings."""

import inspect
import ipaddress

import pytest

from hubfleet.hub_config import config_files, hub_config
from hubfleet.settings import Lab, check_inventory
from hubfleet.settings.check import secret_keys
from hubfleet.settings.originals import LATER, RENAMED
from hubfleet.settings.rules import BUILT, FITS, RULES
from hubfleet_hub.config import HubConfig
from tests.unit.settings.conftest import ROOT, Write

URL = {"public_url": "https://hub.example.org:8443/jupyter"}


@pytest.fixture
def lab(write: Write) -> Lab:
    return check_inventory(write({"a": URL}), cwd=ROOT)["a"]


# --- Names, places, addresses --------------------------------------------------------------------------------


def test_every_name_and_place_on_the_host_carries_the_hubs_name(write: Write) -> None:
    lab = check_inventory(write({"a": URL | {"hub_name": "neuro"}}), cwd=ROOT)["a"]
    for made in [*dict(lab.names).values(), *dict(lab.paths).values()]:
        assert "neuro" in made, made


def test_two_long_names_make_different_interfaces_of_at_most_15_characters(write: Write) -> None:
    hosts = {
        name: {"public_url": f"https://{name}.example.org", "hub_name": f"neuroimaging-{name}"} for name in ("a", "b")
    }
    labs = check_inventory(write(hosts), cwd=ROOT)
    bridges = {bridge for lab in labs.values() for bridge in (lab.names.core_bridge, lab.names.users_bridge)}
    assert len(bridges) == 4
    assert all(len(bridge) <= 15 for bridge in bridges)


def test_the_fixed_addresses_are_none_that_servers_get(lab: Lab) -> None:
    addresses = lab.addresses
    pool = ipaddress.ip_network(addresses.users_pool)
    assert pool.subnet_of(ipaddress.ip_network(addresses.users_subnet))  # type: ignore[arg-type]
    fixed = [addresses.users_gateway, addresses.hub_users, addresses.proxy_users]
    assert len(set(fixed)) == 3
    assert not any(ipaddress.ip_address(address) in pool for address in fixed)


def test_apt_goes_directly_to_the_single_hosts_that_are_reached_without_the_proxy(write: Write) -> None:
    direct = ["mirror.example.org", "192.0.2.3", ".example.org", "10.0.0.0/8", "registry.example.org:5000"]
    outside = check_inventory(write({"a": URL | {"outbound_no_proxy": direct}}), cwd=ROOT)["a"].outside
    assert outside.direct_hosts == ["mirror.example.org", "192.0.2.3"]
    assert outside.no_proxy("10.217.0.2") == f"localhost,127.0.0.1,10.217.0.2,{','.join(direct)}"


# --- hub.yaml ------------------------------------------------------------------------------------------------


def test_hub_yaml_says_what_the_inventory_says(lab: Lab) -> None:
    hub = HubConfig.from_yaml(hub_config(lab, "hubfleet/singleuser:1").to_yaml())
    assert hub == hub_config(lab, "hubfleet/singleuser:1")
    assert (hub.public_url, hub.base_url) == ("https://hub.example.org:8443/jupyter/", "/jupyter/")
    assert hub.server.image == "hubfleet/singleuser:1"
    assert hub.server.mem_limit == 8 * 1024**3
    assert hub.server.network == lab.names.users_network
    assert hub.server_prefix == lab.names.server_prefix
    assert str(hub.addresses.hub_users) == lab.addresses.hub_users
    assert hub.users.admins == ("admin",)
    assert hub.db == "sqlite"


@pytest.mark.parametrize(("profile", "user"), [("restricted", ""), ("desktop", "root"), ("privileged", "root")])
def test_only_servers_that_may_become_root_start_as_root(write: Write, profile: str, user: str) -> None:
    lab = check_inventory(write({"a": URL | {"server_profile": profile}}), cwd=ROOT)["a"]
    assert hub_config(lab, "lab:1").server.user == user


def test_hub_yaml_holds_no_secret(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_DB", "postgresql://hub:hunter2@db.example.org/hub")
    lab = check_inventory(write({"a": URL | {"hub_db_url": "env:LAB_DB"}}), cwd=ROOT)["a"]
    text = hub_config(lab, "lab:1").to_yaml()
    assert "db: secret" in text
    assert "hunter2" not in text


def test_a_labs_own_python_comes_in_the_order_of_its_names(write: Write) -> None:
    path = write({"a": URL | {"hub_config_dir": "mine.d"}})
    (path.parent / "mine.d").mkdir()
    for name in ("20-b.py", "10-a.py", "README.md"):
        (path.parent / "mine.d" / name).write_text(f"# {name}\n")
    assert list(config_files(check_inventory(path, cwd=ROOT)["a"])) == ["10-a.py", "20-b.py"]


# --- The tables ----------------------------------------------------------------------------------------------


def test_every_rule_asks_for_settings_that_exist() -> None:
    asked = {key for rule in RULES for key in inspect.signature(rule).parameters}
    assert asked - {"directory"} <= Lab.keys().keys()


def test_every_axis_has_choices_that_exist() -> None:
    rows = [(key, choice) for key, choices in BUILT.items() for choice in choices]
    rows += [row for key, choice, other, needed, _ in FITS for row in [(key, choice), *((other, n) for n in needed)]]
    for key, choice in rows:
        concern, field = Lab.keys()[key]
        annotation = Lab.concerns()[concern].model_fields[field].annotation
        assert choice in repr(annotation) or (annotation is bool and choice == "True"), (key, choice)


def test_every_key_of_another_system_points_to_a_setting_that_exists() -> None:
    settings = Lab.keys()
    for old, hint in RENAMED.items():
        assert old == old.upper()
        if hint.startswith("use "):
            assert hint.removeprefix("use ") in settings, old


def test_no_setting_looks_like_one_of_a_later_version() -> None:
    settings = Lab.keys()
    assert not [key for key in settings if key.startswith(tuple(LATER))]


def test_every_setting_is_described() -> None:
    for model in Lab.concerns().values():
        for name, field in model.model_fields.items():
            assert field.description, name
            assert field.description.endswith("."), name


def test_no_model_has_a_default() -> None:
    assert not [f for m in Lab.concerns().values() for f in m.model_fields.values() if not f.is_required()]


def test_secrets_are_known_by_their_type() -> None:
    assert secret_keys() == {"hub_db_url", "oauth_client_secret", "tls_key"}
