"""Retention as a dry run: what would go, when, under which article; nothing is touched."""

from dataclasses import dataclass
from datetime import date

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Page
from onshore.desk.pages.officer.days import day_of
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.rights import retention
from onshore.rights.retained import retained
from onshore.rights.retention import Limits, Stay
from onshore.rules.keeping import Term
from onshore.rules.local import local_midnight
from onshore.site import Site
from onshore.words.errors import Malformed

_LAST = date(2200, 1, 1)


@dataclass(frozen=True)
class Kept:
    """Rows of a category and ground. `may`: until when the earliest may lie; `must`: until when it has to.

    `due`: rows that go now; `whole`, `rewritten`: files that go as a whole, or are written anew without them.
    """

    category: str
    ground: str
    exception: str
    rows: int
    files: int
    size: int
    earliest: int
    must: Term | None
    may: Term | None
    due: int
    whole: int
    rewritten: int
    restricted: int


def dry_run(site: Site, _who: Who, asked: Asked) -> Answer:
    """Everything that lies here as it would be on a day, what goes first on top."""
    day = day_of(asked, "at")
    if day is not None and not site.today() <= day <= _LAST:
        raise Malformed("a day from today on is needed", where="at")
    at = site.clock() if day is None or day == site.today() else local_midnight(day, site.law.zone)
    limits, rows = Limits(site, at), [_kept(one) for one in retention.stays(site, at)]
    rows.sort(key=lambda one: (not one.due, one.may is None, one.may.until if one.may else 0))
    data = {
        "at": at,
        "ahead": at != site.clock() and day is not None and day != site.today(),
        "pack": limits.pack.id,
        "rows": rows,
        "papers": list(retained(site, at)),
        "due": sum(one.due for one in rows),
        "next": next((one for one in rows if one.may and not one.due), None),
    }
    return Page("officer/retention.html", data)


def _kept(one: Stay) -> Kept:
    category, ground, exception = one.kind
    return Kept(
        category=category,
        ground=ground,
        exception=exception,
        rows=one.rows,
        files=one.files,
        size=one.size,
        earliest=one.first,
        must=one.must,
        may=one.may,
        due=one.due_rows,
        whole=one.due_whole,
        rewritten=one.due_files - one.due_whole,
        restricted=one.restricted,
    )


ROUTES = (Route("/officer/retention", dry_run, ("officer",), nav=T("Retention")),)
