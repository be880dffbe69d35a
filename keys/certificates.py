"""Mutual TLS for parties on other machines: one authority, one certificate for the vault, one for each party.

The authority's own key is thrown away as soon as it has signed: who wants other certificates makes all of them again,
and nobody can add a party later.
"""

from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.files import write_secret

GOOD_FOR = timedelta(days=2 * 365)
SERVER = "vault"
_AUTHORITY = "meedoen vault authority"


def make(folder: Path, host: str, parties: tuple[str, ...], now: datetime) -> None:
    """Write `ca.pem`, and a `.pem` and a `.key` for the vault on `host` and for each party, good for two years."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate(_AUTHORITY, authority_key, authority_key, now)
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    authority = authority.add_extension(_usage(signs_certificates=True), critical=True)
    write_secret(folder / "ca.pem", authority.sign(authority_key, SHA256()).public_bytes(Encoding.PEM))
    for name in (SERVER, *parties):
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if name == SERVER else ExtendedKeyUsageOID.CLIENT_AUTH
        made = _certificate(name, key, authority_key, now)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(_usage(signs_certificates=False), critical=True)
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=True)
        if name == SERVER:
            made = made.add_extension(x509.SubjectAlternativeName([_address(host)]), critical=False)
        write_secret(folder / f"{name}.pem", made.sign(authority_key, SHA256()).public_bytes(Encoding.PEM))
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_secret(folder / f"{name}.key", private)


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    """RFC 5280, section 4.2.1: with the identifiers that strict readers ask for."""
    made = x509.CertificateBuilder().subject_name(_name(name)).issuer_name(_name(_AUTHORITY))
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(minutes=5)).not_valid_after(now + GOOD_FOR)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return made.add_extension(issuer, critical=False)


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _address(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
