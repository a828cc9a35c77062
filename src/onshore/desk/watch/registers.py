"""Registers: how many cases, tasks, papers, incidents and complaints wait, and when the next clock ends."""

from collections.abc import Iterator
from datetime import timedelta

from onshore.border.cases import filing, tasks
from onshore.desk.watch.metrics import Sample
from onshore.desk.watch.parts import counted
from onshore.register import complaints, incidents
from onshore.rights import clocks, moves
from onshore.rules.local import local_midnight
from onshore.site import Site

_SECOND = 1000  # milliseconds
_CLOCK = ("late", "near", "in time", "no clock", "held")
_WAITS = ("late", "near", "in time")


def samples(site: Site) -> Iterator[Sample]:
    """Of every register: its counts, seconds to its next deadline where a clock runs, and how many are over."""
    cases = clocks.queue(site)
    kinds = [(kind, state) for kind in moves.CASE if kind != "restrict" for state in _CLOCK]
    yield from counted("onshore_rights_cases", ((one.case.kind, one.state) for one in cases), kinds)
    gone_on = incidents.listed(site)
    yield from counted("onshore_incidents", ((one.state,) for one in gone_on), [("open",), ("reported",)])
    waits = complaints.listed(site)
    yield from counted("onshore_complaints", ((one.state,) for one in waits), [(state,) for state in _WAITS])
    ends: dict[str, list[int]] = {
        "rights": [one.due.until for one in cases if one.due],
        "tasks": [one.due for one in tasks.listed(site) if one.due is not None],
        "papers": [_after(site, one) for one in filing.endings(site)],
        "incidents": [report.due for one in gone_on for report in one.reports if report.owed and report.due],
        "complaints": [one.due for one in waits],
    }
    for register, instants in ends.items():
        if instants:
            yield Sample("onshore_deadline_seconds", (min(instants) - site.clock()) / _SECOND, (register,))
        yield Sample("onshore_deadlines_overdue", sum(at <= site.clock() for at in instants), (register,))


def _after(site: Site, ending: filing.Ending) -> int:
    """When a paper no longer counts (ms UTC): with the end of its last local day."""
    return local_midnight(ending.last + timedelta(days=1), site.law.zone)
