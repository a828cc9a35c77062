"""What may be kept no longer goes: whole files unopened, of others the older rows, and never what is younger."""

import os
from datetime import date

import pytest

from onshore.rules.local import local_midnight
from onshore.vault import papers, retire
from onshore.vault.segments import open_segment, path_of, segments_where
from onshore.words.errors import Broken
from vault_makers import DAY, NOON, ZONE, new_room, open_room, sieved

TRACK = "track", "consent", ""


@pytest.fixture
def room(tmp_path):
    return new_room(tmp_path)


def before(instant, kind=TRACK):
    return lambda asked: instant if asked == kind else None


def run(room, cut, **more):
    said = {"clock": room.clock, "randomness": os.urandom}
    return retire.retire(room.engine, room.shelf, ZONE, cut, **said | more)


def listed(room, kind=TRACK):
    with papers.reading(room.engine) as conn:
        return [segment for segment in segments_where(conn) if retire.kind_of(segment) == kind]


def times(room, kind=TRACK):
    found = []
    for segment in listed(room, kind):
        found += open_segment(segment, room.shelf).read(columns=["time"]).column("time").cast("int64").to_pylist()
    return sorted(found)


def test_a_file_of_which_all_goes_is_dropped_unopened(room):
    room.keep(sieved([1, 2], [NOON, NOON + 5]))
    old = listed(room)
    others = times(room, ("vehicle-operation", "consent", ""))
    (room.vault / path_of(old[0].place, old[0].id)).write_bytes(b"damaged")
    (done,) = run(room, before(NOON + 6))
    assert (done.kind, done.rows, done.new, {s.wrapped for s in done.old}) == (TRACK, 2, (), {b""})
    assert listed(room) == []
    assert not any((room.vault / path_of(s.place, s.id)).exists() for s in old)
    assert times(room, ("vehicle-operation", "consent", "")) == others
    assert run(room, before(NOON + 6)) == ()


def test_of_others_the_older_rows_go_under_a_new_key(room):
    room.keep(sieved([1] * 10, [NOON + n for n in range(10)]))
    (old,) = listed(room)
    (done,) = run(room, before(NOON + 4))
    (new,) = listed(room)
    assert (done.rows, done.new) == (4, (new,))
    assert (new.place, new.first, new.last) == (old.place, NOON + 4, NOON + 9)
    assert new.wrapped != old.wrapped
    assert times(room) == [NOON + n for n in range(4, 10)]


def test_nothing_goes_that_is_younger_or_of_another_kind(room):
    room.keep(sieved([1], [NOON]))
    assert run(room, before(NOON)) == ()
    assert run(room, lambda _kind: None) == ()
    assert run(room, before(NOON + DAY, ("track", "consent", "road-test"))) == ()
    assert times(room) == [NOON]


@pytest.mark.parametrize("claimed", [NOON - 400 * DAY, NOON + 4000 * DAY])
def test_of_a_clock_that_runs_wrong_the_arrival_counts(room, claimed):
    room.keep(sieved([1, 1], [claimed, NOON + 1], received=[NOON, NOON + 1]))
    assert run(room, before(NOON)) == (), "it came today, whatever it says"
    assert len(times(room)) == 2
    assert sum(done.rows for done in run(room, before(NOON + 1))) == 1
    assert times(room) == [NOON + 1]


def test_a_row_lies_under_its_local_day(room):
    midnight = local_midnight(date(2026, 5, 29), ZONE)
    room.keep(sieved([1, 1], [midnight - 1, midnight]))
    assert [s.place.day for s in listed(room)] == ["2026-05-28", "2026-05-29"]
    (done,) = run(room, before(midnight))
    assert (done.rows, done.new, times(room)) == (1, (), [midnight])


def test_a_damaged_file_holds_up_no_other_and_goes_once_all_of_it_may(room):
    room.keep(sieved([1, 1], [NOON, NOON + 10]))
    room.keep(sieved([2, 2], [NOON, NOON + 10]))
    damaged, _ = listed(room)
    (room.vault / path_of(damaged.place, damaged.id)).write_bytes(b"damaged")
    assert sum(done.rows for done in run(room, before(NOON + 5))) == 1
    assert damaged in listed(room)
    assert sum(done.rows for done in run(room, before(NOON + 11))) == 3
    assert listed(room) == []


def test_a_turn_is_bounded_and_the_next_goes_on(room, monkeypatch):
    monkeypatch.setattr(retire, "_FILES", 2)
    for n in range(5):
        room.keep(sieved([1], [NOON + n]))
    assert [len(done.old) for done in run(room, before(NOON + DAY))] == [2]
    monkeypatch.setattr(retire, "_FILES", 512)
    monkeypatch.setattr(retire, "MOST", 4)
    for n in (3, 13):
        room.keep(sieved([1, 1, 1], [NOON + n, NOON + 20 + n, NOON + 30 + n]))
    cut = before(NOON + 15)
    left = [time for time in times(room) if time >= NOON + 15]
    turns = 0
    while run(room, cut):
        turns += 1
    assert (turns, times(room)) == (2, left)


def test_a_new_file_that_still_holds_what_goes_is_never_listed(room, monkeypatch):
    room.keep(sieved([1, 1], [NOON, NOON + 10]))
    before_ = listed(room)
    monkeypatch.setattr(retire, "_rest", lambda segment, shelf, *_: lambda: iter([open_segment(segment, shelf).read()]))
    with pytest.raises(Broken, match="still holds rows"):
        run(room, before(NOON + 5))
    assert listed(room) == before_


class Crash(Exception):
    pass


@pytest.mark.parametrize("at", ["planned", "written", "committed", "unlinked"])
def test_after_a_crash_at_any_step_all_is_as_before_or_done(room, at):
    room.keep(sieved([1, 1, 2], [NOON, NOON + 10, NOON]))
    keys = {segment.id: segment.wrapped for segment in listed(room)}
    told = []

    def step(name):
        if name == at:
            raise Crash

    with pytest.raises(Crash):
        run(room, before(NOON + 5), step=step, alongside=lambda _conn, done: told.append(sum(d.rows for d in done)))
    again = open_room(room.folder)
    done = at in {"committed", "unlinked"}
    assert times(again) == ([NOON + 10] if done else [NOON, NOON, NOON + 10])
    assert told == ([2] if done else [])
    assert sum(d.rows for d in run(again, before(NOON + 5))) == (0 if done else 2)
    assert times(again) == [NOON + 10]
    again.keep(sieved([3], [NOON + 50]))  # whoever drains next removes what a crash left
    assert {path.stem for path in room.vault.rglob("*.parquet")} == {row.id for row in again.rows(papers.segments)}
    left = {segment.id for segment in listed(again)}
    assert keys.keys().isdisjoint(left)
