"""Operations that pyinfra lacks or has wrong for us.

Each reads the host, says nothing more when it is as wanted, and otherwise yields the commands that make it so. Whether
something restarts follows from state on the host (a label, a stamp), never from what this run did before: a run cut off
anywhere is finished by the next one.
"""

import difflib
import ipaddress
import json
import shlex
from collections.abc import Generator, Iterable, Mapping
from hashlib import sha256
from typing import Any, Literal

from pyinfra.api.command import FileUploadCommand, PyinfraCommand, StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import ctx_state, host

from hubfleet import facts
from hubfleet.containers import LABEL_HUB, LABEL_SPEC, ContainerSpec, Restart
from hubfleet.daemon import merge_daemon
from hubfleet.images import BuildContext
from hubfleet.notices import tell
from hubfleet.preflight import Finding

Commands = Generator[PyinfraCommand | str, None, None]

PACKAGE_MANAGER_PATIENCE = 900
"""Seconds to wait for a package manager that is still busy, perhaps from a run that was cut off."""


def _executing() -> bool:
    return bool(ctx_state.get().is_executing)


def content_hash(content: str) -> str:
    """The sha256 of a file's wanted content, as `applied` and `container` take it."""
    return sha256(content.encode()).hexdigest()


def _q(*words: str) -> str:
    return shlex.join(words)


def _show_diff(path: str, content: str) -> None:
    if not host.state.config.DIFF:
        return
    old = host.get_fact(facts.HostText, path=path) or ""
    for line in difflib.unified_diff(old.splitlines(), content.splitlines(), "on the host", "wanted", lineterm="", n=2):
        host.log(f"  {line}")


@operation()
def findings(found: list[Finding]) -> Commands:
    """Tell preflight's findings; errors stop this host before its first change, and no other.

    + found: what `hubfleet.preflight.judge` found.
    """
    errors = [finding for finding in found if finding.level == "error"]
    if not _executing():
        for finding in found:
            tell(host, finding.level, f"[{finding.name}] {finding.text}")
            host.log(str(finding))
    if not errors:
        host.noop("nothing stands in the way")
        return
    text = "; ".join(f"[{finding.name}] {finding.text}" for finding in errors)
    yield StringCommand(_q("echo", f"preflight: {text}"), ">&2;", "false")


@operation()
def file(
    dest: str,
    content: str,
    user: str = "root",
    group: str = "root",
    mode: str = "0644",
    secret: bool = False,
    check: str = "",
) -> Commands:
    """Put a small text file in place atomically; its content travels by standard input, so that no log can hold it.

    + dest: path on the host; its directory exists.
    + content: the wanted text.
    + user, group, mode: owner, group and four octal digits.
    + secret: show no diff.
    + check: command that judges the candidate, `{}` standing for its path; when it fails, what was there stays.
    """
    now = host.get_fact(facts.HostFile, path=dest)
    if now is None or now.kind != "file" or now.sha256 != content_hash(content):
        if secret:
            host.log(f"{dest}: {'differs' if now else 'will be made'} (a secret: not shown)")
        else:
            _show_diff(dest, content)
        new = f"{dest}.hubfleet-new"
        # The empty file has its owner and mode before a byte of content is in it.
        yield StringCommand(_q("install", "-m", mode, "-o", user, "-g", group, "/dev/null", new))
        yield StringCommand("cat", ">", _q(new), _stdin=content)
        if check:
            why = f"{dest}: its own checker refuses the new file; nothing was replaced"
            refuse = f"{{ rm -f {_q(new)}; echo {_q(why)} >&2; false; }}"
            yield StringCommand(check.replace("{}", _q(new)), "||", refuse)
        # -T: into a directory that has this name, it would move instead.
        yield StringCommand(_q("mv", "-fT", new, dest))
    elif not now.belongs(user, group, mode):
        yield StringCommand(_q("chown", f"{user}:{group}", dest), "&&", _q("chmod", mode, dest))
    else:
        host.noop(f"{dest} is as wanted")


