"""Secrets on the control machine: references are followed, values never show."""

from pathlib import Path

import pyrage  # type: ignore[import-untyped]
import pytest

from hubfleet.secrets import IDENTITY_VARIABLE, LARGEST, SecretError, resolve

VALUE = "hunter2-äöü"


@pytest.fixture
def identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "pyrage.x25519.Identity":
    made = pyrage.x25519.Identity.generate()
    file = tmp_path / "identity.txt"
    file.write_text(f"# made for a test\n{made}\n")
    monkeypatch.setenv(IDENTITY_VARIABLE, str(file))
    return made


def test_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_SECRET", VALUE)
    assert resolve("env:LAB_SECRET", tmp_path).unmask() == VALUE


def test_a_file_beside_the_inventory_without_its_last_line_break(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{VALUE}\n")
    assert resolve("file:secret", tmp_path).unmask() == VALUE


def test_a_file_anywhere(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(VALUE)
    assert resolve(f"file:{tmp_path}/secret", "/nowhere").unmask() == VALUE


def test_the_lines_of_a_key_stay(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN-----\nabc\n-----END-----\n")
    assert resolve("file:key", tmp_path).unmask() == "-----BEGIN-----\nabc\n-----END-----"


@pytest.mark.parametrize("armored", [False, True])
def test_an_encrypted_file(tmp_path: Path, identity: "pyrage.x25519.Identity", armored: bool) -> None:
    (tmp_path / "secret.age").write_bytes(pyrage.encrypt(VALUE.encode(), [identity.to_public()], armored=armored))
    assert resolve("age:secret.age", tmp_path).unmask() == VALUE


def test_an_encrypted_file_and_an_ssh_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    (tmp_path / "id").write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.OpenSSH, s.NoEncryption()))
    public = key.public_key().public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode()
    (tmp_path / "secret.age").write_bytes(pyrage.encrypt(VALUE.encode(), [pyrage.ssh.Recipient.from_str(public)]))
    monkeypatch.setenv(IDENTITY_VARIABLE, str(tmp_path / "id"))
    assert resolve("age:secret.age", tmp_path).unmask() == VALUE


def test_a_secret_shows_as_a_mask_and_is_no_part_of_a_text(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(VALUE)
    secret = resolve("file:secret", tmp_path)
    assert VALUE not in f"{secret!s} {secret!r} {[secret]} {vars(type(secret))}"
    with pytest.raises(TypeError, match="unmask"):
        f"{secret}"


def _refused(reference: str, directory: Path) -> str:
    with pytest.raises(SecretError) as caught:
        resolve(reference, directory)
    return str(caught.value)


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    assert _refused("env:LAB_UNSET", tmp_path) == (
        "needs the environment variable LAB_UNSET, which is not set; export it before the run"
    )


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert f"cannot be read from {tmp_path}/secret: No such file" in _refused("file:secret", tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "secret").write_bytes(content)
    assert _refused("file:secret", tmp_path) == "is empty in secret; put the secret there"


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "image").open("wb") as file:
        file.truncate(10 * 1024**3)
    assert "is larger than 64 KiB" in _refused("file:image", tmp_path)


def test_a_file_as_large_as_may_be_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x" * LARGEST)
    assert len(resolve("file:secret", tmp_path).unmask()) == LARGEST


def test_an_encrypted_file_given_as_plain_is_told_so(tmp_path: Path, identity: "pyrage.x25519.Identity") -> None:
    (tmp_path / "secret.age").write_bytes(pyrage.encrypt(VALUE.encode(), [identity.to_public()]))
    assert "write age: before its path" in _refused("file:secret.age", tmp_path)


def test_without_an_identity_its_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.age").write_bytes(b"x")
    monkeypatch.setenv(IDENTITY_VARIABLE, str(tmp_path / "none"))
    told = _refused("age:secret.age", tmp_path)
    assert f"{tmp_path}/none" in told
    assert IDENTITY_VARIABLE in told


@pytest.mark.usefixtures("identity")
def test_a_file_for_somebody_else_is_refused_without_its_content(tmp_path: Path) -> None:
    other = pyrage.x25519.Identity.generate()
    (tmp_path / "secret.age").write_bytes(pyrage.encrypt(VALUE.encode(), [other.to_public()]))
    told = _refused("age:secret.age", tmp_path)
    assert "is not encrypted to the identity" in told
    assert VALUE not in told


def test_an_identity_that_is_none_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "identity.txt").write_text("AGE-SECRET-KEY-1NONSENSE\n")
    (tmp_path / "secret.age").write_bytes(b"x")
    monkeypatch.setenv(IDENTITY_VARIABLE, str(tmp_path / "identity.txt"))
    assert "NONSENSE" not in _refused("age:secret.age", tmp_path)
