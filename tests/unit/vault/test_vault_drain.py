"""Draining neither loses nor doubles a row, and what it leaves behind is cleared."""

import pytest

from onshore.vault import papers, strays
from onshore.vault.journal_files import path_of
from onshore.words.errors import Refusal
from onshore.words.tally import Sieved, Tally
from vault_makers import DAY, NOON, PACK, STATUTORY, WITHHELD, new_room, sieved


@pytest.fixture
def room(tmp_path):
    room = new_room(tmp_path)
    room.add_vehicle(1)
    room.consent(1)
    return room


def journal_files(room):
    return sorted(p.name for p in room.vault.rglob("*.journal"))


def test_journals_become_segments_and_one_entry(room):
    drained = room.keep(sieved([1, 2], [NOON, NOON + DAY]), sieved([1], [NOON + 1], track=0), WITHHELD)
    assert drained.journals == ("1/1",)
    assert (drained.rows_in, drained.rows_kept) == (3 + 2 + 3, 3)
    assert drained.tallies[PACK].cells == {
        ("track", "consent", "consented"): 3,
        ("track", "consent", "no-consent"): 3,
    }
    assert len(room.all_of(1)) == 5
    assert len(room.all_of(2)) == 3
    assert [row.body for row in room.rows(papers.entries)] == [b"8 in, 3 kept"]
    assert {row.id for row in room.rows(papers.segments)} == {one.id for one in drained.segments}
    assert journal_files(room) == []
    assert room.rows(papers.journals) == room.rows(papers.strays) == []


def test_nothing_to_drain(room):
    assert room.drain() is None
    with room.journal() as journal:
        assert room.drain() is None
        journal.append(WITHHELD, pack=PACK)
        assert room.drain() is None


def test_what_was_wholly_withheld_is_told_too(room):
    drained = room.keep(WITHHELD)
    assert drained.segments == ()
    assert len(room.rows(papers.entries)) == 1


def test_a_journal_without_a_batch_tells_nothing(room):
    with pytest.raises(OSError, match="full"), room.journal(write=lambda _fd, _data: full()) as journal:
        journal.append(WITHHELD, pack=PACK)
    drained = room.drain()
    assert drained.tallies == {}
    assert room.rows(papers.entries) == room.rows(papers.journals) == []
    assert journal_files(room) == []


def full():
    raise OSError("full")


def test_several_gates_and_rule_packs(room):
    with room.journal("1") as one, room.journal("2") as two:
        one.append(sieved([1], [NOON]), pack=PACK)
        one.append(sieved([1], [NOON + 1]), pack="cn/2026-03")
        two.append(sieved([1], [NOON + 2]), pack=PACK)
    drained = room.drain()
    assert drained.journals == ("1/1", "2/1")
    assert {pack: tally.rows_kept for pack, tally in drained.tallies.items()} == {PACK: 2, "cn/2026-03": 1}
    assert {one.place.pack for one in drained.segments} == {PACK, "cn/2026-03"}
    assert len(room.all_of(1)) == 9


def test_large_journals_are_drained_in_turns(room):
    with room.journal() as journal:
        for i in range(3):
            journal.append(sieved([1], [NOON + i]), pack=PACK)
            journal.rotate()
    turns = [room.drain(at_once=1).journals for _ in range(3)]
    assert turns == [("1/1",), ("1/2",), ("1/3",)]
    assert room.drain(at_once=1) is None
    assert len(room.all_of(1)) == 9


def test_wide_time_range_of_one_batch(room):
    room.keep(sieved([1, 1], [NOON, NOON - 400 * DAY], operation=1, track=0))
    assert {row.day for row in room.rows(papers.segments)} == {"2026-05-29", "2025-04-24"}
    assert [t.num_rows for t in room.read(use=STATUTORY)] == [1, 1]


def test_a_changed_number_of_buckets_is_refused_before_anything_is_written(room):
    room.keep(sieved([1], [NOON]))
    with room.journal() as journal:
        journal.append(sieved([1], [NOON + 1]), pack=PACK)
    before = sorted(room.vault.rglob("*"))
    with pytest.raises(Refusal, match="in 16 buckets, 4 were set"):
        room.drain(buckets=4)
    assert sorted(room.vault.rglob("*")) == before
    room.drain()
    assert len(room.all_of(1)) == 6


def test_strays_are_cleared_unless_listed(room):
    drained = room.keep(sieved([1], [NOON], operation=0))
    listed = next(room.vault.rglob("*.parquet"))
    stray = listed.with_name("f" * 32 + ".parquet")
    stray.write_bytes(b"half")
    with papers.writing(room.engine) as conn:
        strays.note(conn, [p.relative_to(room.vault) for p in (listed, stray, stray.with_name("0" * 32))])
    assert room.drain() is None
    assert [p.stem for p in room.vault.rglob("*.parquet")] == [drained.segments[0].id]
    assert room.rows(papers.strays) == []


def test_a_journal_whose_key_is_gone_is_unlinked(room):
    room.keep(sieved([1], [NOON]))
    path_of(room.vault, "1", 1).write_bytes(b"left by a crash")
    assert room.drain() is None
    assert journal_files(room) == []


def test_empty_kept_batch_is_no_piece(room):
    nothing = sieved([1], [NOON]).kept.slice(0, 0)
    drained = room.keep(Sieved(nothing, Tally(1, 0, {})))
    assert drained.segments == ()
    assert drained.rows_in == 1
