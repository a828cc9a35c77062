"""The site's own certificate authority: what it signs for vehicles, for the gate, and about what it took back."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import Connection, Row, func, select

from onshore.site import Site
from onshore.vault.papers import authorities, reading, writing

DAY = 86_400_000
_YEARS = 10
_EARLY = 3_600_000
"""Certificates begin an hour before they are signed: cars whose clock is behind believe them at once."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256 (NIST SP 800-186, 3.2.1.3)
_MORE = 48  # bytes that a key is drawn from: 128 more bits than it has, so that none is likelier (FIPS 186-5, A.2.1)

PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Authority:
    """An authority of the site: its number, its own certificate and its key (P-256)."""

    number: int
    certificate: x509.Certificate
    key: PrivateKey


@dataclass(frozen=True)
class Shown:
    """What a gate shows: the certificate with its chain and its key, both PEM, and when (ms UTC) it ends."""

    certificate: bytes
    key: bytes = field(repr=False)
    until: int


def signing(site: Site) -> Authority:
    """The authority that signs now; a new one where there is none, or the last would end before what it signs."""
    with reading(site.engine) as conn:
        found, number = _last(site, conn), _newest(conn) + 1
    if found is None:
        _key(site, number)  # makes the site key in a transaction of its own
        with writing(site.engine) as conn:  # another process may have been quicker: look again under the write lock
            found = _last(site, conn) or _founded(site, conn, number)
    return found


def trusted(site: Site) -> list[Authority]:
    """All authorities of the site that have not ended, oldest first; one is made where there is none."""
    signing(site)
    with reading(site.engine) as conn:
        ask = select(authorities).where(authorities.c.until > site.clock()).order_by(authorities.c.number)
        return [_authority(site, row) for row in conn.execute(ask)]


def newest(site: Site) -> int:
    """The number of the authority that was made last, 0 before there is one; it changes when another one is made."""
    with reading(site.engine) as conn:
        return _newest(conn)


def for_vehicle(site: Site, by: Authority, vehicle: int, key: CertificatePublicKeyTypes) -> x509.Certificate:
    """A client certificate of a vehicle: its random id in 16 hex digits as common name, nothing else about it."""
    built = _built(site, by, f"{vehicle:016x}", key, site.settings.certificates.vehicle_days)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return built.add_extension(purpose, critical=False).sign(by.key, hashes.SHA256())


def for_gate(site: Site) -> Shown:
    """A server certificate for the gate's names, its key new and kept nowhere else."""
    by, names = signing(site), site.settings.gate.names
    key = _drawn(site.randomness(_MORE))
    built = _built(site, by, "gate", key.public_key(), site.settings.certificates.gate_days)
    signed = (
        built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .sign(by.key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Shown(pem(signed) + pem(by.certificate), secret, until(signed))


def revocations(site: Site, by: Authority, revoked: Iterable[tuple[int, int]]) -> bytes:
    """A CRL (RFC 5280, 5), PEM, good for a day, of (serial, when in ms UTC): for others who believe the authority."""
    now = site.clock()
    listed = x509.CertificateRevocationListBuilder(by.certificate.subject, _time(now), _time(now + DAY))
    for serial, at in revoked:
        listed = listed.add_revoked_certificate(x509.RevokedCertificateBuilder(serial, _time(at)).build())
    listed = listed.add_extension(x509.CRLNumber(now), critical=False)
    listed = listed.add_extension(_issued_by(by.key.public_key()), critical=False)
    return listed.sign(by.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def pem(certificate: x509.Certificate) -> bytes:
    """A certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def until(certificate: x509.Certificate) -> int:
    """The first instant (ms UTC) at which a certificate is no longer valid; `notAfter` still is (RFC 5280, 4.1.2.5)."""
    return int(certificate.not_valid_after_utc.timestamp() * 1000) + 1000


def _last(site: Site, conn: Connection) -> Authority | None:
    longest = max(site.settings.certificates.vehicle_days, site.settings.certificates.gate_days) * DAY
    ask = select(authorities).where(authorities.c.until > site.clock() + longest)
    row = conn.execute(ask.order_by(authorities.c.number.desc()).limit(1)).one_or_none()
    return None if row is None else _authority(site, row)


def _newest(conn: Connection) -> int:
    return conn.scalar(select(func.max(authorities.c.number))) or 0


def _authority(site: Site, row: Row[Any]) -> Authority:
    return Authority(row.number, x509.load_der_x509_certificate(row.certificate), _key(site, row.number))


def _founded(site: Site, conn: Connection, number: int) -> Authority:
    key = _key(site, number)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Onshore site {site.id}, authority {number}")])
    begin = site.clock() - _EARLY
    end = begin + _YEARS * 365 * DAY
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), _serial(site), _time(begin), _time(end - 1000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    der = signed.public_bytes(serialization.Encoding.DER)
    conn.execute(authorities.insert().values(number=number, certificate=der, until=until(signed)))
    fingerprint = signed.fingerprint(hashes.SHA256()).hex()
    site.hand_in(conn, site.entry("key", role="authority", state="made", obj=f"sha256:{fingerprint}"))
    return Authority(number, signed, key)


def _built(
    site: Site, by: Authority, subject: str, key: CertificatePublicKeyTypes, days: int
) -> x509.CertificateBuilder:
    """What certificates have in common. Both their ends are inside: `days` less a second (CA/B BR 6.3.2)."""
    begin = site.clock() - _EARLY
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    end = begin + days * DAY - 1000
    return (
        x509.CertificateBuilder(by.certificate.subject, name, key, _serial(site), _time(begin), _time(end))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(_issued_by(by.key.public_key()), critical=False)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _issued_by(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key(site: Site, number: int) -> PrivateKey:
    """The key of an authority, from a site key of 32 bytes that lies wrapped as all the others do."""
    drawn = HKDF(hashes.SHA256(), _MORE, None, b"onshore authority P-256").derive(site.key(f"authority/{number}"))
    return _drawn(drawn)


def _drawn(random: bytes) -> PrivateKey:
    return ec.derive_private_key(int.from_bytes(random, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def _serial(site: Site) -> int:
    """159 random bits: positive, and at most 20 bytes (RFC 5280, 4.1.2.2)."""
    return int.from_bytes(site.randomness(20), "big") >> 1 or 1


def _time(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at // 1000)
