"""Sets of persons whom the meter counted: sorted runs, each appended once; small ones are merged into larger.

A table with a row for each person would dirty a page for almost each of them, as ids are random: in measurements
1,000 new persons among a million took five times as long. Here a parcel adds one run to each count that it is in.
"""

import hashlib
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, func, select, update

from onshore.vault.papers import counted, meter, meter_totals, parcels
from onshore.words.errors import Broken

Ids = NDArray[np.int64]

OPEN = ("reserved", "leaving", "sending")
"""States of a parcel that may still be given back."""

_TIER = 3  # runs of sizes within a factor of 8 are of one tier
_MOST = 8  # settled runs of one tier before they are merged
_KEPT = 1 << 23  # ids of runs that were read and stay in memory: 64 MiB
_read: dict[str, Ids] = {}  # by mark, that is by content, so nothing in it can be out of date


def ids(persons: Iterable[int]) -> Ids:
    """Ids, sorted."""
    return np.sort(np.fromiter(persons, np.int64))


def of_permit(permit: str) -> str:
    """The name of a permit's own count."""
    return f"permit/{permit}"


def of_year(year: int, *, sensitive: bool) -> str:
    """The name of the count of a class in a calendar year, across permits and recipients."""
    return f"{year}/{'sensitive' if sensitive else 'ordinary'}"


def total(conn: Connection, name: str) -> int:
    """How many distinct persons a count has."""
    return conn.execute(select(meter_totals.c.persons).where(meter_totals.c.name == name)).scalar() or 0


def new(conn: Connection, name: str, persons: Ids) -> Ids:
    """Those of some persons, sorted, whom a count has not met."""
    scope = conn.execute(select(meter_totals.c.id).where(meter_totals.c.name == name)).scalar()
    for run in _runs(conn, scope) if scope is not None and len(persons) else ():
        persons = persons[~_among(persons, run)]
    return persons


def add(conn: Connection, name: str, parcel: str, persons: Ids) -> None:
    """Count a parcel's persons, sorted: those whom the count has not met are the parcel's own run."""
    fresh, scope = new(conn, name, persons), _scope(conn, name)
    _refuse_altered(conn, name, scope)
    _append(conn, scope, parcel, fresh)
    _change(conn, scope, len(fresh))
    _merge(conn, scope)


def _refuse_altered(conn: Connection, name: str, scope: int) -> None:
    """Broken where somebody wrote another total beside the runs: it would let more pass than the count has room for."""
    held = select(func.coalesce(func.sum(counted.c.size), 0)).where(counted.c.scope == scope)
    if conn.execute(held).scalar_one() != total(conn, name):
        raise Broken(f"the meter's total {name} is not what its runs make: somebody wrote it; nothing leaves")


def give_back(conn: Connection, parcel: str) -> None:
    """Count no longer whoever is counted for an open parcel alone: later parcels take over whom they hold as well."""
    t = counted.c
    mine = select(t.scope, func.min(t.number).label("first")).where(t.parcel == parcel).group_by(t.scope)
    for scope, first in conn.execute(mine).all():
        own = (t.scope == scope) & (t.parcel == parcel)
        left = np.sort(np.concatenate([_read_ids(raw) for raw in conn.execute(select(t.persons).where(own)).scalars()]))
        conn.execute(delete(counted).where(own))
        name = conn.execute(select(meter_totals.c.name).where(meter_totals.c.id == scope)).scalar_one()
        later = select(t.parcel).where(t.scope == scope, t.number > first, t.parcel.is_not(None))
        for other in conn.execute(later.group_by(t.parcel).order_by(func.min(t.number))).scalars().all():
            theirs = _among(left, dict(_named(conn, other)).get(name, ids(())))
            if theirs.any():
                _append(conn, scope, other, left[theirs])
                left = left[~theirs]
        _change(conn, scope, -len(left))


def recount(conn: Connection) -> None:
    """Count everything anew from the persons of each parcel, after rows were entered by another way."""
    conn.execute(delete(counted))
    conn.execute(delete(meter_totals))
    for name, persons in sorted(_true(conn, parcels.c.state.not_in(OPEN)).items()):
        scope = _scope(conn, name)
        _append(conn, scope, None, persons)
        _change(conn, scope, len(persons))
    going = select(parcels.c.id).where(parcels.c.state.in_(OPEN)).order_by(parcels.c.reserved, parcels.c.id)
    for parcel in conn.execute(going).scalars().all():
        for name, persons in _named(conn, parcel):
            add(conn, name, parcel, persons)


def wrong(conn: Connection) -> list[str]:
    """The counts that are not what the persons of each parcel make, by name; none where the meter is exact."""
    true = _true(conn)
    kept = {row.name: row for row in conn.execute(select(meter_totals)).all()}
    bad = []
    for name in sorted(true.keys() | kept.keys()):
        persons, row = true.get(name, ids(())), kept.get(name)
        try:
            runs = [] if row is None else _runs(conn, row.id)
        except Broken:
            bad.append(name)
            continue
        held = np.sort(np.concatenate([ids(()), *runs]))
        if (0 if row is None else row.persons) != len(persons) or not np.array_equal(held, persons):
            bad.append(name)
    return bad


