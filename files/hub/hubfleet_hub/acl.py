"""POSIX ACLs as values: what an inode's own list and, of a directory, the list that new files inherit say.

The kernel's attributes are read and written as they are, through ``/proc/self/fd/N`` of a descriptor. `setfacl -R -P`
walks by path, so a directory that its owner swaps for a link during the walk leads it anywhere; a descriptor is what
was looked at. The form is that of Linux's ``posix_acl_xattr.h``.
"""

import errno
import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

READ, WRITE, EXECUTE = 4, 2, 1

ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"

_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")


@dataclass(frozen=True)
class Acl:
    """Permissions are sums of `READ`, `WRITE` and `EXECUTE`."""

    owner: int
    group: int
    other: int
    mask: int | None = None
    """What users and groups by name, and the file's group, get at most; none without any by name."""
    named: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """By the kernel's tag and the id."""

    @classmethod
    def of_mode(cls, mode: int) -> Self:
        """What a mode alone says."""
        return cls(mode >> 6 & 7, mode >> 3 & 7, mode & 7)

    @classmethod
    def read(cls, descriptor: int, attribute: str) -> Self | None:
        """The list of an open file, O_PATH suffices; None without one. Raises OSError."""
        try:
            data = os.getxattr(f"/proc/self/fd/{descriptor}", attribute)
        except OSError as error:
            if error.errno == errno.ENODATA:
                return None
            raise
        base: dict[int, int] = {}
        named: dict[tuple[int, int], int] = {}
        for tag, permissions, number in _ENTRY.iter_unpack(data[_HEAD.size :]):
            if tag in (_USER, _GROUP):
                named[tag, number] = permissions
            else:
                base[tag] = permissions
        return cls(base[_USER_OBJ], base[_GROUP_OBJ], base[_OTHER], base.get(_MASK), named)

    def write(self, descriptor: int, attribute: str) -> None:
        """Give it to an open file; one that says no more than a mode becomes the mode. Raises OSError."""
        entries = [(_USER_OBJ, self.owner, _NOBODY), (_GROUP_OBJ, self.group, _NOBODY), (_OTHER, self.other, _NOBODY)]
        entries += [(tag, permissions, number) for (tag, number), permissions in self.named.items()]
        entries += [] if self.mask is None else [(_MASK, self.mask, _NOBODY)]
        entries.sort(key=lambda entry: (entry[0], entry[2]))
        data = _HEAD.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in entries)
        os.setxattr(f"/proc/self/fd/{descriptor}", attribute, data)

    def allows(self, uid: int) -> int:
        """What the entry of a user by name comes to."""
        entry = self.named.get((_USER, uid), 0)
        return entry if self.mask is None else entry & self.mask

    def granting(self, uid: int, wanted: int, owner: int) -> "Acl":
        """The same, with ``wanted`` for a user by name.

        The mask is widened for that only if nobody but ``owner``, whose file it is anyway, gains by it: one that cuts
        others off is the word of a person or program (mode 0600), and stands.
        """
        entry = self.named.get((_USER, uid))
        if entry is not None and entry | EXECUTE == wanted | EXECUTE and self.allows(uid) == wanted:
            return self  # an inherited entry has x in reserve, for the day when the file becomes executable
        rest = self.without(uid)
        others = dict(rest.named)
        if rest.mask is None:
            mask = rest.group | wanted
        else:
            added = wanted & ~rest.mask
            gaining = rest.group | _union(others, but=(_USER, owner))
            mask = rest.mask if gaining & added else rest.mask | added
        return replace(rest, mask=mask, named={**others, (_USER, uid): wanted})

    def without(self, uid: int) -> "Acl":
        """The same, with nothing for a user by name: the mask keeps what it gives to others."""
        others = dict(self.named)
        gone = others.pop((_USER, uid), None)
        if gone is None or self.mask is None:
            return self
        if not others:
            return Acl(self.owner, self.group & self.mask, self.other)
        return replace(self, mask=self.mask & ~(gone & ~(self.group | _union(others))), named=others)

    def plain(self) -> "Acl":
        """What is left without anybody by name and without a mask."""
        return Acl(self.owner, self.group if self.mask is None else self.group & self.mask, self.other)


def execute_of(mode: int) -> int:
    """`EXECUTE` for a directory or what somebody may execute already."""
    return EXECUTE if stat.S_ISDIR(mode) or mode & 0o111 else 0


def drop_default(descriptor: int) -> None:
    """Let new files of an open directory inherit nothing. Raises OSError."""
    os.removexattr(f"/proc/self/fd/{descriptor}", DEFAULT)


def _union(named: Mapping[tuple[int, int], int], but: tuple[int, int] | None = None) -> int:
    found = 0
    for key, permissions in named.items():
        if key != but:
            found |= permissions
    return found
