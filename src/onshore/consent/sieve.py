"""The sieve: what of a batch the law has kept or people allowed, before anything is written.

Its meaning is that of `reference_sieve`, to which tests hold it; here whole columns are decided at once.
What is withheld is zero in the kept batch, not only null.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from onshore.consent.cells import Bits, Ints, Shown, again, alike, count, present, to_bits, to_mask, whole
from onshore.consent.columns import FOREVER, Consents
from onshore.consent.plans import Shape, kept_schema, signals_of
from onshore.consent.terms import CONSENTED, REASONS, Moments, Ruling, rule, terms
from onshore.consent.whereabouts import Whereabouts, whereabouts
from onshore.consent.zones import Zones
from onshore.words.batch import BASE
from onshore.words.errors import Malformed
from onshore.words.rulebook import Rulebook
from onshore.words.tally import Sieved, Tally, Why
from onshore.words.use import Use
from onshore.words.vocabulary import STATUTORY

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, eq=False)
class _Kept:
    """What is kept of one category: the cells of each signal, and per row the purposes that they may serve."""

    cells: Mapping[str, Bits]
    purposes: Ints


def sieve(
    batch: pa.RecordBatch,
    consents: Consents,
    rulebook: Rulebook,
    now: int,
    *,
    only: Use | None = None,
    zones: Zones | None = None,
) -> Sieved:
    """Keep of a batch what the law has kept and what people allowed, and count the rest by reason.

    `batch`: base columns and signals (words.batch), rows in any order; purposes columns in it are not
    believed.
    `now`: milliseconds UTC. `only`: sieve for one purpose, and one recipient where it names one. `zones`: where
    nothing of the rulebook's zoned categories is kept, nor where it cannot be ruled out. Refused (Malformed): a
    base column that is missing, of another type or with nulls, two columns of one name, nested columns, positions
    that are no float64 where there are zones, rows of several doors where the law keeps different signals.
    Meaning and articles: `consent.reference.reference_sieve`.
    """
    shape = Shape(batch.schema)
    names = signals_of(shape)
    _check(batch)
    statutory = _statutory(batch, names, rulebook, only)
    moments = _moments(batch, consents, now)
    where = whereabouts(batch, zones, rulebook.places) if zones and rulebook.zoned else None
    cells: Counter[Why] = Counter()
    kept: dict[str, _Kept] = {}
    for category, here in _by_category(batch, names, rulebook).items():
        if category is None:
            cells["", "none", "not-in-catalogue"] += _cells(here.values())
            continue
        left = here
        if where is not None and category in rulebook.zoned:
            left = _outside(cells, category, here, statutory, where)
        ruling = rule(consents, category, moments, terms(consents, category, rulebook, only))
        _count(cells, category, left, statutory, ruling)
        kept[category] = _keep(left, statutory, ruling.bits)
    return _sieved(batch, shape, kept, statutory, consents.purposes, cells)


def _check(batch: pa.RecordBatch) -> None:
    for field in BASE:
        if batch.column(field.name).null_count:
            raise Malformed("a base column of a batch has nulls", where=field.name)


def _statutory(batch: pa.RecordBatch, names: Sequence[str], rulebook: Rulebook, only: Use | None) -> frozenset[str]:
    """Signals that the law has kept at the door or doors of the batch."""
    if only is not None and only.purpose != STATUTORY:
        return frozenset()
    if not rulebook.statutory:
        return frozenset()
    said = batch.column("door")
    doors = (said.dictionary if len(said.dictionary) == 1 else said.unique()).to_pylist()
    listed = {rulebook.statutory.get(door, frozenset()).intersection(names) for door in doors}
    if len(listed) > 1:
        raise Malformed("rows of several doors where the law keeps different signals; sieve each door alone")
    return listed.pop() if listed else frozenset()


def _moments(batch: pa.RecordBatch, consents: Consents, now: int) -> Moments:
    vehicle, time = (_int64(batch.column(name)) for name in ("vehicle", "time"))
    place = consents.places(vehicle)
    return Moments(place, place != consents.unknown, np.minimum(time, now), np.clip(time, now, FOREVER - 1))


def _outside(
    cells: Counter[Why], category: str, here: Mapping[str, Bits], statutory: frozenset[str], where: Whereabouts
) -> dict[str, Bits]:
    """The present cells that lie in no zone; the others are counted, on each ground that asked for them."""
    left: dict[str, Bits] = {}
    made: dict[tuple[int, int], Bits] = {}
    for name, cell in here.items():
        inside = where.restricted(name)
        key = id(cell), id(inside)
        if key not in made:
            made[key] = cell & ~inside
        left[name] = made[key]
        withheld = count(cell & inside)
        cells[category, "consent", "restricted-zone"] += withheld
        cells[category, "statutory", "restricted-zone"] += withheld if name in statutory else 0
    return left


def _int64(array: pa.Array) -> Ints:
    return np.frombuffer(array.buffers()[1], np.int64, len(array), array.offset * 8)


def _by_category(batch: pa.RecordBatch, names: Sequence[str], rulebook: Rulebook) -> dict[str | None, dict[str, Bits]]:
    """The present cells of each signal that has any, by category; None where nobody knows the signal."""
    found: dict[str | None, dict[str, Bits]] = {}
    for name in names:
        column = batch.column(name)
        cell = present(column)
        if column.null_count < len(column):
            found.setdefault(rulebook.category.get(name), {})[name] = cell
    return found


def _count(
    cells: Counter[Why], category: str, here: Mapping[str, Bits], statutory: frozenset[str], ruling: Ruling
) -> None:
    """Count each present cell once under consent, and once more where it is statutory."""
    by_rank = np.zeros(len(REASONS), np.int64)
    if len(ruling.closely):
        rows = len(ruling.bits)
        in_row = np.zeros(rows, np.min_scalar_type(len(here)))
        for cell, times in alike(here.values()):
            np.add(in_row, np.multiply(to_mask(cell, rows).view(np.uint8), times, dtype=in_row.dtype), out=in_row)
        by_rank += np.bincount(ruling.rank, in_row.take(ruling.closely), len(REASONS)).astype(np.int64)
    by_rank[CONSENTED] = _cells(here.values()) - by_rank[:CONSENTED].sum()
    for rank in np.flatnonzero(by_rank).tolist():
        cells[category, "consent", REASONS[rank]] += int(by_rank[rank])
    if statutory:
        cells[category, "statutory", "statutory"] += _cells(b for n, b in here.items() if n in statutory)


def _cells(columns: Iterable[Bits]) -> int:
    """How many cells these columns have, of which many are alike."""
    return sum(count(cell) * times for cell, times in alike(columns))


def _keep(here: Mapping[str, Bits], statutory: frozenset[str], bits: Ints) -> _Kept:
    """The kept cells of a category. Purposes are said only of rows that keep a cell of it on that ground."""
    allowed = to_bits(bits != 0)
    narrowed = {id(cell): cell & allowed for cell, _ in alike(here.values())}
    kept = {name: cell if name in statutory else narrowed[id(cell)] for name, cell in here.items()}
    anything = np.bitwise_or.reduce([cell for cell, _ in alike(here.values())])
    purposes = bits * to_mask(anything, len(bits))
    by_law = [cell for name, cell in here.items() if name in statutory]
    if by_law:
        purposes |= to_mask(np.bitwise_or.reduce(by_law), len(bits))
    return _Kept(kept, purposes)


def _sieved(
    batch: pa.RecordBatch,
    shape: Shape,
    kept: Mapping[str, _Kept],
    statutory: frozenset[str],
    purposes: tuple[str, ...],
    cells: Counter[Why],
) -> Sieved:
    """The batch of rows and columns with a kept cell, and the tally."""
    some = {id(cell): cell for k in kept.values() for cell in k.cells.values()}
    some = {key: cell for key, cell in some.items() if cell.any()}
    found = {n: (c, cell) for c, k in kept.items() for n, cell in k.cells.items() if id(cell) in some}
    union = np.bitwise_or.reduce(list(some.values())) if some else np.zeros(0, np.uint64)
    tally = Tally(batch.num_rows, count(union), {why: n for why, n in cells.items() if n})
    if not found:
        return Sieved(None, tally)
    chosen = _Chosen(union, batch.num_rows)
    names = [name for name in batch.schema.names if name in found]
    arrays = [again(batch.column(f.name), chosen.rows, None) for f in BASE]
    arrays += [again(batch.column(name), chosen.rows, chosen.shown(found[name][1])) for name in names]
    said = tuple((name, found[name][0]) for name in names)
    arrays += [whole(chosen.of(kept[category].purposes)) for category in dict.fromkeys(c for _, c in said)]
    return Sieved(pa.RecordBatch.from_arrays(arrays, schema=kept_schema(shape, said, statutory, purposes)), tally)


class _Chosen:
    """The rows of a batch that are kept, None where all are."""

    def __init__(self, union: Bits, rows: int) -> None:
        self._total = rows
        mask = to_mask(union, rows)
        self.rows = None if mask.all() else np.flatnonzero(mask)
        self._shown: dict[int, Shown | None] = {}
        self._alike: dict[bytes, Shown | None] = {union.tobytes(): None}

    def of(self, values: NDArray[T]) -> NDArray[T]:
        """Values of the kept rows."""
        return values if self.rows is None else values.take(self.rows)

    def shown(self, cell: Bits) -> Shown | None:
        """Which kept rows keep a cell, None where all do; many columns are alike."""
        if id(cell) not in self._shown:
            key = cell.tobytes()
            if key not in self._alike:
                self._alike[key] = Shown(self.of(to_mask(cell, self._total)))
            self._shown[id(cell)] = self._alike[key]
        return self._shown[id(cell)]
