"""Hosts without a way out of their own: one that has mirrors alone, one behind a campus network's proxy."""

import json
import re
import shlex
from collections.abc import Iterator

import pytest

from tests.fleet import Fleet, Host, HostSpec, campus
from tests.fleet.images import BASE, ensure_images
from tests.fleet.ring import Lab, Printed, shows_login

pytestmark = pytest.mark.full

OWN_SOURCES = "/etc/apt/sources.list.d/debian.sources"
A_HUB = {f"hubfleet-hub-{role}": "running" for role in ("homes", "hub", "proxy")}


@pytest.fixture(scope="module")
def island() -> Iterator[Fleet]:
    """A network without a way out."""
    with Fleet("campus", offline=True) as fleet:
        ensure_images(fleet)
        yield fleet


def changes_nothing(lab: Lab) -> bool:
    results = json.loads(lab.pyinfra("-y", "--json").out)["results"]
    changed = [each["name"] for each in results["operations"] if set(each["success"]) - {"No changes"}]
    return (results["failed_hosts"], changed) == ([], [])


# -- a host whose network has a registry and an apt mirror, and nothing else: no name server either


@pytest.fixture(scope="module")
def mirror(island: Fleet) -> campus.Service:
    return campus.apt_mirror(island)


@pytest.fixture(scope="module")
def alone(island: Fleet) -> Host:
    return island.start(HostSpec("alone", ready=False))[0]


@pytest.fixture(scope="module")
def own_sources(alone: Host) -> bytes:
    """The host's own apt sources, from before the deploy."""
    return alone.copy_out(OWN_SOURCES)


