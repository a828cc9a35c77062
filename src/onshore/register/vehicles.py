"""Vehicles and their persons: random ids inside, VIN and name sealed, looked up by HMAC."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from onshore.register import persons
from onshore.register.vin import check_vin, refuse_wrong
from onshore.site import Site
from onshore.vault.keys import mac, open_sealed, seal
from onshore.vault.papers import keepers, reading, retirements, vehicles, writing
from onshore.vault.restrictions import restricted_since
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Vehicle:
    """A registered vehicle: random `id`, when `added`, since when all of it is `restricted` (or None), its `owner`."""

    id: int
    added: int
    restricted: int | None
    owner: int


def add(site: Site, vin: str, *, owner: str = "", contact: str = "", check_digit: bool = True) -> Vehicle:
    """Register a vehicle with its owner; refuses a VIN that is registered already.

    Refuses too (unless `check_digit` is off) a VIN without the check digit that the site's market has (`vin`).
    """
    raw = check_vin(vin)
    if check_digit:
        refuse_wrong(raw, site.settings.site.jurisdiction)
    now, vehicle = site.clock(), site.new_id()
    fingerprint, column = mac(site.key("lookup"), raw), site.key("column")
    sealed = seal(column, raw, f"vehicles/{vehicle}/vin", site.randomness)
    with writing(site.engine) as conn:
        if conn.execute(select(vehicles.c.id).where(vehicles.c.vin_mac == fingerprint)).first():
            raise Refusal("vehicle-known", "this vehicle is registered already", remedy="see 'onshore vehicle show'")
        conn.execute(vehicles.insert().values(id=vehicle, vin_mac=fingerprint, vin_sealed=sealed, added=now))
        person = persons.enrol(site, conn, name=owner, contact=contact)
        conn.execute(keepers.insert().values(vehicle=vehicle, person=person, role=persons.OWNER, start=now))
    return Vehicle(vehicle, now, None, person)


def look_up(site: Site, vin: bytes) -> int | None:
    """The id of a vehicle by the 17 bytes of its VIN, as doors know it: None for strangers, and what is retired."""
    ask = _by_vin(site, vin).where(vehicles.c.id.not_in(select(retirements.c.vehicle)))
    with reading(site.engine) as conn:
        found = conn.execute(ask).scalar()
    return None if found is None else int(found)


def find(site: Site, vin: str) -> Vehicle:
    """The vehicle of a VIN, be it retired; refuses one that is not registered."""
    with reading(site.engine) as conn:
        vehicle = conn.execute(_by_vin(site, check_vin(vin))).scalar()
    if vehicle is None:
        raise Refusal(
            "vehicle-unknown",
            "no vehicle with this VIN is registered at this site",
            remedy="register it with 'onshore vehicle add VIN'",
        )
    return by_id(site, vehicle)


def by_id(site: Site, vehicle: int) -> Vehicle:
    """The vehicle of an id that the register gave."""
    with reading(site.engine) as conn:
        row = conn.execute(select(vehicles).where(vehicles.c.id == vehicle)).one()
        owner = conn.execute(
            select(keepers.c.person).where(
                keepers.c.vehicle == vehicle, keepers.c.role == "owner", keepers.c.until.is_(None)
            )
        ).scalar_one()
        return Vehicle(vehicle, row.added, restricted_since(conn, vehicle), owner)


def _by_vin(site: Site, vin: bytes) -> Select[Any]:
    return select(vehicles.c.id).where(vehicles.c.vin_mac == mac(site.key("lookup"), vin))


def vin_of(site: Site, vehicle: int) -> str:
    """The VIN behind an id, opened for the person or officer who asks."""
    with reading(site.engine) as conn:
        box = conn.execute(select(vehicles.c.vin_sealed).where(vehicles.c.id == vehicle)).scalar_one()
    return open_sealed(site.key("column"), box, f"vehicles/{vehicle}/vin").decode("ascii")


def owner_name(site: Site, person: int) -> str:
    """The name behind a person's id."""
    return persons.name_of(site, person)


def retired(site: Site, vehicle: int) -> int | None:
    """When a vehicle was retired (ms UTC), if it was."""
    with reading(site.engine) as conn:
        return conn.scalar(select(retirements.c.at).where(retirements.c.vehicle == vehicle))


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
