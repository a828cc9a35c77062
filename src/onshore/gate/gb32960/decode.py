"""Many real-time frames at once: equal layouts are grouped and read as columns, no frame alone.

The reference decoder says what must come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.gb32960 import layout as lay
from onshore.gate.gb32960.columns import BEGINS, WIDTH, Mask, columns
from onshore.gate.gb32960.layout import PARTS, Bytes, Layout, walk
from onshore.gate.gb32960.protocol import HEADER, OVERHEAD, START_2016, TIME, Command, Encryption, Flag
from onshore.gate.gb32960.reference import envelope
from onshore.words.batch import DOOR
from onshore.words.batch import TIME as TIMESTAMP
from onshore.words.errors import Malformed

Index = npt.NDArray[np.intp]
Instants = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Decoded:
    """`batch`: one row per accepted frame, in order; `rejected`: (index of the frame, why), by index."""

    batch: pa.RecordBatch
    rejected: list[tuple[int, str]]


@dataclass(frozen=True)
class _Group:
    """Frames of one layout: which, and their bytes (frames, size)."""

    layout: Layout
    rows: Index
    bytes: Bytes


def decode(
    frames: Sequence[bytes],
    vehicles: Sequence[int] | npt.NDArray[np.int64],
    received: int | Sequence[int] | npt.NDArray[np.int64],
    door: str = "gb32960",
    *,
    checked: bool = False,
) -> Decoded:
    """Columns (VSS names, VSS units) of real-time and resent frames.

    `vehicles`: an id for each frame; `received`: ms UTC, one for all or one each. `checked`: the checksums
    were already verified by a splitter. A column is there when a frame of the batch carried its unit. Lists
    stay binary as sent (their invalid codes included), but for cell voltages: uint16 little-endian, mV.
    Nothing is raised: a frame that cannot be read whole is rejected, in the words of the reference decoder,
    and harms no other.
    """
    rejected: dict[int, str] = {}
    groups = _groups(frames, checked, rejected)
    rows = np.concatenate([g.rows for g in groups]) if groups else np.empty(0, np.intp)
    order = np.argsort(rows, kind="stable")
    kept = rows[order]
    shape = columns(frozenset().union(*(g.layout.kinds for g in groups)))
    when, fixed, has = _side_by_side(groups, order)
    base = _base(np.asarray(vehicles, np.int64)[kept], when, _each(received, len(frames))[kept], door)
    lists = [_list(name, groups, order) for name in shape.lists]
    arrays = [*base, *shape.values(fixed, has), *lists]
    return Decoded(pa.RecordBatch.from_arrays(arrays, schema=shape.schema), sorted(rejected.items()))


def _groups(frames: Sequence[bytes], checked: bool, rejected: dict[int, str]) -> list[_Group]:
    sizes: dict[int, list[int]] = {}
    for i, frame in enumerate(frames):
        sizes.setdefault(len(frame), []).append(i)
    groups: list[_Group] = []
    for size, which in sizes.items():
        if size < OVERHEAD + TIME:
            rejected.update((i, _why(frames[i])) for i in which)
        else:
            groups += _of_size(size, which, frames, checked, rejected)
    return groups


def _of_size(
    size: int, which: list[int], frames: Sequence[bytes], checked: bool, rejected: dict[int, str]
) -> list[_Group]:
    rows = np.array(which, np.intp)
    matrix = np.frombuffer(b"".join([frames[i] for i in which]), np.uint8).reshape(-1, size)
    good = _legible(matrix, checked)
    if good.all():
        return _by_layout(frames, rows, matrix, rejected)
    rejected.update((i, _why(frames[i])) for i in rows[~good].tolist())
    return _by_layout(frames, rows[good], matrix[good], rejected)


def _by_layout(frames: Sequence[bytes], rows: Index, matrix: Bytes, rejected: dict[int, str]) -> list[_Group]:
    """Walk one frame, hold all others against it, go on with those that differ."""
    groups: list[_Group] = []
    left = np.arange(len(rows))
    while len(left):
        first = int(rows[left[0]])
        try:
            layout = walk(frames[first])
        except Malformed as bad:
            rejected[first] = bad.what
            left = left[1:]
            continue
        same = (matrix[left[:, None], layout.at] == layout.says).all(axis=1)
        of = left[same]
        whole = len(of) == len(rows)
        groups.append(_Group(layout, rows[of], matrix if whole else matrix[of]))
        left = left[~same]
    return groups


_COMMAND_AT = 2
_SAME = np.array((0, 1, 3, 21, 22, 23), np.intp)


def _legible(matrix: Bytes, checked: bool) -> Mask:
    """Rows whose header, checksum and time are right for real-time data in the clear."""
    size = matrix.shape[1] - OVERHEAD
    head = np.frombuffer(START_2016 + bytes((Flag.COMMAND, Encryption.NONE)) + size.to_bytes(3, "big")[1:], np.uint8)
    commands = matrix[:, _COMMAND_AT]
    good: Mask = (matrix[:, _SAME] == head).all(axis=1)
    good &= (commands == Command.REALTIME) | (commands == Command.RESEND)
    if not checked:
        good &= _checksums(matrix) == 0
    good &= _instants(matrix[:, HEADER : HEADER + TIME]) >= 0
    return good


def _checksums(matrix: Bytes) -> Bytes:
    """XOR of each row from its command to its end, eight bytes at a time."""
    count, size = matrix.shape
    wide = np.zeros((count, (size + 5) // 8), np.uint64)
    wide.view(np.uint8)[:, : size - 2] = matrix[:, 2:]
    folded = np.bitwise_xor.reduce(wide, axis=1).view(np.uint8).reshape(count, 8)
    sums: Bytes = np.bitwise_xor.reduce(folded, axis=1)
    return sums


def _days_since_1970() -> tuple[Instants, Instants]:
    """(first day, number of days) of each month of 2000 to 2099, at 12 * (year - 2000) + month - 1."""
    months = np.arange("2000-01", "2100-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return months[:-1], np.diff(months)


_FIRST_DAY, _DAYS = _days_since_1970()
_DAY, _EIGHT_HOURS = 86_400_000, 28_800_000


def _instants(time6: Bytes) -> Instants:
    """Milliseconds UTC of rows YY MM DD hh mm ss in Beijing time; -1 where that is no time."""
    year, month, day, hour, minute, second = time6.T.astype(np.int64)
    index = 12 * year + month - 1
    good = (year < 100) & (month - 1 < 12) & (month > 0) & (hour < 24) & (minute < 60) & (second < 60) & (day > 0)
    index[~good] = 0
    good &= day <= _DAYS[index]
    at = (_FIRST_DAY[index] + day - 1) * _DAY + ((hour * 60 + minute) * 60 + second) * 1000 - _EIGHT_HOURS
    return np.where(good, at, -1)


def _why(frame: bytes) -> str:
    """What is wrong with a frame that is not legible; in the order in which the reference decoder looks."""
    try:
        head = envelope(frame)
        if head.command not in {Command.REALTIME, Command.RESEND} or head.flag != Flag.COMMAND:
            return "not real-time data"
        if head.encryption != Encryption.NONE:
            return "encrypted"
    except Malformed as bad:
        return bad.what
    return "no time" if head.length < TIME else "bad time"


def _side_by_side(groups: list[_Group], order: Index) -> tuple[Instants, Bytes, Mask]:
    """Instants; fixed parts of all rows as (WIDTH + 1, rows) bytes, zero where absent; which are there."""
    rows = np.zeros((len(order), TIME + WIDTH + 1), np.uint8)
    has = np.zeros((len(order), len(PARTS)), np.bool_)
    begins, sizes = [TIME + b for b in BEGINS.values()], list(PARTS.values())
    at = 0
    for group in groups:
        end = at + len(group.rows)
        rows[at:end, :TIME] = group.bytes[:, HEADER : HEADER + TIME]
        for part, begin in group.layout.fixed:
            size, into = sizes[part], begins[part]
            rows[at:end, into : into + size] = group.bytes[:, begin : begin + size]
            has[at:end, part] = True
        at = end
    lines = np.ascontiguousarray(rows[order].T)
    return _instants(lines[:TIME].T), lines[TIME:], np.ascontiguousarray(has[order].T)


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


def _list(name: str, groups: list[_Group], order: Index) -> pa.Array:
    """A binary column: the ranges of each group's frames, joined; null where a frame has no such list."""
    pieces = [_ranges(name, group) for group in groups]
    counts = [len(group.rows) for group in groups]
    sizes = np.repeat([p.shape[1] if p is not None else 0 for p in pieces], counts)
    ends = np.zeros(len(order) + 1, np.int32)
    np.cumsum(sizes, out=ends[1:])
    data = np.concatenate([p.ravel() for p in pieces if p is not None] or [np.empty(0, np.uint8)])
    there = np.repeat([p is not None for p in pieces], counts)
    valid = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    joined = pa.Array.from_buffers(pa.binary(), len(order), [valid, pa.py_buffer(ends), pa.py_buffer(data)])
    return joined.take(pa.array(order))


def _ranges(name: str, group: _Group) -> Bytes | None:
    ranges = group.layout.lists.get(name)
    if ranges is None:
        return None
    pieces = [group.bytes[:, a:b] for a, b in ranges]
    joined = np.concatenate(pieces, axis=1) if pieces else np.empty((len(group.rows), 0), np.uint8)
    if name == lay.CELLS:
        return joined.view(np.uint16).byteswap().view(np.uint8)
    return joined
