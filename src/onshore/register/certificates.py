"""Certificates of vehicles: signed by the site's authority, revoked again, and known at the doors."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256 as hash_of
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import Connection, or_, select, update
from sqlalchemy.exc import DBAPIError

from onshore.register import acts, authority, issuers, vehicles
from onshore.register.requests import fingerprint, requested_key
from onshore.site import Site
from onshore.vault.papers import certificates, reading, retirements, writing
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Certified:
    """A certificate signed for a vehicle: PEM with its chain, serial number (hex), when it starts and ends (ms UTC)."""

    chain: bytes
    serial: str
    start: int
    until: int
    act: acts.Act


@dataclass(frozen=True)
class Listed:
    """A certificate on file: `until` is exclusive, `revoked` when it was taken back, if ever."""

    serial: str
    start: int
    until: int
    revoked: int | None


def certify(site: Site, vehicle: int, request: bytes) -> Certified:
    """Sign the key of a request (RFC 2986) for a vehicle; certificates signed earlier stay good until their own end.

    Good for `certificates.vehicle_days` of the settings, 90 at most. Refuses what `requested_key` refuses, a vehicle
    that is retired (`retired`), and a key that another vehicle has, had, or that was revoked here (`key-in-use`).
    """
    key = requested_key(request)
    by = authority.signing(site)
    signed = authority.for_vehicle(site, by, vehicle, key)
    sha256 = signed.fingerprint(hashes.SHA256())
    serial, start, until = f"{signed.serial_number:040x}", _start(signed), authority.until(signed)
    with writing(site.engine) as conn:
        refuse_retired(conn, vehicle)
        _refuse_key(conn, vehicle, fingerprint(key))
        conn.execute(
            certificates.insert().values(
                serial=serial,
                vehicle=vehicle,
                sha256=sha256,
                key=fingerprint(key),
                authority=by.number,
                start=start,
                until=until,
            )
        )
        said = {"serial": serial, "start": start, "until": until, "certificate": f"sha256:{sha256.hex()}"}
        act = acts.recorded(site, conn, vehicle, "certified", **said)
    return Certified(authority.pem(signed) + authority.pem(by.certificate), serial, start, until, act)


def revoke(site: Site, vehicle: int, serial: str) -> acts.Act:
    """Take a certificate back, from this instant, on open connections too; refuses one that does not stand."""
    with writing(site.engine) as conn:
        standing = [row.serial for row in conn.execute(_unrevoked(vehicle))]
        if serial.lower() not in standing:
            raise Refusal(
                "no-certificate",
                "this vehicle has no such certificate that is not revoked already",
                remedy="'onshore vehicle show VIN' lists its certificates by serial number",
            )
        return _revoked(site, conn, vehicle, [serial.lower()])


def revoke_all(site: Site, conn: Connection, vehicle: int) -> acts.Act | None:
    """Take back all certificates of a vehicle, inside the transaction that asks for it; None where it has none."""
    serials = [row.serial for row in conn.execute(_unrevoked(vehicle))]
    return _revoked(site, conn, vehicle, serials) if serials else None


def of_vehicle(site: Site, vehicle: int) -> list[Listed]:
    """All certificates ever signed for a vehicle, oldest first."""
    with reading(site.engine) as conn:
        ask = (
            select(certificates)
            .where(certificates.c.vehicle == vehicle)
            .order_by(certificates.c.start, certificates.c.serial)
        )
        return [Listed(row.serial, row.start, row.until, row.revoked) for row in conn.execute(ask)]


def revocation_list(site: Site) -> bytes:
    """What was revoked and would not have ended yet: a CRL of each of the site's authorities, PEM, for others."""
    c = certificates.c
    ask = select(c.serial, c.revoked, c.authority).where(c.revoked.is_not(None), c.until > site.clock())
    with reading(site.engine) as conn:
        rows = conn.execute(ask.order_by(c.revoked, c.serial)).all()
    return b"".join(
        authority.revocations(site, by, [(int(r.serial, 16), r.revoked) for r in rows if r.authority == by.number])
        for by in authority.trusted(site)
    )


