"""The meter: distinct persons, counted exactly, reserved before anything is sealed."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, distinct, func, select

from onshore.vault.papers import meter, parcels
from onshore.words.errors import Refusal

_ALIVE = ("reserved", "leaving", "sending", "left")


@dataclass(frozen=True)
class Exported:
    """Distinct persons since 1 January, local time: with sensitive personal information, and with ordinary alone."""

    sensitive: int
    ordinary: int


def exported(conn: Connection, year: int) -> Exported:
    """What counts against the year's thresholds: everything that left or is reserved to leave."""
    return Exported(
        _count(conn, meter.c.year == year, meter.c.sensitive),
        _count(conn, meter.c.year == year, ~meter.c.sensitive),
    )


def used(conn: Connection, permit: str) -> int:
    """Distinct persons already sent, or reserved, under a permit."""
    return _count(conn, meter.c.permit == permit)


def new_under(conn: Connection, permit: str, persons: Iterable[int]) -> int:
    """How many of `persons` were not yet counted under the permit."""
    return len(set(persons) - _persons(conn, meter.c.permit == permit))


def new_in_year(conn: Connection, year: int, persons: Iterable[int], *, sensitive: bool) -> int:
    """How many of `persons` were not yet counted in that calendar year, in that class."""
    return len(set(persons) - _persons(conn, meter.c.year == year, meter.c.sensitive == sensitive))


def reserve(
    conn: Connection,
    *,
    parcel: str,
    permit: str,
    limit: int,
    article: str,
    year: int,
    sensitive: bool,
    persons: Iterable[int],
) -> None:
    """Count `persons` for a parcel, or refuse (`outside-permit`, by `article`) when the permit's limit would be passed.

    Runs inside the caller's writing transaction, whose lock makes it atomic against every other process.
    """
    asked = set(persons)
    total = used(conn, permit) + new_under(conn, permit, asked)
    if total > limit:
        raise Refusal(
            "outside-permit",
            f"the permit's limit of distinct persons is {limit}; with this parcel it would be {total}",
            article=article,
            remedy="ask for fewer vehicles, or have the regulator grant a wider permit",
        )
    if asked:
        rows = [
            {"parcel": parcel, "person": p, "permit": permit, "year": year, "sensitive": sensitive}
            for p in sorted(asked)
        ]
        conn.execute(meter.insert(), rows)


def of_parcel(conn: Connection, parcel: str) -> int:
    """Distinct persons counted for one parcel."""
    return int(conn.execute(select(func.count()).select_from(meter).where(meter.c.parcel == parcel)).scalar_one())


def _count(conn: Connection, *where: ColumnElement[bool]) -> int:
    ask = select(func.count(distinct(meter.c.person))).join(parcels, parcels.c.id == meter.c.parcel)
    return int(conn.execute(ask.where(parcels.c.state.in_(_ALIVE), *where)).scalar_one())


def _persons(conn: Connection, *where: ColumnElement[bool]) -> set[int]:
    ask = select(meter.c.person).distinct().join(parcels, parcels.c.id == meter.c.parcel)
    return {int(p) for p in conn.execute(ask.where(parcels.c.state.in_(_ALIVE), *where)).scalars()}
