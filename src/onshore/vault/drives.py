"""Who drove, as papers have it: what tells whose a vehicle's row is."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from onshore.consent.drives import NOBODY, Drives, Said, drives_of
from onshore.consent.records import FOREVER
from onshore.vault.papers import drivers, drives, keepers, meta

COUNTER = "drives"
_TURN = select(meta.c.value).where(meta.c.name == COUNTER)
_MANY = 5_000  # more ids than this are not named in a question: every vehicle is read then


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver of a vehicle over [since, until) (milliseconds UTC); `mark`: the HMAC of what the car calls them."""

    id: int
    vehicle: int
    mark: bytes
    since: int
    until: int


def changes(conn: Connection) -> int:
    """How often drivers came or went, or a car said who drives."""
    found = conn.execute(_TURN).scalar()
    return int(found) if found else 0


def last_word(conn: Connection) -> int:
    """The last word on who drove that was written down so far: what `spoken_after` is asked with later."""
    return conn.scalar(select(func.max(drives.c.id))) or 0


def spoken_after(conn: Connection, last: int, vehicles: Collection[int], until: int) -> bool:
    """Whether any of these vehicles has said since `last` who drove before an instant (ms UTC).

    Rows that were somebody's may be somebody else's by such a word, whose consents were never asked for them.
    """
    some = select(drives.c.vehicle).where(drives.c.id > last, drives.c.at < until)
    return not set(vehicles).isdisjoint(conn.execute(some.distinct()).scalars())


def read_drivers(conn: Connection, vehicles: Collection[int] | None = None) -> Iterator[Driver]:
    """The drivers of these vehicles (of all: None), each with their time."""
    both = (keepers.c.vehicle == drivers.c.vehicle) & (keepers.c.person == drivers.c.person)
    ask = select(drivers.c.id, drivers.c.vehicle, drivers.c.mark_mac, keepers.c.start, keepers.c.until)
    if vehicles is not None and len(vehicles) <= _MANY:
        ask = ask.where(drivers.c.vehicle.in_(sorted(vehicles)))
    for row in conn.execute(ask.join(keepers, both).order_by(drivers.c.id)):
        yield Driver(row.id, row.vehicle, row.mark_mac, row.start, FOREVER if row.until is None else row.until)


def read_drives(conn: Connection, vehicles: Collection[int] | None = None) -> Drives:
    """What these cars (all: None) said of who drives, compiled."""
    who = {one.id: one for one in read_drivers(conn, vehicles)}
    ask = select(drives.c.vehicle, drives.c.at, drives.c.driver).order_by(drives.c.id)
    if vehicles is not None and len(vehicles) <= _MANY:
        ask = ask.where(drives.c.vehicle.in_(sorted(vehicles)))
    return drives_of(spoke(row.vehicle, row.at, who.get(row.driver)) for row in conn.execute(ask))


def spoke(vehicle: int, at: int, driver: Driver | None) -> Said:
    """What a car said at an instant; None: that nobody known drives."""
    if driver is None:
        return Said(vehicle, at, NOBODY, 0, FOREVER)
    return Said(vehicle, at, driver.id, driver.since, driver.until)
