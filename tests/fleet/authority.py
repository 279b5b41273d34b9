"""An authority of a fleet's own: what stands in for services of others is vouched for by it."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=30)

#: RFC 5280 has every authority say so; Python takes no other from 3.13 on.
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
    key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
)  # fmt: skip


@dataclass(frozen=True)
class Authority:
    """Key and certificates are kept in ``directory``, which has to be there; what is missing is made."""

    directory: Path

    @property
    def certificate(self) -> Path:
        """PEM file of the authority itself, for those who shall trust it."""
        return self._pair("authority", None)[0]

    def leaf(self, address: str) -> tuple[Path, Path]:
        """PEM files of certificate and key of a server at an IP address."""
        return self._pair(address, address)

    def _pair(self, name: str, address: str | None) -> tuple[Path, Path]:
        certificate, key = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        if not certificate.exists():
            own = generate_private_key(SECP256R1())
            key.touch(0o600)
            key.write_bytes(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            certificate.write_bytes(self._signed(own, address).public_bytes(Encoding.PEM))
        return certificate, key

    def _signed(self, own: EllipticCurvePrivateKey, address: str | None) -> x509.Certificate:
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Hubfleet's tests")])
        about = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)]) if address else issuer
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(about)
            .issuer_name(issuer)
            .public_key(own.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=address is None, path_length=None), critical=True)
        )
        if address is None:
            identifier = x509.SubjectKeyIdentifier.from_public_key(own.public_key())
            builder = builder.add_extension(SIGNS_CERTIFICATES, critical=True)
            return builder.add_extension(identifier, critical=False).sign(own, hashes.SHA256())
        signer = load_pem_private_key(self._pair("authority", None)[1].read_bytes(), password=None)
        assert isinstance(signer, EllipticCurvePrivateKey)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        return (
            builder.add_extension(names, critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(signer, hashes.SHA256())
        )