@operation()
def daemon_json(dest: str, wanted: dict[str, Any]) -> Commands:
    """Set our keys in the engine's configuration and keep the host's others.

    + dest: the file.
    + wanted: our keys.
    """
    now = host.get_fact(facts.HostText, path=dest)
    try:
        content = merge_daemon(now, wanted)
    except ValueError as error:
        yield StringCommand(_q("echo", f"{dest} {error}"), ">&2;", "false")
        return
    # Engines before 23 cannot check a file without starting.
    check = "if dockerd --help 2>/dev/null | grep -q -e --validate; then dockerd --validate --config-file {}; fi"
    yield from file._inner(dest=dest, content=content, check=check)


@operation()
def only(path: str, names: list[str]) -> Commands:
    """Remove files from a directory of ours that are no longer wanted there.

    + path: the directory.
    + names: the files that stay.
    """
    extra = [name for name in host.get_fact(facts.Listing, path=path) if name not in names]
    if not extra:
        host.noop(f"{path} holds nothing else")
        return
    yield StringCommand(_q("rm", "-f", *[f"{path}/{name}" for name in extra]))


@operation()
def absent(path: str) -> Commands:
    """Remove one file of ours.

    + path: the file.
    """
    if host.get_fact(facts.HostFile, path=path) is None:
        host.noop(f"{path} is not there")
        return
    yield StringCommand(_q("rm", "-f", path))


@operation()
def directory(path: str, user: str = "root", group: str = "root", mode: str = "0755", adopt: bool = True) -> Commands:
    """Make a directory with its owner and mode.

    + path: absolute path; missing parents are made 0755 root.
    + user, group, mode: of a directory that is made, and with `adopt` of one that is there.
    + adopt: correct owner and mode of an existing directory. False for users' data, which is never touched.
    """
    now = host.get_fact(facts.HostFile, path=path)
    if now is None:
        # `install -d` would give parents the caller's umask.
        parent = path.rsplit("/", 1)[0] or "/"
        yield StringCommand(
            "umask 022;",
            _q("mkdir", "-p", parent),
            "&&",
            _q("install", "-d", "-o", user, "-g", group, "-m", mode, path),
        )
    elif now.kind != "directory":
        message = f"{path} is a {now.kind}, not a directory; move it away or name another place"
        yield StringCommand(_q("echo", message), ">&2;", "false")
    elif not adopt or now.belongs(user, group, mode):
        host.noop(f"{path} is there")
    else:
        yield StringCommand(_q("chown", f"{user}:{group}", path), "&&", _q("chmod", mode, path))


@operation()
def packages(names: list[str], sources: str = "") -> Commands:
    """Install Debian packages, after whatever an interrupted or still running package manager left.

    pyinfra's own apt operations fail while another apt runs and after an interrupted dpkg.

    + names: the packages.
    + sources: directory of the only apt sources to read; empty for the host's own.
    """
    there = host.get_fact(facts.Packages, names=names)
    missing = [package for package in names if package not in there]
    if not missing:
        host.noop("all packages are installed")
        return
    deadline = f"end=$(($(date +%s) + {PACKAGE_MANAGER_PATIENCE}))"
    busy = "ls -l /proc/[0-9]*/fd 2>/dev/null | grep -qE '/var/lib/(dpkg/lock|apt/lists/lock)'"
    wait = f'{deadline}; while {busy} && [ "$(date +%s)" -lt "$end" ]; do sleep 2; done'
    apt = "DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -q"
    if sources:
        only = ["-o", "Dir::Etc::SourceList=/dev/null", "-o", f"Dir::Etc::SourceParts={sources}"]
        # What the host's own sources list is not forgotten for it.
        apt += f" {_q(*only)} -o APT::Get::List-Cleanup=0"
    yield StringCommand(wait)
    yield StringCommand("DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a")
    yield StringCommand(f"{apt} update")
    yield StringCommand(f"{apt} -o Dpkg::Options::=--force-confold install -y --no-install-recommends {_q(*missing)}")


