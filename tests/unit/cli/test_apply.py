"""`hubfleet apply` finishes what can be finished, says truly how it went, and fails where anything failed."""

import socket

import pytest

from tests.unit.cli.play import ROOT, Lab

PLACE = """
files.put(name="Test: place a file", src=StringIO("content\\n"), dest=str(HERE / "placed"))
"""


def row(out: str, host: str) -> list[str]:
    """A host's line of the closing table."""
    table = out[out.index("HOST ") :]
    return next(line.split() for line in table.splitlines() if line.startswith(host))


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    lab.hosts(local={})
    lab.deploys(PLACE)
    first, second = lab.apply(), lab.apply()
    assert (first.status, second.status) == (0, 0)
    assert (lab.directory / "placed").read_text() == "content\n"
    assert "@local: Test: place a file: changed" in first.out
    assert "@local: Test: place a file: no change" in second.out
    assert row(second.out, "@local")[:4] == ["@local", "ok", "0", "1"]


def test_a_failing_command_fails_its_host_alone_with_what_it_said(lab: Lab) -> None:
    lab.hosts(one={"fake_responses": {"brew": {"success": False, "stderr": "no kettle"}}}, two={})
    lab.deploys(
        """
        server.shell(name="Test: brew", commands=["brew coffee"])
        server.shell(name="Test: serve", commands=["true"])
        """
    )
    result = lab.apply()
    assert result.status == 1
    assert "@fake/one: no kettle" in result.out
    assert "@fake/one: Test: brew: failed" in result.out
    assert "@fake/one: Test: serve" not in result.out
    one, two = row(result.out, "@fake/one"), row(result.out, "@fake/two")
    assert (one[:4], one[6:]) == (["@fake/one", "failed", "0", "0"], ["Test:", "brew:", "no", "kettle"])
    assert two == ["@fake/two", "ok", "2", "0", "0", "s"]


def test_an_unreachable_host_is_named_with_the_reason_and_the_others_finish(lab: Lab) -> None:
    lab.hosts(one={}, gone={"ssh_hostname": "127.0.0.1", "ssh_port": 1})
    result = lab.apply()
    assert result.status == 1
    assert row(result.out, "gone")[1] == "unreachable"
    assert "port 1 on 127.0.0.1" in result.out
    assert row(result.out, "@fake/one")[1] == "ok"


@pytest.mark.parametrize(
    ("where", "code"),
    [
        ("deploy code", "if host.name == '@fake/one': raise ValueError('cracked')"),
        (
            "an operation",
            """
            @operation()
            def crack():
                if host.name == "@fake/one":
                    raise ValueError("cracked")
                yield "true"
            crack(name="Test: crack")
            """,
        ),
    ],
)
def test_an_exception_for_one_host_stops_no_other(lab: Lab, where: str, code: str) -> None:
    lab.deploys(code)
    with lab.deploy.open("a") as file:
        file.write("\nserver.shell(name='Test: serve', commands=['true'])\n")
    result = lab.apply()
    assert result.status == 1
    assert row(result.out, "@fake/one")[1] == "failed"
    assert "ValueError: cracked" in result.out
    assert row(result.out, "@fake/two")[1] == "ok"
    assert "Traceback" not in result.all


def test_a_fact_that_fails_while_applying_runs_no_command_on_its_default(lab: Lab) -> None:
    lab.hosts(one={"fake_responses": {"weather": {"success": False, "stderr": "no weather today"}}}, two={})
    lab.deploys(
        """
        class Weather(FactBase):
            def command(self):
                return "weather"
        @operation()
        def dress():
            host.get_fact(Weather)
            yield "dress"
        dress(name="Test: dress")
        """
    )
    result = lab.apply()
    assert result.status == 1
    assert "@fake/one: Test: dress: failed" in result.out
    assert "@fake/two: Test: dress: changed" in result.out


def test_when_every_host_fails_there_still_is_a_table(lab: Lab) -> None:
    lab.deploys("raise RuntimeError('nowhere to go')")
    result = lab.apply()
    assert result.status == 1
    assert row(result.out, "@fake/one")[1] == row(result.out, "@fake/two")[1] == "failed"


def test_a_limit_that_matches_nothing_is_a_failure(lab: Lab) -> None:
    result = lab.apply("--limit", "three")
    assert result.status == 1
    assert "--limit three matches no host" in result.err


def test_wrong_settings_stop_everything_before_anything_is_contacted(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        lab.hosts(far={"ssh_hostname": "127.0.0.1", "ssh_port": server.getsockname()[1], "tls_mode": "none"})
        result = lab.apply()
        assert result.status == 1
        assert "tls_mode" in result.err
        with pytest.raises(TimeoutError):
            server.accept()


def test_ctrl_c_while_a_command_runs_is_exit_status_130_and_says_what_may_go_on(lab: Lab) -> None:
    lab.hosts(local={})
    lab.deploys("server.shell(name='Test: wait', commands=[f'touch {HERE}/begun; sleep 5'])")
    result = lab.interrupt(
        "apply", str(lab.inventory), "--deploy", str(lab.deploy), when=(lab.directory / "begun").exists
    )
    assert result.status == 130
    assert row(result.out, "@local")[1] == "interrupted"
    assert "@local: what was running there may go on by itself: Test: wait" in result.out
    assert "Traceback" not in result.all


def test_ctrl_c_while_connecting_is_exit_status_130(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        # It takes connections and never says a word of SSH.
        server.settimeout(20)
        lab.hosts(mute={"ssh_hostname": "127.0.0.1", "ssh_port": server.getsockname()[1]})
        connected: list[socket.socket] = []

        def when() -> bool:
            connected.append(server.accept()[0])
            return True

        result = lab.interrupt("apply", str(lab.inventory), "--deploy", str(lab.deploy), when=when)
    assert result.status == 130
    assert row(result.out, "mute")[1] == "interrupted"
    assert "Traceback" not in result.all


def test_a_good_host_is_told_with_address_password_and_next_step(lab: Lab) -> None:
    result = lab.apply("--limit", "@fake/one")
    assert result.status == 0
    assert "@fake/one: https://one.example.org/" in result.out
    assert "/var/lib/hubfleet/hub/passwords/admin" in result.out
    assert "hubfleet verify" in result.out


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (
            {
                "login": ["oauth"],
                "users_admins": ["ada"],
                "oauth_client_id": "id",
                "oauth_client_secret": "file:secret",
            },
            "the account at github",
        ),
        (
            {
                "login": ["lti13"],
                "lti13_issuer": "https://lms.example.org",
                "lti13_client_ids": ["hub"],
                "lti13_authorize_url": "https://lms.example.org/auth",
                "lti13_jwks_url": "https://lms.example.org/jwks",
            },
            "the course in the LMS https://lms.example.org",
        ),
    ],
)
def test_where_people_log_in_elsewhere_the_admin_is_told_where(lab: Lab, data: dict[str, object], told: str) -> None:
    (lab.directory / "secret").write_text("a client's secret")
    lab.hosts(one=data)
    result = lab.apply()
    assert result.status == 0, result.all
    assert told in result.out
    assert "password" not in result.out


def test_servers_are_cut_off_for_one_run_by_a_word(lab: Lab) -> None:
    lab.deploys("tell(host, 'warning', f'cut: {host.data.hub_cut_servers}')")
    assert "cut: False" in lab.apply().out
    assert "cut: True" in lab.apply("--cut-servers").out


def test_hubfleet_s_own_deploy_file_is_the_default() -> None:
    from hubfleet.cli import apply

    default = next(option.default for option in apply.params if option.name == "deploy")
    assert default == ROOT / "deploy.py"
