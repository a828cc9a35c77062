"""Who simulated cars are: VINs that no maker has, ids and certificates, of a site at hand or from a folder."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from onshore.words.errors import Malformed

if TYPE_CHECKING:
    from onshore.site import Site

CARS, AUTHORITY = "cars", "ca.pem"
"""Files of a folder of certificates: a line `id VIN` for each car, and what the gate is believed by."""


@dataclass(frozen=True)
class Simulated:
    """A car: its VIN, its id at the site (0: not known), and its certificate and key."""

    vin: bytes
    vehicle: int = 0
    certificate: Path | None = None
    key: Path | None = None


def test_vins(cars: int) -> list[bytes]:
    """VINs of simulated cars: LTEST and twelve digits, which no maker uses."""
    return [b"LTEST%012d" % number for number in range(1, cars + 1)]


def listed(folder: Path, count: int) -> list[Simulated]:
    """So many cars of a folder of certificates: `cars`, `ca.pem`, and for each car `<id>.pem` and `<id>.key`.

    Malformed where it lists fewer, or has no certificate of one.
    """
    found = []
    for number, line in enumerate((folder / CARS).read_text("ascii").splitlines(), 1):
        name, _, vin = line.partition(" ")
        if len(name) != 16 or not set(name) <= set("0123456789abcdef"):
            raise Malformed("a line is a vehicle's id in 16 hex digits and its VIN", where=f"{CARS}, line {number}")
        found.append(Simulated(vin.encode(), int(name, 16), folder / f"{name}.pem", folder / f"{name}.key"))
    if len(found) < count:
        raise Malformed(f"it has {len(found)} cars; ask for no more, or make them with --site", where=CARS)
    return found[:count]


def client_context(authority: Path, car: Simulated) -> ssl.SSLContext:
    """What a car connects with: it believes the gate by `authority`, and shows its certificate if it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_verify_locations(authority)
        if car.certificate is not None and car.key is not None:
            context.load_cert_chain(car.certificate, car.key)
    except ssl.SSLError as wrong:
        raise Malformed(
            f"a certificate or key is not to be used: {wrong.reason}", where=authority.parent.name
        ) from None
    return context


@contextmanager
def at_hand(site: Path, folder: Path | None, count: int) -> Iterator[Path]:
    """A folder of certificates of cars that are registered and certified here; a temporary one unless it is named.

    One that is named is made once and used again; keys are new, and their files are their owner's alone.
    """
    if folder is not None and (folder / CARS).exists():
        yield folder
    elif folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(site, folder, count)
        yield folder
    else:
        with TemporaryDirectory(prefix="onshore-cars-") as made:
            _make(site, Path(made), count)
            yield Path(made)


def _make(site: Path, folder: Path, count: int) -> None:
    from onshore.register import authority, vehicles
    from onshore.site import open_site

    here = open_site(site)
    (folder / AUTHORITY).write_bytes(b"".join(authority.pem(one.certificate) for one in authority.trusted(here)))
    lines = []
    for vin in test_vins(count):
        vehicle = vehicles.look_up(here, vin) or vehicles.add(here, vin.decode()).id
        lines.append(f"{vehicle:016x} {vin.decode()}\n")
        _certify(here, vehicle, folder)
    (folder / CARS).write_text("".join(lines))


def _certify(site: "Site", vehicle: int, folder: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    from onshore.register.certificates import certify

    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder(x509.Name([])).sign(key, hashes.SHA256())
    done = certify(site, vehicle, request.public_bytes(serialization.Encoding.DER))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{vehicle:016x}.pem").write_bytes(done.chain)
    file = folder / f"{vehicle:016x}.key"
    file.touch(mode=0o600)
    file.write_bytes(secret)
