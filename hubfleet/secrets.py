"""Secrets on the control machine: from a reference in the inventory to a value that never prints itself.

A reference is ``env:VARIABLE``, ``file:PATH`` or ``age:PATH``; paths are relative to the inventory's
directory. ``generate`` is no matter of this module: such a secret is made on the host and never leaves it.
"""

import os
from pathlib import Path
from typing import NoReturn

import pyrage  # type: ignore[import-untyped]
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.hiddenvalue import HiddenValue

LARGEST = 64 * 1024
"""Bytes a secret may have. A key and its chain are far below; a wrong file is often far above."""

IDENTITY_VARIABLE = "HUBFLEET_AGE_IDENTITY"
"""Names the file with the age identity, or the OpenSSH private key, that opens ``age:`` references."""

DEFAULT_IDENTITY = Path("~/.config/hubfleet/identity.txt")


class Secret(HiddenValue):
    """A secret. It shows as a mask wherever it is printed; `unmask()` gives the value."""

    def __init__(self, value: str) -> None:
        super().__init__(value)  # type: ignore[no-untyped-call]

    def __format__(self, spec: str) -> NoReturn:
        # A template or an f-string would write the mask into a file on a host.
        raise TypeError("a secret is no part of a text: take its unmask(), and mind where that text goes")


class SecretError(PyinfraError):
    """A reference cannot be followed. The text names the reference, never a value: "reason; what to do"."""


def resolve(reference: str, directory: str | Path) -> Secret:
    """The secret that `reference` names, without line breaks at its end.

    Raises SecretError if it cannot be read, is empty, is not text or is larger than `LARGEST`.
    """
    kind, _, place = reference.partition(":")
    if kind == "env":
        value = _from_environment(place)
    elif kind in ("file", "age"):
        path = Path(directory) / Path(place).expanduser()
        content = _read(path)
        if kind == "age":
            content = _decrypt(content, path)
        value = _text(content, path)
    else:
        raise ValueError("only env:, file: and age: can be followed on the control machine")
    value = value.rstrip("\r\n")
    if not value:
        raise SecretError(f"is empty in {f'the variable {place}' if kind == 'env' else place}; put the secret there")
    return Secret(value)


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"needs the environment variable {name}, which is not set; export it before the run")
    if len(value.encode("utf-8", "surrogateescape")) > LARGEST:
        raise SecretError(f"is larger than {LARGEST // 1024} KiB; is {name} the right variable?")
    return value


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise SecretError(f"cannot be read from {path}: {error.strerror}; check the path and its mode") from None
    if len(content) > LARGEST:
        raise SecretError(f"is larger than {LARGEST // 1024} KiB; is {path} the right file?")
    return content


def _text(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SecretError(f"is not text in {path}; is it encrypted? Then write age: before its path") from None


def _decrypt(content: bytes, path: Path) -> bytes:
    identity_file = Path(os.environ.get(IDENTITY_VARIABLE) or DEFAULT_IDENTITY).expanduser()
    try:
        text = identity_file.read_text()
    except (OSError, UnicodeDecodeError):
        raise SecretError(
            f"needs the age identity in {identity_file}, which cannot be read; name its file in {IDENTITY_VARIABLE}"
        ) from None
    try:
        decrypted: bytes = pyrage.decrypt(content, _identities(text))
        return decrypted
    except (pyrage.IdentityError, pyrage.DecryptError, ValueError):
        raise SecretError(
            f"cannot be decrypted: {path} is not encrypted to the identity in {identity_file}; "
            "encrypt it again with that identity's recipient"
        ) from None


def _identities(text: str) -> list[object]:
    if "PRIVATE KEY-----" in text:
        return [pyrage.ssh.Identity.from_buffer(text.encode())]
    lines = [line.strip() for line in text.splitlines()]
    return [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
