"""The inventories that we ship."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from hubfleet.settings import FLAVOURS, Lab, SettingsError, check_inventory

ROOT = Path(__file__).resolve().parents[2]
PROD = ROOT / "inventories" / "prod.py"


#: What the manual's references name; a lab has secrets of its own there.
SECRETS = {"TEAM_GITHUB_SECRET": "a secret", "PAD_GITHUB_SECRET": "another"}


def pyinfra(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the real command says about an inventory; it contacts nobody to show one."""
    command = [str(Path(sys.executable).with_name("pyinfra")), *words, "debug-inventory"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env=SECRETS | environment
    )


@pytest.mark.parametrize("name", ["prod", "local"])
def test_it_passes_its_own_check(name: str) -> None:
    done = pyinfra(f"inventories/{name}.py")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["prod", "local", "demo"])
def test_its_last_line_is_its_check(name: str) -> None:
    assert (ROOT / "inventories" / f"{name}.py").read_text().endswith("\ncheck(__file__)\n")


def test_the_manual_shows_a_lab_of_every_flavour() -> None:
    assert re.findall(r"^(?:# )?(\w+) = \[", PROD.read_text(), re.MULTILINE) == [
        "neurodesk", "classroom", "personal", "collaborative", "xnat",
    ]  # fmt: skip
    assert set(FLAVOURS) == {"neurodesk", "classroom", "personal", "collaborative", "xnat"}


def test_what_the_manual_shows_as_later_is_wrong_in_that_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    shown = re.sub(r"^# (\w+ = \[)", r"\1", PROD.read_text(), flags=re.MULTILINE)
    (tmp_path / "prod.py").write_text(shown)
    with pytest.raises(SettingsError) as caught:
        check_inventory(tmp_path / "prod.py", cwd=ROOT)
    assert {problem.host.partition(".")[0] for problem in caught.value.problems} == {"xnat"}
    assert all("comes with a later version" in problem.reason for problem in caught.value.problems)


def test_what_the_manual_suggests_can_be_set() -> None:
    suggested = re.findall(r'^ +# "(\w+)": ', PROD.read_text(), re.MULTILINE)
    settings = Lab.keys()
    assert len(suggested) > 5
    assert [key for key in suggested if key not in settings] == []


def test_the_local_one_is_this_machine() -> None:
    [(host, _)] = runpy.run_path(str(ROOT / "inventories" / "local.py"))["classroom"]
    assert host == "@local"


def test_without_the_demos_hosts_its_inventory_says_so_in_a_line(tmp_path: Path) -> None:
    done = pyinfra("inventories/demo.py", HUBFLEET_CACHE=str(tmp_path))
    assert done.returncode == 1
    assert "inventories/demo.py: no fleet 'demo' is up; start it with: script/demo" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_command_line_sets_is_judged_before_anyone_is_contacted() -> None:
    done = pyinfra("inventories/prod.py", "--data", "server_cpu_limit=many")
    assert done.returncode == 1
    assert "neuro.example.org: server_cpu_limit = 'many': is not a number" in done.stderr
    assert "python101.example.org: server_cpu_limit = 'many': is not a number" in done.stderr


def test_hosts_that_are_not_selected_are_judged_too() -> None:
    done = pyinfra("inventories/prod.py", "--limit", "neurodesk", "--data", "server_cpu_limit=many")
    assert "python101.example.org: server_cpu_limit" in done.stderr


def test_more_group_data_on_the_command_line_is_judged(tmp_path: Path) -> None:
    (tmp_path / "classroom.py").write_text("cull_evry = 60\n")
    done = pyinfra("inventories/prod.py", "--group-data", str(tmp_path))
    assert done.returncode == 1
    assert "python101.example.org: cull_evry = 60: is no key; did you mean cull_every?" in done.stderr


def test_a_labs_own_directory_outside_the_clone(tmp_path: Path) -> None:
    lab = tmp_path / "lab" / "inventories"
    (lab / "group_data").mkdir(parents=True)
    (lab / "group_data" / "classroom.py").write_text("server_mem_limit = '80x'\n")
    (lab / "prod.py").write_text(PROD.read_text())
    done = pyinfra(str(lab / "prod.py"))
    assert done.returncode == 1
    assert "python101.example.org: server_mem_limit = '80x': is not a size" in done.stderr
    (lab / "group_data" / "classroom.py").write_text("server_mem_limit = '2G'\n")
    done = pyinfra(str(lab / "prod.py"))
    assert done.returncode == 0, done.stderr


def test_deploy_judges_an_inventory_that_does_not_check_itself(tmp_path: Path) -> None:
    hosts = [
        (f"@fake/{name}", {"public_url": f"https://{name}.example.org", "login": ["native"], "edge_http_prt": 81})
        for name in "ab"
    ]
    (tmp_path / "lab.py").write_text(f"classroom = {hosts}\n")
    command = [str(Path(sys.executable).with_name("pyinfra")), "-y", "--limit", "@fake/a", "lab.py", "deploy.py"]
    command[-2] = str(tmp_path / "lab.py")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, env={"PYINFRA_FAKE_DELAY": "0"}
    )
    assert done.returncode == 1
    assert done.stderr.count("2 mistakes in the inventory:") == 1
    for name in "ab":
        assert f"@fake/{name}: edge_http_prt = 81: is no key; did you mean edge_http_port?" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Beginning operation run" not in done.stderr
