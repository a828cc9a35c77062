"""Authorities of makers: whose vehicles' certificates a site takes, and which VIN such a certificate names."""

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID, NameOID

from onshore.register.authority import pem
from onshore.words.errors import Malformed
from onshore.words.settings_gate import Issuer


@dataclass(frozen=True)
class Foreign:
    """A maker's authority: the certificates that issue its vehicles', and the key usages that mark a vehicle."""

    certificates: tuple[x509.Certificate, ...]
    devices: frozenset[str]


def read(folder: Path, issuers: dict[str, Issuer]) -> list[Foreign]:
    """The authorities of `[gate.issuers.<name>]`; paths are relative to the site. Malformed names the bad file."""
    return [Foreign(_certificates(folder / one.ca, name), frozenset(one.devices)) for name, one in issuers.items()]


def authorities_pem(issuers: list[Foreign]) -> bytes:
    """Their certificates, PEM: whom a door believes beside the site's own authority."""
    return b"".join(pem(one) for issuer in issuers for one in issuer.certificates)


def named_vin(certificate: x509.Certificate, issuers: list[Foreign]) -> bytes | None:
    """The VIN in a vehicle's certificate: the common name of its subject, '.' read as '-'.

    None where none of `issuers` signed it directly, where it lacks the key usages of a vehicle, or names no one thing:
    whoever else holds a certificate of that maker, such as a charger or a workshop, is no vehicle.
    """
    if not any(_signed(certificate, issuer) and _is_vehicle(certificate, issuer) for issuer in issuers):
        return None
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if len(names) != 1:
        return None
    value = names[0].value
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return text.replace(".", "-").encode()


def _certificates(path: Path, name: str) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except ValueError:
        raise Malformed("the file holds no PEM certificates", where=f"site.toml, gate.issuers.{name}.ca") from None
    except OSError as failed:
        where = f"site.toml, gate.issuers.{name}.ca"
        raise Malformed(f"the file cannot be read: {failed.strerror}", where=where) from None


def _signed(certificate: x509.Certificate, issuer: Foreign) -> bool:
    return any(_signed_by(certificate, one) for one in issuer.certificates)


def _signed_by(certificate: x509.Certificate, one: x509.Certificate) -> bool:
    if certificate.issuer != one.subject or certificate == one:
        return False
    try:
        certificate.verify_directly_issued_by(one)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _is_vehicle(certificate: x509.Certificate, issuer: Foreign) -> bool:
    if not issuer.devices:
        return True
    try:
        usages = certificate.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    assert isinstance(usages, x509.ExtendedKeyUsage)
    return any(usage.dotted_string in issuer.devices for usage in usages)
