"""After an erasure nothing opens the car's rows: not old copies, not the root key, not the papers as they are."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import String, func, update

from onshore.vault import erase as erasing
from onshore.vault import papers
from onshore.vault.erase import _Bucket, forget
from onshore.vault.journal_files import ask_rotate, closed_journals, gates_behind, read_journal
from onshore.vault.restrictions import Scope
from onshore.vault.segments import Shelf, open_segment, path_of, read_groups, segments_where
from onshore.words.errors import Broken, Refusal
from vault_makers import DAY, NOON, PACK, SITE, new_room, open_room, plant, sieved


@pytest.fixture
def room(tmp_path):
    room = new_room(tmp_path)
    for vehicle in (1, 2, 17):
        room.add_vehicle(vehicle)
        room.consent(vehicle)
    return room


def erase(room, vehicle, turn, **more):
    return room.erase(vehicle, turn=turn, **more)


def held(_category, ground, times):
    yield "Art. 9", np.full(len(times), ground == "statutory")


def test_rows_go_and_others_stay(room):
    room.keep(sieved([1, 17, 2], [NOON] * 3), sieved([1], [NOON + DAY]))
    before = {vehicle: room.all_of(vehicle) for vehicle in (2, 17)}
    erased = erase(room, 1, room.restrict(1))
    assert (erased.rows_removed, len(erased.new), len(erased.old)) == (6, 3, 6)
    assert (erased.freed, erased.checked) == (True, 3)
    assert room.all_of(1, even_restricted=True) == []
    assert {vehicle: room.all_of(vehicle) for vehicle in (2, 17)} == before
    files = {path.stem for path in room.vault.rglob("*.parquet")}
    assert files == {row.id for row in room.rows(papers.segments)}
    assert not files & {segment.id for segment in erased.old}
    assert files >= {segment.id for segment in erased.new}
    assert room.rows(papers.strays) == []


@pytest.mark.sqlite
def test_copies_of_everything_from_before_open_nothing(room, tmp_path):
    """Old segments and journals, the root key, and papers as they are after the erasure: no row of the car."""
    with room.journal() as journal:
        journal.append(sieved([1, 17], [NOON, NOON]), pack=PACK)
    wrapped = [row.wrapped for row in room.rows(papers.journals)]
    shutil.copytree(room.vault, tmp_path / "copy-of-journal")
    old_journals = closed_journals(room.engine, room.vault)
    room.drain()
    wrapped += [row.wrapped for row in room.rows(papers.segments)]
    with papers.reading(room.engine) as conn:
        old = segments_where(conn)
    shutil.copytree(room.vault, tmp_path / "copy")
    erased = erase(room, 1, room.restrict(1))
    assert {segment.id for segment in erased.old} == {segment.id for segment in old}

    later = open_room(room.folder)
    copy = Shelf(later.root, tmp_path / "copy", SITE)
    known = {row.wrapped for row in later.rows(papers.segments)}
    known |= {row.wrapped for row in later.rows(papers.journals)}
    known |= {row.wrapped for row in later.rows(papers.site_keys)}
    assert known
    for segment in old:
        assert (copy.folder / path_of(segment.place, segment.id)).exists()
        for key in known | {os.urandom(60)}:
            with pytest.raises(Broken):
                open_segment(replace(segment, wrapped=key), copy)
    for closed in old_journals:
        path = tmp_path / "copy-of-journal" / closed.path.relative_to(room.vault)
        assert path.stat().st_size > 100
        for key in known:
            with pytest.raises(Broken):
                list(read_journal(replace(closed, path=path, wrapped=key), later.root, SITE))
    held = b"".join(path.read_bytes() for path in sorted(room.folder.glob("papers.sqlite*")))
    assert not any(key[12:28] in held for key in wrapped)
    assert all(key in held for key in known), "the control: standing keys are found"


@pytest.mark.sqlite
def test_no_page_of_the_papers_keeps_a_copy_of_a_struck_key(room):
    room.keep(sieved([1, 17], [NOON, NOON]))
    moved = os.urandom(60)
    plant(room, moved)
    assert erase(room, 1, room.restrict(1)).freed
    assert moved not in b"".join(path.read_bytes() for path in sorted(room.folder.glob("papers.sqlite*")))


def test_unrestricted_vehicle_is_refused(room):
    room.keep(sieved([1], [NOON]))
    for vehicle in (1, 99):
        with pytest.raises(Refusal) as no:
            erase(room, vehicle, ask_rotate(room.engine))
        assert no.value.reason == "not-restricted"
    assert len(room.all_of(1)) == 3


def test_undrained_journals_are_refused_open_or_closed(room):
    with room.journal() as journal:
        journal.append(sieved([1], [NOON]), pack=PACK)
        turn = room.restrict(1)
        with pytest.raises(Refusal) as no:
            erase(room, 1, turn)
        assert no.value.reason == "journal-undrained"
        journal.tick()
        with pytest.raises(Refusal, match="1 journal files"):
            erase(room, 1, turn)
        journal.append(sieved([2], [NOON]), pack=PACK)
        room.drain()
        assert erase(room, 1, turn).rows_removed == 3
    assert len(room.rows(papers.journals)) == 1, "the gate goes on writing"


def test_a_floor_keeps_what_it_holds(room):
    room.keep(sieved([1], [NOON]))
    erased = erase(room, 1, room.restrict(1), keep=held)
    assert (erased.rows_removed, erased.kept) == (2, {"Art. 9": 1})
    assert room.all_of(1, even_restricted=True) == [("vehicle-operation/statutory", NOON)]


def test_nothing_to_erase(room):
    turn = room.restrict(1)
    assert erase(room, 1, turn).old == ()
    room.keep(sieved([2], [NOON]))
    assert erase(room, 1, turn).rows_removed == 0


def test_what_stands_alongside_falls_with_it(room):
    room.keep(sieved([1], [NOON]))
    turn = room.restrict(1)

    def fails(conn, erased):
        assert erased[Scope(1)].rows_removed == 3
        conn.execute(papers.entries.insert().values(body=b"erased"))
        raise KeyError("no certificate")

    with pytest.raises(KeyError, match="no certificate"):
        erase(room, 1, turn, alongside=fails)
    assert room.rows(papers.entries)[1:] == []
    assert len(room.all_of(1, even_restricted=True)) == 3
    assert erase(room, 1, turn).rows_removed == 3


def test_old_keys_are_not_handed_on(room):
    room.keep(sieved([1, 17], [NOON, NOON]))
    assert {segment.wrapped for segment in erase(room, 1, room.restrict(1)).old} == {b""}


def test_a_row_found_afterwards_is_broken(room, monkeypatch):
    room.keep(sieved([1, 17], [NOON, NOON]))
    turn = room.restrict(1)
    monkeypatch.setattr(
        _Bucket, "_rest", lambda _, segment, _goes: lambda: iter([open_segment(segment, room.shelf).read()])
    )
    with pytest.raises(Broken, match="still holds rows"):
        erase(room, 1, turn)


def test_a_segment_struck_by_another_process_stops_it(room):
    room.keep(sieved([1], [NOON]))
    turn = room.restrict(1)

    def strike(step):
        if step == "planned":
            with papers.writing(room.engine) as conn:
                other = func.substr(papers.segments.c.id, 2, type_=String) + "x"
                conn.execute(update(papers.segments).values(id=other))

    with pytest.raises(Broken, match="two processes"):
        erase(room, 1, turn, step=strike)


def test_what_arrived_later_is_new_and_stays(room):
    with room.journal() as journal:
        journal.append(sieved([1, 17], [NOON + DAY] * 2), pack=PACK)
        turn = room.restrict(1)
        journal.tick()
        journal.append(sieved([1], [NOON]), pack=PACK)  # by its clock the older one
        journal.rotate()
        room.drain(before=turn)
        assert room.drain(before=turn) is None
        assert erase(room, 1, turn).rows_removed == 3
        room.drain()
        assert {time for _, time in room.all_of(1, even_restricted=True)} == {NOON}
        assert len(room.all_of(17)) == 3


def test_a_gate_that_has_not_looked_is_waited_for_and_a_dead_one_is_not(room):
    with room.journal() as journal:
        turn = room.restrict(1)
        with pytest.raises(Refusal, match="1 gates may still hold frames"):
            erase(room, 1, turn)
        journal.append(sieved([1], [NOON]), pack=PACK)  # what had waited in its batch
        journal.tick()
        with pytest.raises(Refusal, match="1 journal files"):
            erase(room, 1, turn)
        room.drain()
        assert erase(room, 1, turn).rows_removed == 3
        later = ask_rotate(room.engine)
        assert gates_behind(room.engine, room.vault, later) == ["1"]
        journal._road.close()  # as the kernel does for a process that was killed
        assert gates_behind(room.engine, room.vault, later) == []
    with room.journal():
        assert gates_behind(room.engine, room.vault, later) == [], "a gate that starts has nothing from before"


def test_a_reader_of_the_papers_leaves_the_keys_unfreed_until_it_ends(room):
    room.keep(sieved([1, 17], [NOON] * 2))
    turn = room.restrict(1)
    with papers.reading(room.engine) as conn:
        conn.execute(papers.segments.select()).all()
        assert not erase(room, 1, turn).freed
        assert not forget(room.engine, room.vault)
    assert forget(room.engine, room.vault)


def count_writes(monkeypatch):
    """How many files are written from now on."""
    from onshore.vault import rewrite

    written = []

    def counted(*args):
        written.append(args)
        return write(*args)

    write = rewrite.write_tables
    monkeypatch.setattr(rewrite, "write_tables", counted)
    return written


def test_many_scopes_cost_one_rewrite_of_a_segment(room, monkeypatch):
    cars = range(1, 161, 16)
    for car in cars:
        if car not in (1, 17):
            room.add_vehicle(car)
    room.keep(sieved([car for car in [*cars, 2, 161] for _ in range(3)], [NOON + i for i in range(36)]))
    written = count_writes(monkeypatch)
    for car in cars:
        turn = room.restrict(car)
    commits = []
    done = room.erase_all(
        [Scope(car) for car in cars], turn=turn, alongside=lambda _, erased: commits.append(set(erased))
    )
    assert len(written) == 3, "one for each category and ground of the bucket"
    assert {scope: erased.rows_removed for scope, erased in done.items()} == dict.fromkeys(map(Scope, cars), 9)
    assert commits == [{Scope(car) for car in cars}]
    assert all(len(erased.old) == len(erased.new) == 3 and erased.freed for erased in done.values())
    assert all(room.all_of(car, even_restricted=True) == [] for car in cars)
    assert [len(room.all_of(car)) for car in (2, 161)] == [9, 9]


def test_each_scope_takes_its_own(room):
    room.keep(sieved([1, 1, 17, 17, 2], [NOON, NOON + 10, NOON, NOON + 10, NOON]))
    scopes = [
        Scope(1, categories=frozenset({"track"})),
        Scope(1, until=NOON + 5),
        Scope(17, start=NOON + 5),
        Scope(2, start=NOON + 5),
    ]
    for scope in scopes:
        turn = room.restrict(scope.vehicle, scope)
    done = room.erase_all(scopes, turn=turn)
    assert [done[scope].rows_removed for scope in scopes] == [2, 3, 3, 0]
    assert [len(done[scope].old) for scope in scopes] == [1, 3, 3, 0]
    assert room.all_of(1, even_restricted=True) == [
        ("vehicle-operation/consent", NOON + 10),
        ("vehicle-operation/statutory", NOON + 10),
    ]
    assert {time for _, time in room.all_of(17, even_restricted=True)} == {NOON}
    assert len(room.all_of(2)) == 3


def test_a_drivers_drives_alone(room):
    with papers.writing(room.engine) as conn:
        conn.execute(papers.keepers.insert().values(vehicle=1, person=2, role="driver", start=0))
        conn.execute(papers.drivers.insert().values(id=900, vehicle=1, person=2, mark_mac=bytes(32)))
        conn.execute(papers.drives.insert().values(vehicle=1, at=NOON + 5, driver=900))
    room.keep(sieved([1, 1, 17], [NOON, NOON + 10, NOON + 10]))
    scope = Scope(1, driver=900)
    assert erase(room, scope, room.restrict(1, scope)).rows_removed == 3
    assert {time for _, time in room.all_of(1, even_restricted=True)} == {NOON}
    assert len(room.all_of(17)) == 3


def test_what_a_floor_holds_is_counted_by_article_once(room):
    def floors(category, ground, times):
        if ground == "statutory":
            yield "Art. 9", times >= NOON + 5
            yield "Art. 10", times >= NOON

    room.keep(sieved([1, 1, 17], [NOON, NOON + 10, NOON]))
    erased = erase(room, 1, room.restrict(1), keep=floors)
    assert (erased.rows_removed, erased.kept) == (4, {"Art. 9": 1, "Art. 10": 1})
    assert room.all_of(1, even_restricted=True) == [
        ("vehicle-operation/statutory", NOON),
        ("vehicle-operation/statutory", NOON + 10),
    ]
    assert erase(room, 1, ask_rotate(room.engine), keep=floors).old == (), "nothing is rewritten for what stays"


def test_part_of_what_is_restricted_may_be_erased_and_no_more(room):
    room.keep(sieved([1], [NOON]))
    turn = room.restrict(1, Scope(1, start=NOON))
    with pytest.raises(Refusal) as no:
        erase(room, 1, turn)
    assert no.value.reason == "not-restricted"
    assert erase(room, Scope(1, start=NOON, until=NOON + 9), turn).rows_removed == 3


def test_segments_that_cannot_hold_it_are_not_decoded(room, monkeypatch):
    """Row groups are asked what vehicles they may hold; those of other vehicles are copied, and not searched."""
    monkeypatch.setattr("onshore.vault.segments.ROW_GROUP", 10)
    room.keep(sieved(sorted([1, 17, 33] * 20), list(range(NOON, NOON + 60)), operation=0))
    looked = []

    def counted(segment, file, groups, names=None):
        if names == ["vehicle"]:
            looked.append(groups)
        return read_groups(segment, file, groups, names)

    monkeypatch.setattr(erasing, "read_groups", counted)
    assert erase(room, 17, room.restrict(17)).rows_removed == 20
    assert looked == [[2], [3], [0], [1], [2], [3]], "two to count, then all that was written to search"
