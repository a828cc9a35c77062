"""Merging: tables of one place as one, though their columns differ and their purpose bits mean different things."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.vault.order import in_order
from onshore.words.batch import PURPOSES, purposes_of, with_purposes
from onshore.words.vocabulary import MAX_PURPOSES

Ints = npt.NDArray[np.int64]


def common(schemas: Sequence[pa.Schema], first: Sequence[str] = ()) -> tuple[str, ...] | None:
    """All purposes that these schemas speak of, in the order in which they come, `first` before them.

    None where the bits of one column do not do for so many.
    """
    meaning = dict.fromkeys([*first, *(purpose for schema in schemas for purpose in purposes_of(schema))])
    return tuple(meaning) if len(meaning) <= MAX_PURPOSES else None


def moved(bits: Ints, said: tuple[str, ...], meaning: tuple[str, ...]) -> Ints:
    """Purpose bits that mean `said` as bits that mean `meaning`, which holds all of them."""
    if said == meaning[: len(said)]:
        return bits
    found = np.zeros_like(bits)
    for i, purpose in enumerate(said):
        found |= ((bits >> i) & 1) << meaning.index(purpose)
    return found


def merged(tables: Sequence[pa.Table]) -> pa.Table:
    """Rows of segments of one place under one meaning of the bits, as one table; what a table lacks is null.

    The caller has made sure that there is a common meaning (`common`). Of tables that are alike nothing is copied.
    """
    if all(table.schema.equals(tables[0].schema, check_metadata=True) for table in tables[1:]):
        return pa.concat_tables(tables).unify_dictionaries()
    meaning = common([table.schema for table in tables])
    assert meaning is not None
    alike = [_meaning(table, meaning) for table in tables]
    whole = pa.concat_tables(alike, promote_options="permissive").unify_dictionaries()
    return whole.cast(with_purposes(whole.schema, meaning))


def by_car(table: pa.Table) -> pa.Table:
    """The rows in the order of segments: by vehicle, then time; rows alike in both stay in the order they have."""
    vehicle, time = (table.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
    steps = np.diff(vehicle)
    if ((steps > 0) | ((steps == 0) & (np.diff(time) >= 0))).all():
        return table
    order = in_order(np.zeros_like(vehicle), vehicle, time)
    return table.combine_chunks().take(pa.array(order))  # of many chunks a take is slow


def _meaning(table: pa.Table, meaning: tuple[str, ...]) -> pa.Table:
    place = table.schema.get_field_index(PURPOSES)
    bits = moved(table.column(PURPOSES).to_numpy(), purposes_of(table.schema), meaning)
    return table.set_column(place, table.schema.field(place), pa.array(bits)).replace_schema_metadata(None)
