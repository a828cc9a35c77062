"""Restrictions: rows that no reader may see, by vehicle, driver, category and period, from the commit on."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Engine, delete, func, insert, select

from onshore.consent.drives import Drives, drives_of
from onshore.vault.drives import COUNTER as DRIVES
from onshore.vault.drives import read_drives
from onshore.vault.journal_files import raise_counter, turn_of
from onshore.vault.papers import meta, reading, restrictions, rights_cases

COUNTER = "restrictions"
_TURNS = select(meta.c.name, meta.c.value).where(meta.c.name.in_((COUNTER, DRIVES)))
Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]


class Newest(NamedTuple):
    """How far restrictions had come: the last one's id, and the turn that an erasure raised last."""

    restriction: int
    turn: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows of a vehicle are meant (PIPL Art. 44, 47); what is None narrows nothing.

    `driver`: the id under which a person's rows of that vehicle count: of the table `drivers` for a driver, the
    vehicle's own for its owner's. `start`, `until`: of the rows' own time, [start, until), milliseconds UTC; of one
    that tells a time after its arrival, of that: it speaks of nothing later, whatever the car's clock says.
    """

    vehicle: int
    driver: int | None = None
    categories: frozenset[str] | None = None
    start: int | None = None
    until: int | None = None

    def within(self, other: "Scope") -> bool:
        """Whether every row that this one means, the other means too."""
        return (
            self.vehicle == other.vehicle
            and other.driver in (None, self.driver)
            and (other.categories is None or (self.categories is not None and self.categories <= other.categories))
            and (other.start is None or (self.start is not None and self.start >= other.start))
            and (other.until is None or (self.until is not None and self.until <= other.until))
        )

    def touches(self, category: str, first: int, last: int) -> bool:
        """Whether it may mean a row of that category with a time in [first, last]."""
        return (
            (self.categories is None or category in self.categories)
            and (self.start is None or self.start <= last)
            and (self.until is None or self.until > first)
        )


def covered(
    scopes: Sequence[Scope], vehicle: Ints, time: Ints, category: str, drives: Drives, received: Ints | None = None
) -> Iterator[tuple[int, Ints]]:
    """The place of each scope that means any of these rows, and the places of the rows that it means.

    `received`: when they arrived, where a period may be asked for; None: not before the times that they tell.
    """
    asking = [(place, s) for place, s in enumerate(scopes) if s.categories is None or category in s.categories]
    cars = np.array([scope.vehicle for _, scope in asking], np.int64)
    some = None if (vehicle[1:] >= vehicle[:-1]).all() else _in_order(vehicle, cars)
    car, at = (vehicle, time) if some is None else (vehicle[some], time[some])
    there = at if received is None else np.minimum(at, received if some is None else received[some])
    first, last = np.searchsorted(car, cars, "left"), np.searchsorted(car, cars, "right")
    for one in np.flatnonzero(first < last).tolist():
        place, scope = asking[one]
        rows = np.arange(first[one], last[one])
        if scope != Scope(scope.vehicle, categories=scope.categories):
            rows = rows[_meant(scope, car[rows], at[rows], there[rows], drives)]
        if len(rows):
            yield place, rows if some is None else some[rows]


def _in_order(vehicle: Ints, cars: Ints) -> Ints:
    """The rows of these cars, by car: few of a table that is not sorted as segments are."""
    some = np.flatnonzero(among(vehicle, np.unique(cars)))
    return some[np.argsort(vehicle[some], kind="stable")]


def among(vehicle: Ints, cars: Ints) -> Bits:
    """Per row whether it is of these cars, which are sorted; `np.isin` would sort all rows for that."""
    if not len(cars):
        return np.zeros(len(vehicle), dtype=bool)
    found: Bits = cars[np.searchsorted(cars, vehicle).clip(max=len(cars) - 1)] == vehicle
    return found


def _meant(scope: Scope, car: Ints, at: Ints, there: Ints, drives: Drives) -> Bits:
    """Per row of the scope's vehicle whether it means it; `there`: its time, or its arrival where that was before."""
    meant = np.ones(len(car), dtype=bool)
    if scope.driver is not None:
        meant &= drives.asked(car, at) == scope.driver
    if scope.start is not None:
        meant &= there >= scope.start
    if scope.until is not None:
        meant &= there < scope.until
    return meant