@operation()
def generated(dest: str, command: str, user: str, group: str = "root", mode: str = "0400") -> Commands:
    """Make a secret once on the host, from the output of a command, and keep it for good.

    + dest: the file.
    + command: prints the secret, for instance from /dev/urandom; runs on the host only.
    + user, group, mode: owner, group and four octal digits.
    """
    now = host.get_fact(facts.HostFile, path=dest)
    if now is None or now.kind != "file":
        new = f"{dest}.hubfleet-new"
        empty = _q("install", "-m", "0600", "/dev/null", new)
        make = f"set -e; {empty}; {{ {command}; }} > {_q(new)}; [ -s {_q(new)} ]"
        own = f"{_q('chown', f'{user}:{group}', new)}; {_q('chmod', mode, new)}; {_q('mv', '-nT', new, dest)}"
        yield StringCommand(f"{make}; {own}")
    elif now.belongs(user, group, mode):
        host.noop(f"{dest} is kept")
    else:
        yield StringCommand(_q("chown", f"{user}:{group}", dest), "&&", _q("chmod", mode, dest))


@operation()
def applied(apply: str, reads: dict[str, str | None], stamp: str, check: str = "") -> Commands:
    """Check and reload a service when what it reads differs from what it last loaded.

    + apply: the command that makes it load them.
    + reads: path to the sha256 wanted of each file it loads; None for one that only the host knows.
    + stamp: file on the host that remembers what was last loaded.
    + check: the service's own check of its whole configuration, first.
    """
    digest = sha256()
    for path, wanted in sorted(reads.items()):
        now = host.get_fact(facts.HostFile, path=path)
        digest.update(f"{path} {wanted or (now.sha256 if now else 'missing')}\n".encode())
    loaded = host.get_fact(facts.HostText, path=stamp)
    if loaded is not None and loaded.strip() == digest.hexdigest():
        host.noop("all of it is loaded")
        return
    if check:
        yield StringCommand(check)
    yield StringCommand(apply)
    yield StringCommand("echo", digest.hexdigest(), ">", _q(stamp))


@operation()
def self_signed(certificate: str, key: str, common_name: str, is_address: bool) -> Commands:
    """Have a self-signed certificate for one name, made on the host; made anew 30 days before its end.

    + certificate, key: the two files.
    + common_name: DNS name or IP address.
    + is_address: whether it is an IP address.
    """
    now = host.get_fact(facts.Certificate, certificate=certificate, key=key)
    kind = "IP" if is_address else "DNS"
    shown = f"IP Address:{_openssl_address(common_name)}" if is_address else f"DNS:{common_name}"
    if now.get("names", "").strip() == shown and now.get("fresh") == now.get("pair") == "yes":
        host.noop("the certificate is good")
        return
    # At most 64 characters fit a common name; browsers read the alternative name alone.
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "397",
    ]
    request += ["-subj", f"/CN={common_name[:64]}", "-addext", f"subjectAltName={kind}:{common_name}"]
    request += ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"]
    request += ["-keyout", f"{key}.hubfleet-new", "-out", f"{certificate}.hubfleet-new"]
    yield StringCommand(f"umask 077; {_q(*request)} 2>/dev/null")
    yield StringCommand(
        _q("chmod", "0644", f"{certificate}.hubfleet-new"),
        "&&",
        _q("mv", "-f", f"{key}.hubfleet-new", key),
        "&&",
        _q("mv", "-f", f"{certificate}.hubfleet-new", certificate),
    )


def _openssl_address(address: str) -> str:
    """An IP address as openssl prints it: IPv6 in eight groups without leading zeros, upper case."""
    parsed = ipaddress.ip_address(address)
    if parsed.version == 4:
        return str(parsed)
    return ":".join(f"{int(group, 16):X}" for group in parsed.exploded.split(":"))


@operation()
def unit(service: str, enabled: bool = True) -> Commands:
    """Have a systemd unit enabled and running.

    + service: the unit.
    + enabled: whether it starts at boot.
    """
    state = host.get_fact(facts.Unit, unit=service)
    wrong = [
        state.get("ActiveState") != "active",
        enabled and state.get("UnitFileState") not in ("enabled", "static", "alias"),
        state.get("NeedDaemonReload") == "yes",
    ]
    if not any(wrong):
        host.noop(f"{service} is running")
        return
    yield StringCommand("systemctl daemon-reload")
    if enabled:
        yield StringCommand(_q("systemctl", "enable", service))
    yield StringCommand(
        _q("systemctl", "start", service), "&& sleep 1 &&", _q("systemctl", "is-active", "--quiet", service)
    )


