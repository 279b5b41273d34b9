"""`hubfleet plan` tells what would change, changes nothing, and its exit status is 0, 2 or 1."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.unit.cli.play import Lab

FILE = """
files.put(name="Test: place a file", src=StringIO("one\\ntwo\\n"), dest=str(HERE / "placed"))
"""


def test_changes_are_exit_status_2_and_nothing_is_changed(lab: Lab) -> None:
    lab.hosts(local={})
    lab.deploys(FILE)
    result = lab.plan()
    assert result.status == 2
    assert not (lab.directory / "placed").exists()


def test_no_change_is_exit_status_0(lab: Lab) -> None:
    lab.hosts(local={})
    lab.deploys(FILE)
    (lab.directory / "placed").write_text("one\ntwo\n")
    result = lab.plan()
    assert result.status == 0
    assert "no change" in result.out


def test_a_change_shows_its_diff_and_its_commands(lab: Lab) -> None:
    lab.hosts(local={})
    lab.deploys(FILE + "server.shell(name='Test: act', commands=['echo act'])")
    (lab.directory / "placed").write_text("one\nthree\n")
    result = lab.plan()
    assert "Test: place a file" in result.out
    assert "- three" in result.out
    assert "+ two" in result.out
    assert f"$ upload to {lab.directory / 'placed'}" in result.out
    assert "$ echo act" in result.out


def test_each_host_sees_its_own_names_and_commands(lab: Lab) -> None:
    lab.deploys(
        """
        from pyinfra.api.deploy import deploy
        @deploy("Test")
        def greet():
            server.shell(name=f"greet {host.name}", commands=[f"echo {host.name}"])
        greet()
        """
    )
    data = json.loads(lab.plan("--json").out)["hosts"]
    for name in ("@fake/one", "@fake/two"):
        assert data[name]["changes"] == [{"name": f"Test: greet {name}", "details": [], "commands": [f"echo {name}"]}]


def test_secrets_are_in_nothing_that_is_printed(lab: Lab) -> None:
    lab.deploys(
        """
        @operation()
        def secret():
            yield StringCommand("login", HiddenValue("hunter2-argument"))
            yield StringCommand("cat > /etc/secret", _stdin="hunter2-input")
        secret(name="Test: a secret")
        """
    )
    for words in ((), ("--json",)):
        result = lab.plan(*words)
        assert result.status == 2
        assert "hunter2" not in result.all
        assert "login *MASKED*" in result.out


def test_what_people_will_notice_stands_at_the_end(lab: Lab) -> None:
    lab.deploys(
        """
        @operation()
        def restart():
            tell(host, "restart", "the hub restarts")
            tell(host, "cut", "servers cut off: 0 of 12")
            yield "true"
        restart(name="Test: restart")
        """
    )
    noticed = lab.plan().out.partition("What people will notice")[2]
    assert noticed.count("@fake/one: the hub restarts") == 1
    assert "@fake/two: servers cut off: 0 of 12" in noticed


def test_a_finding_that_is_an_error_is_exit_status_1(lab: Lab) -> None:
    lab.deploys(
        """
        @operation()
        def findings():
            tell(host, "error", "[disk] no room")
            yield "false"
        findings(name="Test: look")
        """
    )
    result = lab.plan()
    assert result.status == 1
    assert "error: [disk] no room" in result.out


def test_a_finding_that_is_a_warning_changes_no_exit_status(lab: Lab) -> None:
    lab.deploys(
        """
        @operation()
        def findings():
            tell(host, "warning", "[clock] two minutes off")
            return
            yield
        findings(name="Test: look")
        """
    )
    result = lab.plan()
    assert result.status == 0
    assert "warning: [clock] two minutes off" in result.out


def test_an_unreachable_host_is_exit_status_1_and_the_others_are_planned(lab: Lab) -> None:
    lab.hosts(one={}, gone={"ssh_hostname": "127.0.0.1", "ssh_port": 1})
    result = lab.plan()
    assert result.status == 1
    assert "gone" in result.out
    assert "unreachable" in result.out
    assert "$ true" in result.out


def test_an_exception_for_one_host_is_told_with_its_line_and_the_others_are_planned(lab: Lab) -> None:
    lab.deploys(
        """
        if host.name == "@fake/one":
            raise KeyError("colour")
        server.shell(name="Test: act", commands=["true"])
        """
    )
    result = lab.plan()
    assert result.status == 1
    assert "deploy.py line 11: KeyError: 'colour'" in result.out
    assert "$ true" in result.out
    assert "Traceback" not in result.all


def test_a_fact_that_fails_is_that_host_s_failure(lab: Lab) -> None:
    lab.hosts(one={"fake_responses": {"weather": {"success": False, "stderr": "no weather today"}}}, two={})
    lab.deploys(
        """
        class Weather(FactBase):
            def command(self):
                return "weather"
        host.get_fact(Weather)
        server.shell(name="Test: act", commands=["true"])
        """
    )
    result = lab.plan("--json")
    hosts = json.loads(result.out)["hosts"]
    assert result.status == 1
    assert "Weather" in hosts["@fake/one"]["failure"]
    assert hosts["@fake/one"]["changes"] == []
    assert len(hosts["@fake/two"]["changes"]) == 1


def test_a_limit_that_matches_nothing_is_exit_status_1_and_names_the_hosts(lab: Lab) -> None:
    result = lab.plan("--limit", "three")
    assert result.status == 1
    assert "--limit three matches no host; the inventory has @fake/one, @fake/two" in result.err


def test_a_limit_takes_names_patterns_and_groups(lab: Lab) -> None:
    for pattern, expected in (("@fake/one", 1), ("@fake/*", 2), ("neurodesk", 2)):
        assert len(json.loads(lab.plan("--json", "--limit", pattern).out)["hosts"]) == expected


def test_the_plan_is_plain_text_where_no_terminal_reads_it(lab: Lab) -> None:
    result = lab.plan()
    assert result.status == 2
    assert "\x1b" not in result.all
    assert "\r" not in result.all


@pytest.fixture
def registry() -> Iterator[str]:
    """A registry that knows one image: an index, and amd64 layers of 5 MiB."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            amd64 = {"digest": "sha256:a", "platform": {"architecture": "amd64"}}
            arm64 = {"digest": "sha256:b", "platform": {"architecture": "arm64"}}
            answers: dict[str, object] = {
                "/v2/library/hub/manifests/1": {"manifests": [arm64, amd64]},
                "/v2/library/hub/manifests/sha256:a": {"layers": [{"size": 4 * 1024**2}, {"size": 1024**2}]},
            }
            answer = answers.get(self.path)
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_an_image_to_pull_is_told_with_its_size(lab: Lab, registry: str) -> None:
    lab.hosts(one={"docker_mirror": [registry]})
    lab.deploys(
        """
        @operation()
        def pull():
            tell(host, "pull", "pulls image hub:1", image="hub:1")
            tell(host, "pull", "pulls image 127.0.0.1:1/hub:1", image="127.0.0.1:1/hub:1")
            yield "docker pull hub:1"
        pull(name="Test: pull")
        """
    )
    result = lab.plan()
    assert "pulls image hub:1 (about 5.0 MiB to download)" in result.out
    assert "pulls image 127.0.0.1:1/hub:1 (size not known)" in result.out
