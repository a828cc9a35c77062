"""Read: rows of segments for one purpose; never one that may not serve it, or of a restricted vehicle."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine, select

from onshore.vault.keys import RootKey
from onshore.vault.papers import consents, reading, segments, vehicles
from onshore.vault.segments import Segment, Shelf, buckets_of, find_segment, open_segment, segments_where
from onshore.words.batch import BASE_NAMES, PURPOSES, purposes_of
from onshore.words.errors import Broken, Refusal
from onshore.words.vocabulary import STATUTORY


@dataclass(frozen=True)
class _Ask:
    use: str
    start: int
    until: int
    vehicles: frozenset[int] | None
    columns: frozenset[str] | None


def read(
    engine: Engine,
    root: RootKey,
    folder: Path,
    site: str,
    *,
    use: str,
    categories: Collection[str],
    start: int,
    until: int,
    vehicles: Collection[int] | None = None,
    columns: Collection[str] | None = None,
) -> Iterator[pa.Table]:
    """Rows of [start, until) (milliseconds UTC) that may serve the purpose `use`, one table per segment.

    `statutory-monitoring` reads rows kept on the statutory ground alone; any other purpose reads rows that a
    consent for it covered when they were sieved (PIPL Art. 13, 14). Rows of restricted vehicles are never
    given, from the moment of the restriction on. `vehicles` and `columns` (signals; the base columns always
    come) narrow it further. Refused (`purpose-not-consented`) where nobody ever consented to the purpose.
    """
    if use != STATUTORY:
        _refuse_unknown(engine, use)
    cars = None if vehicles is None else frozenset(vehicles)
    ask = _Ask(use, start, until, cars, None if columns is None else frozenset(columns))
    return _tables(engine, Shelf(root, folder, site), ask, categories)


def read_all_of(
    engine: Engine,
    root: RootKey,
    folder: Path,
    site: str,
    vehicle: int,
    *,
    even_restricted: bool = False,
) -> Iterator[tuple[Segment, pa.Table]]:
    """Every row of a vehicle under all grounds, with its segment: for its keeper's copy (PIPL Art. 45).

    Refused (`restricted`) where the vehicle is restricted, unless told otherwise.
    """
    with reading(engine) as conn:
        if not even_restricted and vehicle in _restricted(engine):
            raise Refusal(
                "restricted",
                "this vehicle's rows are restricted: nobody reads them",
                article="PIPL Art. 47",
                remedy="lift the restriction, or finish the erasure",
            )
        found = segments_where(conn, segments.c.bucket.in_(buckets_of(conn, [vehicle])))
    return _rows_of(vehicle, found, Shelf(root, folder, site))


def holds(file: pq.ParquetFile, vehicle: int) -> bool:
    """Whether any row of an open segment belongs to the vehicle, looked up in the rows themselves."""
    return vehicle in file.read(columns=["vehicle"]).column("vehicle").to_numpy()


def _rows_of(vehicle: int, found: list[Segment], shelf: Shelf) -> Iterator[tuple[Segment, pa.Table]]:
    for segment in found:
        file = open_segment(segment, shelf)
        if holds(file, vehicle):
            table = file.read()
            yield segment, table.filter(pa.array(table.column("vehicle").to_numpy() == vehicle))


def _refuse_unknown(engine: Engine, use: str) -> None:
    with reading(engine) as conn:
        if conn.execute(select(consents.c.id).where(consents.c.purpose == use).limit(1)).first() is None:
            raise Refusal(
                "purpose-not-consented",
                f"nobody here ever consented to the purpose {use}",
                article="PIPL Art. 13, 14",
                remedy="ask the keepers for their consent to it, or name a purpose they consented to",
            )


def _tables(engine: Engine, shelf: Shelf, ask: _Ask, categories: Collection[str]) -> Iterator[pa.Table]:
    todo = _listed(engine, ask, categories)
    seen = {segment.id for segment in todo}
    while todo:
        segment = todo.pop(0)
        file = find_segment(segment, shelf)
        if file is None:
            # An erasure replaced it since we looked: read what stands at its place and is not on our list.
            new = _successors(engine, ask, segment, seen)
            seen |= {one.id for one in new}
            todo = new + todo
            continue
        table = _serving(file, ask, _restricted(engine))
        if table.num_rows:
            yield table


def _listed(engine: Engine, ask: _Ask, categories: Collection[str]) -> list[Segment]:
    t = segments.c
    ground = "statutory" if ask.use == STATUTORY else "consent"
    where = [t.category.in_(sorted(categories)), t.ground == ground, t.last >= ask.start, t.first < ask.until]
    with reading(engine) as conn:
        if ask.vehicles is not None:
            where.append(t.bucket.in_(buckets_of(conn, sorted(ask.vehicles))))
        return segments_where(conn, *where)


def _successors(engine: Engine, ask: _Ask, gone: Segment, seen: set[str]) -> list[Segment]:
    t = segments.c
    here = (t.day == gone.place.day, t.bucket == gone.place.bucket, t.ground == gone.place.ground)
    with reading(engine) as conn:
        stand = segments_where(conn, t.category == gone.place.category, *here)
    if gone.id in {segment.id for segment in stand}:
        raise Broken(f"the file of segment {gone.id} is missing: restore it from a backup")
    return [s for s in stand if s.id not in seen and s.last >= ask.start and s.first < ask.until]


def _restricted(engine: Engine) -> frozenset[int]:
    with reading(engine) as conn:
        return frozenset(conn.execute(select(vehicles.c.id).where(vehicles.c.restricted.is_not(None))).scalars())


def _serving(file: pq.ParquetFile, ask: _Ask, restricted: frozenset[int]) -> pa.Table:
    schema = file.schema_arrow
    names = [n for n in schema.names if _wanted(n, ask)]
    said = purposes_of(schema)
    groups = [i for i in range(file.num_row_groups) if _may_hold(file.metadata.row_group(i), ask)]
    if ask.use not in said or not groups:
        return schema.empty_table().select(names)
    table = file.read_row_groups(groups, columns=names)
    cars, times, bits = (table.column(n).cast(pa.int64()).to_numpy() for n in ("vehicle", "time", PURPOSES))
    serves: npt.NDArray[np.bool_] = (bits >> said.index(ask.use)) & 1 == 1
    serves &= (times >= ask.start) & (times < ask.until)
    serves &= ~np.isin(cars, np.fromiter(restricted, np.int64))
    if ask.vehicles is not None:
        serves &= np.isin(cars, np.fromiter(ask.vehicles, np.int64))
    return table.filter(pa.array(serves))


def _wanted(name: str, ask: _Ask) -> bool:
    return name in BASE_NAMES or name == PURPOSES or ask.columns is None or name in ask.columns


def _may_hold(group: pq.RowGroupMetaData, ask: _Ask) -> bool:
    cars = group.column(0).statistics  # vehicle, by the order of the base columns
    return ask.vehicles is None or any(cars.min <= vehicle <= cars.max for vehicle in ask.vehicles)
