"""Many payloads at once, side by side: one step reads the next datum of every payload.

A payload written as encoders write it, each field once and in the shortest form, is read here; any other is left to
the plain reader, which says what it means.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MOST = 300
"""Steps: more than there are fields; a longer payload is left to the plain reader."""

_ROOM = 16  # zeros behind the last payload, so that a look ahead stays inside
_DATA, _CREATED, _VIN, _RESEND = 0x0A, 0x12, 0x1A, 0x20  # field and wire type of a payload's four fields


@dataclass
class Walked:
    """What a walk found.

    `data`: the bytes of all payloads, one after another, as `joined` is; of each datum its payload (`lane`) and
    where it begins and ends there.

    `created`: (payloads, 2), where the time of each begins and ends, -1 without one; `odd`: payloads left to others.
    """

    data: Bytes
    joined: bytes
    lane: Index
    begin: Index
    end: Index
    created: Index
    odd: Mask


def walk(payloads: Sequence[bytes]) -> Walked:
    """Find the data of payloads of topic `V`; nothing is raised."""
    joined = b"".join(payloads) + bytes(_ROOM)
    data = np.frombuffer(joined, np.uint8)
    sizes = np.array([len(one) for one in payloads], np.int64)
    ends = np.cumsum(sizes)
    at, end, lane = ends - sizes, ends, np.arange(len(sizes))
    created = np.full((len(sizes), 2), -1, np.int64)
    odd = np.zeros(len(sizes), np.bool_)
    found: list[tuple[Index, Index, Index]] = []
    for _ in range(MOST):
        more = at < end
        if not more.all():
            at, end, lane = at[more], end[more], lane[more]
        if not lane.size:
            break
        tag, first, second = data[at], data[at + 1], data[at + 2]
        long = first >= 0x80
        size = np.where(long, (first & 0x7F) | second.astype(np.int64) << 7, first)
        begin = at + 2 + long
        flag = tag == _RESEND
        begin[flag] = at[flag] + 1
        size[flag] = 1
        after = begin + size
        good = (after <= end) & ~(long & (second - 1 >= 0x7F))
        good &= (tag == _DATA) | (tag == _CREATED) | (tag == _VIN) | flag & ~long
        is_time = tag == _CREATED
        if is_time.any():
            good &= ~(is_time & (created[lane, 0] >= 0))
            put = is_time & good
            created[lane[put], 0], created[lane[put], 1] = begin[put], after[put]
        is_vin = (tag == _VIN) & good
        if is_vin.any():
            good &= _ascii(data, begin, after, is_vin)
        if not good.all():
            odd[lane[~good]] = True
            after = np.where(good, after, end)
        datum = (tag == _DATA) & good
        found.append((lane[datum], begin[datum], after[datum]))
        at = after
    odd[lane[at < end]] = True
    lanes, begins, stops = (np.concatenate(parts) for parts in zip(*found, strict=True)) if found else (lane,) * 3
    return Walked(data, joined, lanes, begins, stops, created, odd)


def _ascii(data: Bytes, begin: Index, after: Index, where: Mask) -> Mask:
    """Whether the bytes of each span that is asked for are all below 0x80 (no of one longer than 32); yes of others."""
    good = np.ones(len(begin), np.bool_)
    first, last = begin[where], after[where]
    place = first[:, None] + np.arange(32)
    inside = place < last[:, None]
    good[where] = (last - first <= 32) & ~(inside & (data[np.where(inside, place, 0)] >= 0x80)).any(axis=1)
    return good


def varints(data: Bytes, begin: Index, end: Index) -> tuple[Index, Mask]:
    """The numbers (two's complement of 64 bits) in spans that hold one varint each, and which spans do."""
    size = end - begin
    good = (size > 0) & (size <= 10)
    value = np.zeros(len(begin), np.uint64)
    for place in range(int(min(size.max(initial=0), 10))):
        here = np.flatnonzero(good & (size > place))
        byte = data[begin[here] + place]
        good[here[(byte >= 0x80) != (size[here] > place + 1)]] = False
        value[here] |= (byte & 0x7F).astype(np.uint64) << np.uint64(7 * place)
    return value.view(np.int64), good


def times(walked: Walked) -> tuple[Index, Mask]:
    """Milliseconds UTC of each payload's time, and which payloads have one; what is not usual is marked odd."""
    data, odd = walked.data, walked.odd
    begin, end = walked.created[:, 0], walked.created[:, 1]
    has = (begin >= 0) & ~odd
    millis = np.zeros(len(odd), np.int64)
    lane = np.flatnonzero(has)
    begin, end = begin[lane], end[lane]
    size = end - begin
    room = data[np.minimum(begin[:, None] + np.arange(1, 7), len(data) - 1)]
    first = np.argmax(room < 0x80, axis=1) + 2  # bytes of the first field, its tag included
    one, two = size == first, (size > first + 1) & (data[begin + np.minimum(first, size)] == 0x10)
    seconds, good = varints(data, begin + 1, begin + first)
    nanos, fine = varints(data, np.where(two, begin + first + 1, 0), np.where(two, end, 0))
    good &= (data[begin] == 0x08) & (one | two & fine) & (seconds >= 0) & (seconds <= 253_402_300_799)
    nanos[~two] = 0
    good &= (nanos >= 0) & (nanos < 1_000_000_000) & (room.min(axis=1, initial=255) < 0x80)
    odd[lane[~good]] = True
    millis[lane] = np.where(good, seconds, 0) * 1000 + np.where(good, nanos, 0) // 1_000_000
    return millis, has
