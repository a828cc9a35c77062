"""The meter: distinct persons, counted exactly, reserved before anything is sealed.

Each person of each parcel stands in `meter`; whom a count (a permit, a class in a year) has met already lies in the
runs of `vault.counts`, and how many those are beside them. All of it changes in one transaction, whose lock makes it
atomic against every other process, so that a total is read and never counted; `wrong` counts, and compares.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, delete, distinct, func, select, update

from onshore.vault import counts
from onshore.vault.counts import of_permit, of_year, recount, wrong
from onshore.vault.papers import meter, meter_vehicles, parcels, transfers
from onshore.words.errors import Refusal
from onshore.words.permit import Permit

__all__ = ["recount", "wrong"]

_UNSENT = "unsent"
_MANY = 500  # persons that one statement names


@dataclass(frozen=True)
class Exported:
    """Distinct persons since 1 January, local time: of sensitive personal information, and of other; some are both."""

    sensitive: int
    ordinary: int


@dataclass(frozen=True)
class Load:
    """What a parcel carries: its persons, those with rows of either class, its vehicles and its rows."""

    persons: frozenset[int]
    sensitive: frozenset[int] = frozenset()
    ordinary: frozenset[int] = frozenset()
    vehicles: frozenset[int] = frozenset()
    rows: int = 0


def exported(conn: Connection, year: int) -> Exported:
    """What counts against the year's thresholds: everything that left or is reserved to leave."""
    return Exported(
        counts.total(conn, of_year(year, sensitive=True)), counts.total(conn, of_year(year, sensitive=False))
    )


def used(conn: Connection, permit: str) -> int:
    """Distinct persons already sent, or reserved, under a permit."""
    return counts.total(conn, of_permit(permit))


def rows_used(conn: Connection, permit: str, *, but: str = "") -> int:
    """Rows already sent, or reserved, under a permit; `but`: without those of one parcel."""
    mine = (parcels.c.permit == permit) & (parcels.c.state != _UNSENT) & (parcels.c.id != but)
    return int(conn.execute(select(func.coalesce(func.sum(parcels.c.rows), 0)).where(mine)).scalar_one())


def new_under(conn: Connection, permit: str, persons: Iterable[int]) -> int:
    """How many of `persons` were not yet counted under the permit."""
    return len(counts.new(conn, of_permit(permit), counts.ids(set(persons))))


def new_in_year(conn: Connection, year: int, persons: Iterable[int], *, sensitive: bool) -> int:
    """How many of `persons` were not yet counted in that calendar year, in that class."""
    return len(counts.new(conn, of_year(year, sensitive=sensitive), counts.ids(set(persons))))


def most_new(conn: Connection, year: int, load: Load) -> int:
    """How many of a load a class has not counted yet in that year: of the class that has more of them."""
    both = ((load.sensitive, True), (load.ordinary, False))
    return max(new_in_year(conn, year, persons, sensitive=sensitive) for persons, sensitive in both)


def reserve(conn: Connection, *, parcel: str, permit: Permit, article: str, year: int, load: Load) -> None:
    """Count a parcel's load, or refuse (`outside-permit`, by `article`) where the permit's limits would be passed.

    Runs inside the caller's writing transaction. `year`: the calendar year here in which it leaves.
    """
    reserve_rows(conn, parcel=parcel, permit=permit, article=article, rows=load.rows)
    said = [
        {
            "parcel": parcel,
            "person": person,
            "permit": permit.id,
            "year": year,
            "sensitive": person in load.sensitive,
            "ordinary": person in load.ordinary,
        }
        for person in sorted(load.persons)
    ]
    if said:
        conn.execute(meter.insert(), said)
    if load.vehicles:
        conn.execute(meter_vehicles.insert(), [{"parcel": parcel, "vehicle": v} for v in sorted(load.vehicles)])
    for name, persons in (
        (of_permit(permit.id), load.persons),
        (of_year(year, sensitive=True), load.sensitive),
        (of_year(year, sensitive=False), load.ordinary),
    ):
        if persons:
            counts.add(conn, name, parcel, counts.ids(persons))
    if (total := used(conn, permit.id)) > permit.persons:
        raise _passed("distinct persons", permit.persons, total, article)


