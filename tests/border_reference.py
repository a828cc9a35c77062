"""What may leave a site, in plain sets: said by what people did, and by nothing that the site's own code says."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SETTLED = 3_600_000
AHEAD = timedelta(hours=8)  # Shanghai


def day_of(now):
    """The calendar day in Shanghai."""
    return (datetime.fromtimestamp(now / 1000, UTC) + AHEAD).date()


@dataclass
class Consent:
    """What the owner of a car allowed for a purpose and category, to recipients, over [start, until)."""

    car: int
    purpose: str
    category: str
    recipients: frozenset
    start: int
    until: int
    withdrawn: bool = False

    def holds(self, car, purpose, category, time, now):
        """Whether it is of that, and stands at an event and now."""
        mine = (self.car, self.purpose, self.category) == (car, purpose, category) and not self.withdrawn
        return mine and self.start <= min(time, now) and max(time, now) < self.until


@dataclass
class Row:
    """A row of a car: when it was, when it came, for which purposes each category of it was kept."""

    car: int
    time: int
    received: int
    kept: frozenset  # of (category, purpose)
    gone: bool = False


@dataclass
class Granted:
    """A permit's limits."""

    request: str
    persons: int
    rows: int
    start: object
    until: object
    signals: tuple = ()
    transforms: tuple = ()
    revoked: bool = False


@dataclass
class Left:
    """A parcel that left: under which permit, to whom, when; its persons by category, its rows."""

    request: str
    permit: str
    at: int
    persons: dict
    rows: int
    arrived: int


@dataclass
class Reference:
    """Everything that was done so far, and what may leave for it."""

    consents: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    restricted: set = field(default_factory=set)
    requests: dict = field(default_factory=dict)
    halted: set = field(default_factory=set)
    permits: dict = field(default_factory=dict)
    left: dict = field(default_factory=dict)
    owner: dict = field(default_factory=dict)

    def drive(self, car, times, now):
        """Rows of a car reach the gate."""
        for time in times:
            kept = {(c.category, c.purpose) for c in self.consents if c.holds(car, c.purpose, c.category, time, now)}
            if kept:
                self.rows.append(Row(car, time, now, frozenset(kept)))

    def withdraw(self, car, purpose=None, category=None):
        """Consents of a car's owner end."""
        for one in self.consents:
            fits = one.car == car and purpose in (None, one.purpose) and category in (None, one.category)
            one.withdrawn |= fits

    def forget(self, car):
        """No row of a car that is here may ever leave."""
        for row in self.rows:
            row.gone |= row.car == car

    def person(self, car):
        """Whose a car is now."""
        return car, self.owner.get(car, 0)

    def may_leave(self, request, now):
        """Rows (car, time) by category that may leave for a request now: consented to when they came, and now."""
        asked, found = self.requests[request], {}
        since = max((one.arrived for one in self.left.values() if one.request == request), default=0)
        for row in self.rows:
            if row.gone or row.car in self.restricted or not asked.start <= row.time < asked.until:
                continue
            if asked.method == "feed" and not since <= row.received < now - SETTLED:
                continue
            for category in asked.categories:
                standing = any(
                    one.holds(row.car, asked.purpose, category, row.time, now) and asked.recipient in one.recipients
                    for one in self.consents
                )
                if standing and (category, asked.purpose) in row.kept:
                    found.setdefault(category, set()).add((row.car, row.time))
        return found

    def refuses(self, request, permit, now):
        """Why nothing may leave for a request under a permit now, whatever the rows are; empty where it may."""
        granted = self.permits.get(permit)
        if granted is None or granted.request != request:
            return "the permit is of another request"
        if granted.revoked or not granted.start <= day_of(now) <= granted.until:
            return "the permit does not stand"
        return "the request is held back" if request in self.halted else ""

    def used(self, permit):
        """Persons that left under a permit."""
        mine = [one.persons for one in self.left.values() if one.permit == permit]
        return {person for persons in mine for of in persons.values() for person in of}

    def counted(self, year, categories):
        """Persons of whom rows of such categories left in a year."""
        mine = [one.persons for one in self.left.values() if day_of(one.at).year == year]
        return {p for persons in mine for category in categories for p in persons.get(category, ())}
