"""Killed, or out of disk, at writes that tracing found: nothing acknowledged is lost, nothing erased or in the clear.

A few of each act's steps; `make soak` strikes at all of them (tests/soak_faults.py).
"""

import random
import re

import pytest
from click.testing import CliRunner

import fault_acts
import fault_steps
from fault_acts import ACTS
from fault_steps import FILLING, Strike
from onshore.cli.main import cli
from onshore.site import open_site

pytestmark = pytest.mark.skipif(fault_steps.STRACE is None, reason="strace is not installed (make servers)")

KILLS, FULL = 6, 3  # of each act


@pytest.fixture(scope="module")
def common(tmp_path_factory):
    folder = tmp_path_factory.mktemp("common") / "site"
    fault_acts.make(folder)
    return folder


@pytest.fixture(scope="module", params=sorted(ACTS))
def struck_act(request, common, tmp_path_factory):
    """An act, the site before it, and how often it makes which call."""
    act = ACTS[request.param]
    before = fault_acts.prepared(act, common, tmp_path_factory.mktemp(request.param) / "site")
    run = tmp_path_factory.mktemp("run")
    steps = fault_steps.traced(act.do, before.copy(run / "site"), run / "log")
    fault_acts.recover(run / "site")
    assert fault_acts.judge(act, before, run / "site") == [], "undisturbed"
    return act, before, steps


def test_killed_or_full_at_some_steps(struck_act, tmp_path):
    act, before, steps = struck_act
    dice = random.Random(9)
    each = [Strike(call, dice.randint(1, count)) for call, count in sorted(steps.items())]
    kills = dice.sample(each, min(KILLS, len(each)))
    full = [Strike(s.call, s.at, "ENOSPC", on) for s in each if s.call in FILLING for on in (True, False)]
    killed = 0
    for strike in kills + dice.sample(full, FULL):
        came, wrong = fault_acts.came_through(act, before, tmp_path, strike)
        assert wrong == [], (strike, came)
        killed += came.killed
    assert killed >= KILLS - 1, "a step may move by one from run to run"


def test_a_failing_act_says_so_and_another_try_does_it(struck_act, tmp_path):
    act, before, _ = struck_act
    site = before.copy(tmp_path / "site")
    came = fault_steps.struck(act.do, site, Strike("fdatasync", 1, "EIO", on=True))
    assert "OSError" in came.failed or "OperationalError" in came.failed
    fault_acts.recover(site)
    if act.do is fault_acts.new_keys:
        fault_acts.new_keys(site)
    assert fault_acts.judge(act, before, site) == []


def test_check_tells_of_a_crash_and_that_nothing_is_lost(common, tmp_path):
    before = fault_acts.prepared(ACTS["ingest"], common, tmp_path / "prepared")
    site = tmp_path / "run" / "site"
    site.parent.mkdir()
    steps = fault_steps.traced(ACTS["ingest"].do, before.copy(site), tmp_path / "log")
    came = fault_steps.struck(ACTS["ingest"].do, before.copy(site), Strike("write", steps["write"] - 2))
    assert came.killed
    here = open_site(site)
    here.drain()  # by the machine's clock, as it is told of the last days
    here.write_ledger()
    here.engine.dispose()
    said = CliRunner().invoke(cli, ["check", "--deep", "--site", str(site)]).output
    told = (
        r"good journal +0/\d ended without being closed, drained .*: \d records recovered, \d+ bytes .*, nothing lost"
    )
    assert re.search(told, said)
    assert "good deep" in said