def reserve_rows(conn: Connection, *, parcel: str, permit: Permit, article: str, rows: int) -> None:
    """Set down how many rows a parcel holds; refuses as `reserve` does. Once sealed it is asked again, exactly."""
    total = rows_used(conn, permit.id, but=parcel) + rows
    if permit.rows and total > permit.rows:
        raise _passed("rows", permit.rows, total, article)
    conn.execute(update(parcels).where(parcels.c.id == parcel).values(rows=rows))


def give_back(conn: Connection, parcel: str) -> None:
    """Take a parcel off the meter, of which nothing left; whoever another parcel holds stays counted."""
    counts.give_back(conn, parcel)
    conn.execute(delete(meter).where(meter.c.parcel == parcel))
    conn.execute(delete(meter_vehicles).where(meter_vehicles.c.parcel == parcel))


def of_parcel(conn: Connection, parcel: str) -> int:
    """Distinct persons counted for one parcel."""
    return int(conn.execute(select(func.count()).select_from(meter).where(meter.c.parcel == parcel)).scalar_one())


def refuse_turned(conn: Connection, parcel: str, year: int) -> None:
    """Refuse (`year-turned`) where a parcel's persons are counted in another calendar year than it would leave in."""
    counted = conn.execute(select(meter.c.year).where(meter.c.parcel == parcel).limit(1)).scalar()
    if counted is not None and counted != year:
        raise Refusal(
            "year-turned",
            f"its persons are counted in {counted}, and what is still to go of it would leave in {year}",
            remedy="ship again: the new parcel counts in the new year",
        )


def devices_since(conn: Connection, instant: int, recipient: str = "") -> int:
    """Distinct vehicles of which anything left, or is reserved to, since an instant (ms UTC); to one recipient, or all.

    The window of 28 CFR 202.205, which counts what one foreign or covered person was sent.
    """
    return _since(conn, meter_vehicles.c.vehicle, meter_vehicles.c.parcel, instant, recipient)


def persons_since(conn: Connection, instant: int, recipient: str = "") -> int:
    """Distinct persons, as `devices_since` counts vehicles."""
    return _since(conn, meter.c.person, meter.c.parcel, instant, recipient)


def others_since(conn: Connection, instant: int, recipient: str, but: Iterable[int]) -> Exported:
    """Distinct persons by class, as `persons_since` counts them, without those of `but`: with them they are exact."""
    to, known = _sent(conn, instant, recipient), sorted(set(but))

    def of(mine: Column[bool]) -> int:
        ask = select(func.count(distinct(meter.c.person))).where(meter.c.parcel.in_(to), mine)
        parts = (known[at : at + _MANY] for at in range(0, len(known), _MANY))
        again = sum(conn.execute(ask.where(meter.c.person.in_(part))).scalar_one() for part in parts)
        return int(conn.execute(ask).scalar_one() - again)

    return Exported(of(meter.c.sensitive), of(meter.c.ordinary))


def _passed(what: str, limit: int, total: int, article: str) -> Refusal:
    return Refusal(
        "outside-permit",
        f"the permit's limit of {what} is {limit}; with this parcel it would be {total}",
        article=article,
        remedy="ask for less, or have the regulator grant a wider permit",
    )


def new_devices(conn: Connection, instant: int, recipient: str, vehicles: Iterable[int]) -> int:
    """How many of `vehicles` `devices_since` does not count yet."""
    sent = _sent(conn, instant, recipient)
    known = conn.scalars(select(meter_vehicles.c.vehicle).where(meter_vehicles.c.parcel.in_(sent)).distinct())
    return len(set(vehicles).difference(known))


def _since(conn: Connection, one: ColumnElement[int], parcel: ColumnElement[str], instant: int, recipient: str) -> int:
    to = _sent(conn, instant, recipient)
    return int(conn.execute(select(func.count(distinct(one))).where(parcel.in_(to))).scalar_one())


def _sent(conn: Connection, instant: int, recipient: str) -> list[str]:
    """Parcels that left, or are reserved to, since an instant; to one recipient, or all."""
    when = func.coalesce(parcels.c.left, parcels.c.reserved)
    ask = select(parcels.c.id, transfers.c.body).join(transfers, transfers.c.id == parcels.c.transfer)
    found = conn.execute(ask.where(when >= instant, parcels.c.state != _UNSENT)).all()
    return [id_ for id_, body in found if not recipient or json.loads(body)["recipient"] == recipient]
