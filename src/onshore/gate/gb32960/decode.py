"""Many real-time frames at once: those of one layout are read as columns of bytes, the few others alone.

The reference decoder says what must come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.gb32960.columns import Columns, columns
from onshore.gate.gb32960.groups import Alike, Alone, Index, groups
from onshore.gate.gb32960.layout import CELLS, PARTS, Bytes
from onshore.gate.gb32960.legible import Instants
from onshore.gate.gb32960.protocol import SIGNATURE_INVALID
from onshore.gate.gb32960.signatures import State
from onshore.gate.gb32960.sources import Mask
from onshore.words.batch import DOOR
from onshore.words.batch import TIME as TIMESTAMP


@dataclass(frozen=True)
class Decoded:
    """`batch`: one row per accepted frame, in order; `rejected`: (index of the frame, why), by index."""

    batch: pa.RecordBatch
    rejected: list[tuple[int, str]]


def decode(
    frames: Sequence[bytes],
    vehicles: Sequence[int] | npt.NDArray[np.int64],
    received: int | Sequence[int] | npt.NDArray[np.int64],
    door: str = "gb32960",
    *,
    checked: bool = False,
    signed: Sequence[State | None] | None = None,
) -> Decoded:
    """Columns (VSS names, VSS units) of real-time and resent frames of both editions, in the clear.

    `vehicles`: an id for each frame; `received`: ms UTC, one for all or one each. `checked`: the checksums
    were already verified by a splitter. `signed`: what `signatures.verify` says of each frame; those that it
    calls invalid are rejected, of the others it is a column. Positions of several data may be in one batch: a
    column says which (words.place.ROW_DATUM). A column is there when a frame of the batch carried its unit. Lists
    stay binary as sent (their invalid codes included), but for cell voltages: uint16 little-endian, mV. All
    units of a frame that the carmaker defined are one such list, in no catalogue: the sieve withholds it.
    Nothing is raised: a frame that cannot be read whole is rejected, in the words of the reference decoder,
    and harms no other.
    """
    states = [None if s is None else int(s) for s in signed] if signed is not None else []
    rejected = {i: SIGNATURE_INVALID for i, state in enumerate(states) if state == State.INVALID}
    found, when = groups(frames, checked, rejected)
    rows = np.concatenate([g.rows for g in found]) if found else np.empty(0, np.intp)
    order = np.argsort(rows, kind="stable")
    kept = rows[order]
    shape = columns(frozenset().union(*(g.kinds for g in found)))
    fixed, has = _side_by_side(found, order, shape)
    base = _base(np.asarray(vehicles, np.int64)[kept], when[kept], _each(received, len(frames))[kept], door)
    places = pa.array(order)
    lists = [_list(name, found, places) for name in shape.lists]
    arrays = [*base, *shape.values(fixed, has), *lists]
    schema = shape.schema
    if any(states):
        arrays.append(pa.array([states[i] for i in kept.tolist()], pa.uint8()))
        schema = shape.signed
    return Decoded(pa.RecordBatch.from_arrays(arrays, schema=schema), sorted(rejected.items()))


def _side_by_side(found: list[Alike | Alone], order: Index, shape: Columns) -> tuple[Bytes, Mask]:
    """Fixed parts of all rows as (width + 1, rows) bytes, zero where absent; which are there."""
    rows = np.zeros((len(order), shape.width + 1), np.uint8)
    has = np.zeros((len(order), len(PARTS)), np.bool_)
    at = 0
    for group in found:
        end = at + len(group.rows)
        group.fill(rows[at:end], has[at:end], shape.begins)
        at = end
    return np.ascontiguousarray(rows[order].T), np.ascontiguousarray(has[order].T)


def _each(received: int | Sequence[int] | Instants, count: int) -> Instants:
    return np.broadcast_to(np.asarray(received, np.int64), (count,))


def _base(vehicles: Instants, when: Instants, received: Instants, door: str) -> list[pa.Array]:
    count = len(when)
    codes = pa.array(np.zeros(count, np.int8))
    return [
        pa.array(vehicles),
        pa.Array.from_buffers(TIMESTAMP, count, [None, pa.py_buffer(when)]),
        pa.Array.from_buffers(TIMESTAMP, count, [None, pa.py_buffer(received)]),
        pa.DictionaryArray.from_arrays(codes, pa.array([door], DOOR.value_type)),
    ]


def _list(name: str, found: list[Alike | Alone], order: pa.Array) -> pa.Array:
    """A binary column: what each group's frames list, joined; null where a frame has no such list."""
    listed = [group.listed(name) for group in found]
    counts = np.concatenate([counts for counts, _ in listed])
    there = counts >= 0
    ends = np.zeros(len(order) + 1, np.int32)
    np.cumsum(counts * there, out=ends[1:])
    data = np.concatenate([data for _, data in listed])
    if name == CELLS:
        data = data.view(">u2").astype("<u2")
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    joined = pa.Array.from_buffers(pa.binary(), len(order), [valid, pa.py_buffer(ends), pa.py_buffer(data)])
    return joined.take(order)
