"""Clocks of cases: due and warned of by the pack's own calendar, earliest first."""

from datetime import date

import msgspec
import pytest

from onshore.desk.looks.status import looks
from onshore.rights import cases, clocks
from onshore.rights.access import access
from onshore.rights.erase import erase
from onshore.rules.local import local_day, local_midnight
from onshore.rules.pack_clock import Clock
from rights_makers import DAY, RULE

ZONE = "Asia/Shanghai"


def clocked(hands, *extra):
    law = hands.site.law
    law._versions = tuple(
        type(v)(msgspec.structs.replace(v.pack, clock=(*v.pack.clock, *extra)), v.digest, v.lenient)
        for v in law._versions
    )


def asked(hands, kind="erase", number=1):
    return cases.opened(hands.site, hands.car(number), kind, "anna")


def test_an_erasure_is_due_after_the_working_days_of_the_pack(hands):
    by = clocks.due(hands.site, asked(hands))
    assert (local_day(hands.now, ZONE), by.day) == (date(2026, 9, 21), date(2026, 10, 12))  # 1 to 7 October are free
    assert by.article == "Automotive Data Provisions (Trial), Art. 9(5)"
    assert by.until == local_midnight(date(2026, 10, 13), ZONE)
    assert by.warn == local_midnight(date(2026, 10, 8), ZONE), "three working days, of which one is a Saturday"
    assert by.sure


def test_the_queue_has_the_earliest_first_and_says_what_is_late(hands):
    first = asked(hands)
    hands.now += DAY
    second = asked(hands, number=2)
    asked(hands, "restrict", 3)
    waits = clocks.queue(hands.site)
    assert [one.case.id for one in waits] == [first.id, second.id]
    assert {one.state for one in waits} == {"in time"}
    assert clocks.told(hands.site) == (
        True,
        "2 cases open (2 in time); the next by 2026-10-12 (Automotive Data Provisions (Trial), Art. 9(5))",
    )
    hands.now = waits[0].due.warn
    assert [one.state for one in clocks.queue(hands.site)] == ["near", "in time"]
    hands.now = waits[0].due.until
    assert [one.state for one in clocks.queue(hands.site)] == ["late", "near"]
    assert [line.good for line in looks(hands.site) if line.what == "rights"] == [False]


def test_what_has_no_clock_waits_last(hands, monkeypatch):
    def cut_short(_site):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(type(hands.site), "bring_in", cut_short)
        with pytest.raises(KeyboardInterrupt):
            access(hands.site, hands.car(), "anna")
    hands.now += 1000
    asked(hands, number=2)
    assert [(one.case.kind, one.state) for one in clocks.queue(hands.site)] == [
        ("erase", "in time"),
        ("access", "no clock"),
    ]


def test_hours_are_warned_of_when_half_is_over(hands):
    clocked(hands, Clock(id="by-the-hour", what="access-request", hours=48, **RULE))
    by = clocks.due(hands.site, asked(hands, "access"))
    assert (by.until - hands.now, by.warn - hands.now) == (2 * DAY, DAY)


def test_without_a_calendar_it_is_warned_of_by_weekdays(hands):
    clocked(hands, Clock(id="plain", what="access-request", days=15, **RULE))
    by = clocks.due(hands.site, asked(hands, "access"))
    assert by.day == date(2026, 10, 6)
    assert by.warn == local_midnight(date(2026, 10, 1), ZONE)


def test_where_the_calendar_ends_the_earlier_reckoning_counts_and_is_said_to(hands):
    hands.now += 100 * DAY  # 2026-12-30: nobody knows the working days of 2027 yet
    by = clocks.due(hands.site, asked(hands))
    assert by.day.year == 2027
    assert not by.sure
    assert by.warn < by.until


def test_what_is_done_waits_no_more(hands):
    erase(hands.site, hands.car(), "anna")
    assert clocks.queue(hands.site) == []
    assert clocks.told(hands.site) == (True, "0 cases open")
