"""The data of many payloads, read together: their fields' numbers, and their values as columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onshore.gate.fleet import reference, tables
from onshore.gate.fleet.reference import Raw
from onshore.gate.fleet.signals import TARGETS
from onshore.gate.fleet.walk import Bytes, Index, Mask, Walked, varints
from onshore.words.errors import Malformed

Floats = npt.NDArray[np.float64]

_KEYS = 1 << 14  # a field's number that fits into two bytes
_KINDS = 64
_NUMBERS = (tables.FLOAT, tables.DOUBLE)
_WHOLE = np.zeros(_KINDS, np.bool_)
_WHOLE[[tables.INT, tables.LONG, tables.BOOLEAN, tables.INVALID, *tables.ENUMS]] = True
_OBJECTS = np.zeros(_KINDS, np.bool_)
_OBJECTS[[tables.STRING, tables.DOORS, tables.TIME, tables.TIRES, tables.LOCATION]] = True
_PLAIN = np.zeros(_KEYS, np.bool_)
_PLAIN[[key for key, targets in TARGETS.items() if all(target.plain for target in targets)]] = True
_KNOWN = np.zeros(_KEYS, np.bool_)
_KNOWN[list(TARGETS)] = True
_DIGITS = 16  # of a number as text that is read without Python: up to 15 are exact
_TENS: Floats = np.power(10.0, np.arange(_DIGITS + 1), dtype=np.float64)


@dataclass
class Data:
    """Columns of the data: payload, number of the field, kind of the value (tables), and the value by its kind.

    `number`: floats, integers, and numbers as text; NaN where it is none of these. `whole`: integers, states and
    flags. `first`, `second`: the two halves of a place. `item`: the place in `items` of anything else, else -1.
    """

    lane: Index
    key: Index
    kind: Index
    number: Floats
    whole: Index
    first: Floats
    second: Floats
    item: Index
    items: list[Raw]

    def only(self, where: Mask) -> "Data":
        """Some of the data."""
        return Data(
            self.lane[where],
            self.key[where],
            self.kind[where],
            self.number[where],
            self.whole[where],
            self.first[where],
            self.second[where],
            self.item[where],
            self.items,
        )


def read(walked: Walked) -> Data:
    """The data that a walk found; a payload that has an unusual one is marked odd, and its data are left out."""
    data, odd = walked.data, walked.odd
    usual = ~odd[walked.lane]
    lane, at, end = walked.lane[usual], walked.begin[usual], walked.end[usual]
    key, at, good = _key(data, at, end)
    kind, at, wire = _kind(data, at, end, good)
    found = _values(walked, lane, key, kind, at, end, good & _fits(data, kind, wire, at, end))
    return found.only(~odd[lane])


def _key(data: Bytes, at: Index, end: Index) -> tuple[Index, Index, Mask]:
    """The field's number, where its value begins, and whether that is all that follows."""
    low, high = data[at + 1], data[at + 2]
    long = low >= 0x80
    key = np.where(long, (low & 0x7F) | high.astype(np.int64) << 7, low)
    good = (data[at] == 0x08) & ~(long & (high - 1 >= 0x7F))
    at = at + 2 + long
    at = np.where(at + 2 < end, at, 0)
    size, more = data[at + 1], data[at + 2]
    wide = size >= 0x80
    length = np.where(wide, (size & 0x7F) | more.astype(np.int64) << 7, size)
    good &= (at > 0) & (data[at] == 0x12) & ~(wide & (more - 1 >= 0x7F)) & (length > 0)
    return key, at + 2 + wide, good & (at + 2 + wide + length == end)


def _kind(data: Bytes, at: Index, end: Index, good: Mask) -> tuple[Index, Index, Index]:
    """The number of the value's field, where its content begins, and the wire type."""
    at = np.where(good, at, 0)
    low, high = data[at].astype(np.int64), data[at + 1].astype(np.int64)
    long = low >= 0x80
    tag = np.where(long, low & 0x7F | high << 7, low)
    kind = np.where(tag < _KINDS << 3, tag >> 3, 0)
    at = at + 1 + long
    return kind, np.where(at < end, at, 0), tag & 7


def _fits(data: Bytes, kind: Index, wire: Index, at: Index, end: Index) -> Mask:
    """Whether a value is of its kind's wire type and fills the rest of its datum; varints are looked at later."""
    size = end - at
    length = data[at]
    fits: Mask = (kind == tables.FLOAT) & (wire == 5) & (size == 4)
    fits |= (kind == tables.DOUBLE) & (wire == 1) & (size == 8)
    fits |= _WHOLE[kind] & (wire == 0)
    fits |= _OBJECTS[kind] & (wire == 2) & (length < 0x80) & (size == length.astype(np.int64) + 1)
    return fits


