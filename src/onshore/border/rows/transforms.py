"""Transforms: what a permit demands is done to rows before they leave; words become values, values are applied.

`drop:SIGNAL`, `mask:SIGNAL`, `space:METRES`, `time:SECONDS`, `pseudonym`. What comes out is never finer than asked:
docs/decisions/0050 says what each of them means.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from onshore.border.rows.coarse import cell_centres, drawn, interval_starts
from onshore.words.batch import BASE_NAMES, signals
from onshore.words.catalogue import Signal
from onshore.words.errors import Malformed
from onshore.words.place import HERE, NOWHERE, coordinates

PSEUDONYM = "pseudonym"
"""Done to every row that leaves, named or not: a car has another number for each recipient."""

MOST_METRES, MOST_SECONDS = 500_000, 86_400
_TELLING = ("track", "charging-network")
"""Categories of which every signal tells where a car is or stops, but those that the catalogue has as of NOWHERE."""

_NEVER = -(1 << 62)
_INSTANT = "iso8601"
"""The unit of signals that hold an instant."""


@dataclass(frozen=True)
class Transforms:
    """What is done: signals that go, signals of which the value goes, metres of a cell, seconds of an interval.

    `metres` and `seconds` are 0 where nothing is coarsened.
    """

    drop: frozenset[str] = frozenset()
    mask: frozenset[str] = frozenset()
    metres: int = 0
    seconds: int = 0

    def removes(self, signal: Signal) -> bool:
        """Whether nothing of a signal leaves: dropped, or it tells of a place or instant and cannot be coarsened."""
        if signal.name in self.drop:
            return True
        if self.seconds and signal.unit == _INSTANT:
            return True
        return bool(self.metres) and tells_place(signal) and not is_coordinate(signal)


def parse(names: Iterable[str], catalogue: Mapping[str, Signal] | None = None) -> Transforms:
    """The transforms that a permit names, in any order; Malformed, with the name, for what cannot be done.

    That is a word that nobody knows, a number out of range, `space` or `time` twice, and with a `catalogue` a signal
    that it does not have.
    """
    found: dict[str, set[str]] = {"drop": set(), "mask": set()}
    numbers: dict[str, int] = {}
    for name in names:
        verb, _, of = name.partition(":")
        if name == PSEUDONYM:
            continue
        if verb in found:
            found[verb].add(_signal(name, of, catalogue))
        elif verb in _RANGES and verb not in numbers:
            numbers[verb] = _number(name, of, _RANGES[verb])
        else:
            raise Malformed("no such transform, or one that is named twice; there are " + _KNOWN, where=name[:_SHOWN])
    return Transforms(
        frozenset(found["drop"]), frozenset(found["mask"]), numbers.get("space", 0), numbers.get("time", 0)
    )


_RANGES = {"space": MOST_METRES, "time": MOST_SECONDS}
_KNOWN = "drop:SIGNAL, mask:SIGNAL, space:METRES, time:SECONDS, pseudonym"
_SHOWN = 80
_WHOLE = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)


def said(name: str) -> str:
    """A transform in words, for the manifest and whoever reads it."""
    verb, _, of = name.partition(":")
    return {
        "drop": f"{of} was left out",
        "mask": f"the values of {of} were left out, its column is empty",
        "space": f"positions are the centres of cells at least {of} m wide and high; what else tells a place is gone",
        "time": f"times are the starts of intervals of {of} s, one row of a car for each; other instants are gone",
    }.get(verb, "a car has a number that this recipient alone knows it by")


def apply(table: pa.Table, how: Transforms, catalogue: Mapping[str, Signal], seed: int = 0) -> pa.Table:
    """Rows as they may leave: base columns and signals, of one category, in any order.

    Where times are coarsened the rows come by vehicle and interval, one for each. Which row of it speaks for an
    interval is drawn by `seed`, which nobody outside may know: always the first would tell the time to the second.
    """
    gone = [name for name in signals(table.schema) if name not in catalogue or how.removes(catalogue[name])]
    table = table.drop_columns(gone)
    for name in how.mask.intersection(table.schema.names):
        place, field = table.schema.get_field_index(name), table.schema.field(name)
        table = table.set_column(place, field, pa.nulls(table.num_rows, field.type))
    if how.metres:
        table = _in_cells(table, how.metres, catalogue)
    return _in_intervals(table, how.seconds, seed) if how.seconds else table


def stream(
    tables: Iterable[pa.Table], how: Transforms, catalogue: Mapping[str, Signal], seed: int = 0
) -> Iterator[pa.Table]:
    """`apply` to tables that go on in each other, sorted by vehicle and time, so that no interval is cut in two.

    Where tables of other cars come in between, an interval that a car's last row stood for is not said again.
    """
    if how.seconds:
        yield from _once(_whole(tables, how, catalogue, seed))
    else:
        yield from (apply(came, how, catalogue, seed) for came in tables)


def _whole(
    tables: Iterable[pa.Table], how: Transforms, catalogue: Mapping[str, Signal], seed: int
) -> Iterator[pa.Table]:
    held: pa.Table | None = None
    for came in tables:
        table = came
        if held is not None and _joined(held, came, how.seconds):
            table = pa.concat_tables([held, came], promote_options="default")
        elif held is not None:
            yield apply(held, how, catalogue, seed)
        last = _last_interval(table, how.seconds)
        if last:
            yield apply(table.slice(0, last), how, catalogue, seed)
        held = table.slice(last)
    if held is not None:
        yield apply(held, how, catalogue, seed)


def _once(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows but those of an interval that is each car's newest so far: it began before the segment that they are of.

    One number is remembered for a car, not every interval that was said.
    """
    newest: dict[int, int] = {}
    for table in tables:
        vehicle, start = _key(table)
        first = np.flatnonzero(np.r_[True, np.diff(vehicle) != 0][: len(vehicle)])
        ends = np.r_[first[1:], len(vehicle)]
        cars = vehicle[first].tolist()
        again = start == np.repeat([newest.get(car, _NEVER) for car in cars], ends - first)
        newest |= {car: max(newest.get(car, at), at) for car, at in zip(cars, start[ends - 1].tolist(), strict=True)}
        if not again.all():
            yield table.filter(pa.array(~again)) if again.any() else table


