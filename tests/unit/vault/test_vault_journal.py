"""The journal acknowledges only what is safe, begins new files when it should, and has one writer per gate."""

import errno
import os

import pytest
from sqlalchemy.exc import OperationalError

from onshore.vault import papers
from onshore.vault.journal import Limits
from onshore.vault.journal_files import (
    ask_rotate,
    closed_journals,
    in_use,
    journals_before,
    path_of,
    read_journal,
)
from onshore.words.errors import Broken, Refusal
from vault_makers import NOON, PACK, SITE, WITHHELD, new_room, sieved


@pytest.fixture
def room(tmp_path):
    return new_room(tmp_path)


def tallies(room):
    found = closed_journals(room.engine, room.vault)
    return [record.tally.rows_in for closed in found for record in read_journal(closed, room.root, SITE)]


def files(room, gate="1"):
    return sorted(path.name for path in (room.vault / "journal" / gate).glob("*.journal"))


def rows(n):
    """A batch whose tally says that n rows arrived."""
    return sieved([1] * (n - 1), [NOON + i for i in range(n - 1)])


def test_appended_batches_come_back_in_order(room):
    with room.journal() as journal:
        for n in (2, 3, 4):
            journal.append(rows(n), pack=PACK)
        journal.append(WITHHELD, pack="cn/2026-03")
    closed = closed_journals(room.engine, room.vault)
    found = [record for one in closed for record in read_journal(one, room.root, SITE)]
    assert [record.tally.rows_in for record in found] == [2, 3, 4, 3]
    assert [record.pack for record in found] == [PACK] * 3 + ["cn/2026-03"]
    assert found[1].batch.equals(rows(3).kept, check_metadata=True)
    assert found[3].batch is None


def test_open_file_is_not_closed_and_is_in_use(room):
    with room.journal() as journal:
        journal.append(rows(2), pack=PACK)
        assert closed_journals(room.engine, room.vault) == []
        assert in_use(path_of(room.vault, "1", 1))
        journal.rotate()
        assert [closed.id for closed in closed_journals(room.engine, room.vault)] == ["1/1"]
        assert not in_use(path_of(room.vault, "1", 1))


def test_sync_comes_after_the_whole_record_and_before_the_return(room):
    seen = []

    def sync(fd):
        seen.append(os.fstat(fd).st_size)
        os.fdatasync(fd)

    with room.journal(sync=sync) as journal:
        journal.append(rows(2), pack=PACK)
        assert seen == [path_of(room.vault, "1", 1).stat().st_size]


def test_short_writes_are_continued(room):
    with room.journal(write=lambda fd, data: os.write(fd, data[:100])) as journal:
        journal.append(rows(5), pack=PACK)
    assert tallies(room) == [5]


def test_key_is_in_papers_before_the_first_record(room):
    keys = []

    def write(fd, data):
        keys.append(len(room.rows(papers.journals)))
        return os.write(fd, data)

    with room.journal(write=write) as journal:
        journal.append(rows(2), pack=PACK)
        assert keys == [1]


def test_nothing_appended_makes_no_file(room):
    with room.journal() as journal:
        journal.rotate()
        journal.tick()
    assert files(room) == []
    assert room.rows(papers.journals) == []


def test_size_begins_a_new_file(room):
    with room.journal(limits=Limits(size=500)) as journal:
        for _ in range(3):
            journal.append(rows(2), pack=PACK)
    assert files(room) == ["1.journal", "2.journal", "3.journal"]
    assert tallies(room) == [2, 2, 2]
    assert len({row.wrapped for row in room.rows(papers.journals)}) == 3


def test_age_closes_the_file_at_a_tick(room):
    with room.journal(limits=Limits(age=1000)) as journal:
        journal.append(rows(2), pack=PACK)
        journal.tick()
        assert closed_journals(room.engine, room.vault) == []
        room.clock.now += 1000
        journal.tick()
        assert tallies(room) == [2]


def test_another_process_may_ask_to_rotate(room):
    with room.journal() as journal, room.journal("2") as other:
        journal.append(rows(2), pack=PACK)
        turn = ask_rotate(room.engine)
        other.append(rows(3), pack=PACK)
        assert journals_before(room.engine, room.vault, turn) == ["1/1", "2/1"], "it had not looked yet"
        other.tick()
        journal.tick()
        assert [closed.id for closed in closed_journals(room.engine, room.vault)] == ["1/1", "2/1"]
        assert journals_before(room.engine, room.vault, turn) == ["1/1", "2/1"], "closed, but not drained yet"
        room.drain()
        assert journals_before(room.engine, room.vault, turn) == []
        journal.append(rows(2), pack=PACK)
        journal.tick()
        assert journals_before(room.engine, room.vault, turn) == []
        assert journals_before(room.engine, room.vault, ask_rotate(room.engine)) == ["1/2"]


