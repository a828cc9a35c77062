"""Many records at once: payloads as encoders write them are read side by side, the few others alone.

The plain reader (`observed`) says what must come out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from onshore.gate.fleet import data as together
from onshore.gate.fleet.columns import Columns
from onshore.gate.fleet.observed import observe
from onshore.gate.fleet.signals import CONNECTED, INTERFACE
from onshore.gate.fleet.values import Value
from onshore.gate.fleet.walk import Index, Mask, times, walk
from onshore.words.batch import BASE, DOOR, TIME
from onshore.words.errors import Malformed

VEHICLE_DATA = "V"


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a car that a certificate named: its topic, its payload, and ms UTC when its envelope was made."""

    topic: str
    payload: bytes
    created: int


@dataclass(frozen=True, slots=True)
class Coming:
    """A car came, or went, at ms UTC, over a network such as "cellular": what the gate itself has to say of it."""

    up: bool
    at: int
    interface: str


@dataclass(frozen=True)
class Decoded:
    """`batch`: the rows of all records, in order; `origin`: the place of each row's record.

    `rejected`: (place, why) of what cannot be read. `timed`: which records say themselves when they were made.
    `counts`: data that no signal stands for ("unknown"), and values that mean nothing for theirs ("unreadable").
    """

    batch: pa.RecordBatch
    origin: Index
    rejected: list[tuple[int, str]]
    timed: Mask
    counts: Counter[str]


def decode(
    records: Sequence[Record | Coming],
    vehicles: Sequence[int],
    received: int | Sequence[int],
    door: str = "fleet",
) -> Decoded:
    """Columns (names and units of the catalogue) of records, each of the vehicle beside it.

    `received`: ms UTC, one for all or one each. A column is there when a record of the batch gave it; a record without
    any value has no row, one of alerts a row each. Nothing is raised: a record that cannot be read is rejected, in the
    words of the plain reader, and harms no other.
    """
    return _Batch(records).decoded(np.asarray(vehicles, np.int64), received, door)


class _Batch:
    """Rows: first those of payloads that are read together, then those of others."""

    def __init__(self, records: Sequence[Record | Coming]) -> None:
        self.counts: Counter[str] = Counter()
        self.rejected: list[tuple[int, str]] = []
        self.timed = np.ones(len(records), np.bool_)
        together_ = [(i, one) for i, one in enumerate(records) if isinstance(one, Record) and one.topic == VEHICLE_DATA]
        self._records = records
        self._place = np.array([i for i, _ in together_], np.int64)
        self._payloads = [one.payload for _, one in together_]
        self._created = np.array([one.created for _, one in together_], np.int64)

    def decoded(self, vehicles: Index, received: int | Sequence[int], door: str) -> Decoded:
        walked = walk(self._payloads)
        when, has = times(walked)
        data = together.read(walked)
        self.timed[self._place[~has]] = False
        when = np.where(has, when, self._created)
        alone = list(self._alone(walked.odd))
        columns = Columns(len(self._place) + len(alone))
        self.counts["unknown"] += columns.fill(data)
        self.counts["unreadable"] += columns.unreadable
        for row, (_, _, values) in enumerate(alone, len(self._place)):
            for signal, value in values.items():
                columns.put(row, signal, value)
        origin = np.concatenate([self._place, np.array([place for place, _, _ in alone], np.int64)])
        when = np.concatenate([when, np.array([at for _, at, _ in alone], np.int64)])
        rows = np.flatnonzero(columns.any)
        take = rows[np.argsort(origin[rows], kind="stable")]
        origin = origin[take]
        came = np.broadcast_to(np.asarray(received, np.int64), (len(vehicles),))[origin]
        batch = columns.batch(_base(vehicles[origin], when[take], came, door), BASE, take)
        return Decoded(batch, origin, sorted(self.rejected), self.timed, +self.counts)

    def _alone(self, odd: Mask) -> Iterator[tuple[int, int, Mapping[str, Value]]]:
        """Of every record that is not read with others: its place, and when and what of each of its rows."""
        usual = set(self._place[~odd].tolist())
        for place, record in enumerate(self._records):
            if place in usual:
                continue
            if isinstance(record, Coming):
                yield place, record.at, _coming(record)
                continue
            try:
                found = observe(record.topic, record.payload, record.created)
            except Malformed as why:
                self.rejected.append((place, why.what))
                continue
            self.timed[place] = found.timed
            self.counts["unknown"] += found.unknown
            self.counts["unreadable"] += found.unreadable
            for at, values in found.rows:
                yield place, at, values


def _coming(one: Coming) -> Mapping[str, Value]:
    return {CONNECTED: one.up} | ({INTERFACE: one.interface} if one.interface else {})


def _base(vehicles: Index, when: Index, received: Index, door: str) -> list[pa.Array]:
    codes = pa.array(np.zeros(len(when), np.int8))
    times_ = [pa.array(np.ascontiguousarray(at)).cast(TIME) for at in (when, received)]
    return [pa.array(vehicles), *times_, pa.DictionaryArray.from_arrays(codes, pa.array([door], DOOR.value_type))]
