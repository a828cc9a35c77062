"""Split: kept batches cut by category, ground, local day and bucket; pieces sorted by vehicle and time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.vault.merging import common, moved
from onshore.vault.order import in_order
from onshore.vault.segments import Place
from onshore.words.batch import (
    BASE,
    PURPOSES,
    categories,
    exception_of,
    purposes_column,
    purposes_of,
    signals,
    with_purposes,
)
from onshore.words.errors import Broken
from onshore.words.vocabulary import MAX_PURPOSES, STATUTORY

Ints = npt.NDArray[np.int64]

_SLOT = 900_000  # offsets from UTC have changed on quarters of an hour since 1970
_LAST = 253_402_128_000_000  # 9999-12-30: later instants, from a broken clock, are filed under it


class Near(NamedTuple):
    """How far a row's time may lie from its arrival to be believed: milliseconds behind it (a resend), and ahead."""

    behind: int = 30 * 86_400_000
    ahead: int = 600_000


NEAR = Near()


def split(
    batches: Iterable[pa.RecordBatch], *, pack: str, zone: str, buckets: int, near: Near = NEAR
) -> Iterator[tuple[Place, pa.Table]]:
    """Cut kept batches (words.tally.Sieved) into what the segments of each place hold.

    Under ground `statutory`: rows with bit 0 and the signals that the law has kept, purposes 1. Under
    `consent`: rows with a bit above 0 and all signals of the category, purposes without bit 0. Rows without a
    value in any of these signals are left out. Rows under `consent` of batches that are tagged with an exception lie
    apart; what the law itself has kept is told by its ground. Schemas may differ; absent signals become null. `zone` is
    an IANA name. Rows whose time is not `near` their arrival keep it, but lie in pieces of their own under the day that
    they arrived: a clock that runs wrong must not have them kept for decades, or gone tomorrow.
    """
    alike = _by_schema(batches)
    meaning = _common_purposes([table.schema for table in alike])
    pieces: dict[tuple[str, str, str], list[pa.Table]] = defaultdict(list)
    for table in alike:
        for category in categories(table.schema):
            for ground, piece in _by_ground(table, category, meaning):
                if piece.num_rows:
                    tagged = exception_of(table.schema) if ground == "consent" else ""
                    pieces[category, ground, tagged].append(piece)
    for (category, ground, exception), tables in sorted(pieces.items()):
        whole = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries().combine_chunks()
        for day, bucket, piece in _by_place(whole, ZoneInfo(zone), buckets, near):
            yield Place(pack, category, ground, day, bucket, exception), piece


def _by_schema(batches: Iterable[pa.RecordBatch]) -> list[pa.Table]:
    alike: dict[bytes, list[pa.RecordBatch]] = defaultdict(list)
    for batch in batches:
        alike[batch.schema.serialize().to_pybytes()].append(batch)
    return [pa.Table.from_batches(group) for group in alike.values()]


def _common_purposes(schemas: list[pa.Schema]) -> tuple[str, ...]:
    meaning = common(schemas, (STATUTORY,))
    if meaning is None:
        raise Broken(f"more than {MAX_PURPOSES} purposes in one drain: drain fewer journal files at once")
    if any(purposes_of(schema)[:1] != (STATUTORY,) for schema in schemas):
        raise Broken(f"a kept batch does not say that bit 0 of its purposes is {STATUTORY}")
    return meaning


def _by_ground(table: pa.Table, category: str, meaning: tuple[str, ...]) -> Iterator[tuple[str, pa.Table]]:
    bits = _ints(table.column(purposes_column(category)))
    names = [n for n in signals(table.schema) if _says(table.schema.field(n), b"category") == category]
    lawful = [n for n in names if _says(table.schema.field(n), b"statutory") == "1"]
    if lawful:
        yield "statutory", _piece(table, lawful, bits & 1, (STATUTORY,))
    yield "consent", _piece(table, names, moved(bits & ~1, purposes_of(table.schema), meaning), meaning)


def _says(field: pa.Field, what: bytes) -> str:
    said: bytes = (field.metadata or {}).get(what, b"")
    return said.decode()


def _piece(table: pa.Table, names: list[str], bits: Ints, meaning: tuple[str, ...]) -> pa.Table:
    valued = np.zeros(table.num_rows, dtype=bool)
    for name in names:
        valued |= table.column(name).is_valid().to_numpy(zero_copy_only=False)
    keeps = valued & (bits != 0)
    base = [f.name for f in BASE]
    some = table.select(base + names)
    if not keeps.all():  # gathering is what costs most here
        some = some.filter(pa.array(keeps))
    kept = some.add_column(len(base), pa.field(PURPOSES, pa.int64(), nullable=False), pa.array(bits[keeps]))
    return kept.cast(with_purposes(kept.schema, meaning))


def _by_place(table: pa.Table, zone: ZoneInfo, buckets: int, near: Near) -> Iterator[tuple[str, int, pa.Table]]:
    vehicles, times, received = (_ints(table.column(name)) for name in ("vehicle", "time", "received"))
    odd = (times > received + near.ahead) | (times < received - near.behind)
    days, named = _local_days(np.where(odd, received, times), zone)
    place = (days * buckets + vehicles % buckets) * 2 + odd
    order = in_order(place, vehicles, times)
    table, place = table.take(order), place[order]
    edges = [0, *(np.flatnonzero(np.diff(place)) + 1).tolist(), len(place)]
    for start, end in pairwise(edges):
        day, bucket = divmod(int(place[start]) // 2, buckets)
        yield named[day], bucket, table.slice(start, end - start)


def _local_days(times: Ints, zone: ZoneInfo) -> tuple[Ints, dict[int, str]]:
    """Each row's local day as a number, and the numbers' dates."""
    slots, where = _each(np.clip(times, 0, _LAST) // _SLOT)
    dates = [_local_date(int(slot) * _SLOT, zone) for slot in slots]
    days = np.array([date.toordinal() for date in dates], dtype=np.int64)
    return days[where], {date.toordinal(): date.date().isoformat() for date in dates}


def _each(slots: Ints) -> tuple[Ints, Ints]:
    """The slots that there are, and each row's among them: counted where they lie close, as those of a drain do."""
    least = int(slots.min())
    if int(slots.max()) - least > len(slots):
        found, where = np.unique(slots, return_inverse=True)
        return found, where
    there = np.bincount(slots - least) > 0
    return np.flatnonzero(there) + least, (np.cumsum(there) - 1)[slots - least]


def _local_date(instant: int, zone: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant)).astimezone(zone)


def _ints(column: pa.ChunkedArray) -> Ints:
    values: Ints = column.cast(pa.int64()).to_numpy()
    return values