@pytest.fixture(scope="module")
def alone_lab(island: Fleet, alone: Host, mirror: campus.Service, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    settings: dict[str, object] = {"public_url": f"https://{alone.address}", "apt_mirror": mirror.url}
    return Lab(island, tmp_path_factory.mktemp("alone"), {"alone": settings})


@pytest.fixture(scope="module")
def alone_printed(alone: Host, alone_lab: Lab, own_sources: bytes) -> Printed:
    """What the deploy prints to a host that has no way out and whose own apt sources are of no use."""
    assert own_sources
    assert not campus.has_way_out(alone)
    return alone_lab.hubfleet("apply")


@pytest.mark.usefixtures("alone_printed")
def test_a_host_with_nothing_but_mirrors_becomes_a_hub_on_which_a_cell_runs(alone: Host, alone_lab: Lab) -> None:
    assert alone.containers() == A_HUB
    alone_lab.hubfleet("verify")


@pytest.mark.usefixtures("alone_printed")
def test_packages_and_their_corrections_come_from_the_mirror(alone: Host, mirror: campus.Service) -> None:
    asked = mirror.log()
    assert f"{alone.address} - - " in asked
    assert '"GET /debian-security/dists/' in asked
    assert re.search(r'"GET /debian(-security)?/pool/\S+/nginx_\S+\.deb HTTP/1.1" 200 ', asked)


@pytest.mark.usefixtures("alone_printed")
def test_the_hosts_own_apt_sources_stay_as_they_are(alone: Host, own_sources: bytes) -> None:
    assert alone.copy_out(OWN_SOURCES) == own_sources
    assert alone.run("ls /etc/apt/sources.list.d").out.split() == ["debian.sources"]


@pytest.mark.usefixtures("alone_printed")
def test_a_second_run_with_nothing_but_mirrors_changes_nothing(alone_lab: Lab) -> None:
    assert changes_nothing(alone_lab)


# -- a host behind a proxy, on which images are built


@pytest.fixture(scope="module")
def proxy(island: Fleet) -> campus.Service:
    return campus.proxy(island)


@pytest.fixture(scope="module")
def behind(island: Fleet) -> Host:
    return island.start(HostSpec("behind", ready=False))[0]


@pytest.fixture(scope="module")
def behind_lab(island: Fleet, behind: Host, proxy: campus.Service, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    settings: dict[str, object] = {
        "public_url": f"https://{behind.address}",
        "image_source": "build",
        "server_image": "singleuser",
        "outbound_proxy": proxy.url,
        "outbound_no_proxy": [str(island.subnet[2])],
    }
    return Lab(island, tmp_path_factory.mktemp("behind"), {"behind": settings})


@pytest.fixture(scope="module")
def behind_printed(behind: Host, behind_lab: Lab) -> Printed:
    """What the deploy prints, every command of it included."""
    assert not campus.has_way_out(behind)
    return behind_lab.pyinfra("-y", "-vvv")


@pytest.fixture(scope="module")
def built(behind: Host, behind_printed: Printed) -> list[str]:
    """The images that the deploy built on the host."""
    assert behind_printed
    return behind.run("docker image ls --format '{{.Repository}}:{{.Tag}}' 'hubfleet/*'").out.split()


@pytest.mark.usefixtures("behind_printed")
def test_a_host_behind_a_proxy_becomes_a_hub_on_which_a_cell_runs(behind: Host, behind_lab: Lab) -> None:
    assert shows_login(behind)
    assert behind.containers() == A_HUB
    behind_lab.hubfleet("verify")


def test_what_apt_pip_and_npm_fetch_comes_through_the_proxy(proxy: campus.Service, built: list[str]) -> None:
    assert sorted(name.partition(":")[0] for name in built) == ["hubfleet/hub", "hubfleet/singleuser"]
    asked = proxy.log()
    for package in ("nginx", "python3-venv"):  # the host's, and a build's
        assert re.search(rf"GET \S+/pool/\S+/{package}_\S+\.deb", asked), package
    # Of what is encrypted the proxy learns the server's name alone: pip's index, its files and npm's registry.
    assert len(set(re.findall(r"CONNECT (\S+):443", asked))) >= 3


@pytest.mark.usefixtures("behind_printed")
def test_the_base_image_comes_past_the_proxy(island: Fleet, proxy: campus.Service) -> None:
    assert str(island.subnet[2]) not in proxy.log()


def test_builds_know_what_is_reached_without_the_proxy(
    island: Fleet, behind: Host, proxy: campus.Service, behind_printed: Printed
) -> None:
    command = re.search(r"docker build [^;]*--build-arg [^;]*", behind_printed)
    assert command, behind_printed
    words = shlex.split(command[0])
    arguments = [word for at, word in enumerate(words) if "--build-arg" in (word, words[at - 1])]
    behind.copy_in(f"FROM {BASE}\nRUN env | grep -i _proxy > /told\n".encode(), "/root/Dockerfile")
    behind.run(f"DOCKER_BUILDKIT=1 docker build --quiet --tag told {shlex.join(arguments)} - < /root/Dockerfile")
    told = dict(line.split("=", 1) for line in behind.run("docker run --rm told cat /told").out.split())
    assert told["https_proxy"] == told["HTTP_PROXY"] == proxy.url
    assert told["no_proxy"] == told["NO_PROXY"] == f"localhost,127.0.0.1,{island.subnet[2]}"


def test_no_image_holds_a_trace_of_the_proxy(behind: Host, proxy: campus.Service, built: list[str]) -> None:
    for image in built:
        assert proxy.address not in behind.run(f"docker history --no-trunc {image}; docker image inspect {image}").out
        search = f"grep -rIlsF {proxy.address} / --exclude-dir=proc --exclude-dir=sys"
        found = behind.run(f"docker run --rm --user 0 --entrypoint sh {image} -c '{search} || [ $? -lt 3 ]'")
        assert found.out == ""


@pytest.mark.usefixtures("behind_printed")
def test_the_hubs_own_containers_have_no_proxy(behind: Host, proxy: campus.Service) -> None:
    for name in A_HUB:
        assert proxy.address not in behind.run(f"docker inspect {name}").out
        assert "_proxy=" not in behind.run(f"docker exec {name} cat /proc/1/environ").out.lower()


@pytest.mark.usefixtures("behind_printed")
def test_a_second_run_behind_a_proxy_changes_nothing(behind_lab: Lab) -> None:
    assert changes_nothing(behind_lab)
