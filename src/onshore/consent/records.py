"""Records: consents as they stand in the papers, one column per fact, ready to be compiled."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.vocabulary import MAX_PURPOSES, STATUTORY

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
T = TypeVar("T")

FOREVER = np.iinfo(np.int64).max
BEFORE_TIME = np.iinfo(np.int64).min

FIELDS = ("id", "vehicle", "purpose", "category", "start", "until", "withdrawn", "separate", "recipients")
"""What `records` takes of each consent, in this order."""

_ENDS = ("until", "withdrawn")
_LATEST = 1 << 62  # far beyond any calendar, and out of the way of FOREVER
_AT_ONCE = 1 << 16  # rows in memory as Python objects


@dataclass(frozen=True, eq=False)
class Records:
    """Consents in any order. Instants are milliseconds UTC, FOREVER where `until` or `withdrawn` is not set.

    `purpose`, `category` and `recipients` are places in `purposes`, `categories` and `sets`.
    """

    id: Ints
    vehicle: Ints
    purpose: Ints
    category: Ints
    start: Ints
    until: Ints
    withdrawn: Ints
    separate: Mask
    recipients: Ints
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    sets: tuple[frozenset[str], ...]


def records(rows: Iterable[tuple[Any, ...]], recipients: Callable[[Any], frozenset[str]] = frozenset) -> Records:
    """Rows of FIELDS as columns. `recipients` reads that field, once for each of its values.

    Refused (Malformed): a number that 64 bits do not hold.
    """
    return _joined((list(zip(*some, strict=True)) for some in _chunks(rows)), recipients)


def records_of(consents: Iterable[Consent]) -> Records:
    """Consents as columns. Refuses what `records` refuses."""
    return _joined(([list(map(attrgetter(name), some)) for name in FIELDS] for some in _chunks(consents)), frozenset)


def _joined(chunks: Iterable[Sequence[Sequence[Any]]], recipients: Callable[[Any], frozenset[str]]) -> Records:
    purposes: dict[str, int] = {}
    categories: dict[str, int] = {}
    sets: dict[Any, int] = {}
    listed = {"purpose": purposes, "category": categories, "recipients": sets}
    parts: dict[str, list[Ints]] = {name: [np.zeros(0, np.int64)] for name in FIELDS}
    for columns in chunks:
        for name, values in zip(FIELDS, columns, strict=True):
            parts[name].append(_coded(values, listed[name]) if name in listed else _numbers(name, values))
    column: dict[str, NDArray[Any]] = {name: np.concatenate(arrays) for name, arrays in parts.items()}
    column["separate"] = column["separate"].astype(np.bool_)
    return Records(
        **column, purposes=tuple(purposes), categories=tuple(categories), sets=tuple(recipients(s) for s in sets)
    )


def bits_of(of: Records, purposes: Sequence[str]) -> Ints:
    """Each consent's purpose as a bit: bit i for `purposes[i]`.

    Refused (Malformed): a list of purposes that does not begin with `statutory-monitoring`, repeats itself or is
    longer than MAX_PURPOSES; a consent for a purpose not listed, or for `statutory-monitoring`, whose ground is
    the law and not consent (PIPL Art. 13); an instant beyond 2^62 ms.
    """
    if not purposes or purposes[0] != STATUTORY:
        raise Malformed(f"the list of purposes must begin with {STATUTORY!r}, which is bit 0", where="purposes")
    if len(set(purposes)) != len(purposes) or len(purposes) > MAX_PURPOSES:
        raise Malformed(f"the list of purposes repeats itself or exceeds {MAX_PURPOSES}", where="purposes")
    bit = {purpose: 1 << i for i, purpose in enumerate(purposes)} | {STATUTORY: 0}
    bits: Ints = np.array([bit.get(purpose, 0) for purpose in of.purposes], np.int64).take(of.purpose)
    for wrong in np.flatnonzero(bits == 0)[:1].tolist():
        raise Malformed(_not_consented_to(of.purposes[of.purpose[wrong]]), where=f"consent {of.id[wrong]}")
    for wrong in np.flatnonzero(_beyond(of))[:1].tolist():
        raise Malformed("an instant beyond 2^62 ms", where=f"consent {of.id[wrong]}")
    return bits


def _not_consented_to(purpose: str) -> str:
    if purpose == STATUTORY:
        return f"nobody consents to {STATUTORY!r}: its ground is the law (PIPL Art. 13)"
    return f"purpose {purpose!r} is not in the site's list of purposes"


def _beyond(of: Records) -> Mask:
    beyond: Mask = (of.start > _LATEST) | (of.start < -_LATEST)
    for end in (of.until, of.withdrawn):
        beyond |= ((end > _LATEST) & (end != FOREVER)) | (end < -_LATEST)
    return beyond


def _chunks(rows: Iterable[T]) -> Iterator[list[T]]:
    rows = iter(rows)
    while some := list(islice(rows, _AT_ONCE)):
        yield some


def _coded(values: Sequence[Any], listed: dict[Any, int]) -> Ints:
    for value in dict.fromkeys(values):
        listed.setdefault(value, len(listed))
    return np.fromiter(map(listed.__getitem__, values), np.int64, len(values))


def _numbers(name: str, values: Sequence[Any]) -> Ints:
    if name in _ENDS:
        values = [FOREVER if value is None else value for value in values]
    try:
        return np.fromiter(values, np.int64, len(values))
    except OverflowError as error:
        raise Malformed("a number that 64 bits do not hold", where=f"consents: {name}") from error
