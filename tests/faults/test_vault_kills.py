"""Killed at every step of append, drain and erase: nothing acknowledged is lost, nothing is there twice."""

import os
import signal
from collections import Counter

import pytest

from databases import held, let
from forks import FORKS
from onshore.vault import papers
from onshore.vault.journal_files import journals_before
from onshore.vault.restrictions import Scope
from vault_makers import NOON, PACK, announce, new_room, open_room, sieved

BATCHES = 4


class Deadly:
    """A step that kills its own process the n-th time it comes by."""

    def __init__(self, at, nth):
        self.at, self.left = at, nth

    def __call__(self, step):
        if step == self.at:
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


def batch(i):
    return sieved([1, 17, 2], [NOON + 3 * i, NOON + 3 * i, NOON + 3 * i])


def killed(act, folder, at, nth):
    """Whether the process that did `act` was killed at that step (else it ended by itself)."""
    child = FORKS.Process(target=act, args=(folder, at, nth))
    child.start()
    child.join(60)
    assert child.exitcode in {0, -signal.SIGKILL}
    return child.exitcode != 0


def appending(folder, at, nth):
    room, deadly = open_room(folder), Deadly(at, nth)

    def write(fd, data):
        deadly("writing")
        os.write(fd, data[: len(data) // 2])
        deadly("half-written")
        return len(data) // 2 + os.write(fd, data[len(data) // 2 :])

    def sync(fd):
        deadly("written")
        os.fdatasync(fd)
        deadly("synced")

    acks = os.open(folder / "acks", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    with room.journal(step=deadly, write=write, sync=sync) as journal:
        for i in range(BATCHES):
            journal.append(batch(i), pack=PACK)
            os.write(acks, bytes([i]))
            if i == 1:
                journal.rotate()


def draining(folder, at, nth):
    open_room(folder).drain(step=Deadly(at, nth))


def erasing(folder, at, nth):
    room = open_room(folder)
    room.erase(
        1,
        turn=1,
        alongside=lambda conn, erased: conn.execute(
            papers.entries.insert().values(body=f"erased {erased[Scope(1)].rows_removed}".encode())
        ),
        step=Deadly(at, nth),
    )


def drain_all(room):
    while room.drain():
        pass


def times_of(room, vehicle):
    return Counter(room.all_of(vehicle, even_restricted=True))


def wanted(batches):
    places = ("track/consent", "vehicle-operation/consent", "vehicle-operation/statutory")
    return Counter({(place, NOON + 3 * i): 1 for i in batches for place in places})


def assert_tidy(room):
    """No file but those that papers list, and nothing listed without its file."""
    listed = {row.id for row in room.rows(papers.segments)}
    assert {path.stem for path in room.vault.rglob("*.parquet")} == listed
    assert [p.name for p in room.vault.rglob("*") if p.is_file() and p.suffix != ".parquet"] == ["lock"]
    assert room.rows(papers.strays) == room.rows(papers.journals) == []


APPEND_STEPS = [(step, n) for step in ("made", "registered", "named") for n in (1, 2)]
APPEND_STEPS += [(step, n) for step in ("writing", "half-written", "written", "synced") for n in (1, 3, 5)]  # 3: an end


@pytest.mark.parametrize(("at", "nth"), APPEND_STEPS)
def test_killed_while_appending(tmp_path, at, nth):
    new_room(tmp_path).engine.dispose()
    assert killed(appending, tmp_path, at, nth)
    acknowledged = list((tmp_path / "acks").read_bytes())
    room = open_room(tmp_path)
    room.journal().close()
    drain_all(room)
    found = times_of(room, 17)
    unheard = {len(acknowledged)} if at in {"written", "synced"} else set()
    assert found in (wanted(acknowledged), wanted({*acknowledged, *unheard}))
    assert at != "synced" or nth == 3 or found == wanted({*acknowledged, *unheard})
    assert journals_before(room.engine, room.vault, 1) == []
    assert_tidy(room)
    room.keep(batch(50))
    assert times_of(room, 17)["track/consent", NOON + 150] == 1


DRAIN_STEPS = [("planned", 1), ("written", 1), ("written", 3), ("written", 6), ("committed", 1)]
DRAIN_STEPS += [("unlinked", 1), ("unlinked", 2), ("nowhere", 1)]


@pytest.mark.parametrize(("at", "nth"), DRAIN_STEPS)
def test_killed_while_draining(tmp_path, at, nth):
    room = new_room(tmp_path)
    with room.journal() as journal:
        for i in range(BATCHES):
            journal.append(batch(i), pack=PACK)
            if i == 1:
                journal.rotate()
    room.engine.dispose()
    assert killed(draining, tmp_path, at, nth) == (at != "nowhere")
    room = open_room(tmp_path)
    assert times_of(room, 17) in (wanted([]), wanted(range(BATCHES)))
    drain_all(room)
    assert {vehicle: times_of(room, vehicle) for vehicle in (1, 17, 2)} == dict.fromkeys(
        (1, 17, 2), wanted(range(BATCHES))
    )
    assert [row.body for row in room.rows(papers.entries)] == [b"16 in, 12 kept"], "told once"
    assert_tidy(room)


ERASE_STEPS = [("planned", 1), ("written", 1), ("written", 3), ("committed", 1), ("unlinked", 1), ("nowhere", 1)]


@pytest.mark.parametrize(("at", "nth"), ERASE_STEPS)
def test_killed_while_erasing(tmp_path, at, nth):
    room = new_room(tmp_path)
    room.add_vehicle(1)
    room.add_vehicle(2)
    room.consent(2)
    room.keep(*map(batch, range(BATCHES)))
    old = {row.id: row.wrapped for row in room.rows(papers.segments) if row.bucket == 1}
    before = held(tmp_path)
    assert all(key[12:28] in before for key in old.values()), "the control: they are there"
    let(tmp_path)
    assert room.restrict(1) == 1
    room.engine.dispose()
    assert killed(erasing, tmp_path, at, nth) == (at != "nowhere")

    room = open_room(tmp_path)
    assert not any(1 in table.column("vehicle").to_pylist() for table in room.read()), "restricted all along"
    assert times_of(room, 17) == times_of(room, 2) == wanted(range(BATCHES))
    told = [row.body for row in room.rows(papers.entries)][1:]
    done = times_of(room, 1) == Counter()
    assert told == ([b"erased 12"] if done else [])
    assert done == (at in {"committed", "unlinked", "nowhere"})

    erasing(tmp_path, "nowhere", 1)
    assert times_of(room, 1) == Counter()
    assert times_of(room, 17) == times_of(room, 2) == wanted(range(BATCHES))
    left = held(tmp_path)
    assert not any(key[12:28] in left for key in old.values())
    assert_tidy(room)


def test_announcement_that_fails_changes_nothing(tmp_path):
    room = new_room(tmp_path)
    with room.journal() as journal:
        journal.append(batch(0), pack=PACK)

    def fails(_drained):
        raise KeyError("no words")

    with pytest.raises(KeyError, match="no words"):
        room.drain(announce=fails)
    assert times_of(room, 17) == Counter()
    room.drain(announce=announce)
    assert times_of(room, 17) == wanted([0])
    assert_tidy(room)
