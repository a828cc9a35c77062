"""Copies: all that is kept of them, sealed to their own key, to take along."""

import io
import zipfile
from pathlib import Path

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Page
from onshore.desk.pages.owner import cases, mine
from onshore.desk.pages.owner.mine import Mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.rights.cases import Wish
from onshore.rights.take import Taken, take
from onshore.rights.whose import wish
from onshore.site import Site
from onshore.vault.age import check_recipient
from onshore.words.vocabulary import CATEGORIES

HOW = "account"
"""How who asks was checked: they signed in."""


def page(site: Site, who: Who, asked: Asked) -> Answer:
    """What a copy is, what it takes, and those that were taken."""
    one = mine.one_of(site, who, asked)
    taken = [cases.shown(site, case) for case in reversed(cases.of_car(site, one)) if case.kind == "take"]
    return Page("owner/copy.html", {"car": mine.shown(site, who, one), "taken": taken, "categories": list(CATEGORIES)})


def copy(site: Site, who: Who, asked: Asked) -> Answer:
    """The sealed copy and its receipt in one file, as `onshore rights access --take` makes them; nothing stays here."""
    one = mine.one_of(site, who, asked)
    to = check_recipient(asked.text("key", longest=2000))
    taken = take(site, one.vehicle, who.name, wished(site, one, asked), folder=_folder(site), to=to)
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_STORED) as both:  # sealed bytes do not get smaller
        for path in _both(taken):
            both.write(path, path.name)
    for path in _both(taken):
        path.unlink()
    return File(f"copy-{taken.case.id}.zip", "application/zip", body.getvalue())


def wished(site: Site, one: Mine, asked: Asked) -> Wish:
    """How wide they want something: some categories, some local days, both inclusive; else all that is theirs."""
    days = asked.text("from", "", longest=10) or None, asked.text("until", "", longest=10) or None
    some = asked.all("category")
    return wish(site, one.vehicle, person=one.person, categories=some, first=days[0], last=days[1], identity=HOW)


def _folder(site: Site) -> Path:
    """Where a copy is sealed before it is handed out: one place, so that what was cut short is taken up again."""
    return site.folder / "copies"


def _both(taken: Taken) -> tuple[Path, Path]:
    return taken.file, taken.receipt


ROUTES = (
    Route("/owner/copy", page, ("owner",), nav=T("Take a copy")),
    Route("/owner/copy", copy, ("owner",), "POST"),
)
