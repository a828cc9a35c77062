"""Consents compiled to columns: found by vehicle, purposes as bits, so that the sieve need not ask row by row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from onshore.consent.places import ABSENT, Ints, Places, places_of
from onshore.consent.records import BEFORE_TIME, FOREVER, Mask, Records, bits_of, records_of
from onshore.words.consent import Consent

__all__ = ["FOREVER", "Consents", "Ints", "Lines", "Room", "compile_columns", "compile_consents"]

START, UNTIL, WITHDRAWN, WORD = range(4)
END, UNION, LINE = 1, 2, 3
"""Columns of Lines.table and of Lines.all_of; START comes first in both."""

SEPARATE = BEFORE_TIME
"""The sign of a word says that the consent was asked for separately; the other bits are purposes."""

_LEAST, _MOST = 64, 4096  # spare places


class Room:
    """How much of some arrays is taken. Values made from one another share arrays and room: none writes twice."""

    def __init__(self, taken: int, size: int) -> None:
        self.taken, self.size = taken, size

    def holds(self, more: int) -> bool:
        """Whether so many more fit."""
        return self.taken + more <= self.size

    def take(self, more: int) -> int:
        """Take so many more; the first of them."""
        self.taken += more
        return self.taken - more


@dataclass(frozen=True, eq=False)
class Lines:
    """Consents of one category, by vehicle; consents that differ in purpose alone share a line.

    `table`: a row per line: START, UNTIL, WITHDRAWN (milliseconds UTC, FOREVER where none is set), WORD. Row 0 is
    not used. `named`: per line the index of its recipients in Consents.recipients.
    `all_of`: a row per place: the interval over which all lines of that vehicle hold (latest START, earliest end),
    WORD with the purposes of all (SEPARATE only if all are), LINE of its first in the table; zero where it has
    none. `more`: how many lines follow that first. `room`: of `table` and `named`.
    """

    table: Ints
    named: Ints
    all_of: Ints
    more: Ints
    room: Room


@dataclass(frozen=True, eq=False)
class Consents:
    """What people allowed. `vehicles`: id by place, from 1 on. `room`: of the places.

    `base` says where each vehicle stands, `moved` (None: nothing) where those stand whose consents changed since:
    one more than their place.
    """

    purposes: tuple[str, ...]
    vehicles: Ints
    base: Places
    moved: Places | None
    recipients: tuple[frozenset[str], ...]
    of: Mapping[str, Lines]
    room: Room

    unknown: ClassVar[int] = ABSENT
    """The place of vehicles for which there is no consent."""

    def places(self, vehicle: Ints) -> Ints:
        """Where each vehicle stands, `unknown` where nowhere."""
        place = self.base.find(vehicle)
        if self.moved is not None:
            now = self.moved.find(vehicle)
            np.copyto(place, now - 1, where=now != ABSENT)
        return place


def compile_consents(consents: Iterable[Consent], purposes: Sequence[str]) -> Consents:
    """Compile consents; bit i of a purposes column means `purposes[i]`. Refuses what `compile_columns` refuses."""
    return compile_columns(records_of(consents), purposes)


def compile_columns(records: Records, purposes: Sequence[str], *, spare: int | None = None) -> Consents:
    """Compile records; bit i of a purposes column means `purposes[i]`.

    `spare`: how many vehicles may change before everything is laid out anew; None for the usual number.
    Refused (Malformed): what `records.bits_of` refuses.
    """
    bits = bits_of(records, purposes)
    by_vehicle = np.argsort(records.vehicle)
    vehicle = records.vehicle.take(by_vehicle)
    first = np.append(True, vehicle[1:] != vehicle[:-1])[: len(vehicle)]
    vehicles, place = vehicle[first], np.cumsum(first)
    by_category = np.argsort(records.category.take(by_vehicle).astype(np.uint16), kind="stable")
    order, place = by_vehicle.take(by_category), place.take(by_category)
    spare = usual_spare(len(vehicles)) if spare is None else spare
    size = len(vehicles) + 1 + spare
    ends = np.cumsum(np.bincount(records.category, minlength=len(records.categories))).tolist()
    of = {}
    for category, begin, end in zip(records.categories, [0, *ends], ends, strict=False):
        here = slice(begin, end)
        of[category] = _lines(records, bits, _settled(records, order[here], place[here]), place[here], size, 2 * spare)
    ids = np.zeros(size, np.int64)
    ids[1 : len(vehicles) + 1] = vehicles
    return Consents(
        purposes=tuple(purposes),
        vehicles=ids,
        base=places_of(vehicles, np.arange(1, len(vehicles) + 1)),
        moved=None,
        recipients=records.sets,
        of=of,
        room=Room(len(vehicles) + 1, size),
    )


def usual_spare(vehicles: int) -> int:
    """How many places to keep free for changes."""
    return min(max(vehicles // 64, _LEAST), _MOST)


def laid_out(table: Ints, named: Ints, place: Ints, size: int, spare: int) -> Lines:
    """Lines from rows of `table` and `named`, those of a place together: room for `size` places, `spare` lines."""
    head = np.append(True, place[1:] != place[:-1])[: len(place)]
    begins, count = np.flatnonzero(head), np.bincount(place, minlength=size)
    having = place.take(begins)
    all_of, more = np.zeros((size, 4), np.int64), np.zeros(size, np.int64)
    if begins.size:
        all_of[having, START] = np.maximum.reduceat(table[:, START], begins)
        all_of[having, END] = np.minimum.reduceat(np.minimum(table[:, UNTIL], table[:, WITHDRAWN]), begins)
        together = np.bitwise_or.reduceat(table[:, WORD], begins) & FOREVER
        all_of[having, UNION] = together | (np.bitwise_and.reduceat(table[:, WORD], begins) & SEPARATE)
        all_of[having, LINE] = begins + 1
        more[having] = count[having] - 1
    last = len(table) + 1
    roomy, whose = np.zeros((last + spare, 4), np.int64), np.zeros(last + spare, np.int64)
    roomy[1:last], whose[1:last] = table, named
    return Lines(roomy, whose, all_of, more, Room(last, last + spare))


def _lines(records: Records, bits: Ints, order: Ints, place: Ints, size: int, spare: int) -> Lines:
    """Lines of one category: the consents in this order stand at these places."""
    head = place[1:] != place[:-1]
    for column in _terms(records):
        values = column.take(order)
        head = head | (values[1:] != values[:-1])
    heads = np.flatnonzero(np.append(True, head))
    those = order.take(heads)
    words = np.bitwise_or.reduceat(bits.take(order), heads) | np.where(records.separate.take(those), SEPARATE, 0)
    table: Ints = np.column_stack(
        (records.start.take(those), records.until.take(those), records.withdrawn.take(those), words)
    )
    return laid_out(table, records.recipients.take(those), place.take(heads), size, spare)


def _terms(records: Records) -> tuple[Ints, Ints, Ints, Mask, Ints]:
    """All in which consents of one vehicle and category can differ, purposes aside."""
    return records.start, records.until, records.withdrawn, records.separate, records.recipients


def _settled(records: Records, order: Ints, place: Ints) -> Ints:
    """The order with consents of one place sorted by their terms, where they differ."""
    same = place[1:] == place[:-1]
    differ = np.zeros(len(same), np.bool_)
    for column in _terms(records):
        values = column.take(order)
        differ |= values[1:] != values[:-1]
    mixed = np.zeros(int(place[-1]) + 1, np.bool_)
    mixed[place[1:][same & differ]] = True
    rows = np.flatnonzero(mixed.take(place))
    if rows.size:
        some = order.take(rows)
        sorting = np.lexsort((*(column.take(some) for column in reversed(_terms(records))), place.take(rows)))
        order = order.copy()
        order[rows] = some.take(sorting)
    return order