class Standing:
    """Who a car is by its certificate, as of now. It follows the papers: ask `changed` at each tick of the gate."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._issuers = issuers.read(site.folder, site.settings.gate.issuers)
        self._known: dict[bytes, _Known] = {}
        self._lost = False
        self._looked = 0
        with _papers(), reading(site.engine) as conn:
            self._seen, self._retired = acts.changes(conn), _retired(conn)

    def identify(self, der: bytes) -> int | None:
        """The vehicle of a certificate (DER) whose chain and possession TLS has checked; None: no vehicle of ours now.

        One that the site's authority signed is known by its digest, as it stands in the papers; one of another issuer
        by the VIN that it names, if that vehicle is registered. None too where it is revoked, out of its time, or its
        vehicle retired. Raises OSError where the papers do not answer.
        """
        self._follow()
        digest = hash_of(der).digest()
        known = self._known.get(digest) or self._asked(digest, der)
        now = self._site.clock()
        return known.vehicle if known and known.start <= now < known.until else None

    def accepts(self, vehicle: int) -> bool:
        """Whether doors still know a vehicle that they let in otherwise than by certificate: it is not retired."""
        self._follow()
        return vehicle not in self._retired

    def changed(self) -> bool:
        """Whether anybody let in before may have to leave, as a revocation, retirement or a certificate's end came.

        Cheap (one look at a counter); asked again, it says no until the next time. `identify` and `accepts` then say
        whom it concerns, without asking the papers about those who stay. Raises OSError where these do not answer.
        """
        self._looked = 0
        self._follow()
        now = self._site.clock()
        ended = [digest for digest, known in self._known.items() if now >= known.until]
        for digest in ended:
            del self._known[digest]
        lost, self._lost = self._lost or bool(ended), False
        return lost

    def authorities(self) -> bytes:
        """PEM of all that issue certificates which may be a vehicle's: what a door's TLS believes."""
        own = b"".join(authority.pem(one.certificate) for one in authority.trusted(self._site))
        return own + issuers.authorities_pem(self._issuers)

    def _follow(self) -> None:
        """Forget what is known of vehicles that lost something, at most some milliseconds after they did."""
        now = self._site.clock()
        if abs(now - self._looked) < _STALE:
            return
        with _papers(), reading(self._site.engine) as conn:
            turn = acts.changes(conn)
            if turn != self._seen:
                since = acts.changed_since(conn, self._seen)
                stay = self._known.items() if turn > self._seen else ()  # papers put back to an earlier day know less
                self._known = {digest: known for digest, known in stay if known.vehicle not in since}
                self._seen, self._retired, self._lost = turn, _retired(conn), True
        self._looked = now

    def _asked(self, digest: bytes, der: bytes) -> "_Known | None":
        """Look a certificate up; one that does not stand is not remembered, or strangers could fill the memory."""
        c = certificates.c
        with _papers(), reading(self._site.engine) as conn:
            row = conn.execute(select(c.vehicle, c.start, c.until, c.revoked).where(c.sha256 == digest)).one_or_none()
        if row is not None:
            known = None if row.revoked is not None else _Known(row.vehicle, row.start, row.until)
        else:
            known = self._foreign(der)
        if known is None or known.vehicle in self._retired:
            return None
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[digest] = known
        return known

    def _foreign(self, der: bytes) -> "_Known | None":
        if not self._issuers:
            return None
        try:
            certificate = x509.load_der_x509_certificate(der)
            vin = issuers.named_vin(certificate, self._issuers)
        except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
            return None
        with _papers():
            vehicle = None if vin is None else vehicles.look_up(self._site, vin)
        return None if vehicle is None else _Known(vehicle, _start(certificate), authority.until(certificate))


_STALE = 100  # milliseconds for which what is known is not held against the papers again
_REMEMBERED = 1 << 17


@dataclass(frozen=True, slots=True)
class _Known:
    vehicle: int
    start: int
    until: int


def _retired(conn: Connection) -> frozenset[int]:
    return frozenset(conn.scalars(select(retirements.c.vehicle)))


@contextmanager
def _papers() -> Iterator[None]:
    """Papers that do not answer are a disk that does not: nobody new is let in meanwhile."""
    try:
        yield
    except DBAPIError as failed:
        raise OSError(f"the papers do not answer: {failed.orig}") from failed


def refuse_retired(conn: Connection, vehicle: int) -> None:
    """Refuse an act on a vehicle that is retired."""
    if conn.scalar(select(retirements.c.at).where(retirements.c.vehicle == vehicle)) is not None:
        raise Refusal(
            "retired",
            "this vehicle is retired: no door knows it, and nothing is signed for it any more",
            remedy="what is held about it can still be seen and erased: 'onshore rights'",
        )


def _unrevoked(vehicle: int) -> Any:
    c = certificates.c
    return select(c.serial).where(c.vehicle == vehicle, c.revoked.is_(None)).order_by(c.start, c.serial)


def _revoked(site: Site, conn: Connection, vehicle: int, serials: list[str]) -> acts.Act:
    c = certificates.c
    conn.execute(update(certificates).where(c.serial.in_(serials)).values(revoked=site.clock()))
    acts.mark_changed(conn, vehicle)
    site.recall(conn, (certificates, c.serial.in_(serials)))
    return acts.recorded(site, conn, vehicle, "revoked", serials=serials)


def _refuse_key(conn: Connection, vehicle: int, key: bytes) -> None:
    c = certificates.c
    taken = select(c.serial).where(c.key == key, or_(c.vehicle != vehicle, c.revoked.is_not(None)))
    if conn.execute(taken).first():
        raise Refusal(
            "key-in-use",
            "this key belongs to another vehicle, or a certificate with it was revoked",
            remedy="let the vehicle make a new key pair and a request with it",
        )


def _start(certificate: x509.Certificate) -> int:
    return int(certificate.not_valid_before_utc.timestamp() * 1000)
