"""Killed at every step of a compaction, or of dropping segments: no row is missing or there twice, no key left."""

import os

import pytest
from test_vault_kills import BATCHES, Deadly, assert_tidy, batch, drain_all, killed, times_of, wanted

from databases import held, let
from onshore.vault import papers
from onshore.vault.compact import QUIET, compact
from onshore.vault.rewrite import drop
from onshore.vault.segments import segments_where
from vault_makers import new_room, open_room

CARS = (1, 2, 17)


def tell(conn, replaced):
    conn.execute(papers.entries.insert().values(body=f"{len(replaced.old)} to {len(replaced.new)}".encode()))


def compacting(folder, at, nth):
    room = open_room(folder)
    room.clock.now += 2 * QUIET
    said = {"clock": room.clock, "randomness": os.urandom, "announce": tell}
    compact(room.engine, room.shelf, **said, step=Deadly(at, nth))


def dropping(folder, at, nth):
    room = open_room(folder)
    with papers.reading(room.engine) as conn:
        old = segments_where(conn, papers.segments.c.category == "track")
    drop(room.engine, room.shelf, old, alongside=tell, step=Deadly(at, nth))


def filled(folder):
    """A room with small segments, and the wrapped keys that they are under."""
    room = new_room(folder)
    for i in range(BATCHES):
        room.keep(batch(i))
    return room, {row.id: row.wrapped for row in room.rows(papers.segments)}


def told(room):
    return [row.body for row in room.rows(papers.entries)][BATCHES:]


def found(room, keys):
    """How many of the keys lie in any byte of the papers."""
    there = held(room.folder)
    return sum(key[12:28] in there for key in keys)


def forget(room, database):
    """PostgreSQL keeps struck rows until its tables are written anew, as an erasure, a retention or a rotation does."""
    assert papers.forget_freed_pages(room.engine, rebuild=database == "postgresql")


STEPS = [("planned", 1), ("written", 1), ("written", 3), ("written", 6), ("committed", 1), ("unlinked", 1)]


@pytest.mark.parametrize(("at", "nth"), [*STEPS, ("nowhere", 1)])
def test_killed_while_compacting(tmp_path, database, at, nth):
    room, old = filled(tmp_path)
    assert found(room, old.values()) == len(old), "the control: they are there"
    let(tmp_path)
    room.engine.dispose()
    assert killed(compacting, tmp_path, at, nth) == (at != "nowhere")
    room = open_room(tmp_path)
    assert [times_of(room, car) for car in CARS] == [wanted(range(BATCHES))] * 3
    done = at in {"committed", "unlinked", "nowhere"}
    assert told(room) == ([b"24 to 6"] if done else [])
    drain_all(room)
    compacting(tmp_path, "nowhere", 1)
    room = open_room(tmp_path)
    assert [times_of(room, car) for car in CARS] == [wanted(range(BATCHES))] * 3
    assert told(room) == [b"24 to 6"], "told once"
    assert len(room.rows(papers.segments)) == 6
    assert_tidy(room)
    if database == "postgresql":
        forget(room, database)
    assert found(room, old.values()) == 0


@pytest.mark.parametrize(("at", "nth"), [("committed", 1), ("unlinked", 1), ("nowhere", 1)])
def test_killed_while_dropping(tmp_path, database, at, nth):
    room, old = filled(tmp_path)
    let(tmp_path)
    track = {row.id: row.wrapped for row in room.rows(papers.segments) if row.category == "track"}
    room.engine.dispose()
    assert killed(dropping, tmp_path, at, nth) == (at != "nowhere")
    room = open_room(tmp_path)
    assert told(room) == [b"8 to 0"]
    assert {row.id for row in room.rows(papers.segments)} == old.keys() - track.keys()
    drain_all(room)
    assert {place for place, _ in times_of(room, 1)} == {"vehicle-operation/consent", "vehicle-operation/statutory"}
    assert_tidy(room)
    forget(room, database)
    assert found(room, track.values()) == 0
