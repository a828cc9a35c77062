"""Vehicles, persons, consents and what persons asked for, in counts over a period."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, case, distinct, func, or_, select

from onshore.reports.evidence.period import Period
from onshore.rights import cases, clocks, moves
from onshore.site import Site
from onshore.vault.papers import consents, keepers, persons, reading, retirements, vehicles

STATES = tuple(dict.fromkeys(state for states in moves.CASE.values() for state in states))


@dataclass(frozen=True)
class Scale:
    """Vehicles registered and persons who keep one at the end of a period; vehicles that came in it, and left."""

    vehicles: int
    persons: int
    added: int
    retired: int


@dataclass(frozen=True)
class Allowed:
    """Consents for a purpose: given and withdrawn in a period, standing at its end, asked for on their own of those."""

    given: int = 0
    withdrawn: int = 0
    standing: int = 0
    separate: int = 0
    categories: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answered:
    """Cases of a kind asked in a period: by state; in time or late by the pack's clock, with its article."""

    states: Mapping[str, int] = field(default_factory=dict)
    in_time: int = 0
    late: int = 0
    article: str = ""

    @property
    def asked(self) -> int:
        """How many were asked."""
        return sum(self.states.values())


def scale(site: Site, period: Period) -> Scale:
    """How many vehicles and persons the register knows at the end of a period."""
    gone = select(retirements.c.vehicle).where(retirements.c.at < period.until)
    v, k = vehicles.c, keepers.c
    still = or_(k.until.is_(None), k.until >= period.until)
    here = select(func.count()).select_from(vehicles).where(v.added < period.until, v.id.not_in(gone))
    keep = select(func.count(distinct(k.person))).where(k.start < period.until, still, k.vehicle.not_in(gone))
    new = select(func.count()).select_from(vehicles).where(v.added >= period.start, v.added < period.until)
    retired = select(func.count()).select_from(retirements)
    retired = retired.where(retirements.c.at >= period.start, retirements.c.at < period.until)
    with reading(site.engine) as conn:
        asked = here, keep, new, retired
        return Scale(*(int(conn.execute(one).scalar_one()) for one in asked))


def registered(conn: Connection) -> int:
    """How many persons the register ever had."""
    return int(conn.execute(select(func.count()).select_from(persons)).scalar_one())


def allowed(site: Site, period: Period) -> dict[str, Allowed]:
    """Consents by purpose over a period."""
    t = consents.c
    open_ = [or_(end.is_(None), end >= period.until) for end in (t.until, t.withdrawn)]
    counts = (
        (t.start >= period.start,),
        (t.withdrawn >= period.start, t.withdrawn < period.until),
        open_,
        (*open_, t.separate),
    )
    ask = select(t.purpose, t.category, *(func.count(case((and_(*some), 1))) for some in counts))
    ask = ask.where(t.start < period.until).group_by(t.purpose, t.category)
    found: dict[str, Allowed] = {}
    with reading(site.engine) as conn:
        for purpose, category, *parts in conn.execute(ask):
            had = found.get(purpose, Allowed())
            sums = (had.given, had.withdrawn, had.standing, had.separate)
            of = had.categories | {category} if parts[0] or parts[2] else had.categories
            given, withdrawn, standing, separate = (a + b for a, b in zip(sums, parts, strict=True))
            found[purpose] = Allowed(given, withdrawn, standing, separate, of)
    return dict(sorted(found.items()))


def answered(site: Site, period: Period) -> dict[str, Answered]:
    """What persons asked for in a period, by kind, and whether it was answered within the law's time."""
    found = dict.fromkeys(moves.CASE, Answered())
    for one in cases.waiting(site, *moves.CASE, states=STATES):
        if period.has(one.asked):
            found[one.kind] = _counted(site, one, found[one.kind])
    return found


def finished(site: Site, period: Period, kind: str) -> int:
    """How many cases of a kind are done, whose end lies in a period."""
    return sum(period.has(one.done) for one in cases.waiting(site, kind, states=("done", "held")))


def _counted(site: Site, one: cases.Case, had: Answered) -> Answered:
    due = clocks.due(site, one)
    timely = due is not None and one.done is not None and one.done <= due.until
    late = due is not None and not timely and (one.done is not None or site.clock() >= due.until)
    return Answered(
        {**had.states, one.state: had.states.get(one.state, 0) + 1},
        had.in_time + timely,
        had.late + late,
        due.article if due else had.article,
    )
