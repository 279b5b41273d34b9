"""The one place where a user's name becomes part of a path, a container name, a volume name or a label."""

import hashlib
import re
import string

MAX_LENGTH = 63
"""Characters in an escaped name at most: a DNS label's, which every place we use one in allows."""

_SAFE = frozenset(string.ascii_lowercase + string.digits)
_LEADING = "x-"
_HASH_LENGTH = 24


def escape(name: str) -> str:
    """Spell ``name`` in ``[a-z0-9-]``, first and last a letter or digit, in at most `MAX_LENGTH` characters.

    The scheme is DockerSpawner's (since 12.0, by escapism): letters and digits stay, every other byte of the
    UTF-8 form is ``-`` and two hex digits, so ``-`` itself is ``-2d`` and no two names meet. What differs:
    escapism writes bytes below 16 with one digit, which makes names meet, so ours always has two; a spelling
    that would begin with ``-`` (an option to every command that is given it) gets ``x-`` before it; and one
    that is too long keeps its beginning and gets ``--`` and 24 hex digits of the name's SHA-256. Plain
    escaping never makes ``--``, so neither form can be another name's.

    Raises ValueError for the empty name.
    """
    if not name:
        raise ValueError("an empty user name has no place on disk")
    parts = [_escape_character(character) for character in name]
    if parts[0].startswith("-"):
        parts[0] = _LEADING + parts[0]
    whole = "".join(parts)
    return whole if len(whole) <= MAX_LENGTH else _shorten(name, parts)


def _escape_character(character: str) -> str:
    if character in _SAFE:
        return character
    return "".join(f"-{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


def _shorten(name: str, parts: list[str]) -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    room = MAX_LENGTH - len("--") - _HASH_LENGTH
    head = ""
    for part in parts:
        if len(head) + len(part) > room:
            break
        head += part
    return f"{head}--{digest}"


_LINUX = re.compile(r"[a-z][a-z0-9_-]*")
LONGEST_LINUX = 63
"""Characters; a name at GitHub has up to 39, and gets a prefix."""

# fmt: off
RESERVED = frozenset([
    "_apt", "adm", "audio", "backup", "bin", "cdrom", "crontab", "daemon", "dialout", "dip", "disk", "fax",
    "floppy", "games", "gnats", "input", "irc", "kmem", "kvm", "list", "lp", "mail", "man", "messagebus", "netdev",
    "news", "nobody", "nogroup", "operator", "plugdev", "polkitd", "proxy", "render", "root", "sasl", "sgx",
    "shadow", "src", "ssh", "sshd", "staff", "sudo", "sync", "sys", "tape", "tty", "users", "utmp", "uucp", "video",
    "voice", "www-data",
])
# fmt: on
"""Users and groups of a Debian system, whether or not an image has them today."""


def linux_problem(name: str) -> str:
    """Why ``name`` can be no person's Linux account; empty when it can."""
    if not _LINUX.fullmatch(name):
        return "is no name of a Linux user: letters a-z, digits, - and _, a letter first"
    if len(name) > LONGEST_LINUX:
        return f"is longer than the {LONGEST_LINUX} characters of a Linux user's name"
    if name in RESERVED or name.startswith(("hubfleet", "systemd-")):
        return "is a name that the system has for itself"
    return ""
