"""Days as forms send them (2026-11-22), read at the site's own time."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from onshore.desk.asked import Asked
from onshore.rules.local import DAY_MS, FIRST_YEAR, LAST_YEAR, counted, local_midnight
from onshore.site import Site
from onshore.words.errors import Malformed


def day_of(asked: Asked, name: str) -> date | None:
    """A field that is a day, or None where it is empty."""
    said = asked.text(name, "")
    try:
        found = date.fromisoformat(said) if said else None
    except ValueError:
        raise Malformed("it is no day; write one as 2026-11-22", where=name) from None
    return _followed(found, name)


def period(site: Site, asked: Asked) -> tuple[int, int]:
    """From the first instant of the day `from` to the end of the day `until` (ms UTC, exclusive); both are needed."""
    first, last = day_of(asked, "from"), day_of(asked, "until")
    if first is None or last is None:
        raise Malformed("both days are needed", where="from, until")
    return local_midnight(first, site.pack.zone), local_midnight(last, site.pack.zone) + DAY_MS


def moment_of(site: Site, asked: Asked, name: str) -> int | None:
    """A field that is a day with a time (2026-11-22T08:30), local to the site, as ms UTC; None where it is empty."""
    said = asked.text(name, "")
    try:
        found = datetime.fromisoformat(said) if said else None
    except ValueError:
        raise Malformed("it is no day with a time; write one as 2026-11-22T08:30", where=name) from None
    if found is None:
        return None
    _followed(found.date(), name)
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(site.pack.zone))
    return int(found.timestamp() * 1000)


def _followed(day: date | None, name: str) -> date | None:
    """A day of a year that a calendar here follows."""
    if not counted(day):
        raise Malformed(f"days are those of the years {FIRST_YEAR} to {LAST_YEAR}", where=name)
    return day
