"""`hubfleet check` judges an inventory without contacting anything."""

from tests.unit.cli.play import Lab


def test_sound_settings_are_told_host_by_host(lab: Lab) -> None:
    result = lab.hubfleet("check")
    assert result.status == 0
    assert "@fake/one: neurodesk, https://one.example.org/" in result.out
    assert "2 hosts: the settings are sound." in result.out


def test_all_mistakes_on_all_hosts_come_in_one_list(lab: Lab) -> None:
    lab.hosts(one={"server_mem_limit": "much"}, two={"tls_mod": "files"})
    result = lab.hubfleet("check")
    assert result.status == 1
    assert "@fake/one: server_mem_limit" in result.err
    assert "@fake/two: tls_mod" in result.err
    assert "Traceback" not in result.all


def test_data_on_the_command_line_is_judged_too(lab: Lab) -> None:
    result = lab.hubfleet("check", "--data", "server_cpu_limit=many")
    assert result.status == 1
    assert "server_cpu_limit" in result.err


def test_data_without_an_equals_sign_is_a_mistake(lab: Lab) -> None:
    result = lab.hubfleet("check", "--data", "tls_mode")
    assert result.status == 1
    assert "--data tls_mode: write it as key=value" in result.err


def test_an_inventory_that_is_not_there_is_a_mistake(lab: Lab) -> None:
    lab.inventory.unlink()
    result = lab.hubfleet("check")
    assert result.status == 1
    assert str(lab.inventory) in result.err
    assert "Traceback" not in result.all


def test_an_inventory_with_a_python_mistake_names_its_line(lab: Lab) -> None:
    lab.inventory.write_text("neurodesk = [\n  ('a', {'x': }),\n]\n")
    result = lab.hubfleet("check")
    assert result.status == 1
    assert "line 2" in result.err
    assert "Traceback" not in result.all


def test_a_word_too_many_is_a_mistake_and_no_plan_with_changes(lab: Lab) -> None:
    result = lab.hubfleet("plan", "--colour")
    assert result.status == 1
    assert "--colour" in result.err
