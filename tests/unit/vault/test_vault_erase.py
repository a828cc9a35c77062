"""After an erasure nothing opens the car's rows: not old copies, not the root key, not the papers as they are."""

import os
import shutil
from dataclasses import replace

import pytest
from sqlalchemy import update

from onshore.vault import erase as erasing
from onshore.vault import papers
from onshore.vault.erase import erase_vehicle, forget
from onshore.vault.journal_files import ask_rotate, closed_journals, gates_behind, read_journal
from onshore.vault.segments import Shelf, open_segment, path_of, segments_where
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
    said = {"turn": turn, "clock": room.clock, "randomness": os.urandom}
    return erase_vehicle(room.engine, room.root, room.vault, SITE, vehicle, **said | more)


def test_rows_go_and_others_stay(room):
    room.keep(sieved([1, 17, 2], [NOON] * 3), sieved([1], [NOON + DAY]))
    before = {vehicle: room.all_of(vehicle) for vehicle in (2, 17)}
    erased = erase(room, 1, room.restrict(1))
    assert (erased.rows_removed, erased.segments_rewritten, erased.segments_removed) == (6, 3, 3)
    assert (erased.freed, erased.checked) == (True, 3)
    assert room.all_of(1, even_restricted=True) == []
    assert {vehicle: room.all_of(vehicle) for vehicle in (2, 17)} == before
    files = {path.stem for path in room.vault.rglob("*.parquet")}
    assert files == {row.id for row in room.rows(papers.segments)}
    assert not files & {segment.id for segment in erased.old}
    assert files >= {segment.id for segment in erased.new}
    assert room.rows(papers.strays) == []


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


def test_grounds_may_be_kept(room):
    room.keep(sieved([1], [NOON]))
    assert erase(room, 1, room.restrict(1), grounds=["consent"]).rows_removed == 2
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
        assert erased.rows_removed == 3
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
    monkeypatch.setattr(erasing, "_rest", lambda segment, shelf, *_: open_segment(segment, shelf).read())
    with pytest.raises(Broken, match="still holds rows"):
        erase(room, 1, turn)


def test_a_segment_struck_by_another_process_stops_it(room):
    room.keep(sieved([1], [NOON]))
    turn = room.restrict(1)

    def strike(step):
        if step == "planned":
            with papers.writing(room.engine) as conn:
                conn.execute(update(papers.segments).values(id=papers.segments.c.id + "x"))

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