@operation()
def network(wanted: str, hub: str, subnet: str, pool: str, bridge: str, isolated: bool) -> Commands:
    """Have a Docker bridge network; one that drifted is reported, and replaced only when nothing is on it.

    + wanted: the network's name.
    + hub: the hub it belongs to.
    + subnet: IPv4 network.
    + pool: the part of it that Docker hands out.
    + bridge: name of the Linux interface.
    + isolated: whether containers on it are kept from one another.
    """
    icc = "false" if isolated else "true"
    now = host.get_fact(facts.Network, network=wanted)
    if now is not None:
        subnets = [item.get("Subnet") for item in now.get("ipam") or []]
        options = now.get("options") or {}
        drift = []
        if subnets != [subnet]:
            drift.append(f"subnet {', '.join(map(str, subnets))}, wanted {subnet}")
        if options.get("com.docker.network.bridge.name") != bridge:
            drift.append(f"bridge {options.get('com.docker.network.bridge.name')}, wanted {bridge}")
        if options.get("com.docker.network.bridge.enable_icc", "true") != icc:
            drift.append(f"isolation {options.get('com.docker.network.bridge.enable_icc')}, wanted {icc}")
        if not drift:
            host.noop(f"network {wanted} is as wanted")
            return
        told = f"network {wanted} drifted: {'; '.join(drift)}"
        tell(host, "warning", told)
        if now.get("containers"):
            message = f"{told}; {now['containers']} containers are on it: `hubfleet stop` this hub, then run again"
            yield StringCommand(_q("echo", message), ">&2;", "false")
            return
        yield StringCommand(_q("docker", "network", "rm", wanted))
    words = ["docker", "network", "create", "--driver", "bridge", "--subnet", subnet, "--ip-range", pool]
    words += [
        "-o",
        f"com.docker.network.bridge.name={bridge}",
        "-o",
        f"com.docker.network.bridge.enable_icc={icc}",
    ]
    yield StringCommand(_q(*words, "--label", f"{LABEL_HUB}={hub}", wanted))


@operation()
def judged(finding: str, subject: str, question: str, needs: list[str], later: str, waived: bool) -> Commands:
    """Judge what only a container on the host can tell; what is bad stops this host before its hub is replaced.

    + finding: its name, for `preflight_waive`.
    + subject: what the finding is about.
    + question: command that prints `good: ...` or `bad: why; what to do`.
    + needs: images and networks that it needs; a bare host has none yet.
    + later: what is told there.
    + waived: whether what is bad is a warning only.
    """
    ready = " && ".join(["true", *(_q("docker", "inspect", "--format", "there", each) for each in needs)])
    line = host.get_fact(
        facts.Probe,
        command_line=f"{{ {ready}; }} >/dev/null 2>&1 && {{ {question} 2>&1 || true; }} | tail -n 1 || true",
    )
    verdict, _, told = line.partition(": ")
    if verdict == "good":
        host.noop(f"{subject}: {told}")
    elif not line:
        tell(host, "info", later)
        yield StringCommand(f"{question} || true" if waived else question)
    else:
        level: Literal["warning", "error"] = "warning" if waived else "error"
        text = f"[{finding}] {subject}: {told if verdict == 'bad' else line}"
        if not _executing():
            tell(host, level, text)
            host.log(f"{level} {text}")
        if waived:
            host.noop("it is bad, and waived")
        else:
            yield StringCommand(_q("echo", text), ">&2;", "false")


