"""The sieve: what of a batch the law has kept or people allowed, before anything is written.

Its meaning is that of `reference_sieve`, to which tests hold it; here whole columns are decided at once.
What is withheld is zero in the kept batch, not only null.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from onshore.consent.cells import Bits, Ints, Mask, again, count, present, to_bits, to_mask
from onshore.consent.columns import FOREVER, Consents
from onshore.consent.terms import CONSENTED, REASONS, Moments, Ruling, rule, terms
from onshore.words.batch import BASE, purposes_column, signals, with_purposes
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
    batch: pa.RecordBatch, consents: Consents, rulebook: Rulebook, now: int, *, only: Use | None = None
) -> Sieved:
    """Keep of a batch what the law has kept and what people allowed, and count the rest by reason.

    `batch`: base columns and signals (words.batch), rows in any order; purposes columns in it are not
    believed.
    `now`: milliseconds UTC. `only`: sieve for one purpose, and one recipient where it names one. Refused
    (Malformed): a base column that is missing, of another type or with nulls, two columns of one name,
    nested columns, rows of several doors where the law keeps different signals. Meaning and articles:
    `consent.reference.reference_sieve`.
    """
    _check(batch)
    names = signals(batch.schema)
    statutory = _statutory(batch, names, rulebook, only)
    moments = _moments(batch, consents, now)
    cells: Counter[Why] = Counter()
    kept: dict[str, _Kept] = {}
    for category, here in _by_category(batch, names, rulebook).items():
        if category is None:
            cells["", "none", "not-in-catalogue"] += sum(count(bits) for bits in here.values())
            continue
        ruling = rule(consents, category, moments, terms(consents, category, rulebook, only))
        _count(cells, category, here, statutory, ruling)
        kept[category] = _keep(here, statutory, ruling.bits)
    return _sieved(batch, kept, statutory, consents.purposes, cells)


def _check(batch: pa.RecordBatch) -> None:
    schema = batch.schema
    names = schema.names
    if len(set(names)) != len(names):
        raise Malformed("two columns of a batch have the same name")
    for field in BASE:
        if field.name not in names or schema.field(field.name).type != field.type:
            raise Malformed(f"a batch needs a column of type {field.type}", where=field.name)
        if batch.column(field.name).null_count:
            raise Malformed("a base column of a batch has nulls", where=field.name)


def _statutory(batch: pa.RecordBatch, names: list[str], rulebook: Rulebook, only: Use | None) -> frozenset[str]:
    """Signals that the law has kept at the door or doors of the batch."""
    if only is not None and only.purpose != STATUTORY:
        return frozenset()
    doors = batch.column("door").unique().to_pylist()
    listed = {rulebook.statutory.get(door, frozenset()).intersection(names) for door in doors}
    if len(listed) > 1:
        raise Malformed("rows of several doors where the law keeps different signals; sieve each door alone")
    return listed.pop() if listed else frozenset()


def _moments(batch: pa.RecordBatch, consents: Consents, now: int) -> Moments:
    vehicle, time = (_int64(batch.column(name)) for name in ("vehicle", "time"))
    place = consents.places(vehicle)
    return Moments(place, place != consents.unknown, np.minimum(time, now), np.clip(time, now, FOREVER - 1))


def _int64(array: pa.Array) -> Ints:
    return np.frombuffer(array.buffers()[1], np.int64, len(array), array.offset * 8)


def _by_category(batch: pa.RecordBatch, names: list[str], rulebook: Rulebook) -> dict[str | None, dict[str, Bits]]:
    """The present cells of each signal that has any, by category; None where nobody knows the signal."""
    found: dict[str | None, dict[str, Bits]] = {}
    for name in names:
        cell = present(batch.column(name))
        if cell.any():
            found.setdefault(rulebook.category.get(name), {})[name] = cell
    return found


def _count(
    cells: Counter[Why], category: str, here: Mapping[str, Bits], statutory: frozenset[str], ruling: Ruling
) -> None:
    """Count each present cell once under consent, and once more where it is statutory."""
    rows = len(ruling.bits)
    in_row = np.zeros(rows, np.min_scalar_type(len(here)))
    for cell in here.values():
        np.add(in_row, to_mask(cell, rows).view(np.uint8), out=in_row)
    by_rank = np.bincount(ruling.rank, weights=in_row.take(ruling.closely), minlength=len(REASONS)).astype(np.int64)
    by_rank[CONSENTED] = in_row.sum(dtype=np.int64) - by_rank[:CONSENTED].sum()
    for reason, n in zip(REASONS, by_rank.tolist(), strict=True):
        cells[category, "consent", reason] += n
    cells[category, "statutory", "statutory"] += sum(count(b) for n, b in here.items() if n in statutory)


def _keep(here: Mapping[str, Bits], statutory: frozenset[str], bits: Ints) -> _Kept:
    """The kept cells of a category. Purposes are said only of rows that keep a cell of it on that ground."""
    allowed = to_bits(bits != 0)
    kept = {name: cell if name in statutory else cell & allowed for name, cell in here.items()}
    anything = np.bitwise_or.reduce(list(here.values()))
    purposes = bits * to_mask(anything, len(bits))
    by_law = [cell for name, cell in here.items() if name in statutory]
    if by_law:
        purposes |= to_mask(np.bitwise_or.reduce(by_law), len(bits))
    return _Kept(kept, purposes)


def _sieved(
    batch: pa.RecordBatch,
    kept: Mapping[str, _Kept],
    statutory: frozenset[str],
    purposes: tuple[str, ...],
    cells: Counter[Why],
) -> Sieved:
    """The batch of rows and columns with a kept cell, and the tally."""
    found = {n: (c, cell) for c, k in kept.items() for n, cell in k.cells.items() if cell.any()}
    union = np.bitwise_or.reduce([cell for _, cell in found.values()]) if found else np.zeros(0, np.uint64)
    tally = Tally(batch.num_rows, count(union), {why: n for why, n in cells.items() if n})
    if not found:
        return Sieved(None, tally)
    chosen = _Chosen(union, batch.num_rows)
    fields, arrays = list(BASE), [again(batch.column(f.name), chosen.rows, None) for f in BASE]
    shown: dict[str, None] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in found:
            category, cell = found[name]
            shown[category] = None
            said = {"category": category, "statutory": "1" if name in statutory else "0"}
            fields.append(pa.field(name, column.type, metadata=said))
            arrays.append(again(column, chosen.rows, chosen.mask(cell)))
    for category in shown:
        fields.append(pa.field(purposes_column(category), pa.int64(), nullable=False))
        arrays.append(pa.array(chosen.of(kept[category].purposes)))
    return Sieved(pa.RecordBatch.from_arrays(arrays, schema=with_purposes(pa.schema(fields), purposes)), tally)


class _Chosen:
    """The rows of a batch that are kept, None where all are."""

    def __init__(self, union: Bits, rows: int) -> None:
        self._union, self._total = union, rows
        mask = to_mask(union, rows)
        self.rows = None if mask.all() else np.flatnonzero(mask)
        self._masks: dict[bytes, Mask | None] = {union.tobytes(): None}

    def of(self, values: NDArray[T]) -> NDArray[T]:
        """Values of the kept rows."""
        return values if self.rows is None else values.take(self.rows)

    def mask(self, cell: Bits) -> Mask | None:
        """Which kept rows keep a cell, None where all do; many columns are alike."""
        key = cell.tobytes()
        if key not in self._masks:
            self._masks[key] = self.of(to_mask(cell, self._total))
        return self._masks[key]
