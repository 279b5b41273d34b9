# What preflight looks at on a host, in one go: lines under an @@heading each. Plain sh, and what a minimal Debian has.
# Set before it: ports (hexadecimal), paths, devices, sources (a line each), fqdn, owner, group, base.
heading() { printf '@@%s\n' "$1"; }
room() {
    d=$1
    while [ ! -d "$d" ]; do d=$(dirname "$d"); done
    bytes=$(df -PB1 "$d" | awk 'NR == 2 { print $4 }')
    inodes=$(df -Pi "$d" | awk 'NR == 2 { print $4 }')
    printf '%s|%s|%s\n' "$1" "$bytes" "$inodes"
}
holder() {
    for d in /proc/[0-9]*; do
        ls -l "$d/fd" 2>/dev/null | grep -q "socket:\[$1\]" && cat "$d/comm" && return
    done
}
heading system; cat /etc/os-release 2>/dev/null
heading arch; uname -m
heading init; cat /proc/1/comm 2>/dev/null
heading user; id -u
heading clock; date +%s
heading memory; awk '/^MemTotal/ { print $1, $2 }' /proc/meminfo
heading disk; for path in $paths; do room "$path"; done
heading port
for port in $ports; do
    # State 0A is LISTEN; the tenth column is the socket's inode.
    awk -v port=":$port" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        while read -r inode; do printf '%s|%s\n' "$port" "$(holder "$inode")"; done | sort -u
done
heading name; getent ahosts "$fqdn" 2>/dev/null | awk '{ print $1 }' | sort -u
heading addresses; hostname -I 2>/dev/null | tr ' ' '\n'; ip -o addr show 2>/dev/null | awk '{ print $4 }' | cut -d/ -f1
heading owner; id -u "$owner" 2>/dev/null; getent group "$group" 2>/dev/null
heading base; stat -c '%u|%g|%a|%F' "$base" 2>/dev/null
heading device; for path in $devices; do [ -e "$path" ] && echo "$path"; done
heading source
printf '%s\n' "$sources" | while IFS= read -r path; do [ -n "$path" ] && [ -e "$path" ] && echo "$path"; done
heading package
dpkg-query -W -f='${Status}|${Package}\n' docker.io docker-ce podman-docker 2>/dev/null | grep '^install ok'
true
