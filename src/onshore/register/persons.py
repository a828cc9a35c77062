"""Persons of a vehicle: its owner and its drivers, each for a period; names and contacts are sealed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, delete, select, update

from onshore.consent.records import BEFORE_TIME, FOREVER
from onshore.site import Site
from onshore.vault.drives import COUNTER, changes
from onshore.vault.keys import mac, open_sealed, seal
from onshore.vault.papers import drivers, keepers, meta, persons, reading, writing
from onshore.words.errors import Malformed, Refusal

OWNER, DRIVER = "owner", "driver"
_LONGEST = 255  # characters of a mark


@dataclass(frozen=True)
class Keeper:
    """Somebody who keeps a vehicle over [start, until) (milliseconds UTC; None: still); `role`: "owner" or "driver"."""

    person: int
    role: str
    start: int
    until: int | None


def enrol(site: Site, conn: Connection, *, name: str, contact: str) -> int:
    """A new person with a random id, inside the transaction that needs one; name and contact are sealed."""
    person, column = site.new_id(), site.key("column")
    conn.execute(
        persons.insert().values(
            id=person,
            name_sealed=seal(column, name.encode(), f"persons/{person}/name", site.randomness),
            contact_sealed=seal(column, contact.encode(), f"persons/{person}/contact", site.randomness),
        )
    )
    return person


def name_of(site: Site, person: int) -> str:
    """The name behind a person's id, opened for whoever may see it."""
    return _opened(site, person, "name")


def contact_of(site: Site, person: int) -> str:
    """How to reach a person, opened for whoever may see it."""
    return _opened(site, person, "contact")


def forget(conn: Connection, person: int) -> None:
    """Strike name and contact of a person, inside the transaction that asks for it; the random id stays."""
    conn.execute(update(persons).where(persons.c.id == person).values(name_sealed=None, contact_sealed=None))


def _opened(site: Site, person: int, what: str) -> str:
    """A sealed column of a person; empty once it was struck."""
    with reading(site.engine) as conn:
        box = conn.execute(select(persons.c[f"{what}_sealed"]).where(persons.c.id == person)).scalar_one()
    return "" if box is None else open_sealed(site.key("column"), box, f"persons/{person}/{what}").decode()


def of_vehicle(site: Site, vehicle: int) -> list[Keeper]:
    """All who ever kept a vehicle, oldest first."""
    with reading(site.engine) as conn:
        rows = conn.execute(
            select(keepers)
            .where(keepers.c.vehicle == vehicle)
            .order_by(keepers.c.start, keepers.c.role.desc(), keepers.c.person)
        ).all()
    return [Keeper(row.person, row.role, row.start, row.until) for row in rows]


def kept_by(site: Site, person: int) -> dict[int, Keeper]:
    """The vehicles that a person keeps now, by id, oldest first; in which role and since when."""
    ask = select(keepers).where(keepers.c.person == person, keepers.c.until.is_(None))
    with reading(site.engine) as conn:
        rows = conn.execute(ask.order_by(keepers.c.start, keepers.c.vehicle)).all()
    return {row.vehicle: Keeper(row.person, row.role, row.start, row.until) for row in rows}


def add_driver(site: Site, vehicle: int, *, name: str, contact: str = "", mark: str) -> int:
    """Register a driver: `mark` is what the car calls them when they drive; the new person's id.

    `mark` is what `consent.drives.SUBJECT` then holds, kept as an HMAC alone. Malformed where it is empty or too
    long; refuses one that another driver of the vehicle has now (`mark-in-use`).
    """
    if not 0 < len(mark) <= _LONGEST:
        raise Malformed(f"what the car calls a driver has 1 to {_LONGEST} characters", where="--mark")
    fingerprint, now = mark_of(site, vehicle, mark), site.clock()
    site.key("column")  # made in a transaction of its own
    with writing(site.engine) as conn:
        if conn.execute(_driving(vehicle).where(drivers.c.mark_mac == fingerprint)).first():
            raise Refusal(
                "mark-in-use",
                "the car calls another driver so already",
                remedy="'onshore vehicle driver remove' ends that one first",
            )
        person = enrol(site, conn, name=name, contact=contact)
        conn.execute(keepers.insert().values(vehicle=vehicle, person=person, role=DRIVER, start=now))
        conn.execute(drivers.insert().values(id=site.new_id(), vehicle=vehicle, person=person, mark_mac=fingerprint))
        mark_changed(conn)
    return person


def end_all(conn: Connection, vehicle: int, now: int) -> None:
    """End everybody's time with a vehicle from an instant (ms UTC), inside the transaction that hands it over."""
    still = (keepers.c.vehicle == vehicle) & keepers.c.until.is_(None)
    conn.execute(update(keepers).where(still).values(until=now))
    mark_changed(conn)


def remove_driver(site: Site, conn: Connection, vehicle: int, person: int) -> None:
    """End a driver's time with a vehicle, from this instant; refuses whoever does not drive it (`no-driver`)."""
    now = site.clock()
    ended = conn.execute(
        update(keepers)
        .where(keepers.c.vehicle == vehicle, keepers.c.person == person, keepers.c.role == DRIVER)
        .where(keepers.c.until.is_(None))
        .values(until=now)
    )
    if not ended.rowcount:
        raise _no_driver()
    mark_changed(conn)


def refuse_stranger(site: Site, vehicle: int, person: int) -> None:
    """Refuse (`no-driver`) a person who does not drive the vehicle now."""
    with reading(site.engine) as conn:
        if not conn.execute(_driving(vehicle).where(drivers.c.person == person)).first():
            raise _no_driver()


def span(site: Site, vehicle: int, person: int) -> tuple[int, int]:
    """[start, end) in which rows of a vehicle may be a person's; refuses (`no-keeper`) who never kept it.

    The first owner's begins with time itself: what a car drove before it was registered is theirs.
    """
    kept = of_vehicle(site, vehicle)
    for one in kept:
        if one.person == person:
            first = one.role == OWNER and one == next(k for k in kept if k.role == OWNER)
            return (BEFORE_TIME if first else one.start), (FOREVER if one.until is None else one.until)
    raise Refusal(
        "no-keeper",
        "nobody of this id ever kept this vehicle",
        article="PIPL Art. 45",
        remedy="'onshore vehicle show VIN' lists its keepers by id",
    )


def driver_id(site: Site, vehicle: int, person: int) -> int | None:
    """The id under which a person's drives with a vehicle are told apart; None for an owner."""
    ask = select(drivers.c.id).where(drivers.c.vehicle == vehicle, drivers.c.person == person)
    with reading(site.engine) as conn:
        return conn.scalar(ask)


def mark_changed(conn: Connection) -> None:
    """Count such a change."""
    turn = changes(conn) + 1
    conn.execute(delete(meta).where(meta.c.name == COUNTER))
    conn.execute(meta.insert().values(name=COUNTER, value=str(turn)))


def mark_of(site: Site, vehicle: int, mark: str) -> bytes:
    """What a mark is kept and looked up as: cars that call their drivers alike do not tell that they do."""
    return mac(site.key("lookup"), f"driver/{vehicle:016x}/{mark}".encode())


def _no_driver() -> Refusal:
    return Refusal(
        "no-driver",
        "nobody of this id drives this vehicle now",
        remedy="'onshore vehicle show VIN' lists its drivers by id",
    )


def _driving(vehicle: int) -> Select[Any]:
    both = (keepers.c.vehicle == drivers.c.vehicle) & (keepers.c.person == drivers.c.person)
    return select(drivers.c.person).join(keepers, both).where(drivers.c.vehicle == vehicle, keepers.c.until.is_(None))
