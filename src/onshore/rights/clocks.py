"""Clocks: by when a case is due by the pack of the day on which it was asked, and when to warn of it."""

from dataclasses import dataclass
from datetime import date

from onshore.rights import moves
from onshore.rights.cases import Case, waiting
from onshore.rules import calendars
from onshore.rules.acts import Deadline, Facts
from onshore.rules.judge import judge
from onshore.rules.local import DAY_MS, local_day, local_midnight
from onshore.site import Site

CLOCK = {"access": "access-request", "take": "access-request", "erase": "erasure"}
"""Kind of a case to the clock of the pack that it starts; a restriction stands at once, a sale asks for such cases."""

_HALF = 2  # of a term that runs by the hour, this part is left when a warning comes


@dataclass(frozen=True)
class Due:
    """When a case is late (`until`) and when to warn (`warn`), milliseconds UTC, both exclusive; `day`: the last one.

    `article` and `says`: of the pack. `sure`: False where a calendar does not reach and the earlier reckoning counts.
    """

    until: int
    warn: int
    day: date
    article: str
    says: str
    sure: bool = True


@dataclass(frozen=True)
class Open:
    """A case in the queue; `due` is None where no clock of the pack runs for it."""

    case: Case
    due: Due | None
    state: str
    """One of "late", "near", "in time", "held" (the law has it kept), "no clock"."""


def due(site: Site, case: Case) -> Due | None:
    """By when a case is due, by the pack that stood when it was asked; None where that has no clock for its kind."""
    what = CLOCK.get(case.kind)
    pack = site.law.on(local_day(case.asked, site.law.zone)).pack
    verdict = None if what is None else judge(Deadline(what=what, start=case.asked), Facts(at=case.asked), pack, ())
    last = None if verdict is None else verdict.earlier if verdict.due is None else verdict.due
    if verdict is None or last is None:
        return None
    reason = verdict.reasons[0]
    warned = site.settings.rights.warn_working_days
    if not isinstance(last, date):  # a clock by the hour
        half = last - (last - case.asked) // _HALF
        return Due(last, half, local_day(last, pack.zone), reason.article, reason.says, verdict.due is not None)
    until = local_midnight(last, pack.zone) + DAY_MS
    named = next((clock.calendar for clock in pack.clock if clock.what == what and clock.calendar), None)
    warn = local_midnight(calendars.earlier(last, warned, named), pack.zone)
    return Due(until, warn, last, reason.article, reason.says, verdict.due is not None)


def queue(site: Site) -> list[Open]:
    """The open cases of all, but for restrictions that stand: earliest due first, those without a clock last."""
    now = site.clock()
    kinds = [kind for kind in moves.CASE if kind != "restrict"]
    found = [standing(site, case, now) for case in waiting(site, *kinds, states=moves.OPEN)]
    return sorted(found, key=lambda one: (one.due is None, one.due.until if one.due else 0, one.case.asked))


def standing(site: Site, case: Case, now: int) -> Open:
    """How an open case stands at an instant (ms UTC)."""
    if case.state == "held":  # it was answered when it was told why and until when
        return Open(case, None, "held")
    by = due(site, case)
    if by is None:
        return Open(case, None, "no clock")
    return Open(case, by, "late" if now >= by.until else "near" if now >= by.warn else "in time")


def told(site: Site) -> tuple[bool, str]:
    """Whether no case is past its clock, and a line on those that wait."""
    waits = queue(site)
    counted = {state: sum(one.state == state for one in waits) for state in ("late", "near", "in time", "no clock")}
    said = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    held = sum(one.state == "held" for one in waits)
    by = next((f"; the next by {one.due.day} ({one.due.article})" for one in waits if one.due), "")
    kept = f"; {held} with rows that the law has kept" if held else ""
    return not counted["late"], f"{sum(counted.values())} cases open{f' ({said})' if said else ''}{by}{kept}"