@operation()
def image_built(
    image: str, target: str, context: BuildContext, directory: str, arguments: Mapping[str, str], ca: str = ""
) -> Commands:
    """Build an image on the host; its name holds the hash of what it is built from.

    + image: the name, with the context's hash as tag.
    + target: stage of the Dockerfile; empty for its last.
    + context: the files.
    + directory: where build contexts are kept on the host.
    + arguments: the Dockerfile's build arguments.
    + ca: file on the host with authorities to trust while building.
    """
    if host.get_fact(facts.Image, image=image) is not None:
        host.noop(f"image {image} is there")
        return
    tell(host, "info", f"builds image {image}: some minutes, once")
    place = f"{directory}/{context.digest}"
    archive = f"{place}.tar.gz"
    # Under sudo, pyinfra hands an upload over through a temporary file that anyone may read: sources hold no secret.
    yield FileUploadCommand(
        context.archive(),
        f"{place}.tar.gz",
        remote_temp_filename=f"/var/tmp/hubfleet-{context.digest}.tar.gz",
    )
    yield StringCommand(
        f"rm -rf {_q(place)} && mkdir -p {_q(place)} && tar -xzf {_q(archive)} -C {_q(place)} && rm {_q(archive)}"
    )
    if _executing():
        host.log(f"building {image}; this takes some minutes")
    secret = ["--secret", f"id=ca,src={ca}"] if ca else []
    given = [word for key, value in arguments.items() for word in ("--build-arg", f"{key}={value}")]
    stage = ["--target", target] if target else []
    build = ["docker", "build", "--quiet", *stage, "--tag", image, *secret, *given, place]
    # In one: a run cut off between the two would leave the sources for good, since the image is there then.
    yield StringCommand(f"DOCKER_BUILDKIT=1 {_q(*build)}; rc=$?; {_q('rm', '-rf', place)}; (exit $rc)")


@operation()
def image_pulled(image: str) -> Commands:
    """Have an image on the host before anybody waits for it.

    + image: its name, with a tag or a digest.
    """
    if host.get_fact(facts.Image, image=image) is not None:
        host.noop(f"image {image} is there")
        return
    tell(host, "pull", f"pulls image {image}", image=image)
    if _executing():
        host.log(f"pulling {image}")
    yield StringCommand(_q("docker", "pull", "--quiet", image))


@operation()
def servers_spared(spec: ContainerSpec, servers: str, agreed: bool) -> Commands:
    """Stop before a container is replaced in which users' servers run, unless that was agreed to.

    + spec: what the container is to be.
    + servers: command that prints a line for each that runs.
    + agreed: whether they may end.
    """
    now = host.get_fact(facts.Container, container=spec.name)
    if now is None or now.get("status") != "running" or (now.get("labels") or {}).get(LABEL_SPEC) == spec.digest({}):
        host.noop(f"{spec.name} is not replaced")
        return
    count = host.get_fact(facts.Servers, listing=servers)
    if not count:
        host.noop(f"no server runs in {spec.name}")
        return
    told = f"{count} running server{'s' * (count > 1)}"
    if agreed:
        tell(host, "cut", f"cuts off {told}")
        host.noop(f"{told} may be cut off")
        return
    refusal = (
        f"{spec.role}: its new container would cut off {told}; nothing was replaced. "
        "Wait until none runs, or cut them off with `hubfleet apply --cut-servers` "
        "(pyinfra: --data hub_cut_servers=True)"
    )
    if not _executing():
        tell(host, "error", refusal)
    yield StringCommand(_q("echo", refusal), ">&2;", "false")


