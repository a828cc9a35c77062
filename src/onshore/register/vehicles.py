"""Vehicles and their persons: random ids inside, VIN and name sealed, looked up by HMAC."""

import re
from dataclasses import dataclass

from sqlalchemy import select

from onshore.site import Site
from onshore.vault.keys import mac, open_sealed, seal
from onshore.vault.papers import keepers, persons, reading, vehicles, writing
from onshore.words.errors import Malformed, Refusal

_VIN = re.compile(rb"[A-HJ-NPR-Z0-9]{17}")


@dataclass(frozen=True)
class Vehicle:
    """A registered vehicle: random `id`, when `added`, since when `restricted` (None: never), and its `owner`."""

    id: int
    added: int
    restricted: int | None
    owner: int


def check_vin(vin: str) -> bytes:
    """The VIN's 17 bytes; Malformed unless it has 17 characters of ISO 3779's alphabet (no I, O, Q)."""
    raw = vin.encode("ascii", "replace")
    if not _VIN.fullmatch(raw):
        raise Malformed("a VIN has 17 capital letters and digits, without I, O and Q (ISO 3779)", where="VIN")
    return raw


def add(site: Site, vin: str, *, owner: str = "", contact: str = "") -> Vehicle:
    """Register a vehicle with its owner; refuses a VIN that is registered already."""
    raw = check_vin(vin)
    now, vehicle, person = site.clock(), site.new_id(), site.new_id()
    fingerprint = mac(site.key("lookup"), raw)
    column = site.key("column")

    def sealed(text: bytes, place: str) -> bytes:
        return seal(column, text, place, site.randomness)

    with writing(site.engine) as conn:
        if conn.execute(select(vehicles.c.id).where(vehicles.c.vin_mac == fingerprint)).first():
            raise Refusal("vehicle-known", "this vehicle is registered already", remedy="see 'onshore vehicle show'")
        conn.execute(
            vehicles.insert().values(
                id=vehicle, vin_mac=fingerprint, vin_sealed=sealed(raw, f"vehicles/{vehicle}/vin"), added=now
            )
        )
        conn.execute(
            persons.insert().values(
                id=person,
                name_sealed=sealed(owner.encode(), f"persons/{person}/name"),
                contact_sealed=sealed(contact.encode(), f"persons/{person}/contact"),
            )
        )
        conn.execute(keepers.insert().values(vehicle=vehicle, person=person, role="owner", start=now))
    return Vehicle(vehicle, now, None, person)


def look_up(site: Site, vin: bytes) -> int | None:
    """The id of a vehicle by the 17 bytes of its VIN, or None."""
    with reading(site.engine) as conn:
        found = conn.execute(select(vehicles.c.id).where(vehicles.c.vin_mac == mac(site.key("lookup"), vin))).scalar()
    return None if found is None else int(found)


def find(site: Site, vin: str) -> Vehicle:
    """The vehicle of a VIN; refuses one that is not registered."""
    vehicle = look_up(site, check_vin(vin))
    if vehicle is None:
        raise Refusal(
            "vehicle-unknown",
            "no vehicle with this VIN is registered at this site",
            remedy="register it with 'onshore vehicle add VIN'",
        )
    with reading(site.engine) as conn:
        row = conn.execute(select(vehicles).where(vehicles.c.id == vehicle)).one()
        owner = conn.execute(
            select(keepers.c.person).where(
                keepers.c.vehicle == vehicle, keepers.c.role == "owner", keepers.c.until.is_(None)
            )
        ).scalar_one()
    return Vehicle(vehicle, row.added, row.restricted, owner)


def vin_of(site: Site, vehicle: int) -> str:
    """The VIN behind an id, opened for the person or officer who asks."""
    with reading(site.engine) as conn:
        box = conn.execute(select(vehicles.c.vin_sealed).where(vehicles.c.id == vehicle)).scalar_one()
    return open_sealed(site.key("column"), box, f"vehicles/{vehicle}/vin").decode("ascii")


def owner_name(site: Site, person: int) -> str:
    """The name behind a person's id."""
    with reading(site.engine) as conn:
        box = conn.execute(select(persons.c.name_sealed).where(persons.c.id == person)).scalar_one()
    return open_sealed(site.key("column"), box, f"persons/{person}/name").decode()


def listed(site: Site) -> list[int]:
    """Ids of all vehicles, oldest first."""
    with reading(site.engine) as conn:
        return [int(v) for v in conn.execute(select(vehicles.c.id).order_by(vehicles.c.added, vehicles.c.id)).scalars()]


def owners(site: Site) -> dict[int, int]:
    """Vehicle to owner, for all vehicles, as of now."""
    with reading(site.engine) as conn:
        rows = conn.execute(
            select(keepers.c.vehicle, keepers.c.person).where(keepers.c.role == "owner", keepers.c.until.is_(None))
        ).all()
    return {int(r.vehicle): int(r.person) for r in rows}
