"""Incidents and complaints of a period, as the registers have them: codes, counts and clocks, never their words."""

from dataclasses import dataclass

from onshore.register import complaints, incidents
from onshore.reports.evidence.period import Period
from onshore.site import Site


@dataclass(frozen=True)
class Told:
    """A report of an incident: to which jurisdiction, its number once made, how it stands by that one's clock.

    `state`: "told", "told-late", "owed", "late"; "no-clock" where that one's pack has none for it.
    """

    to: str
    number: str
    state: str


@dataclass(frozen=True)
class Incident:
    """An incident that the site knew of in a period (ms UTC). `persons`: None where nobody knows."""

    id: str
    known: int
    kind: str
    severity: str
    categories: tuple[str, ...]
    persons: int | None
    state: str
    reports: tuple[Told, ...]


@dataclass(frozen=True)
class Complained:
    """Complaints about a topic that came in a period: answered in time, late (answered or not), not answered yet."""

    came: int = 0
    in_time: int = 0
    late: int = 0
    open: int = 0


@dataclass(frozen=True)
class Registers:
    """What both registers have of a period; `opened`: how many incidents were set down in it, whenever known."""

    incidents: tuple[Incident, ...]
    complaints: dict[str, Complained]
    opened: int

    @property
    def complained(self) -> int:
        """How many complaints came."""
        return sum(one.came for one in self.complaints.values())


def registers(site: Site, period: Period) -> Registers:
    """What the registers have of a period."""
    every = incidents.listed(site, every=True)
    found = [_incident(one) for one in every if period.has(one.known)]
    topics = dict.fromkeys(complaints.TOPICS, Complained())
    for one in complaints.listed(site, every=True):
        if period.has(one.opened):
            had = topics[one.about]
            topics[one.about] = Complained(
                had.came + 1,
                had.in_time + (one.state == "answered"),
                had.late + (one.state in ("late", "answered late")),
                had.open + (one.answered is None),
            )
    opened = sum(period.has(one.opened) for one in every)
    return Registers(tuple(sorted(found, key=lambda one: (one.known, one.id))), topics, opened)


_STATES = {"made": "told", "made late": "told-late", "late": "late", "no clock": "no-clock"}


def _incident(one: incidents.Incident) -> Incident:
    told = tuple(Told(each.jurisdiction, each.number or "", _STATES.get(each.state, "owed")) for each in one.reports)
    return Incident(one.id, one.known, one.kind, one.severity, one.categories, one.persons, one.state, told)
