"""What is rendered for a host, judged by the host's own services in their own versions: Debian 12's and Debian 13's."""

import json
from collections.abc import Iterator

import pytest

from hubfleet.templates import render
from tests.fleet import images
from tests.fleet.engine import FLEET_LABEL, OWNER_LABEL, client, own_id
from tests.fleet.host import put_files
from tests.fleet.rendered import DAEMONS, SITES, SYSTEMS
from tests.fleet.ring import certificate, tool


class Checker:
    """A container of a host's image, in which its services look at files and start nothing."""

    def __init__(self, release: str) -> None:
        labels = {FLEET_LABEL: "templates", OWNER_LABEL: own_id()}
        image = images.host(release, ready=True)
        self.container = client().containers.run(
            image, ["sleep", "infinity"], detach=True, init=True, labels=labels, cap_add=["NET_ADMIN"]
        )

    def check(self, path: str, text: str, command: str) -> tuple[int, str]:
        """The exit status and the words of a checker about a file."""
        put_files(self.container, {path: text.encode()}, 0o644)
        done = self.container.exec_run(["sh", "-c", command])
        assert isinstance(done.output, bytes)
        return done.exit_code or 0, done.output.decode()


@pytest.fixture(scope="module", params=list(SYSTEMS))
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checker(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checker]:
    checker = Checker(release)
    made = tmp_path_factory.mktemp("certificate")
    certificate(made, "hub.example.org")
    try:
        put_files(checker.container, {f"/etc/{each.name}": each.read_bytes() for each in made.iterdir()}, 0o644)
        yield checker
    finally:
        checker.container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def rendered() -> dict[str, dict[str, str]]:
    """Texts by kind and case. From another process: settings come with pyinfra, which patches the one it is in."""
    texts: dict[str, dict[str, str]] = json.loads(tool("python", "-m", "tests.fleet.rendered").out)
    return texts


@pytest.mark.parametrize("name", list(SITES))
def test_nginx_takes_the_site_without_a_warning(
    checker: Checker, release: str, rendered: dict[str, dict[str, str]], name: str
) -> None:
    text = rendered[f"site {release}"][name]
    assert checker.check("/etc/nginx/conf.d/hubfleet.conf", text, "nginx -t -q") == (0, "")


def test_nginx_refuses_a_broken_site(checker: Checker, release: str, rendered: dict[str, dict[str, str]]) -> None:
    text = rendered[f"site {release}"]["neurodesk"].replace(";", "", 1)
    code, said = checker.check("/etc/nginx/conf.d/hubfleet.conf", text, "nginx -t -q")
    assert code == 1
    assert "hubfleet.conf" in said


@pytest.mark.parametrize("name", list(DAEMONS))
def test_the_engine_takes_its_configuration(
    checker: Checker, release: str, rendered: dict[str, dict[str, str]], name: str
) -> None:
    validate = "dockerd --validate --config-file /etc/docker/daemon.json"
    if release == "debian12":
        # This engine cannot judge a file without starting; what it cannot take, it says before anything else.
        start = "timeout 5 dockerd --config-file /etc/docker/daemon.json --data-root /tmp/docker --bridge none"
        validate = f"{start} 2>&1 | tee /dev/stderr | grep -q 'unable to configure the Docker daemon' && exit 1; true"
    code, said = checker.check("/etc/docker/daemon.json", rendered["daemon"][name], validate)
    assert code == 0, said


@pytest.mark.parametrize("proxy", ["", "http://proxy.example.org:3128"])
def test_apt_takes_its_proxy_and_its_mirror(checker: Checker, release: str, proxy: str) -> None:
    settings = render("system/apt.conf.j2", proxy=proxy, direct=["mirror.example.org"])
    dump = "apt-config dump Acquire::https::Proxy"
    direct = 'Acquire::https::Proxy::mirror.example.org "DIRECT";\n'
    wanted = f'Acquire::https::Proxy "{proxy}";\n{direct}' if proxy else ""
    assert checker.check("/etc/apt/apt.conf.d/90hubfleet", settings, dump) == (0, wanted)
    mirror, name = "https://mirror.example.org/debian", SYSTEMS[release].codename
    sources = render("system/apt.sources.j2", archives=SYSTEMS[release].archives(mirror))
    code, said = checker.check("/etc/apt/sources.list.d/hubfleet.sources", sources, "apt-get update --print-uris")
    assert code == 0, said
    for path in (f"/dists/{name}", f"/dists/{name}-updates", f"-security/dists/{name}-security"):
        assert f"'{mirror}{path}/InRelease'" in said


def test_systemd_takes_its_units(checker: Checker) -> None:
    for template in ("hub/network.service.j2", "egress/egress.service.j2"):
        unit = render(template, hub="lab", script="/bin/true")
        place = f"/etc/systemd/system/hubfleet-lab-{template.partition('/')[2].removesuffix('.j2')}"
        assert checker.check(place, unit, f"systemd-analyze verify --man=no {place}") == (0, "")
    drop_in = render("docker/proxy.conf.j2", proxy="http://proxy.example.org:3128", no_proxy="localhost,10.0.0.0/8")
    place = "/etc/systemd/system/docker.service.d/hubfleet-proxy.conf"
    assert checker.check(place, drop_in, "systemd-analyze verify --man=no docker.service") == (0, "")


def test_the_shell_takes_the_networks_rules(checker: Checker) -> None:
    rules = render("hub/network-rules.j2", bridge="hfu-lab", open=["10.217.0.2"], closed=["hfc-lab", "hfu-lab"])
    assert checker.check("/usr/local/bin/network-rules", rules, "sh -n /usr/local/bin/network-rules") == (0, "")


@pytest.mark.parametrize("egress", ["open", "blocked"])
def test_the_kernel_takes_the_rules_about_ways_out_once(checker: Checker, egress: str) -> None:
    about = {"chain": "hfe-test", "bridge": "hfu-test", "gateway": "10.217.0.1", "subnet": "10.217.0.0/20"}
    rules = render("egress/rules.j2", egress=egress, **about)
    place = "/usr/local/bin/egress-rules"
    twice = f"sh {place} && sh {place} && iptables -t mangle -S PREROUTING"
    code, said = checker.check(place, rules, twice)
    assert (code, said.count("hfe-test")) == (0, 1)
