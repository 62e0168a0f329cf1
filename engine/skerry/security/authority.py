"""A certificate authority of a hub's own: one key that signs one kind of certificate, that of the hub's server.

Members are told its certificate when they are enrolled, and trust it for this one server only. `cryptography` is
imported when something has to be signed (the extra `security`); who gives files of another authority does without.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from skerry.bus.serverconfig import write_private
from skerry.errors import DataError, Unavailable

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

_AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
"""Browsers take no certificate that is older; nobody needs one that is."""
_SKEW = timedelta(hours=24)
"""A node whose clock is late takes the certificate all the same."""


class Files(NamedTuple):
    """Where certificates and keys are."""

    authority: Path
    authority_key: Path
    server: Path
    server_key: Path


def files(folder: Path) -> Files:
    """The names in a `security` folder."""
    return Files(folder / "ca.pem", folder / "ca-key.pem", folder / "server.pem", folder / "server-key.pem")


def issue(folder: Path, name: str, hosts: Sequence[str]) -> Files:
    """A certificate for a server under these names and addresses, by the folder's authority, made if there is none.

    Raises `Unavailable` when `cryptography` is not installed, `DataError` when the authority's key is not of our kind.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    except ImportError:
        raise Unavailable(
            "certificates need the package cryptography",
            hint="pip install 'skerry[security]', or give files of your own: --certificate, --private-key",
        ) from None
    found = files(folder)
    if found.authority_key.exists():
        signer = serialization.load_pem_private_key(found.authority_key.read_bytes(), None)
        if not isinstance(signer, EllipticCurvePrivateKey):
            raise DataError(f"{found.authority_key} holds a key of another kind than Skerry makes", hint="move it away")
        authority = x509.load_pem_x509_certificate(found.authority.read_bytes())
    else:
        signer, authority = _authority(found, name)
    _server(found, signer, authority, hosts)
    return found


def ends(certificate: Path) -> datetime:
    """Until when a certificate is valid. Raises `Unavailable` when `cryptography` is not installed."""
    try:
        from cryptography import x509
    except ImportError:
        raise Unavailable("reading a certificate needs the package cryptography") from None
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc


def _authority(found: Files, name: str) -> tuple[EllipticCurvePrivateKey, x509.Certificate]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"skerry {name}"[:64])])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(subject, subject, _AUTHORITY_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(found.authority_key, _pem(key))
    write_private(found.authority, certificate.public_bytes(serialization.Encoding.PEM).decode())
    return key, certificate


def _server(found: Files, signer: EllipticCurvePrivateKey, authority: x509.Certificate, hosts: Sequence[str]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    names = [_name(host) for host in dict.fromkeys((*hosts, "localhost", "127.0.0.1"))]
    certificate = (
        _builder(subject, authority.subject, SERVER_DAYS)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
    write_private(found.server_key, _pem(key))
    write_private(found.server, certificate.public_bytes(serialization.Encoding.PEM).decode())


def _builder(subject: x509.Name, issuer: x509.Name, days: int) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
    )


def _name(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives import serialization

    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
