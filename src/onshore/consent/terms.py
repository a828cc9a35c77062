"""Which consents stand for a row, and where none does, why: one category, all rows at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onshore.consent.columns import END, FOREVER, LINE, START, UNION, Consents, Ints, Lines
from onshore.words.rulebook import Rulebook
from onshore.words.use import Use

Ranks = NDArray[np.uint8]

REASONS = (
    "default-off",
    "no-consent",
    "purpose-not-consented",
    "recipient-not-named",
    "biometric-not-for-safety",
    "not-separate",
    "no-consent",
    "consent-expired",
    "consent-withdrawn",
    "consented",
)
"""By rank: how far a consent came before it failed. The furthest of a row's consents gives the row's reason."""

_NONE_AT_ALL, _NONE_OF_CATEGORY, _OTHER_PURPOSE, _OTHER_RECIPIENT, _FORBIDDEN = np.arange(5, dtype=np.uint8)
_NOT_SEPARATE, _NOT_BEGUN, _EXPIRED, _WITHDRAWN, CONSENTED = np.arange(5, 10, dtype=np.uint8)

_ALL_PURPOSES = FOREVER


@dataclass(frozen=True, eq=False)
class Moments:
    """Per row: place of its vehicle in the consents, whether it has any, the earlier and later of event and now."""

    place: Ints
    known: NDArray[np.bool_]
    early: Ints
    late: Ints


@dataclass(frozen=True, eq=False)
class Terms:
    """What a consent for one category must meet: purposes asked for and permitted, as bits, and the rest.

    `named`: for each set of recipients whether it names the one asked for; None where none is.
    """

    asked: int
    permitted: int
    separate: bool
    named: NDArray[np.bool_] | None


@dataclass(frozen=True, eq=False)
class Ruling:
    """Per row the purposes that standing consents allow, as bits; and of the rows in `closely` the rank.

    All rows that are not in `closely` are consented.
    """

    bits: Ints
    closely: Ints
    rank: Ranks


def terms(consents: Consents, category: str, rulebook: Rulebook, only: Use | None) -> Terms:
    """The terms of a category under a rulebook, for one use or for all."""
    bits = {purpose: 1 << i for i, purpose in enumerate(consents.purposes)}
    permitted = rulebook.only_for.get(category)
    recipient = None if only is None else only.recipient
    return Terms(
        _ALL_PURPOSES if only is None else bits.get(only.purpose, 0),
        _ALL_PURPOSES if permitted is None else sum(bits.get(purpose, 0) for purpose in permitted),
        category in rulebook.separate,
        None if recipient is None else np.array([recipient in who for who in consents.recipients], np.bool_),
    )


def rule(consents: Consents, category: str, at: Moments, needs: Terms) -> Ruling:
    """Rule on every row for one category."""
    lines = consents.of.get(category)
    if lines is None:
        everywhere = np.arange(len(at.place))
        return Ruling(np.zeros(len(at.place), np.int64), everywhere, at.known.astype(np.uint8))
    bits, line = _where_all_stand(lines, at, needs)
    closely = np.flatnonzero(bits == 0)
    some, rank = _line_by_line(lines, closely, line.take(closely), at, needs)
    bits[closely] = some
    return Ruling(bits, closely, rank)


def _where_all_stand(lines: Lines, at: Moments, needs: Terms) -> tuple[Ints, Ints]:
    """Purposes where all lines of a vehicle hold, as nearly always, 0 elsewhere; and its first line."""
    all_of = lines.all_of.take(at.place, axis=0)
    if needs.named is not None:
        return np.zeros(len(all_of), np.int64), all_of[:, LINE]
    stands = (all_of[:, START] <= at.early) & (at.late < all_of[:, END])
    if needs.separate:
        stands &= all_of[:, UNION] < 0
    bits: Ints = (all_of[:, UNION] & needs.asked & needs.permitted) * stands
    return bits, all_of[:, LINE]


def _line_by_line(lines: Lines, rows: Ints, line: Ints, at: Moments, needs: Terms) -> tuple[Ints, Ranks]:
    """Per row the purposes of the lines that stand, and the highest rank of all."""
    bits, best = np.zeros(len(rows), np.int64), at.known.take(rows).astype(np.uint8)
    left = np.flatnonzero(line > 0)
    line, here = line.take(left), rows.take(left)
    early, late, more = at.early.take(here), at.late.take(here), lines.more.take(at.place.take(here))
    while left.size:
        found, rank = _rank(lines, line, early, late, needs)
        bits[left] |= found
        best[left] = np.maximum(best.take(left), rank)
        on = np.flatnonzero(more)
        left, early, late = left.take(on), early.take(on), late.take(on)
        line, more = line.take(on) + 1, more.take(on) - 1
    return bits, best


def _rank(lines: Lines, line: Ints, early: Ints, late: Ints, needs: Terms) -> tuple[Ints, Ranks]:
    """Per line its purposes if it stands, and its rank: the last test that it fails overrules, so read upwards."""
    start, until, withdrawn, word = lines.table.take(line, axis=0).T
    serves = word & (needs.asked & needs.permitted)
    rank = np.where(until <= late, _EXPIRED, CONSENTED)
    rank = np.where(start <= early, rank, _NOT_BEGUN)
    rank = np.where(withdrawn <= late, _WITHDRAWN, rank)
    if needs.separate:
        rank = np.where(word < 0, rank, _NOT_SEPARATE)
    if needs.permitted != _ALL_PURPOSES:
        rank = np.where(serves, rank, _FORBIDDEN)
    if needs.named is not None:
        rank = np.where(needs.named.take(lines.named.take(line)), rank, _OTHER_RECIPIENT)
    if needs.asked != _ALL_PURPOSES:
        rank = np.where(word & needs.asked, rank, _OTHER_PURPOSE)
    bits: Ints = serves * (rank == CONSENTED)
    return bits, rank