def _true(conn: Connection, *where: object) -> dict[str, Ids]:
    """The persons of each count, from those of each parcel."""
    found: dict[str, list[Ids]] = {}
    of = select(meter.c.parcel).distinct().join(parcels, parcels.c.id == meter.c.parcel)
    for parcel in conn.execute(of.where(*where)).scalars().all():  # type: ignore[arg-type] # conditions, or none
        for name, persons in _named(conn, parcel):
            found.setdefault(name, []).append(persons)
    return {name: np.unique(np.concatenate(some)) for name, some in found.items()}


def _named(conn: Connection, parcel: str) -> Iterator[tuple[str, Ids]]:
    """The counts that a parcel adds to, each with the parcel's persons in it, sorted."""
    t = meter.c
    rows = conn.execute(
        select(t.person, t.permit, t.year, t.sensitive, t.ordinary).where(t.parcel == parcel).order_by(t.person)
    ).all()
    if rows:
        yield of_permit(rows[0].permit), ids(row.person for row in rows)
        yield of_year(rows[0].year, sensitive=True), ids(row.person for row in rows if row.sensitive)
        yield of_year(rows[0].year, sensitive=False), ids(row.person for row in rows if row.ordinary)


def _runs(conn: Connection, scope: int) -> list[Ids]:
    """The runs of a count, disjoint; those that this process has not read yet are read."""
    mine = counted.c.scope == scope
    marks = {row.number: row.mark for row in conn.execute(select(counted.c.number, counted.c.mark).where(mine))}
    lacking = [number for number, mark in marks.items() if mark not in _read]
    found = {mark: _read[mark] for mark in marks.values() if mark in _read}
    if lacking:
        ask = select(counted.c.mark, counted.c.size, counted.c.persons).where(mine, counted.c.number.in_(lacking))
        for row in conn.execute(ask):
            found[row.mark] = _read_ids(row.persons)
            if row.mark != _mark(bytes(row.persons)) or row.size != len(found[row.mark]):
                raise Broken("a run of the meter is not what was counted: somebody wrote in the papers; nothing leaves")
    _keep(found)
    return sorted(found.values(), key=len, reverse=True)


def _keep(found: dict[str, Ids]) -> None:
    for mark, run in found.items():
        _read.pop(mark, None)
        _read[mark] = run
    while sum(map(len, _read.values())) > _KEPT:
        del _read[next(iter(_read))]


def _append(conn: Connection, scope: int, parcel: str | None, persons: Ids) -> None:
    raw = persons.astype("<i8").tobytes()
    values = {"scope": scope, "parcel": parcel, "size": len(persons), "mark": _mark(raw), "persons": raw}
    conn.execute(counted.insert().values(**values))


def _merge(conn: Connection, scope: int) -> None:
    """Merge settled runs of a tier once there are many; never one that came after a parcel that is still open."""
    runs = select(counted.c.number, counted.c.size).where(counted.c.scope == scope)
    going = runs.join(parcels, parcels.c.id == counted.c.parcel).where(parcels.c.state.in_(OPEN))
    first = conn.execute(going.with_only_columns(func.min(counted.c.number))).scalar()
    settled = runs if first is None else runs.where(counted.c.parcel.is_(None) | (counted.c.number < first))
    tiers: dict[int, list[int]] = {}
    for number, size in conn.execute(settled).all():
        tiers.setdefault(size.bit_length() // _TIER, []).append(number)
    for numbers in tiers.values():
        if len(numbers) >= _MOST:
            blobs = conn.execute(select(counted.c.persons).where(counted.c.number.in_(numbers))).scalars().all()
            conn.execute(delete(counted).where(counted.c.number.in_(numbers)))
            _append(conn, scope, None, np.sort(np.concatenate([_read_ids(blob) for blob in blobs])))


def _scope(conn: Connection, name: str) -> int:
    """The number of a count, which begins at nobody."""
    found = conn.execute(select(meter_totals.c.id).where(meter_totals.c.name == name)).scalar()
    if found is not None:
        return int(found)
    key = conn.execute(meter_totals.insert().values(name=name, persons=0)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _change(conn: Connection, scope: int, persons: int) -> None:
    mine = meter_totals.c.id == scope
    conn.execute(update(meter_totals).where(mine).values(persons=meter_totals.c.persons + persons))


def _among(persons: Ids, run: Ids) -> NDArray[np.bool_]:
    """Which of some persons a sorted run holds."""
    if not len(run):
        return np.zeros(len(persons), np.bool_)
    at = np.minimum(np.searchsorted(run, persons), len(run) - 1)
    found: NDArray[np.bool_] = run[at] == persons
    return found


def _mark(raw: bytes) -> str:
    """By which a run is known: half of the SHA-256 of its bytes."""
    return hashlib.sha256(raw).hexdigest()[:32]


def _read_ids(raw: bytes) -> Ids:
    return np.frombuffer(bytes(raw), "<i8").astype(np.int64, copy=False)
