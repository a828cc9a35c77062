"""A backup made at each step of something else that goes on: each is of one instant, and nothing comes back of it."""

from collections import Counter
from functools import partial

import pytest
from sqlalchemy import select

import bytescan
from backup_makers import kept, restored
from onshore.cli.backing_up import back_up
from onshore.cli.compacting import turn as compact_turn
from onshore.cli.deep import damage
from onshore.cli.drives import computed
from onshore.cli.key_rounds import telling
from onshore.rights import cases
from onshore.rights import erase as erasing
from onshore.rights.retiring import turn as retire_turn
from onshore.site import open_site
from onshore.vault import papers
from onshore.vault.compact import QUIET
from onshore.vault.read import read_all_of
from onshore.vault.rotation import rotate, tend
from onshore.words.errors import Refusal
from rights_makers import opened

DAY = 86_400_000
TRACKS = 14 * DAY
"""How long tracks are kept at most that no law demands (TC260-001, 2021)."""
CARS = (1, 2)
PAPERS, LATER = 1, 2
"""Which file is written then, after those of all segments."""


class Backups:
    """A step at which a backup is made, the first times that it comes by; `made`: folder by step and how often."""

    def __init__(self, hands, most=1):
        self.hands, self.most, self.made = hands, most, {}
        self.seen = Counter()

    def __call__(self, step):
        self.seen[step] += 1
        if self.seen[step] <= self.most:
            folder = self.hands.site.folder.parent / f"backup-{len(self.made)}"
            self.made[step, self.seen[step]] = folder
            other = open_site(self.hands.site.folder, clock=self.hands.site.clock)  # as a process of its own has it
            back_up(other, folder)
            other.engine.dispose()


@pytest.fixture
def site(hands):
    kept(hands)
    for car in CARS:
        hands.allow(car)
    for _ in range(2):
        hands.drive(*CARS, seconds=10)
    hands.site.settle()
    return hands


def allowed(found, now):
    """Those of the rows that may lie on: a restore has go what is over by then."""
    return [row for row in found if row[:2] != ("track", "consent") or row[2] >= now - TRACKS]


def wrapped(here):
    """The wrapped keys of all files that stand."""
    with papers.reading(here.engine) as conn:
        return {bytes(row.wrapped) for row in conn.execute(select(papers.segments.c.wrapped))}


def rows(here, vehicle):
    """Every row of a car: category, ground, time."""
    found = read_all_of(here.engine, here.root, here.vault, here.id, vehicle.id, even_restricted=True)
    times = ((one.place, table.column("time").cast("int64").to_pylist()) for one, table in found)
    return sorted((place.category, place.ground, time) for place, some in times for time in some)


def later(site, span):
    """So many milliseconds on; whoever keeps the site has looked after its keys."""
    site.now += span
    with site.site.keeping():
        tend(site.site.root, telling(site.site), site.site.settings.keys.backup_days)


def compaction(site, step):
    assert compact_turn(site.site, step)


def rotation(here, step):
    rotate(here.root, telling(here), here.settings.keys.backup_days)
    step("rotated")
    with here.keeping():
        return tend(here.root, telling(here), here.settings.keys.backup_days, step=step)


def erasure(site, step, monkeypatch):
    step("asked before")
    cases.opened(site.site, site.car(1), "erase", "owner")
    step("asked")
    monkeypatch.setattr(erasing, "erase_scopes", partial(erasing.erase_scopes, step=step))
    assert erasing.carry_out(site.site) == {}


def retention(site, step):
    assert retire_turn(site.site, step)


LATER_BY = {compaction: 2 * QUIET, retention: TRACKS - 15_000}
"""For how long to wait: until places are settled; until a part of what was kept on consent may lie no longer."""


def each_restored(site, made):
    """The site restored from each backup, sound and with nothing in the clear; by the step at which that was made."""
    site.site.settle()
    for number, (step, folder) in enumerate(made.items()):
        new, _ = restored(site, f"new-{number}", folder=folder)
        assert list(damage(new)) == [], step
        assert in_the_clear(site, new.folder) == []
        yield step, new
        new.engine.dispose()


def in_the_clear(site, folder):
    said = (m.units["position"] for car in CARS for m in computed(car, 10))
    places = sorted({(one["longitude"], one["latitude"]) for one in said})
    return bytescan.find(folder, [site.vin(car).decode() for car in CARS], places)


def test_a_backup_at_each_step_of_a_compaction_has_what_was_acknowledged_until_then(site, monkeypatch):
    before = {car: rows(site.site, site.car(car)) for car in CARS}
    second = len(before[2]) // 20
    backups = Backups(site, most=2)

    def drives_and_is_backed_up(step):
        with monkeypatch.context() as gate:
            gate.setattr(type(site.site), "drain", lambda _site, before=None: [])
            site.drive(2, seconds=1)  # into a journal, which nobody drains while the other act goes on
        backups(step)

    later(site, LATER_BY[compaction])
    compaction(site, drives_and_is_backed_up)
    assert backups.seen.keys() == {"planned", "written", "committed", "unlinked"}
    for number, ((step, _), new) in enumerate(each_restored(site, backups.made), 1):
        first, other = (rows(new, site.car(car)) for car in CARS)
        assert first == before[1], step
        assert set(before[2]) <= set(other), step
        assert len(other) == len(set(other)) >= len(before[2]) + number * second, step