@dataclass(frozen=True, eq=False)
class Hidden:
    """Restrictions of one look, compiled: `whole` are vehicles of which nothing is seen, sorted."""

    whole: Ints
    scopes: tuple[Scope, ...]
    drives: Drives

    def mask(self, vehicle: Ints, time: Ints, category: str, received: Ints | None = None) -> Bits:
        """Per row of a category whether it is hidden; `time` and, as `covered` says, `received` in milliseconds UTC."""
        hides = among(vehicle, self.whole)
        for _, rows in covered(self.scopes, vehicle, time, category, self.drives, received) if self.scopes else ():
            hides[rows] = True
        return hides

    def holds(self, scope: Scope) -> bool:
        """Whether every row of that scope is hidden by one restriction."""
        return bool(np.isin(scope.vehicle, self.whole)) or any(scope.within(one) for one in self.scopes)


NOTHING = Hidden(np.zeros(0, np.int64), (), drives_of(()))


def hidden(where: Engine | Connection) -> Hidden:
    """What is restricted now, compiled; ask again for every batch that is read, or follow with `Standing`."""
    if isinstance(where, Engine):
        with reading(where) as conn:
            return hidden(conn)
    asked = list(_scopes(where))
    whole = {scope.vehicle for scope in asked if scope == Scope(scope.vehicle)}
    parts = tuple(scope for scope in asked if scope.vehicle not in whole)
    cars = {scope.vehicle for scope in parts if scope.driver is not None}
    drives = read_drives(where, cars) if cars else NOTHING.drives
    return Hidden(np.array(sorted(whole), np.int64), parts, drives)


class Standing:
    """Restrictions as papers have them, compiled anew only when they, or what tells whose a row is, changed."""

    def __init__(self) -> None:
        self._seen: dict[str, str] | None = None
        self._hidden = NOTHING

    def hidden(self, conn: Connection) -> Hidden:
        """What is restricted as of this look at the papers."""
        turn = _turns(conn)
        if turn != self._seen:
            self._hidden, self._seen = hidden(conn), turn
        return self._hidden


def restrict(conn: Connection, scope: Scope, *, since: int, case: str | None = None, reason: str = "") -> None:
    """Restrict a scope from this commit on; `since`: when it was asked for (ms UTC), `case`: by which case."""
    said = None if scope.categories is None else json.dumps(sorted(scope.categories))
    span = {"start": scope.start, "until": scope.until}
    row = {"vehicle": scope.vehicle, "driver": scope.driver, "categories": said, **span}
    conn.execute(insert(restrictions).values(row | {"since": since, "case": case, "reason": reason}))
    raise_counter(conn, COUNTER)


def lift(conn: Connection, case: str) -> int:
    """End the restrictions of a case; others on the same rows stand. How many those were."""
    ended = conn.execute(delete(restrictions).where(restrictions.c.case == case)).rowcount
    raise_counter(conn, COUNTER)
    return ended


def restricted_since(conn: Connection, vehicle: int) -> int | None:
    """Since when the whole vehicle is restricted (ms UTC); None where it is not, or in part alone."""
    t = restrictions.c
    parts = (t.driver, t.categories, t.start, t.until)
    ask = select(func.min(t.since)).where(t.vehicle == vehicle, *(part.is_(None) for part in parts))
    found: int | None = conn.scalar(ask)
    return found


def newest(conn: Connection) -> Newest:
    """The last restriction and the last erasure asked for so far: what `restricted_after` is asked with later."""
    return Newest(conn.scalar(select(func.max(restrictions.c.id))) or 0, turn_of(conn))


def restricted_after(conn: Connection, last: Newest) -> set[int]:
    """The vehicles that were restricted, be it in part, after `last`.

    One whose erasure was asked for since counts although it is over: its restriction ended with its rows.
    """
    standing = select(restrictions.c.vehicle).where(restrictions.c.id > last.restriction)
    erased = select(rights_cases.c.vehicle).where(rights_cases.c.turn > last.turn)
    return set(conn.scalars(standing.union(erased)))


def _scopes(conn: Connection) -> Iterable[Scope]:
    t = restrictions.c
    for row in conn.execute(select(t.vehicle, t.driver, t.categories, t.start, t.until).order_by(t.id)):
        said = None if row.categories is None else frozenset(json.loads(row.categories))
        yield Scope(row.vehicle, row.driver, said, row.start, row.until)


def _turns(conn: Connection) -> dict[str, str]:
    """How often restrictions, and what tells whose a row is, have changed."""
    return {row.name: row.value for row in conn.execute(_TURNS)}
