"""A clock that runs far ahead makes nothing go by itself; a person who knows that it is right has it go."""

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from onshore.cli.main import cli
from onshore.cli.serve import Keeper
from onshore.rights import retiring
from onshore.vault.papers import reading, segments
from onshore.vault.ran import Ran
from onshore.words.errors import Refusal

DAY = 86_400_000


def tracks(site):
    with reading(site.engine) as conn:
        mine = (segments.c.category == "track") & (segments.c.ground == "consent")
        return conn.scalar(select(func.count()).select_from(segments).where(mine))


def test_a_clock_that_leapt_has_nothing_go_until_a_person_says_so(hands):
    hands.allow(1)
    hands.drive(1)
    told = []
    Keeper(hands.site, told.append).look()
    right, hands.now = hands.now, hands.now + 30 * DAY
    Keeper(hands.site, told.append).look()
    assert tracks(hands.site) > 0
    assert any("were the clock wrong" in line for line in told)
    for days in (5, 10, 15):
        hands.now = right + days * DAY
        Keeper(hands.site, told.append).look()
        assert (tracks(hands.site) > 0) == (days < 14)


def test_a_clock_set_back_does_not_make_the_right_one_a_leap(hands):
    hands.allow(1)
    hands.drive(1)
    retiring.by_itself(hands.site)
    hands.now -= 30 * DAY
    assert retiring.by_itself(hands.site) == ()
    hands.now += 30 * DAY
    assert retiring.by_itself(hands.site) == ()
    hands.now += 15 * DAY
    with pytest.raises(Refusal) as why:
        retiring.by_itself(hands.site)
    assert why.value.reason == "clock-leapt"
    retiring.looked(hands.site)
    assert retiring.by_itself(hands.site)
    assert tracks(hands.site) == 0


class Machine:
    def __init__(self):
        self.boot, self.started = "one", 0

    def at(self, now):
        return lambda: Ran(self.boot, now - self.started)


def test_a_site_at_rest_on_a_machine_that_ran_goes_on(hands):
    hands.allow(1)
    hands.drive(1)
    machine = Machine()
    retiring.by_itself(hands.site, machine.at(hands.now))
    hands.now += 30 * DAY
    assert retiring.by_itself(hands.site, machine.at(hands.now + 60_000))
    assert tracks(hands.site) == 0


@pytest.mark.parametrize("told", ["set ahead", "off meanwhile", "off, and it names no start"])
def test_nothing_goes_where_a_rest_cannot_be_told_from_a_leap(hands, told):
    hands.allow(1)
    hands.drive(1)
    machine = Machine()
    machine.boot = "" if "names" in told else "one"
    retiring.by_itself(hands.site, machine.at(hands.now))
    hands.now += 30 * DAY
    if "off" in told:
        machine.boot, machine.started = "two" if machine.boot else "", hands.now - 1000
    ran = machine.at(hands.now - (29 * DAY if told == "set ahead" else 0))
    with pytest.raises(Refusal, match="the machine was off or its clock was set since"):
        retiring.by_itself(hands.site, ran)
    assert tracks(hands.site) > 0


def test_this_machine_counts_on():
    first, then = retiring.ran(), retiring.ran()
    assert first.boot == then.boot
    assert 0 < first.milliseconds <= then.milliseconds


def test_a_person_who_runs_it_says_that_the_clock_is_right(hands):
    retiring.by_itself(hands.site)
    hands.now = 1_000_000_000_000  # the command takes the machine's own clock, which is far past this one
    words = ["retention", "run", "--as", "officer", "--site", str(hands.site.folder)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    with reading(hands.site.engine) as conn:
        assert int(retiring.noted(conn, "retention looked")) > 1_700_000_000_000
