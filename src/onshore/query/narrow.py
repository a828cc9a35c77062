"""Narrow: which times and vehicles the filter of a scan can match at all, so that nothing else is opened."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from pyarrow import fs

Span = tuple[int, int]
"""Milliseconds UTC, the end excluded."""

EVER = 1 << 60
"""Milliseconds: before and after everything."""

_ID = re.compile(r'"([0-9a-f]{16})"')
_MOST_IDS = 256


def spans(where: pc.Expression | None, schema: pa.Schema, cuts: Collection[int]) -> list[Span]:
    """The spans between `cuts` (milliseconds UTC) in which a row may match, joined where they meet."""
    edges = [-EVER, *sorted({c for c in cuts if -EVER < c < EVER}), EVER]
    pieces = list(pairwise(edges))
    if where is None:
        return [(-EVER, EVER)]
    field, unit = pc.field("time"), schema.field("time").type
    holds = possible(where, schema, [_between(field, _scalars(piece, unit)) for piece in pieces])
    joined: list[Span] = []
    for (begin, end), may in zip(pieces, holds, strict=True):
        if not may:
            continue
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined


def vehicles(where: pc.Expression | None, schema: pa.Schema) -> frozenset[int] | None:
    """The vehicles whose rows may match; None where that may be any.

    The ids that the filter's text names only cut the line of all ids in two, again and again: whether a row of an id,
    or of one between two of them, can match is what Arrow proves from the filter itself.
    """
    named = sorted(set(_ID.findall(str(where))))
    if where is None or not named or len(named) > _MOST_IDS:
        return None
    field, edges = pc.field("vehicle"), [None, *named, None]
    between = [_strictly(field, low, high) for low, high in pairwise(edges)]
    if any(possible(where, schema, between)):
        return None
    match = possible(where, schema, [field == pa.scalar(one) for one in named])
    return frozenset(int(one, 16) for one, may in zip(named, match, strict=True) if may)


def possible(where: pc.Expression, schema: pa.Schema, knowing: Sequence[pc.Expression]) -> list[bool]:
    """For each thing known of some rows, whether one of them may match; no means that none can."""
    form, nowhere = ds.ParquetFileFormat(), fs.LocalFileSystem()
    parts = [form.make_fragment(str(i), nowhere, partition_expression=known) for i, known in enumerate(knowing)]
    whole = ds.FileSystemDataset(parts, schema, form, nowhere)  # its files are never looked for
    left = {int(part.path) for part in whole.get_fragments(filter=where)}
    return [i in left for i in range(len(knowing))]


def columns_in(where: pc.Expression | None, schema: pa.Schema) -> list[str]:
    """The columns that a filter speaks of, and perhaps some that it does not."""
    text = "" if where is None else str(where)
    return [name for name in schema.names if name in text]


def _scalars(piece: Span, unit: pa.DataType) -> tuple[pa.Scalar | None, pa.Scalar | None]:
    low, high = (None if abs(edge) == EVER else pa.scalar(edge * 1000, pa.int64()).cast(unit) for edge in piece)
    return low, high


def _between(field: pc.Expression, piece: tuple[pa.Scalar | None, pa.Scalar | None]) -> pc.Expression:
    low, high = piece
    return _both(None if low is None else field >= low, None if high is None else field < high)


def _strictly(field: pc.Expression, low: str | None, high: str | None) -> pc.Expression:
    return _both(None if low is None else field > pa.scalar(low), None if high is None else field < pa.scalar(high))


def _both(one: pc.Expression | None, other: pc.Expression | None) -> pc.Expression:
    if one is None or other is None:
        return pc.scalar(value=True) if one is other else one if other is None else other
    return one & other
