"""Trips: where I went, a week at a time; a table, and the ways of one day drawn on no map."""

from dataclasses import dataclass
from datetime import date, timedelta

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.pages.owner import mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.rights.trips import Trip, trips
from onshore.rules.local import local_day, local_midnight
from onshore.site import Site
from onshore.words.errors import Malformed

_DAYS = 7
_DRAWN = 1200  # positions that one drawing has, all trips of the day together


@dataclass(frozen=True)
class Drove:
    """A trip: the day on which it began (local), from, to (ms UTC), how far in metres, how many positions."""

    day: str
    start: int
    end: int
    metres: int
    positions: int


def week(site: Site, who: Who, asked: Asked) -> Answer:
    """The trips of a week that ends with the day asked for, and the lines of that day, or of the last with any."""
    one = mine.one_of(site, who, asked)
    today = site.today()
    last = _day(asked.text("week", today.isoformat(), longest=10))
    begin = local_midnight(last - timedelta(days=_DAYS - 1), site.pack.zone)
    until = local_midnight(last + timedelta(days=1), site.pack.zone)
    found = trips(site, who.name, mine.scope(site, one), begin, until)
    days = [local_day(trip.start, site.pack.zone) for trip in found]
    chosen = _day(asked.text("day", max(days, default=last).isoformat(), longest=10))
    drawn = [trip for trip, day in zip(found, days, strict=True) if day == chosen]
    data = {
        "car": mine.shown(site, who, one),
        "trips": [_drove(trip, day) for trip, day in zip(found, days, strict=True)],
        "day": chosen.isoformat(),
        "lines": [_thinned(trip, max(_DRAWN // len(drawn), 2)) for trip in drawn],
        "week": last.isoformat(),
        "before": (last - timedelta(days=_DAYS)).isoformat(),
        "after": (last + timedelta(days=_DAYS)).isoformat() if last < today else None,
        "since": begin,
        "metres": sum(trip.metres for trip in found),
    }
    return Page("owner/trips.html", data)


def _drove(trip: Trip, day: date) -> Drove:
    return Drove(day.isoformat(), trip.start, trip.end, trip.metres, trip.positions)


def _thinned(trip: Trip, most: int) -> list[tuple[float, float]]:
    step = -(-len(trip.line) // most)
    return [*trip.line[:-1:step], trip.line[-1]]


def _day(said: str) -> date:
    try:
        day = date.fromisoformat(said)
    except ValueError:
        raise Malformed("it is no day; write one as 2026-11-22", where="day") from None
    if not 2000 <= day.year <= 2100:
        raise Malformed("it lies outside the years 2000 to 2100", where="day")
    return day


ROUTES = (Route("/owner/trips", week, ("owner",), nav=T("My trips")),)
