"""Whatever people do, and whenever it crashes: what left was permitted and consented to, and all accounts agree."""

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import border_machine
from onshore.border import grants, life
from onshore.border.metering import meter
from onshore.border.permits import logged
from onshore.border.sending import regaining
from onshore.register import again
from onshore.vault import recall
from onshore.words.tally import Sieved, Tally

NORMAL = settings(
    max_examples=15,  # tests/soak_border.py has thousands
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    report_multiple_bugs=False,
)


@pytest.fixture
def machine(tmp_path):
    return border_machine.of(tmp_path)


def test_what_left_was_permitted_and_consented_to_and_ledger_meter_and_parcels_agree(machine):
    run_state_machine_as_test(machine, settings=NORMAL)
    assert machine.seen["left"] >= 10, machine.seen
    assert machine.seen["killed"] >= 3, machine.seen
    assert machine.seen["restored"] >= 1, machine.seen
    assert [what for what in machine.seen if what.startswith("killed in ")], machine.seen


def unsieved(batch, *_, **__):
    return Sieved(batch, Tally())


def blind(monkeypatch):
    """Nobody at the border looks whether a permit was revoked."""
    monkeypatch.setattr(grants, "refuse_revoked", lambda *_, **__: None)
    monkeypatch.setattr(logged, "of_permit", lambda *_: frozenset())
    monkeypatch.setattr(life, "end", lambda *_: None)


FAULTS = {
    "rows are not sieved again": lambda m: m.setattr(again, "sieve", unsieved),
    "a revocation is not looked for": blind,
    "the meter is not unwound": lambda m: m.setattr(meter, "give_back", lambda *_: None),
    "a restore forgets what was decided since": lambda m: m.setattr(recall, "replay", lambda *_: 0),
    "a restore forgets the bytes that left since": lambda m: m.setattr(regaining, "regain", lambda _: 0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_machine_finds_a_fault_that_is_planted(machine, monkeypatch, fault):
    FAULTS[fault](monkeypatch)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine, settings=settings(NORMAL, max_examples=100))
