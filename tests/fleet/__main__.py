"""The fleet from a shell: what script/demo and script/test call, and a hand for those who look into a host."""

import argparse
import sys

from docker.errors import DockerException

from tests.fleet.engine import STAYS, FleetError
from tests.fleet.fleet import Fleet, names, purge, remove, sweep
from tests.fleet.host import HostSpec
from tests.fleet.images import build_ahead, ensure_images


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fleet", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start a fleet that stays, unless it is up already")
    up.add_argument("fleet")
    up.add_argument("hosts", nargs="+", metavar="NAME[:debian12][:bare][:sudo]")
    down = verbs.add_parser("down", help="remove a fleet")
    down.add_argument("fleet")
    run = verbs.add_parser("run", help="run a command on a host as root, past sshd")
    run.add_argument("fleet")
    run.add_argument("host")
    run.add_argument("command")
    address = verbs.add_parser("address", help="print a host's address")
    address.add_argument("fleet")
    address.add_argument("host")
    verbs.add_parser("list", help="fleets that are up, and the processes they belong to")
    verbs.add_parser("sweep", help="remove the fleets whose makers are gone")
    verbs.add_parser("images", help="build the images that the tests need")
    verbs.add_parser("purge", help="remove all fleets, the images of ours on the engine, and the cache")
    asked = parser.parse_args()
    try:
        return globals()[f"_{asked.verb}"](asked) or 0
    except (FleetError, DockerException) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _up(asked: argparse.Namespace) -> None:
    specs = [_spec(text) for text in asked.hosts]
    if asked.fleet in names():
        found = Fleet.load(asked.fleet)
        if {spec.name for spec in specs} <= found.hosts.keys():
            found.resume()
            ensure_images(found)
            _tell(found)
            return
    with Fleet(asked.fleet, stays=True) as fleet:
        ensure_images(fleet)
        fleet.start(*specs)
        _tell(fleet)


def _down(asked: argparse.Namespace) -> None:
    remove(asked.fleet)


def _run(asked: argparse.Namespace) -> int:
    result = Fleet.load(asked.fleet).host(asked.host).run(asked.command, check=False)
    print(result.out, end="")
    print(result.err, end="", file=sys.stderr)
    return result.code


def _address(asked: argparse.Namespace) -> None:
    print(Fleet.load(asked.fleet).host(asked.host).address)


def _list(_: argparse.Namespace) -> None:
    for name, owner in sorted(names().items()):
        print(name, "stays" if owner == STAYS else f"of process {owner.partition('-')[0]}")


def _sweep(_: argparse.Namespace) -> None:
    for name in sweep():
        print(f"removed what was left of fleet {name}")


def _images(_: argparse.Namespace) -> None:
    build_ahead()


def _purge(_: argparse.Namespace) -> None:
    purge()


def _spec(text: str) -> HostSpec:
    name, *words = text.split(":")
    if unknown := set(words) - {"debian12", "debian13", "bare", "sudo"}:
        raise FleetError(f"{text}: {', '.join(sorted(unknown))} is not debian12, debian13, bare or sudo")
    return HostSpec(
        name,
        release="debian12" if "debian12" in words else "debian13",
        ready="bare" not in words,
        login="sudo" if "sudo" in words else "root",
    )


def _tell(fleet: Fleet) -> None:
    for host in fleet.hosts.values():
        print(f"{host.name}: {host.release} at {host.address}, {host.ssh_user} with {host.ssh_key}")
    print(f"registry: {fleet.registry.address}; state: {fleet.state_file}")


sys.exit(main())
