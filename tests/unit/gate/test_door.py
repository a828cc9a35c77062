"""What doors share, with a protocol of one message: what is held is kept before anybody is told, whatever fails."""

import asyncio
import logging
from dataclasses import dataclass, field

import pyarrow as pa
import pytest

from onshore.gate.door import Door
from onshore.gate.limits import Limits, Room, Spent

BATCH = pa.RecordBatch.from_pydict({"vehicle": [1]})


@dataclass(eq=False)
class Peer:
    """A connection that writes down what becomes of it."""

    address: str = "here"
    identity: int | None = None
    standing: bool = True
    heard: list[str] = field(default_factory=list)

    def settle(self):
        self.heard.append("settled")

    def flow(self):
        self.heard.append("flows")

    def stands(self):
        return self.standing

    def look_after(self, now):
        assert now > 0
        self.heard.append("looked after")

    def close(self):
        self.heard.append("closed")

    def abort(self):
        self.heard.append("aborted")

    def end(self, why):
        self.heard.append(why)


class OneDoor(Door):
    """Each item is a row."""

    name = "one"

    def __init__(self, take_in, limits=None, shared=None):
        super().__init__(take_in, lambda: 0, limits or Limits(), shared=shared)
        self.told = []

    def _keep(self, items):
        if "bad" in items:
            raise KeyError("LTEST000000000001 is in the text of the error")
        rows = pa.RecordBatch.from_pydict({"row": [i for i in items if i]})
        self.told.append((items, self.kept(rows)))


def test_a_door_that_is_held_has_its_peers_look_again():
    door, peer = OneDoor(lambda _batch: None), Peer()
    door.connections.add(peer)
    door.press("slow")
    door.press("")
    assert (door.held, peer.heard) == ("", ["flows", "flows"])


def run(story):
    asyncio.run(story())


async def until(true):
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0)


def test_a_batch_is_kept_when_it_is_old_and_when_it_is_full():
    async def story():
        taken = []
        door, peer, other = OneDoor(taken.append, Limits(batch_frames=3, batch_ms=1)), Peer(), Peer()
        door.hold(peer, "a", 1)
        await until(lambda: door.told)
        for item in "bcd":
            door.hold(other, item, 1)
        assert [b.column("row").to_pylist() for b in taken] == [["a"], ["b", "c", "d"]]
        assert (peer.heard, other.heard) == (["settled"], ["settled"])
        assert (door.counts["kept"], door.counts["batches"]) == (4, 2)
        door.hold(peer, "e", 1 << 30)
        assert len(taken) == 3
        door.flush()
        assert len(taken) == 3

    run(story)


def test_a_batch_without_a_row_is_kept():
    async def story():
        door = OneDoor(lambda _: pytest.fail("there is nothing to take in"))
        door.hold(Peer(), "", 0)
        door.flush()
        assert door.told == [([""], True)]

    run(story)


def test_what_is_not_kept_is_told_by_the_type_of_the_failure_alone(caplog):
    def fails(_batch):
        raise OSError("row LTEST000000000001")

    async def story():
        door, peer = OneDoor(fails), Peer()
        door.hold(peer, "a", 1)
        door.flush()
        assert door.told == [(["a"], False)]
        door.hold(peer, "bad", 1)
        door.flush()
        assert peer.heard == ["settled", "settled"]
        assert door.counts["not kept"] == 2

    with caplog.at_level(logging.ERROR):
        run(story)
    assert [r.getMessage().rpartition(": ")[2] for r in caplog.records] == ["OSError", "KeyError"]
    assert "LTEST" not in caplog.text


def test_the_busier_the_disk_the_longer_a_batch_gathers():
    async def story():
        door = OneDoor(lambda _: None, Limits(batch_ms=1, batch_most_ms=40))
        loop = asyncio.get_running_loop()
        pauses = []
        for took in (0.0, 0.02, 7.0):
            door._took = took
            door.hold(Peer(), "a", 1)
            pauses.append(door._timer.when() - loop.time())
            door._timer.cancel()
            door._timer = None
        assert pauses == pytest.approx([0.001, 0.02, 0.04], abs=0.002)

    run(story)


def test_who_may_no_longer_be_here_is_ended():
    async def story():
        door, peers = OneDoor(lambda _: None), [Peer(identity=1), Peer(identity=2), Peer()]
        for peer in peers:
            door.opened(peer)
        for peer in peers[:2]:
            door.logged_in(peer)
        peers[0].standing = peers[2].standing = False
        door.recheck()
        assert ["revoked" in p.heard for p in peers] == [True, False, False]  # a stranger has nothing to lose
        for peer in peers:
            door.closed(peer)
        await door.stop()

    run(story)


def test_doors_of_one_process_share_its_room():
    async def story():
        room = Room(2)
        one, two = (OneDoor(lambda _: None, shared=room) for _ in range(2))
        first, second, third = Peer(), Peer(address="there"), Peer(address="there")
        one.opened(first)
        two.opened(second)
        two.opened(third)  # the stranger of that address goes
        assert (second.heard[-1], room.taken) == ("aborted", 2)
        two.logged_in(third)
        fourth = Peer(address="there")
        two.opened(fourth)
        assert fourth.heard == ["aborted"]
        assert two.counts["full"] == 1
        for door, peer in ((one, first), (two, third), (two, third)):
            door.closed(peer)
        assert room.taken == 0
        await one.stop()
        await two.stop()

    run(story)


def test_a_peer_that_does_not_leave_is_aborted_when_the_door_stops():
    async def story():
        door, peer = OneDoor(lambda _: None, Limits(linger_s=0.01)), Peer()
        door.opened(peer)
        await door.stop()
        assert peer.heard[-2:] == ["closed", "aborted"]

    run(story)


def test_a_room_without_bounds_is_never_full():
    assert not Room().full


def test_what_was_spent_is_forgotten_with_the_second():
    spent = Spent()
    assert [spent.add(2, now, 3) for now in (5.0, 5.1, 6.0)] == [False, True, False]
    assert spent.rest(6.25) == 0.75
