"""Reports that an incident owes: to which jurisdictions, by when by the pack of each, and which are late."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from onshore.rules.acts import Deadline, Facts
from onshore.rules.clocks import judge_deadline
from onshore.rules.local import DAY_MS, local_day, local_midnight
from onshore.rules.pack import Pack
from onshore.site import Site

CLOCK = "incident-report"
_HALF = 2  # of the term is left when the warning comes


@dataclass(frozen=True)
class Report:
    """A report to the authority of a jurisdiction. `due`: exclusive, ms UTC; None where its pack has no such clock.

    `zone`: the pack's, in which its end is told. `sure`: False where a calendar does not reach and the earlier
    reckoning counts. `state`: one of "late", "near", "in time", "no clock", "made", "made late".
    """

    jurisdiction: str
    pack: str
    zone: str
    due: int | None
    sure: bool
    article: str
    says: str
    reported: int | None
    reported_by: str | None
    number: str | None
    state: str

    @property
    def owed(self) -> bool:
        """Whether a clock runs for it and it was not made."""
        return self.due is not None and self.reported is None

    @property
    def by(self) -> str | None:
        """The last instant at which it is in time, local to the pack's zone."""
        return None if self.due is None else local(self.due - 1, self.zone)


def local(at: int, zone: str) -> str:
    """An instant (ms UTC) for people, to the second, in an IANA zone with its offset."""
    return datetime.fromtimestamp(at // 1000, ZoneInfo(zone)).isoformat(timespec="seconds")


def owed(site: Site, code: str, known: int) -> dict[str, Any]:
    """What a jurisdiction's pack has reported, and by when: columns of a row, from when the site knew (ms UTC).

    By the pack that stood there on that local day; where none is known, or it has no clock, nothing runs.
    """
    pack = _pack(site, code, known)
    row: dict[str, Any] = {"jurisdiction": code, "pack": "", "zone": site.law.zone, "due": None, "sure": True}
    if pack is None:
        return row | {"article": "", "says": f"No pack of {code} is known here: counsel says what is owed there."}
    row |= {"pack": pack.id, "zone": pack.zone}
    facts = Facts(at=known, critical_operator=site.settings.registers.critical_operator)
    # Not by `judge`, for which a pack that is over decides nothing: what it had reported is owed all the same.
    verdict = judge_deadline(Deadline(what=CLOCK, start=known), facts, pack)
    last = verdict.earlier if verdict.due is None else verdict.due
    if last is None:
        return row | {"article": "", "says": f"{pack.id} has no clock for it: counsel says what is owed there."}
    due = local_midnight(last, pack.zone) + DAY_MS if isinstance(last, date) else last
    reason = verdict.reasons[0]
    return row | {
        "due": due,
        "sure": verdict.due is not None,
        "article": reason.article[:200],
        "says": reason.says,
    }


def read(row: Row[Any], known: int, now: int) -> Report:
    """A report as its row has it; a warning comes when half of its term is over."""
    if row.reported is not None:
        state = "made late" if row.due is not None and row.reported >= row.due else "made"
    elif row.due is None:
        state = "no clock"
    elif now >= row.due:
        state = "late"
    else:
        state = "near" if now >= row.due - (row.due - known) // _HALF else "in time"
    names = ("jurisdiction", "pack", "zone", "due", "sure", "article", "says", "reported", "reported_by", "number")
    return Report(**{name: getattr(row, name) for name in names}, state=state)


def _pack(site: Site, code: str, known: int) -> Pack | None:
    """The pack of a jurisdiction that stood there on that day; of the site's own, the one that it obeys."""
    own = site.law.on(local_day(known, site.law.zone)).pack
    if code in own.home:
        return own.as_of(local_day(known, own.zone))
    there = [one for one in site.law.concerned({code}) if code in one.home]
    begun = [one for one in there if one.valid_from <= local_day(known, one.zone)]
    found = max(begun, key=lambda one: one.valid_from, default=None)
    return None if found is None else found.as_of(local_day(known, found.zone))
