"""Erase: ask for it, told before what the law keeps and why; the rows are nobody's to read from that moment on."""

from dataclasses import dataclass

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.owner import mine
from onshore.desk.pages.owner.copies import wished
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.rights import cases, clocks, floors
from onshore.rights.cases import Case, Wish
from onshore.site import Site
from onshore.words.errors import Malformed
from onshore.words.vocabulary import CATEGORIES, STATUTORY


@dataclass(frozen=True)
class Floor:
    """What the law keeps: a category on a ground, of what arrives now until when (ms UTC), by which article."""

    category: str
    ground: str
    until: int
    article: str
    says: str


@dataclass(frozen=True)
class Clock:
    """By when it is done if it is asked for now (ms UTC), by which article."""

    due: int
    article: str
    says: str


def page(site: Site, who: Who, asked: Asked) -> Answer:
    """What an erasure does, by when, and what the law keeps."""
    one = mine.one_of(site, who, asked)
    now = site.clock()
    by = clocks.due(
        site, Case("", one.vehicle.id, "erase", now, "", "asked", None, None, None, Wish(mine.scope(site, one)))
    )
    clock = Clock(by.until, by.article, by.says) if by else None
    data = {"floors": _floors(site), "clock": clock, "categories": list(CATEGORIES)}
    return Page("owner/erase.html", {"car": mine.shown(site, who, one), **data})


def erase(site: Site, who: Who, asked: Asked) -> Answer:
    """Ask for it: restricted at once, consents withdrawn; whoever keeps the site does the rest."""
    one = mine.one_of(site, who, asked)
    if asked.text("sure", "") != "yes":
        raise Malformed("tick that you are sure: what is erased cannot be brought back", where="sure")
    case = cases.opened(site, one.vehicle, "erase", who.name, wished(site, one, asked))
    said = T("From this moment nobody reads it. It is erased next; the certificate will be here.")
    return Moved(f"/owner/cases/{case.id}?car={one.id}", said, data={"case": case.id})


def _floors(site: Site) -> list[Floor]:
    """What the pack of today has kept, of what the law itself asks for and of what a consent covers."""
    found, now = [], site.clock()
    lawful = [(one, "statutory") for one in mine.categories(site, STATUTORY)]
    for category, ground in [*lawful, *((one, "consent") for one in CATEGORIES)]:
        must, _ = floors.stay(site, category, ground, now)
        if must is not None:
            found.append(Floor(category, ground, must.until, must.article, must.says))
    return found


ROUTES = (
    Route("/owner/erase", page, ("owner",), nav=T("Erase")),
    Route("/owner/erase", erase, ("owner",), "POST"),
)
