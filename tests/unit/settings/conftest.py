"""Inventories on disk, as labs write them, and the files their settings name."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[3]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes an inventory of hosts with their data, all in one group; a file name is used once in a process."""

    def inventory(hosts: dict[str, dict[str, Any]], group: str = "neurodesk", name: str = "lab.py") -> Path:
        path = tmp_path / name
        path.write_text(f"{group} = {list(hosts.items())!r}\n")
        return path

    return inventory


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files that settings name: certificates with their keys, and what is mistaken for them."""
    directory = tmp_path_factory.mktemp("lab")
    certificate(directory, "hub", ["hub.example.org", "*.labs.example.org"])
    certificate(directory, "other", ["other.example.org"])
    certificate(directory, "old", ["old.example.org"], days=-3)
    (directory / "text.pem").write_text("not a certificate\n")
    (directory / "large").write_text("x" * 70_000)
    (directory / "broken.d").mkdir()
    (directory / "broken.d" / "10-mine.py").write_text("c.Spawner.debug = True\nif True\n")
    for name in ("course.d", "heavy.d"):
        (directory / name).mkdir()
        (directory / name / "Dockerfile").write_text("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\n")
    with (directory / "heavy.d" / "images.tar").open("wb") as data:
        data.truncate(65 * 1024**2)
    return directory


def certificate(directory: Path, name: str, names: list[str], days: int = 30) -> None:
    """NAME.pem and NAME.key, valid until so many days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    ends = datetime.now(UTC) + timedelta(days=days)
    signed = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=60))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / f"{name}.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (directory / f"{name}.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
