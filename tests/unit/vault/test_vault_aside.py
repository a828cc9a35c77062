"""A damaged journal is drained as far as it opens, told, and kept aside; others go on."""

import os

import pytest

from onshore.vault import aside, papers
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


@pytest.mark.parametrize("harm", ["missing", "key"])
def test_others_go_on_where_one_cannot_be_read(room, harm):
    gone = fill(room, "1")
    fill(room, "2")
    if harm == "missing":
        gone.unlink()
    else:
        with papers.writing(room.engine) as conn:
            here = papers.journals.c.id == "1/1"
            conn.execute(papers.journals.update().where(here).values(wrapped=bytes(60)))
    assert room.drain().journals == ("2/1",)
    assert speeds_of(room) == [0, 1, 2, 3]
    with pytest.raises(Broken, match=r"journal.1/1"):
        room.drain()
    with pytest.raises(Broken, match=r"journal.1/1"):
        room.drain()


def test_giving_up_destroys_key_and_file(room):
    file = fill(room)
    flip(file, 60)
    room.drain()
    (told,) = mishaps_of(room)
    assert aside.give_up(room.engine, papers.mishaps, room.vault, before=told.at) == 0
    assert (room.vault / told.path).exists()
    assert aside.give_up(room.engine, papers.mishaps, room.vault) == 1
    assert not (room.vault / told.path).exists()
    (after,) = mishaps_of(room)
    assert (after.lost, after.wrapped) == ("record 0", b"")
    assert aside.give_up(room.engine, papers.mishaps, room.vault, before=told.at + 1) == 0
    assert mishaps_of(room) == []
