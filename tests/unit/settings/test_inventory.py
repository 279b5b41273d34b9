"""Mistakes that are the inventory's and not one value's, and what pyinfra merges."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubfleet.settings import SettingsError, check_inventory, labs_of, load
from tests.unit.settings.conftest import ROOT, Write

URL = {"public_url": "https://hub.example.org"}


def told(inventory: Path, **options: Any) -> list[str]:
    """Every line that is said about an inventory."""
    with pytest.raises(SettingsError) as caught:
        check_inventory(inventory, cwd=ROOT, **options)
    return [str(problem) for problem in caught.value.problems]


@pytest.fixture
def text(tmp_path: Path) -> Callable[[str], Path]:
    """Writes an inventory as it stands."""

    def write(content: str) -> Path:
        path = tmp_path / "lab.py"
        path.write_text(content)
        return path

    return write


# --- Flavours ------------------------------------------------------------------------------------------------


def test_a_host_in_no_flavour_is_told_the_flavours(write: Write) -> None:
    assert told(write({"a": URL}, group="hubs")) == [
        "a: is in no flavour, only in hubs, lab; list it under one of "
        "neurodesk, personal, collaborative, classroom, xnat"
    ]


def test_a_flavour_mistyped_is_told_its_name(write: Write) -> None:
    assert told(write({"a": URL}, group="clasroom")) == [
        "a: is in no flavour, only in clasroom, lab; did you mean classroom?"
    ]


def test_a_host_in_two_flavours_is_a_mistake(text: Callable[[str], Path]) -> None:
    assert told(
        text(f"neurodesk = [('a', {URL | {'login': ['native'], 'server_shm_size': '64M'}})]\nclassroom = ['a']")
    ) == [
        "a: is in the flavours neurodesk and classroom; list it under one; "
        "a second hub on one machine comes with a later version"
    ]


# --- Hosts that get in each other's way ----------------------------------------------------------------------


def test_two_entries_that_reach_one_machine_are_a_mistake(write: Write) -> None:
    hosts = {
        "hub.example.org": URL,
        "HUB.example.org.": {"public_url": "https://b.example.org"},
        "c": {"public_url": "https://c.example.org", "ssh_hostname": "hub.example.org"},
        "d": {"public_url": "https://d.example.org", "ssh_hostname": "hub.example.org", "ssh_port": 2222},
    }
    assert [line.partition(";")[0] for line in told(write(hosts))] == [
        "HUB.example.org.: reaches the same machine as hub.example.org",
        "c: reaches the same machine as hub.example.org",
    ]


def test_two_hubs_at_one_address_are_a_mistake_however_it_is_spelled(write: Write) -> None:
    hosts = {"a": URL, "b": {"public_url": "HUB.example.org:443/"}}
    assert told(write(hosts)) == [
        "b: public_url = 'HUB.example.org:443/': is the address of a too; give each hub its own"
    ]


def test_a_host_listed_twice_is_a_mistake(text: Callable[[str], Path]) -> None:
    assert told(text(f"neurodesk = [('a', {URL}), ('a', {{}})]")) == ["a: is listed twice in neurodesk; keep one entry"]


# --- Files that are no inventory -----------------------------------------------------------------------------


def test_a_host_without_its_address_is_told_so(write: Write) -> None:
    assert told(write({"a": {}})) == ["a: public_url: is not set; add it beside the host in the inventory"]


def test_an_inventory_without_hosts_is_a_mistake(text: Callable[[str], Path]) -> None:
    assert told(text("neurodesk = []")) == [
        "inventory: has no hosts; list one under a flavour: neurodesk, personal, collaborative, classroom or xnat"
    ]


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    assert told(tmp_path / "no.py") == [
        f"inventory: {tmp_path}/no.py: is no file; name an inventory, such as inventories/prod.py"
    ]


@pytest.mark.parametrize(
    "content",
    ["neurodesk = ('a', {})", "neurodesk = {'a': {}}", "neurodesk = 'a'", "neurodesk = ([('a', {})], 5)"],
    ids=["forgotten brackets", "a dictionary", "a text", "group data that is none"],
)
def test_a_group_that_pyinfra_would_misread_is_a_mistake(text: Callable[[str], Path], content: str) -> None:
    [line] = told(text(content))
    assert line.startswith("inventory: neurodesk: is no list of hosts; write [(")


@pytest.mark.parametrize("entry", ["5", "('a', 'data')", "('a', {}, {})", "''"])
def test_an_entry_that_is_no_host_is_a_mistake(text: Callable[[str], Path], entry: str) -> None:
    [line] = told(text(f"neurodesk = [{entry}]"))
    assert line.startswith("inventory: neurodesk: has ")
    assert line.endswith('which is no host; write ("hub.example.org", {...}); a list that is no group begins with _')


def test_a_connector_that_is_not_there_is_a_mistake(text: Callable[[str], Path]) -> None:
    [line] = told(text("neurodesk = ['@dokcer/a']"))
    assert "Invalid connector: dokcer" in line


@pytest.mark.parametrize(
    ("content", "what"),
    [("neurodesk = [\n('a', {'x': })]", "line 2: SyntaxError: "), ("x = 1\ny = z\n", "line 2: NameError: ")],
)
def test_an_inventory_that_is_not_python_names_its_line(text: Callable[[str], Path], content: str, what: str) -> None:
    [line] = told(text(content))
    assert what in line
    assert line.startswith("inventory: ")


def test_group_data_that_is_not_python_names_its_line(write: Write, tmp_path: Path) -> None:
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data" / "all.py").write_text("tls_mode = 'files'\nserver_mem_limit = 8G\n")
    [line] = told(write({"a": URL}))
    assert f"{tmp_path}/group_data/all.py line 2: SyntaxError: " in line


def test_outside_the_clone_the_missing_defaults_are_one_mistake(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        check_inventory(write({"a": URL}), cwd=tmp_path)
    [problem] = caught.value.problems
    assert problem.hint == "run from the directory that Hubfleet was cloned to"


# --- What is merged, and who wins ----------------------------------------------------------------------------


def test_a_labs_own_directory_wins_over_the_clone(write: Write, tmp_path: Path) -> None:
    (tmp_path / "group_data").mkdir()
    (tmp_path / "group_data" / "all.py").write_text("edge_http_port = 0\nserver_mem_limit = '3G'\n")
    (tmp_path / "group_data" / "neurodesk.py").write_text("server_cpu_limit = 3\n_half = 2\n")
    lab = check_inventory(write({"a": URL | {"server_pids_limit": 300}}), cwd=ROOT)["a"]
    assert lab.edge.http_port == 0
    assert lab.server.cpu_limit == 3
    assert lab.server.pids_limit == 300
    assert lab.server.shm_size == 2 * 1024**3, "the flavour's own, from the clone"
    assert lab.server.mem_limit == 8 * 1024**3, "a flavour is nearer to a host than all.py"


def test_group_data_without_effect_is_a_mistake(text: Callable[[str], Path]) -> None:
    group = {"server_cpu_limit": 2, "edge_http_port": 0}
    host = URL | {"cull_every": 0}
    assert told(text(f"neurodesk = ([('a', {host})], {group})")) == [
        "inventory: server_cpu_limit = 2: is set for neurodesk and has no effect, since group_data/neurodesk.py sets "
        "it too; set it beside each host, or in your own group_data",
        "a: cull_every = 0: is too small; give at least 30",
    ]


def test_files_are_relative_to_the_inventory(write: Write, made: Path, tmp_path: Path) -> None:
    for name in ("hub.pem", "hub.key"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    (tmp_path / "mine.d").mkdir()
    (tmp_path / "mine.d" / "10-mine.py").write_text("c.Spawner.debug = True\n")
    settings = {
        "tls_mode": "files",
        "tls_cert": "hub.pem",
        "tls_key": "file:hub.key",
        "extra_ca": "hub.pem",
        "hub_config_dir": "mine.d",
    }
    lab = check_inventory(write({"a": URL | settings}), cwd=ROOT)["a"]
    assert lab.local(lab.tls.cert) == tmp_path / "hub.pem"
    assert lab.read(lab.outside.extra_ca).startswith("-----BEGIN CERTIFICATE-----")


def test_a_wildcard_certificate_fits_one_level(write: Write, made: Path) -> None:
    (made / "wild.py").write_text(
        f"""neurodesk = [(name, {{
            "public_url": name, "tls_mode": "files", "tls_cert": "hub.pem", "tls_key": "file:hub.key"
        }}) for name in {["a.labs.example.org", "a.b.labs.example.org"]}]"""
    )
    [line] = told(made / "wild.py")
    assert line == (
        "a.b.labs.example.org: tls_cert = 'hub.pem': is for *.labs.example.org, hub.example.org and not for "
        "a.b.labs.example.org; get one that names it"
    )


def test_what_the_command_line_sets_is_judged(write: Write) -> None:
    assert told(write({"a": URL}), data={"server_cpu_limit": "many"}) == [
        "a: server_cpu_limit = 'many': is not a number; write it without quotes, such as 2 or 0.5"
    ]


def test_what_the_command_line_sets_counts_as_set(write: Write) -> None:
    assert check_inventory(write({"a": {}}), URL, cwd=ROOT)["a"].hub.public_url.host == "hub.example.org"


def test_pyinfras_own_keys_pass(write: Write) -> None:
    own = {
        "ssh_user": "labadmin",
        "ssh_port": 2222,
        "_sudo": True,
        "_sudo_password": "x",
        "docker_platform": "linux/amd64",
    }
    assert check_inventory(write({"a": URL | own}), cwd=ROOT)["a"].host == "a"


def test_data_of_ones_own_passes_under_an_underscore(write: Write) -> None:
    assert check_inventory(write({"a": URL | {"_rack": 7}}), cwd=ROOT)["a"].host == "a"


def test_an_inventory_loaded_by_other_means_is_judged_alike(write: Write, tmp_path: Path) -> None:
    inventory = load(write({"a": URL, "b": {}}), cwd=ROOT)
    with pytest.raises(SettingsError, match="b: public_url: is not set"):
        labs_of(inventory, tmp_path)
    with pytest.raises(SettingsError, match="b: public_url: is not set"):
        labs_of(inventory, tmp_path)
