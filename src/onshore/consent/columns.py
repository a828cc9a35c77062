"""Consents compiled to columns: sorted by vehicle, purposes as bits, so that the sieve need not ask row by row."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.vocabulary import MAX_PURPOSES, STATUTORY

Ints = NDArray[np.int64]

FOREVER = np.iinfo(np.int64).max
BEFORE_TIME = np.iinfo(np.int64).min
START, UNTIL, WITHDRAWN, WORD = range(4)
END, UNION, LINE = 1, 2, 3
"""Columns of Lines.table and of Lines.all_of; START comes first in both."""

SEPARATE = BEFORE_TIME
"""The sign of a word says that the consent was asked for separately; the other bits are purposes."""

_LATEST = 1 << 62  # far beyond any calendar, and out of the way of FOREVER
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth, TAOCP 3, 6.4, multiplicative hashing

_Moment = tuple[int, str, int, int, int, bool, frozenset[str]]
"""vehicle, category, start, until, withdrawn, separate, recipients: a line before its purposes are joined"""


@dataclass(frozen=True, eq=False)
class Lines:
    """Consents of one category, sorted by vehicle; consents that differ in purpose alone share a line.

    `table`: a row per line: START, UNTIL, WITHDRAWN (milliseconds UTC, FOREVER where none is set), WORD.
    `named`: per line the index of its recipients in Consents.recipients.
    `all_of`: a row per vehicle and one more for unknown ones: the interval over which all its lines hold
    (latest START, earliest end), WORD with the purposes of all (SEPARATE only if all are), LINE of its
    first in the table; where it has no line, an interval that never holds and LINE -1. `more`: how many
    lines follow that first.
    """

    table: Ints
    named: Ints
    all_of: Ints
    more: Ints


@dataclass(frozen=True, eq=False)
class Consents:
    """`vehicles` ascending, one unused entry at the end; `slots`: a hash table of places in it, a quarter full."""

    purposes: tuple[str, ...]
    vehicles: Ints
    slots: Ints
    recipients: tuple[frozenset[str], ...]
    of: Mapping[str, Lines]

    @property
    def unknown(self) -> int:
        """The place of vehicles for which there is no consent."""
        return len(self.vehicles) - 1

    def places(self, vehicle: Ints) -> Ints:
        """Where each vehicle stands in `vehicles`, `unknown` where nowhere."""
        slot = _slot(vehicle, len(self.slots))
        place = self.slots.take(slot)
        astray = np.flatnonzero(self.vehicles.take(place) != vehicle)
        while (astray := astray[place[astray] != self.unknown]).size:
            slot[astray] = (slot[astray] + 1) % len(self.slots)
            place[astray] = self.slots[slot[astray]]
            astray = astray[self.vehicles[place[astray]] != vehicle[astray]]
        return place


def compile_consents(consents: Iterable[Consent], purposes: Sequence[str]) -> Consents:
    """Compile consents; bit i of a purposes column means `purposes[i]`.

    Refused (Malformed): a list of purposes that does not begin with `statutory-monitoring`, repeats itself
    or is longer than MAX_PURPOSES; a consent for a purpose not listed, or for `statutory-monitoring`, whose
    ground is the law and not consent (PIPL Art. 13); an instant beyond 2^62 ms.
    """
    bits = _bits(purposes)
    words: dict[_Moment, int] = defaultdict(int)
    for consent in consents:
        words[_moment(consent)] |= _bit(consent, bits)
    moments = sorted(words, key=lambda m: m[:6])
    vehicles = np.array(sorted({m[0] for m in moments}), np.int64)
    recipients = tuple(dict.fromkeys(m[6] for m in moments))
    named = {who: i for i, who in enumerate(recipients)}
    of: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for moment in moments:
        vehicle, category, start, until, withdrawn, separate, who = moment
        word = words[moment] | (SEPARATE if separate else 0)
        of[category].append((vehicle, start, until, withdrawn, word, named[who]))
    return Consents(
        tuple(purposes),
        np.append(vehicles, np.int64(0)),
        _slots(vehicles),
        recipients,
        {category: _lines(np.array(lines, np.int64), vehicles) for category, lines in of.items()},
    )


def _bits(purposes: Sequence[str]) -> dict[str, int]:
    if not purposes or purposes[0] != STATUTORY:
        raise Malformed(f"the list of purposes must begin with {STATUTORY!r}, which is bit 0", where="purposes")
    if len(set(purposes)) != len(purposes) or len(purposes) > MAX_PURPOSES:
        raise Malformed(f"the list of purposes repeats itself or exceeds {MAX_PURPOSES}", where="purposes")
    return {purpose: 1 << i for i, purpose in enumerate(purposes)}


def _bit(consent: Consent, bits: Mapping[str, int]) -> int:
    where = f"consent {consent.id}"
    if consent.purpose == STATUTORY:
        raise Malformed(f"nobody consents to {STATUTORY!r}: its ground is the law (PIPL Art. 13)", where=where)
    if consent.purpose not in bits:
        raise Malformed(f"purpose {consent.purpose!r} is not in the site's list of purposes", where=where)
    return bits[consent.purpose]


def _moment(consent: Consent) -> _Moment:
    until = FOREVER if consent.until is None else consent.until
    withdrawn = FOREVER if consent.withdrawn is None else consent.withdrawn
    for instant in (consent.start, consent.until or 0, consent.withdrawn or 0):
        if abs(instant) > _LATEST:
            raise Malformed("an instant beyond 2^62 ms", where=f"consent {consent.id}")
    return (
        consent.vehicle,
        consent.category,
        consent.start,
        until,
        withdrawn,
        consent.separate,
        consent.recipients,
    )


def _lines(rows: Ints, vehicles: Ints) -> Lines:
    """Lines of one category from rows (vehicle, start, until, withdrawn, word, named) sorted by vehicle."""
    head = np.searchsorted(rows[:, 0], vehicles)
    count = np.searchsorted(rows[:, 0], vehicles, side="right") - head
    having = np.flatnonzero(count)
    table, begins = np.ascontiguousarray(rows[:, 1:5]), head[having]
    all_of = np.empty((len(vehicles) + 1, 4), np.int64)
    all_of[:] = FOREVER, BEFORE_TIME, 0, -1
    all_of[having, START] = np.maximum.reduceat(table[:, START], begins)
    all_of[having, END] = np.minimum.reduceat(np.minimum(table[:, UNTIL], table[:, WITHDRAWN]), begins)
    together = np.bitwise_or.reduceat(table[:, WORD], begins) & FOREVER
    all_of[having, UNION] = together | (np.bitwise_and.reduceat(table[:, WORD], begins) & SEPARATE)
    all_of[having, LINE] = begins
    return Lines(table, rows[:, 5].copy(), all_of, np.append(np.maximum(count - 1, 0), 0))


def _slots(vehicles: Ints) -> Ints:
    """A hash table with linear probing (TAOCP 3, 6.4, algorithm L), at most a quarter full."""
    size = 1 << (4 * len(vehicles) + 4).bit_length()
    slots = np.full(size, len(vehicles), np.int64)
    slot, waiting = _slot(vehicles, size), np.arange(len(vehicles))
    while waiting.size:
        free = waiting[slots[slot[waiting]] == len(vehicles)]
        slots[slot[free]] = free
        waiting = waiting[slots[slot[waiting]] != waiting]
        slot[waiting] = (slot[waiting] + 1) % size
    return slots


def _slot(vehicle: Ints, size: int) -> Ints:
    """Where a probe begins: the upper bits of a product, for a size that is a power of two."""
    shift = np.uint64(65 - size.bit_length())
    return ((vehicle.view(np.uint64) * _SPREAD) >> shift).view(np.int64)