def pairs(catalogue: Mapping[str, Signal]) -> list[tuple[str, str]]:
    """The signals that carry positions: a longitude and a latitude each."""
    places = {name: signal.place for name, signal in catalogue.items()}
    return [pair for pair in coordinates(places).values() if pair is not None]


def is_coordinate(signal: Signal) -> bool:
    """Whether it is half of a position."""
    return tells_place(signal) and signal.name.endswith((".Longitude", ".Latitude"))


def tells_place(signal: Signal) -> bool:
    """Whether a signal tells where a car is, was or will be."""
    return signal.place not in (HERE, NOWHERE) or (signal.category in _TELLING and signal.place == HERE)


def _in_cells(table: pa.Table, metres: int, catalogue: Mapping[str, Signal]) -> pa.Table:
    halves: dict[str, NDArray[np.float64]] = {}
    for longitude, latitude in pairs(catalogue):
        if longitude in table.schema.names and latitude in table.schema.names:
            x, y = (_degrees(table.column(name)) for name in (longitude, latitude))
            halves[longitude], halves[latitude] = cell_centres(x, y, metres)
    for name in signals(table.schema):
        if is_coordinate(catalogue[name]):
            values = halves.get(name)
            place, field = table.schema.get_field_index(name), table.schema.field(name)
            new = pa.nulls(table.num_rows, field.type) if values is None else pa.array(values, mask=np.isnan(values))
            table = table.set_column(place, field, new)
    return table


def _degrees(column: pa.ChunkedArray) -> NDArray[np.float64]:
    found: NDArray[np.float64] = column.fill_null(np.nan).to_numpy()
    return found


def _in_intervals(table: pa.Table, seconds: int, seed: int) -> pa.Table:
    vehicle, time = _key(table)
    starts = interval_starts(time, seconds)
    order = np.lexsort((time, vehicle))
    if not (np.diff(order) == 1).all():
        table, vehicle, starts = table.take(pa.array(order)), vehicle[order], starts[order]
    first = np.flatnonzero(np.r_[True, (np.diff(vehicle) != 0) | (np.diff(starts) != 0)][: len(vehicle)])
    columns = {}
    for name in table.schema.names:
        if name == "time":
            columns[name] = pa.array(starts[first]).cast(table.schema.field(name).type)
        elif name == "vehicle":
            columns[name] = pa.array(vehicle[first])
        elif name not in BASE_NAMES:  # when and by which door it came in would tell the time again
            present = table.column(name).is_valid().to_numpy()
            rows, lacking = drawn(present, first, vehicle[first], starts[first], seed)
            columns[name] = table.column(name).take(pa.array(rows, mask=lacking))
    return pa.table(columns, pa.schema([table.schema.field(name) for name in columns], table.schema.metadata))


def _key(table: pa.Table) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    vehicle, time = (table.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
    return vehicle, time


def _joined(before: pa.Table, after: pa.Table, seconds: int) -> bool:
    ends = [(int(v[at]), int(interval_starts(t, seconds)[at])) for (v, t), at in ((_key(before), -1), (_key(after), 0))]
    return ends[0] == ends[1]


def _last_interval(table: pa.Table, seconds: int) -> int:
    """Where the rows of the last vehicle's last interval begin."""
    vehicle, time = _key(table)
    starts = interval_starts(time, seconds)
    other = np.flatnonzero((vehicle != vehicle[-1]) | (starts != starts[-1]))
    return int(other[-1]) + 1 if len(other) else 0


def _signal(name: str, of: str, catalogue: Mapping[str, Signal] | None) -> str:
    if not of or (catalogue is not None and of not in catalogue):
        raise Malformed("it names no signal of the catalogue", where=name[:_SHOWN])
    return of


def _number(name: str, of: str, most: int) -> int:
    if not _WHOLE.fullmatch(of) or int(of) > most:
        raise Malformed(f"a whole number from 1 to {most} is needed", where=name[:_SHOWN])
    return int(of)