@operation()
def container(
    spec: ContainerSpec,
    reads: dict[str, str],
    secrets: dict[str, str | None],
    key: str,
    patience: int = 240,
    confirm: str = "",
    restart: Restart | None = None,
) -> Commands:
    """Have a container running exactly as specified.

    A changed one replaces the old, which comes back if the new one does not become healthy.

    + spec: what it is to be.
    + reads: digests of the plain files it reads at its start, by path.
    + secrets: secret files it reads at its start: path to the wanted sha256, or None for one made on the host.
    + key: file on the host that keys the digests of secrets.
    + patience: seconds to wait for health.
    + confirm: command run on the host once it is healthy.
    + restart: what is done when nothing but those files changed; None: it is replaced.
    """
    keyed = host.get_fact(facts.SecretDigests, key=key, paths=sorted(secrets)) if secrets else {}
    files = {**reads, **keyed}
    digest = spec.digest({} if restart else files)
    now = host.get_fact(facts.Container, container=spec.name)
    previous = host.get_fact(facts.Container, container=f"{spec.name}-previous")
    same = now is not None and (now.get("labels") or {}).get(LABEL_SPEC) == digest
    read = content_hash(json.dumps(sorted(files.items())))
    current = restart is None or (host.get_fact(facts.HostText, path=restart.stamp) or "").strip() == read
    # In a dry run a secret that is going to change has not changed yet.
    if not _executing() and _changing(secrets):
        same, current = same and restart is not None, False
    well = now is not None and now.get("status") == "running" and now.get("health") != "unhealthy"
    if same and well and now is not None and now.get("health") == "starting":
        # Begun by a run that was cut off, or just now: the engine looks too seldom to know.
        well = host.get_fact(facts.Probe, command_line=f"{_probe(spec)} && echo healthy || :") == "healthy"
    if same and well and current and previous is None:
        host.noop(f"container {spec.name} is as wanted")
        return
    name, old = _q(spec.name), _q(f"{spec.name}-previous")
    remember = [StringCommand("echo", read, ">", _q(restart.stamp))] if restart else []
    drop = StringCommand(f"docker rm -f {old} >/dev/null 2>&1 || :")
    if restart and same and now is not None and now.get("status") == "running" and not (well and current):
        tell(host, "restart", f"{spec.role} restarts")
        yield StringCommand(restart.command)
        yield from remember
        yield drop
        return
    if now is not None and now.get("status") == "created":
        # Never started: cut off in between, perhaps before it was on all its networks.
        yield StringCommand(f"docker rm {name} >/dev/null")
        now, same = None, False
    if now is not None and not same:
        tell(host, "restart", f"{spec.role} restarts")
    if previous is not None and (now is None or not same):
        # Cut off between taking the old one aside and the new one's first healthy answer: begin again from the old one.
        yield StringCommand(f"docker rm -f {name} >/dev/null 2>&1; docker rename {old} {name}")
    if not same:
        if now is not None or previous is not None:
            yield StringCommand(f"docker stop -t 30 {name} >/dev/null; docker rename {name} {old}")
        yield StringCommand(f"{spec.create_command(digest)} >/dev/null")
        for connect in spec.connect_commands():
            yield StringCommand(connect)
    yield StringCommand(f"docker start {name} >/dev/null")
    yield from _healthy(spec, patience)
    if confirm:
        yield StringCommand(confirm)
    yield from remember
    yield drop


def _changing(secrets: dict[str, str | None]) -> bool:
    """Whether a secret file on the host is not what it is to be."""
    for path, wanted in secrets.items():
        state = host.get_fact(facts.HostFile, path=path)
        if wanted is not None and (state is None or state.sha256 != wanted):
            return True
    return False


def _healthy(spec: ContainerSpec, patience: int) -> Iterable[PyinfraCommand]:
    """Wait for health with progress; on failure show the log and bring the previous container back."""
    name, old = _q(spec.name), _q(f"{spec.name}-previous")
    probe = _probe(spec)
    step = 10
    if not _executing():
        yield StringCommand(f"# wait up to {patience} s for {spec.name} to be healthy")
        return
    for waited in range(0, patience, step):
        yield StringCommand(f"for i in 1 2 3 4 5; do {probe} && break; {_running(name)} || break; sleep 2; done")
        state = host.get_fact(
            facts.Probe,
            command_line=f"{probe} && echo healthy || {{ {_running(name)} && echo waiting || echo ended; }}",
        )
        if state == "healthy":
            return
        if state == "ended" and waited >= step:
            break
        host.log(f"waiting for {spec.name}: {waited + step} s")
    failed = _q(f"{spec.name}: not healthy after {patience} s; its log is above")
    restored = _q(f"{spec.name}: the new one did not become healthy (its log is above); the previous one is back")
    back = (
        f"docker logs --tail 40 {name} >&2; "
        f"if docker inspect {old} >/dev/null 2>&1; then "
        f"docker rm -f {name} >/dev/null; docker rename {old} {name}; docker start {name} >/dev/null; "
        f"echo {restored} >&2; "
        f"else echo {failed} >&2; fi; false"
    )
    yield StringCommand(back)


def _probe(spec: ContainerSpec) -> str:
    name = _q(spec.name)
    return f"docker exec {name} {_q(*spec.health)} >/dev/null 2>&1" if spec.health else _running(name)


def _running(quoted: str) -> str:
    """Whether a container runs, and not only between one crash and the next: the engine calls that running too."""
    form = "'{{.State.Running}} {{lt .RestartCount 3}}'"
    return f'[ "$(docker inspect -f {form} {quoted} 2>/dev/null)" = "true true" ]'
