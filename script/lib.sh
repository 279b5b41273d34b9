# Sourced by the other scripts, from the top of the clone: what a fresh Debian machine needs before Python takes over.
# Everything here says what it is about to install or start, and does nothing when it is already there.

CACHE=${HUBFLEET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/hubfleet}
mkdir -p "$CACHE"

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Debian's own client, in the engine's version; another one may stand before it on PATH.
docker_cli() { [ -x /usr/bin/docker ] && echo /usr/bin/docker || command -v docker; }

apt_install() { # PACKAGE...: the missing ones among them
    local package missing=()
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    [ "$(id -u)" = 0 ] || die "packages are missing (${missing[*]}) and only root can install them: run this as root"
    say "apt: installing ${missing[*]}"
    local log=$CACHE/apt.log
    { apt-get -o DPkg::Lock::Timeout=300 -q update &&
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q install -y --no-install-recommends "${missing[@]}"
    } >"$log" 2>&1 </dev/null || { tail -20 "$log" >&2; die "apt could not install ${missing[*]}; its whole output is in $log"; }
}

venv() { # run|dev: .venv holds what requirements/{run,dev}.lock say, by hash, and this clone itself
    local lock=requirements/$1.lock stamp=.venv/.hubfleet-$1 wanted
    wanted=$(cat requirements/*.lock pyproject.toml | sha256sum)
    if [ "$1" = run ] && [ "$(cat .venv/.hubfleet-dev 2>/dev/null)" = "$wanted" ]; then return 0; fi
    if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || die "Python 3.11 or newer is needed as python3"
    # Debian's python3 comes without ensurepip until python3-venv is there.
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
    say "python: installing the packages of $lock into .venv"
    [ -x .venv/bin/pip ] || python3 -m venv .venv
    .venv/bin/pip install -q --disable-pip-version-check --require-hashes -r "$lock"
    .venv/bin/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$wanted" >"$stamp"
}

engine() { # a Docker engine that answers; one that runs is used as it is
    local docker log=$CACHE/dockerd.log pid seconds
    docker=$(docker_cli) && "$docker" version >/dev/null 2>&1 && return 0
    local packages=(docker.io iptables)
    # Debian 13 has split the client and BuildKit off.
    for package in docker-cli docker-buildx; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 && packages+=("$package")
    done
    apt_install "${packages[@]}"
    docker=$(docker_cli)
    if [ -d /run/systemd/system ]; then
        say "docker: starting the engine (systemctl start docker)"
        systemctl start docker
    elif ! "$docker" version >/dev/null 2>&1; then
        pid=$(cat /var/run/docker.pid 2>/dev/null || true)
        if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dockerd ]; then rm -f /var/run/docker.pid; fi
        say "docker: starting the engine (dockerd, its log is $log)"
        setsid dockerd >"$log" 2>&1 </dev/null &
    fi
    for seconds in $(seq 60); do
        "$docker" version >/dev/null 2>&1 && return 0
        sleep 1
    done
    tail -20 "$log" >&2 2>/dev/null || true
    die "the Docker engine did not answer within $seconds seconds"
}
