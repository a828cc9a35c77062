"""A damaged journal is drained as far as it opens, told, and kept aside; others go on."""

import os

import pytest

from onshore.vault import aside, papers
from onshore.vault.audit import audit
from onshore.vault.giving_up import give_up, lost
from onshore.vault.journal_files import Closed, closed_journals, path_of, read_journal
from onshore.vault.records import Survey
from onshore.words.errors import Broken
from vault_makers import NOON, PACK, SITE, new_room, sieved


@pytest.fixture
def room(tmp_path):
    return new_room(tmp_path)


def batch(i):
    return sieved([17], [NOON + i])


def fill(room, gate="1", batches=4):
    with room.journal(gate) as journal:
        for i in range(batches):
            journal.append(batch(i), pack=PACK)
    return path_of(room.vault, gate, 1)


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def speeds_of(room):
    return sorted({time - NOON for place, time in room.all_of(17) if place == "vehicle-operation/statutory"})


def mishaps_of(room):
    with papers.reading(room.engine) as conn:
        return aside.told(conn, papers.mishaps, 0)


def test_what_still_opens_is_kept_and_the_file_put_aside(room):
    file = fill(room)
    flip(file, 60)
    before = file.read_bytes()
    drained = room.drain()
    assert speeds_of(room) == [1, 2, 3]
    (told,) = mishaps_of(room)
    assert (told.journal, told.read, told.torn, told.lost) == ("1/1", 3, 0, "record 0")
    assert drained.mishaps == (told,)
    assert not file.exists()
    kept = room.vault / told.path
    assert kept.read_bytes() == before
    survey = Survey()
    closed = Closed("1", 1, kept, told.wrapped)
    assert len(list(read_journal(closed, room.root, SITE, survey))) == 3, "its key is kept with it"
    assert survey.lost == [(0, 0)]
    with pytest.raises(Broken, match="journal 1/1"):
        list(read_journal(closed, room.root, SITE))
    assert room.drain() is None


@pytest.mark.parametrize("crash", ["committed", "unlinked"])
def test_a_crash_before_it_is_put_aside_loses_it_not(room, crash):
    file = fill(room)
    flip(file, 60)

    def dies(step):
        if step == crash:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        room.drain(step=dies)
    assert room.drain() is None
    (told,) = mishaps_of(room)
    assert (room.vault / told.path).exists()
    assert not file.exists()
    assert speeds_of(room) == [1, 2, 3]


def test_a_crash_without_damage_is_told_and_nothing_kept_aside(room):
    journal = room.journal()
    journal.append(batch(0), pack=PACK)
    path = path_of(room.vault, "1", 1)
    with path.open("ab") as file:
        file.write(b"\xf7rec torn")
    os.close(journal._current.fd)
    journal._current = None
    journal.close()
    room.drain()
    (told,) = mishaps_of(room)
    assert (told.read, told.torn, told.lost, told.wrapped) == (1, 9, "", b"")
    assert not (room.vault / aside.FOLDER).exists()
    with papers.reading(room.engine) as conn:
        assert aside.told(conn, papers.mishaps, told.at + 1) == []


def test_one_cut_at_a_record_after_it_was_closed_is_damaged(room):
    file = fill(room)
    (closed,) = closed_journals(room.engine, room.vault)
    assert closed.records == 4
    pieces = file.read_bytes().split(b"\xf7rec")
    file.write_bytes(b"\xf7rec".join(pieces[:3]))
    room.drain()
    assert speeds_of(room) == [0, 1]
    assert mishaps_of(room)[0].lost == "what follows the first 2 of 4 records"


def test_others_go_on_where_a_key_does_not_open(room):
    fill(room, "1")
    fill(room, "2")
    with papers.writing(room.engine) as conn:
        here = papers.journals.c.id == "1/1"
        conn.execute(papers.journals.update().where(here).values(wrapped=bytes(60)))
    assert room.drain().journals == ("2/1",)
    assert speeds_of(room) == [0, 1, 2, 3]
    for _ in range(2):
        with pytest.raises(Broken, match=r"journal.1/1"):
            room.drain()


def test_a_file_that_is_gone_is_told_once_and_read_once_it_is_back(room, tmp_path):
    gone = fill(room, "1")
    kept = gone.rename(tmp_path / "kept")
    fill(room, "2", batches=2)
    assert room.drain().journals == ("2/1",)
    (told,) = mishaps_of(room)
    assert (told.journal, told.lost, told.wrapped) == ("1/1", aside.MISSING, b"")
    assert room.drain() is None
    assert lost(room.engine, room.vault) == {"1/1"}
    kept.rename(gone)
    assert room.drain().journals == ("1/1",)
    assert speeds_of(room) == [0, 1, 2, 3]
    assert lost(room.engine, room.vault) == set()
    assert mishaps_of(room) == [told]


def test_a_file_that_is_gone_is_told_where_there_is_no_other(room):
    fill(room).unlink()
    drained = room.drain()
    assert (drained.journals, [one.lost for one in drained.mishaps]) == ((), [aside.MISSING])
    assert room.drain() is None


def test_what_was_erased_does_not_come_back_with_a_lost_file(room, tmp_path):
    room.add_vehicle(17)
    gone = fill(room, "1")
    kept = gone.rename(tmp_path / "kept")
    turn = room.restrict(17)
    room.drain()
    assert room.erase(17, turn=turn).freed
    assert room.rows(papers.journals) == []
    kept.rename(gone)
    assert room.drain() is None
    assert not gone.exists(), "nothing opens it any more"
    assert room.rows(papers.segments) == []


@pytest.mark.parametrize("moment", ["struck", "removed"])
def test_a_crash_while_giving_up_leaves_no_file_without_a_key(room, moment, monkeypatch):
    flip(fill(room), 60)
    room.drain()
    (told,) = mishaps_of(room)
    with monkeypatch.context() as cut:
        if moment == "struck":
            cut.setattr("pathlib.Path.unlink", _dies)
        else:
            cut.setattr("onshore.vault.strays.strike", _dies)
        with pytest.raises(KeyboardInterrupt):
            give_up(room.engine, room.vault)
    assert (room.vault / told.path).exists() == (moment == "struck")
    assert list(audit(room.engine, room.shelf)) == []
    fill(room)
    room.drain()
    assert not (room.vault / told.path).exists()
    assert room.rows(papers.strays) == []


def _dies(*_args, **_more):
    raise KeyboardInterrupt


def test_giving_up_destroys_key_and_file(room):
    file = fill(room)
    flip(file, 60)
    room.drain()
    (told,) = mishaps_of(room)
    assert give_up(room.engine, room.vault, before=told.at) == 0
    assert (room.vault / told.path).exists()
    assert give_up(room.engine, room.vault) == 1
    assert not (room.vault / told.path).exists()
    (after,) = mishaps_of(room)
    assert (after.lost, after.wrapped) == ("record 0", b"")
    assert give_up(room.engine, room.vault, before=told.at + 1) == 0
    assert mishaps_of(room) == []
