"""What becomes of a lane at its end: rows that the platform would not have wait for another try, or for a person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
from sqlalchemy import Connection, Engine, select, update

from onshore.vault import strays
from onshore.vault.keys import Randomness
from onshore.vault.lanes import Lane, current, list_, path_of, strike, waiting, whole, written
from onshore.vault.papers import forward_marks, forward_notes, writing
from onshore.vault.segments import Shelf, new_id
from onshore.words.errors import Broken

Entry = Callable[[Connection, int, int], None]
"""Hands in what the ledger says: rows that were settled, and how many of these the platform would not have."""

_LOOKS = 100


def settle(
    engine: Engine, shelf: Shelf, lane: Lane, due: int | None, entry: Entry, randomness: Randomness
) -> Lane | None:
    """Strike a lane that was answered for to its end; its refused rows become a lane of their own, which is returned.

    That one is to be sent from `due` (ms UTC) on; None sets it apart. All of it happens in one commit, or nothing.
    """
    for _ in range(_LOOKS):  # a drain clears away what is noted and not listed, so it may be in the way
        with writing(engine) as conn:
            here, places = current(conn, lane), _places(conn, lane)
            if here is None:
                return None
            planned = new_id(randomness) if places else ""
            strays.note(conn, [path_of(lane.endpoint, planned)] if places else [])
        rest = _rows(here, shelf, places)
        try:
            with writing(engine) as conn:
                return _settled(conn, shelf, here, rest, planned, due, entry, randomness)
        except _ChangedError:
            continue
    raise Broken(f"the lane {lane.id} cannot be settled: another process clears its files away; stop one")


class _ChangedError(Exception):
    """It was written anew meanwhile, or what was noted was cleared away: look again."""


def _settled(
    conn: Connection,
    shelf: Shelf,
    lane: Lane,
    rest: pa.Table | None,
    planned: str,
    due: int | None,
    entry: Entry,
    randomness: Randomness,
) -> Lane | None:
    here = current(conn, lane)
    if here is None or here.id != lane.id or here.sent != lane.sent or here.owed != lane.owed:
        raise _ChangedError
    again = 0 if rest is None else rest.num_rows
    new = None
    if planned and rest is not None:
        if conn.execute(strays.noted(path_of(lane.endpoint, planned))).first() is None:
            raise _ChangedError
        row = written(rest, lane.endpoint, planned, shelf, randomness)
        new = replace(
            lane, number=0, id=planned, first=planned, rows=again, sent=0, refused=0, tries=lane.tries + 1, due=due
        )
        new = replace(new, gone=0, owed=frozenset())
        list_(conn, new, row)
    strike(conn, lane)
    apart = again if due is None else 0
    settled = lane.rows - lane.gone - again + apart
    if settled:
        entry(conn, settled, apart)
    return None if new is None else current(conn, new)


def _places(conn: Connection, lane: Lane) -> list[int]:
    mine = [forward_marks.c.first == lane.first, forward_marks.c.kind == "refused"]
    return list(conn.scalars(select(forward_marks.c.number).where(*mine).order_by(forward_marks.c.number)))


def _rows(lane: Lane, shelf: Shelf, places: Sequence[int]) -> pa.Table | None:
    """The rows at these places that were not erased since; None where there is none."""
    if not places:
        return None
    table = whole(lane, shelf).take(pa.array(places, pa.int64()))
    rest = table.filter(table.column("vehicle").is_valid())
    return rest if rest.num_rows else None


def set_apart(engine: Engine, endpoint: str | None = None) -> list[Lane]:
    """The lanes whose rows a platform has refused as often as they are tried."""
    return [lane for lane in waiting(engine, endpoint) if lane.due is None]


def lost(engine: Engine, shelf: Shelf, endpoint: str | None = None, *, deep: bool = False) -> Iterator[Lane]:
    """The lanes whose files are gone; with `deep` every file is opened, and those that were altered are told too."""
    for lane in waiting(engine, endpoint):
        if not (shelf.folder / path_of(lane.endpoint, lane.id)).is_file():
            yield lane
        elif deep:
            try:
                whole(lane, shelf)
            except Broken:
                yield lane


def once_more(engine: Engine, endpoint: str, now: int) -> int:
    """Have what was set apart for an endpoint tried again from `now` (ms UTC) on; how many rows."""
    lanes = set_apart(engine, endpoint)
    with writing(engine) as conn:
        for lane in lanes:
            conn.execute(update(forward_notes).where(forward_notes.c.id == lane.id).values(due=now, tries=0))
    return sum(lane.left for lane in lanes)


def drop(engine: Engine, shelf: Shelf, lanes: Sequence[Lane], entry: Callable[[Connection, int], None]) -> int:
    """Strike lanes that a person gave up, with their keys, and what `entry` says of their rows; how many those were.

    In one commit; one that was struck meanwhile is left out.
    """
    with writing(engine) as conn:
        still = [here for lane in lanes if (here := current(conn, lane)) is not None]
        for lane in still:
            strike(conn, lane)
        rows = sum(max(0, lane.left - lane.gone) for lane in still)
        if still:
            entry(conn, rows)
    for lane in still:
        (shelf.folder / path_of(lane.endpoint, lane.id)).unlink(missing_ok=True)
    return rows