def test_a_backup_at_each_step_of_an_erasure(site, monkeypatch):
    other = rows(site.site, site.car(2))
    gone = site.car(1).id.to_bytes(8, "little")
    assert gone in opened(site.site)
    backups = Backups(site)
    erasure(site, backups, monkeypatch)
    assert backups.seen.keys() == {"asked before", "asked", "planned", "written", "committed", "unlinked"}
    for step, new in each_restored(site, backups.made):
        assert rows(new, site.car(1)) == [], step
        assert gone not in opened(new), step
        assert rows(new, site.car(2)) == other, step
        assert [case.state for case in cases.of_vehicle(new, site.car(1).id)] == ["done"], step


def test_a_backup_at_each_step_of_a_retention_run(site):
    before = rows(site.site, site.car(1))
    backups = Backups(site)
    later(site, LATER_BY[retention])
    retention(site, backups)
    left = rows(site.site, site.car(1))
    assert 0 < len(left) < len(before)
    assert backups.seen.keys() == {"planned", "written", "committed", "unlinked", "forgotten"}
    for step, new in each_restored(site, backups.made):
        assert rows(new, site.car(1)) == allowed(left, site.now), step


def test_a_backup_is_refused_while_keys_are_rotated_and_the_one_before_stays_whole(site):
    before = rows(site.site, site.car(1))
    folder = site.site.folder.parent / "backup-0"
    back_up(site.site, folder)
    refused = []

    def at(step):
        with pytest.raises(Refusal) as why:
            back_up(site.site, folder)
        refused.append((step, why.value.reason))

    assert rotation(site.site, lambda step: at(step) if step != "ended" else None)
    assert {"rotated", "rewrapped", "struck", "forgotten"} == {step for step, _ in refused}
    assert {reason for _, reason in refused} == {"rotation-under-way"}
    [(_, new)] = each_restored(site, {"before": folder})
    assert rows(new, site.car(1)) == before
    back_up(site.site, folder)
    newer, _ = restored(site, "newer", folder=folder)
    assert rows(newer, site.car(1)) == before


class Amidst:
    """A backup's step at whose n-th time something else is done; `times`: how often each came by."""

    def __init__(self, at, nth, act):
        self.at, self.nth, self.act, self.times = at, nth, act, Counter()

    def __call__(self, step):
        self.times[step] += 1
        if (step, self.times[step]) == (self.at, self.nth):
            self.act()


AMIDST = [("file written", PAPERS), ("file written", LATER), ("key part written", 1)]


def backed_up_amidst(site, at, nth, act):
    """A backup in whose midst something is done by another process."""
    segments = len(wrapped(site.site))
    amidst = Amidst(at, nth + segments if at == "file written" else nth, act)
    folder = site.site.folder.parent / "backup"
    back_up(site.site, folder, amidst)
    assert amidst.times[at] >= amidst.nth
    return folder


@pytest.mark.parametrize(("at", "nth"), AMIDST)
def test_an_erasure_in_the_midst_of_a_backup_is_not_forgotten(site, at, nth):
    other, gone = rows(site.site, site.car(2)), site.car(1).id.to_bytes(8, "little")

    def act():
        here = open_site(site.site.folder, clock=site.site.clock)
        cases.opened(here, site.car(1), "erase", "owner")
        erasing.carry_out(here)  # where the backup reads just then, its end waits
        here.engine.dispose()

    folder = backed_up_amidst(site, at, nth, act)
    assert erasing.carry_out(site.site) == {}
    [(_, new)] = each_restored(site, {at: folder})
    assert rows(new, site.car(1)) == []
    assert gone not in opened(new)
    assert rows(new, site.car(2)) == other


@pytest.mark.parametrize(("at", "nth"), AMIDST)
def test_a_rotation_in_the_midst_of_a_backup_leaves_one_that_opens(site, at, nth):
    before = rows(site.site, site.car(1))

    def act():
        here = open_site(site.site.folder, clock=site.site.clock)
        rotation(here, lambda _step: None)  # where the backup reads just then, its end waits
        here.engine.dispose()

    [(_, new)] = each_restored(site, {at: backed_up_amidst(site, at, nth, act)})
    assert rows(new, site.car(1)) == before


@pytest.mark.parametrize("act", [compaction, retention])
def test_files_that_go_in_the_midst_of_a_backup_are_looked_for_anew(site, act):
    later(site, LATER_BY[act])
    folder = backed_up_amidst(site, "file written", PAPERS, lambda: act(site, lambda _step: None))
    left = {car: rows(site.site, site.car(car)) for car in CARS}
    [(_, new)] = each_restored(site, {act: folder})
    assert {car: rows(new, site.car(car)) for car in CARS} == {car: allowed(left[car], site.now) for car in CARS}
