"""The outer engine: the Docker engine of this machine, on which disposable hosts run as containers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from functools import cache
from pathlib import Path

import docker

#: Everything of ours on the engine carries it; its value is the fleet's name.
FLEET_LABEL = "io.hubfleet.fleet"
#: The process a fleet dies with (``PID-STARTTIME``), or ``stays`` for one that outlives its maker (the demo).
OWNER_LABEL = "io.hubfleet.owner"
STAYS = "stays"
#: Every image of ours is named ``hubfleet-fleet/...`` on the outer engine.
IMAGE_PREFIX = "hubfleet-fleet"

CAP_SYS_RESOURCE = 24


class FleetError(Exception):
    """What went wrong with the fleet and what to do, in one sentence or two."""


@cache
def client() -> docker.DockerClient:
    """The engine's API. Raises FleetError when none answers."""
    try:
        found = docker.from_env(timeout=300)
        found.ping()
    except docker.errors.DockerException as error:
        raise FleetError(f"no Docker engine answers ({error}); script/test and script/demo start one") from None
    return found


def cache_dir() -> Path:
    """``$HUBFLEET_CACHE``, else ``hubfleet`` in the user's cache directory; made when missing."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "hubfleet"
    path = Path(os.environ.get("HUBFLEET_CACHE") or default).absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Only one process at a time: two that need the same image would otherwise both build it."""
    with (cache_dir() / f"{name}.lock").open("w") as handle:
        flock(handle, LOCK_EX)
        yield


def has_image(tag: str) -> bool:
    try:
        client().images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def build(
    context: Path,
    tag: str,
    *,
    target: str = "",
    args: dict[str, str] | None = None,
    secrets: dict[str, Path] | None = None,
) -> None:
    """Builds with BuildKit. Raises FleetError with the end of the build's output."""
    # Debian's own client: another one that stands before it on PATH may lack BuildKit for this engine.
    command = [
        "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker",
        "build",
        "--progress=plain",
    ]
    command += ["--tag", tag, *(["--target", target] if target else [])]
    for key, value in (args or {}).items():
        command += ["--build-arg", f"{key}={value}"]
    for key, path in (secrets or {}).items():
        command += ["--secret", f"id={key},src={path}"]
    done = subprocess.run(
        [*command, str(context)],
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise FleetError(f"building {tag} failed:\n{done.stderr[-4000:]}")


def run_tool(*command: str) -> None:
    """Runs a program of this machine. Raises FleetError when it is missing or fails."""
    if not shutil.which(command[0]):
        raise FleetError(f"{command[0]} is not installed; script/test and script/demo install it")
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        raise FleetError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")


@cache
def cgroup_version() -> int:
    """1 (also for a hybrid) or 2, as the engine sees it."""
    return int(client().info().get("CgroupVersion", "1"))


@cache
def withheld_capabilities() -> list[str]:
    """What a container of this engine has to do without although it is given all capabilities.

    Some kernels withhold CAP_SYS_RESOURCE even from root. Engines before 23 pass it on all the same, which fails;
    later ones leave it out by themselves, and refuse to be told so.
    """
    status = Path("/proc/self/status").read_text()
    bound = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapBnd:"))
    major = int(client().version()["Version"].partition(".")[0])
    return ["SYS_RESOURCE"] if major < 23 and not bound >> CAP_SYS_RESOURCE & 1 else []


def own_id() -> str:
    """This process, in a form that no later process of the same PID shares."""
    return f"{os.getpid()}-{_start_time(os.getpid())}"


def is_alive(owner: str) -> bool:
    """Whether the process that own_id() named still runs."""
    pid, _, started = owner.partition("-")
    return owner == STAYS or _start_time(int(pid)) == started


def _start_time(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
