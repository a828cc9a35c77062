"""Changes: the consents of some vehicles replaced, without compiling those of all the others anew."""

import numpy as np

from onshore.consent.columns import LINE, Consents, Lines, Room, compile_columns, laid_out, usual_spare
from onshore.consent.places import ABSENT, Ints, places_of, room_for
from onshore.consent.records import Records


def replaced(before: Consents, vehicles: Ints, records: Records) -> Consents:
    """All consents of `vehicles` (ids), and of those in `records`, replaced by `records`.

    Equal in meaning to compiling anew. `before` stays as it is; the cost is that of the change, which goes into
    spare rows of the same arrays. When these are used up, everything is laid out anew first: at a million
    vehicles some tenths of a second, once in some thousand changes. Refused (Malformed): what
    `compile_columns` refuses.
    """
    change = compile_columns(records, before.purposes, spare=0)
    vehicles = np.union1d(vehicles, records.vehicle)
    if not _fits(before, len(vehicles), change):
        before = _laid_out_anew(before, len(vehicles), change)
    moved = before.moved or room_for(before.room.size - before.room.taken)
    first, many = before.room.take(len(vehicles)), change.room.taken - 1
    before.vehicles[first : first + many] = change.vehicles[1:]
    recipients = tuple(dict.fromkeys((*before.recipients, *change.recipients)))
    of = dict(before.of)
    for category, lines in change.of.items():
        if category not in of:
            of[category] = _none(before.room.size, 2 * len(lines.table) + 2 * usual_spare(before.room.size))
        _add(of[category], lines, first, _anew(change.recipients, recipients))
    here = change.places(vehicles)
    moved = moved.with_these(vehicles, np.where(here == ABSENT, ABSENT, first + here - 1) + 1)
    return Consents(before.purposes, before.vehicles, before.base, moved, recipients, of, before.room)


def _fits(before: Consents, vehicles: int, change: Consents) -> bool:
    return before.room.holds(vehicles) and all(
        before.of[category].room.holds(lines.room.taken - 1)
        for category, lines in change.of.items()
        if category in before.of
    )


def _anew(recipients: tuple[frozenset[str], ...], among: tuple[frozenset[str], ...]) -> Ints:
    """Where each set of recipients stands among those of all."""
    index = {who: i for i, who in enumerate(among)}
    return np.array([index[who] for who in recipients], np.int64)


def _none(size: int, spare: int) -> Lines:
    """Lines of a category for which there was no consent so far."""
    none = np.zeros(0, np.int64)
    return laid_out(np.zeros((0, 4), np.int64), none, none, size, spare)


def _add(lines: Lines, change: Lines, first: int, named: Ints) -> None:
    """Write the lines of a change, whose first place is `first` from now on, into spare rows."""
    many, places = change.room.taken - 1, len(change.more) - 1
    begin = lines.room.take(many)
    lines.table[begin : begin + many] = change.table[1:]
    lines.named[begin : begin + many] = named.take(change.named[1:])
    all_of = change.all_of[1:].copy()
    all_of[all_of[:, LINE] > 0, LINE] += begin - 1
    lines.all_of[first : first + places] = all_of
    lines.more[first : first + places] = change.more[1:]


def _laid_out_anew(before: Consents, vehicles: int, change: Consents) -> Consents:
    """The same consents without what changes left behind, with room for a change of so many vehicles."""
    ids = before.vehicles[: before.room.taken]
    live = np.flatnonzero(before.places(ids) == np.arange(len(ids)))[1:]
    spare = max(usual_spare(len(live)), vehicles)
    size = len(live) + 1 + spare
    of = {}
    for category, lines in before.of.items():
        more = change.of[category].room.taken if category in change.of else 0
        of[category] = _gathered(lines, live, size, 2 * spare + more)
    anew = np.zeros(size, np.int64)
    anew[1 : len(live) + 1] = ids.take(live)
    base = places_of(anew[1 : len(live) + 1], np.arange(1, len(live) + 1))
    return Consents(before.purposes, anew, base, None, before.recipients, of, Room(len(live) + 1, size))


def _gathered(lines: Lines, live: Ints, size: int, spare: int) -> Lines:
    """The lines of these places, which are counted from 1 on now."""
    begin = lines.all_of[:, LINE].take(live)
    count = np.where(begin > 0, lines.more.take(live) + 1, 0)
    line = np.repeat(begin - np.cumsum(count) + count, count) + np.arange(count.sum())
    place = np.repeat(np.arange(1, len(live) + 1), count)
    return laid_out(lines.table.take(line, axis=0), lines.named.take(line), place, size, spare)
