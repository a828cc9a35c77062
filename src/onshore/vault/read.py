"""Read: rows of segments for one purpose; never one that may not serve it, or that is restricted."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import ColumnElement, Engine, select

from onshore.vault.keys import RootKey
from onshore.vault.looks import Wanted, pieces, places
from onshore.vault.papers import consents, reading, segments
from onshore.vault.restrictions import Scope, Standing, hidden
from onshore.vault.segments import Place, Shelf, buckets_of
from onshore.words.batch import BASE_NAMES, PURPOSES, purposes_of
from onshore.words.errors import Refusal
from onshore.words.vocabulary import STATUTORY

Bits = npt.NDArray[np.bool_]
_ALWAYS = (-(1 << 62), 1 << 62)


@dataclass(frozen=True)
class Found:
    """Where rows that were read belong."""

    place: Place


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
    in_order: bool = True,
) -> Iterator[pa.Table]:
    """Rows of [start, until) (milliseconds UTC) that may serve the purpose `use`, in tables of about 65,536 rows.

    `statutory-monitoring` reads rows kept on the statutory ground alone; any other purpose reads rows that a
    consent for it covered when they were sieved (PIPL Art. 13, 14). Restricted rows are never given, from the moment
    of the restriction on: the papers are asked anew for each table. `vehicles` and `columns` (signals; the base columns
    always come) narrow it further. A table is of one place (category, day, bucket, pack) and sorted by vehicle and
    time, or without `in_order` what is of one file is; tables come by category, then day. What is drained meanwhile may
    be in it or not. Refused (`purpose-not-consented`) where nobody ever consented to the purpose.
    """
    if use != STATUTORY:
        _refuse_unknown(engine, use)
    cars = None if vehicles is None else tuple(sorted(set(vehicles)))
    wanted = Wanted(start, until, cars, _columns(use, columns), _serving(use), sorted=in_order)
    return _tables(engine, Shelf(root, folder, site), wanted, use, categories)


def batches(tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    """What `read` gives, as record batches: one for each look at the papers."""
    for table in tables:
        yield from table.combine_chunks().to_batches()


def read_all_of(
    engine: Engine,
    root: RootKey,
    folder: Path,
    site: str,
    vehicle: int,
    *,
    even_restricted: bool = False,
    start: int = _ALWAYS[0],
    until: int = _ALWAYS[1],
    categories: Collection[str] | None = None,
) -> Iterator[tuple[Found, pa.Table]]:
    """Every row of a vehicle under all grounds, with its place: for its keeper's copy (PIPL Art. 45).

    Those with a time in [start, until) (ms UTC), of these categories; of all where None. Refused (`restricted`) where
    the vehicle is restricted, unless told otherwise.
    """
    if not even_restricted and hidden(engine).holds(Scope(vehicle)):
        raise Refusal(
            "restricted",
            "this vehicle's rows are restricted: nobody reads them",
            article="PIPL Art. 47",
            remedy="lift the restriction, or finish the erasure",
        )
    wanted = Wanted(start, until, (vehicle,), lambda _: None, lambda _: None, hides=not even_restricted)
    some = () if categories is None else (segments.c.category.in_(sorted(categories)),)
    return _all_of(engine, Shelf(root, folder, site), wanted, vehicle, some)


def _all_of(
    engine: Engine, shelf: Shelf, wanted: Wanted, vehicle: int, some: tuple[ColumnElement[bool], ...]
) -> Iterator[tuple[Found, pa.Table]]:
    standing = Standing()
    with reading(engine) as conn:
        buckets = buckets_of(conn, [vehicle])
    for place in places(engine, wanted, segments.c.bucket.in_(buckets), *some):
        for table in pieces(engine, shelf, place, wanted, standing):
            yield Found(place), table


def _refuse_unknown(engine: Engine, use: str) -> None:
    with reading(engine) as conn:
        if conn.execute(select(consents.c.id).where(consents.c.purpose == use).limit(1)).first() is None:
            raise Refusal(
                "purpose-not-consented",
                f"nobody here ever consented to the purpose {use}",
                article="PIPL Art. 13, 14",
                remedy="ask the keepers for their consent to it, or name a purpose they consented to",
            )


def _tables(engine: Engine, shelf: Shelf, wanted: Wanted, use: str, categories: Collection[str]) -> Iterator[pa.Table]:
    t, standing = segments.c, Standing()
    where = [t.category.in_(sorted(categories)), t.ground == ("statutory" if use == STATUTORY else "consent")]
    if wanted.vehicles is not None:
        with reading(engine) as conn:
            where.append(t.bucket.in_(buckets_of(conn, list(wanted.vehicles))))
    for place in places(engine, wanted, *where):
        yield from pieces(engine, shelf, place, wanted, standing)


def _columns(use: str, columns: Collection[str] | None) -> Callable[[pa.Schema], Sequence[str]]:
    """The columns to read of a file; none where no row of it can serve."""
    always = BASE_NAMES | {PURPOSES}

    def names(schema: pa.Schema) -> Sequence[str]:
        if use not in purposes_of(schema):
            return ()
        return [n for n in schema.names if n in always or columns is None or n in columns]

    return names


def _serving(use: str) -> Callable[[pa.Table], Bits]:
    def serves(table: pa.Table) -> Bits:
        bits = table.column(PURPOSES).to_numpy()
        found: Bits = (bits >> purposes_of(table.schema).index(use)) & 1 == 1
        return found

    return serves