def _values(walked: Walked, lane: Index, key: Index, kind: Index, at: Index, end: Index, good: Mask) -> Data:
    data, odd = walked.data, walked.odd
    count = len(key)
    number = np.full(count, np.nan)
    whole, item = np.zeros(count, np.int64), np.full(count, -1, np.int64)
    first, second = np.zeros(count), np.zeros(count)
    for here, width, form in ((kind == tables.DOUBLE, 8, "<f8"), (kind == tables.FLOAT, 4, "<f4")):
        place = np.flatnonzero(good & here)
        number[place] = _fixed(data, at[place], width, form)
    place = np.flatnonzero(good & _WHOLE[kind])
    whole[place], fine = varints(data, at[place], end[place])
    fine &= (end[place] - at[place] < 10) | (data[end[place] - 1] == 1)
    good[place] = fine
    _narrow(kind, whole, number, place)
    place = np.flatnonzero(good & (kind == tables.LOCATION) & _both(data, at, end))
    first[place] = _fixed(data, at[place] + 2, 8, "<f8")
    second[place] = _fixed(data, at[place] + 11, 8, "<f8")
    rest = good & _OBJECTS[kind]
    rest[place] = False
    texts = np.flatnonzero(rest & (kind == tables.STRING) & _PLAIN[np.minimum(key, _KEYS - 1)])
    read_, number[texts] = _decimals(data, at[texts] + 1, end[texts])
    rest[texts[read_]] = False
    items, bad = _objects(walked.joined, np.flatnonzero(rest), key, kind, at, end, item)
    good[bad] = False
    odd[lane[~good]] = True
    return Data(lane, key, kind, number, whole, first, second, item, items)


def _fixed(data: Bytes, at: Index, width: int, form: str) -> Floats:
    taken = np.ascontiguousarray(data[at[:, None] + np.arange(width)])
    with np.errstate(invalid="ignore"):
        return taken.view(form)[:, 0].astype(np.float64)


def _narrow(kind: Index, whole: Index, number: Floats, place: Index) -> None:
    """Integers of 32 bits in their width; integers as numbers too; flags as 0 or 1."""
    of = kind[place]
    short = place[(of != tables.LONG) & (of != tables.BOOLEAN) & (of != tables.INVALID)]
    whole[short] = whole[short].astype(np.int32)
    counted = place[(of == tables.INT) | (of == tables.LONG)]
    number[counted] = whole[counted]
    said = place[(of == tables.BOOLEAN) | (of == tables.INVALID)]
    whole[said] = whole[said] != 0


def _both(data: Bytes, at: Index, end: Index) -> Mask:
    """Whether a place has both halves, in order."""
    full: Mask = end - at == 19
    spot = np.where(full, at, 0)
    full &= (data[spot + 1] == 0x09) & (data[spot + 10] == 0x11)
    return full


def _decimals(data: Bytes, begin: Index, end: Index) -> tuple[Mask, Floats]:
    """Which texts are plain decimals such as -12.50, of 15 digits at most, and their numbers, correctly rounded."""
    size = end - begin
    minus = data[begin] == 0x2D
    digits, places = np.zeros(len(begin), np.int64), np.zeros(len(begin), np.int64)
    value, point = np.zeros(len(begin), np.int64), np.zeros(len(begin), np.bool_)
    good = (size > minus) & (size <= _DIGITS + minus)
    for at in range(int(size[good].max(initial=0))):
        here = (size > at) & good
        byte = data[np.where(here, begin + at, 0)]
        sign = minus & (at == 0)
        digit, dot = here & (byte >= 0x30) & (byte <= 0x39), here & (byte == 0x2E) & ~point & (digits > 0)
        good &= ~here | digit | dot | sign
        value = np.where(digit, value * 10 + byte - 0x30, value)
        digits += digit
        places += digit & point
        point |= dot
    good &= (digits > 0) & (digits <= 15)
    value = np.where(good, value, 0)
    read_ = value / _TENS[np.where(good, places, 0)]
    return good, np.where(good, np.where(minus, -read_, read_), np.nan)


def _objects(
    joined: bytes, places: Index, key: Index, kind: Index, at: Index, end: Index, item: Index
) -> tuple[list[Raw], list[int]]:
    """Everything else, each distinct one read once; which data cannot be read."""
    items: list[Raw] = []
    known: dict[tuple[int, bytes], int] = {}
    bad: list[int] = []
    spans = (places, key[places], kind[places], at[places] + 1, end[places])
    for place, field, of, begin, stop in zip(*(span.tolist() for span in spans), strict=True):
        content = joined[begin:stop]
        if of == tables.STRING and not (field < _KEYS and _KNOWN[field]) and content.isascii():
            continue
        number = known.get((of, content))
        if number is None:
            try:
                items.append(reference.CONTENT[of](content))
            except Malformed:
                bad.append(place)
                continue
            number = known[of, content] = len(items) - 1
        item[place] = number
    return items, bad
