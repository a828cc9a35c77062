"""Pressure: held while the disk has no room, resting as long as a slow sync took, told once each way."""

from onshore.gate.pressure import Pressure


class Disk:
    def __init__(self):
        self.free, self.synced, self.told = 1000, (0, 0.0), []
        self.pressure = Pressure(lambda: self.free, lambda: self.synced, self.told.append, least=100, slow=2.0)

    def sync(self, took):
        self.synced = self.synced[0] + 1, took

    def look(self, now):
        return self.pressure.look(now), self.pressure.held


def test_all_is_well():
    disk = Disk()
    disk.sync(0.5)
    assert disk.look(0.0) == (False, "")
    assert disk.told == []


def test_full_holds_until_there_is_some_more_room_than_that():
    disk = Disk()
    disk.free = 99
    assert disk.look(0.0) == (True, "full")
    disk.free = 105
    assert disk.look(1.0) == (False, "full")
    disk.free = 110
    assert disk.look(2.0) == (True, "")
    disk.free = 100
    assert disk.look(3.0) == (False, "")
    assert disk.told == ["full", ""]


def test_slow_rests_as_long_as_it_took_and_ends_with_a_sync_twice_as_fast():
    disk = Disk()
    disk.sync(3.0)
    assert disk.look(10.0) == (True, "slow")
    assert disk.look(12.9) == (False, "slow")
    assert disk.look(13.0) == (True, "")
    assert disk.told == ["slow"]
    disk.sync(1.5)  # not slow by itself, but no recovery
    assert disk.look(14.0) == (False, "")
    assert disk.told == ["slow"]
    disk.sync(60.0)
    assert disk.look(20.0) == (True, "slow")
    assert disk.look(30.0) == (True, ""), "ten seconds at most"
    disk.sync(0.1)
    disk.look(31.0)
    assert disk.told == ["slow", ""]


def test_full_goes_before_slow():
    disk = Disk()
    disk.sync(3.0)
    disk.look(0.0)
    disk.free = 0
    assert disk.look(1.0) == (True, "full")
    disk.free = 1000
    disk.look(9.0)
    assert disk.told == ["slow", "full", ""]