def test_second_writer_of_a_gate_is_refused(room):
    with room.journal():
        with pytest.raises(Refusal) as no:
            room.journal()
        assert no.value.reason == "road-taken"
        room.journal("2").close()
    room.journal().close()


@pytest.mark.parametrize("gate", ["", "A", "a/b", "..", "x" * 21])
def test_gate_names_stay_in_their_folder(room, gate):
    with pytest.raises(Broken, match="cannot name a gate"):
        room.journal(gate)


def test_append_after_close_is_broken(room):
    journal = room.journal()
    journal.close()
    with pytest.raises(Broken, match="was closed"):
        journal.append(rows(2), pack=PACK)


def test_numbers_are_never_used_again(room):
    room.keep(rows(2))
    room.keep(rows(2))
    with room.journal() as journal:
        journal.append(rows(2), pack=PACK)
        assert files(room) == ["3.journal"]


def test_numbers_go_on_after_files_when_papers_forgot(room):
    path_of(room.vault, "1", 9).parent.mkdir(parents=True)
    path_of(room.vault, "1", 9).touch()
    with room.journal() as journal:
        journal.append(rows(2), pack=PACK)
        assert files(room) == ["10.journal", "9.journal"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("part", ["write", "half", "sync"])
def test_failed_append_leaves_no_half_record(room, code, part):
    fails = []

    def write(fd, data):
        if fails and part == "write":
            raise OSError(code, os.strerror(code))
        if fails and part == "half":
            fails[0] += 1
            if fails[0] > 1:
                raise OSError(code, os.strerror(code))
            return os.write(fd, data[:50])
        return os.write(fd, data)

    def sync(fd):
        if fails and part == "sync":
            raise OSError(code, os.strerror(code))
        os.fdatasync(fd)

    with room.journal(write=write, sync=sync) as journal:
        journal.append(rows(2), pack=PACK)
        fails.append(0)
        with pytest.raises(OSError, match=os.strerror(code)):
            journal.append(rows(3), pack=PACK)
        fails.clear()
        journal.append(rows(4), pack=PACK)
    assert files(room) == ["1.journal", "2.journal"]
    assert tallies(room) == [2, 4]


def test_failed_end_loses_nothing(room):
    full = []

    def write(fd, data):
        if full:
            raise OSError(errno.ENOSPC, "full")
        return os.write(fd, data)

    with room.journal(write=write) as journal:
        journal.append(rows(2), pack=PACK)
        full.append(True)
    assert tallies(room) == [2]


def test_papers_that_fail_are_an_oserror(room):
    def broken_disk(n):
        raise OperationalError("insert", {}, OSError("disk full"))

    with room.journal(randomness=os.urandom) as journal:
        room.root._randomness = broken_disk
        with pytest.raises(OSError, match="papers could not note the key"):
            journal.append(rows(2), pack=PACK)
        room.root._randomness = os.urandom
        journal.append(rows(3), pack=PACK)
    assert tallies(room) == [3]


@pytest.mark.parametrize("at", ["made", "registered", "named"])
def test_a_file_that_could_not_be_made_leaves_nothing_behind(room, at):
    fails = [at]

    def step(name):
        if name in fails:
            fails.clear()
            raise OSError(errno.ENOSPC, "full")

    with room.journal(step=step) as journal:
        with pytest.raises(OSError, match="full"):
            journal.append(rows(2), pack=PACK)
        turn = ask_rotate(room.engine)
        room.drain()
        assert journals_before(room.engine, room.vault, turn) == []
        journal.append(rows(3), pack=PACK)
    assert tallies(room) == [3]
    assert len(room.rows(papers.journals)) == len(files(room)) == 1


def test_a_file_taken_away_is_told_and_none_that_is_being_made(room):
    with room.journal() as journal:
        journal.append(rows(2), pack=PACK)
        journal.rotate()
        journal.append(rows(2), pack=PACK)
    path_of(room.vault, "1", 1).unlink()
    drained = room.drain()
    assert drained.journals == ("1/2",), "others go on"
    assert [one.journal for one in drained.mishaps] == ["1/1"]
    found = []
    with room.journal("2", step=lambda step: found.append((step, room.drain()))) as journal:
        journal.append(rows(2), pack=PACK)
    assert found == [("made", None), ("registered", None), ("named", None)]


def test_a_file_moved_to_another_gate_is_broken(room):
    with room.journal() as journal, room.journal("2") as other:
        journal.append(rows(2), pack=PACK)
        other.append(rows(2), pack=PACK)
    path_of(room.vault, "1", 1).rename(path_of(room.vault, "2", 1))
    path_of(room.vault, "1", 1).write_bytes(b"")
    with pytest.raises(Broken, match="journal 2/1: record 0"):
        tallies(room)
