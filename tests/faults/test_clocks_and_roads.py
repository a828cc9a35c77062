"""Clocks that jump by years, and second processes of a road: no row is lost or doubled, and the second is refused."""

import pytest

import fault_acts
from forks import FORKS
from onshore.gate.intake import Intake
from onshore.vault.lock import hold
from onshore.words.errors import Refusal

YEAR = 365 * 86_400_000


@pytest.fixture
def folder(tmp_path):
    fault_acts.make(tmp_path / "site")
    return tmp_path / "site"


@pytest.mark.parametrize("jumps", [(0, 0, YEAR // 2, 0), (0, -3 * YEAR, -3 * YEAR, 0), (YEAR // 2, 0, -YEAR, 0)])
def test_a_clock_that_jumps_while_a_gate_runs_loses_and_doubles_nothing(folder, jumps):
    now = {"jump": 0}
    here = fault_acts.opened(folder, clock=lambda: fault_acts.BEGIN + 3_600_000 + now["jump"])
    before = fault_acts.rows_of(here)
    kept = 0
    with fault_acts.journal_of(here) as journal:
        way_in = Intake(here, journal)
        for number, jump in enumerate(jumps):
            now["jump"] = jump
            try:
                way_in.take_in(fault_acts.batch_of(here, number))
            except Refusal as refused:
                if refused.reason != "stale-rules":  # no pack is in force then: the car keeps it
                    raise
            else:
                kept += 1
            journal.tick()
        way_in.close()
    here.drain()
    here.write_ledger()
    found = fault_acts.rows_of(here)
    statutory = [row for row in (found - before) if row[1] == "vehicle-operation/statutory"]
    assert kept >= 2
    assert len(statutory) == kept * fault_acts.SECONDS * len(fault_acts.CARS)
    assert max(found.values()) == 1
    assert not before - found
    assert list(fault_acts.damage(here)) == []


def _take(road, folder, said):
    from onshore.vault.lock import hold

    try:
        if road == "gate":
            fault_acts.journal_of(fault_acts.opened(folder)).close()
        elif road == "keep":
            fault_acts.opened(folder).drain()
        else:
            with hold(folder / "locks" / road, road):
                pass
    except Refusal as refusal:
        said.put(refusal.reason)
    else:
        said.put("")


@pytest.mark.parametrize("road", ["gate", "keep", "border", "upload"])
def test_a_second_process_of_a_road_is_refused_and_the_first_goes_on(folder, road):
    here, said = fault_acts.opened(folder), FORKS.Queue()
    first = fault_acts.journal_of(here) if road == "gate" else hold(folder / "locks" / road, road)
    with first as journal:
        child = FORKS.Process(target=_take, args=(road, folder, said))
        child.start()
        assert said.get(timeout=60) == "road-taken"
        child.join()
        if road == "gate":
            Intake(here, journal).take_in(fault_acts.batch_of(here, 0))
    here.drain()
    assert (1, "vehicle-operation/statutory", fault_acts.BEGIN + 10_000) in fault_acts.rows_of(here)
