"""Cases: what they asked for, by when it is due, what came of it, and the certificate to keep."""

import json
from dataclasses import dataclass

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Moved, Page
from onshore.desk.pages.owner import mine
from onshore.desk.pages.owner.mine import Mine
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import persons
from onshore.rights import cases, certificates, clocks, moves
from onshore.rights.cases import Case
from onshore.rights.clocks import Due
from onshore.site import Site
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Shown:
    """A case as its person sees it: `clock` as the queue has it, or "done"; `due` and `held_until` are ms UTC.

    `certificate`: there is one to save, or it was `struck` (ms UTC) because they have it.
    """

    id: str
    kind: str
    state: str
    clock: str
    asked: int
    done: int | None
    due: int | None
    article: str
    says: str
    held_until: int | None
    certificate: bool
    struck: int | None


@dataclass(frozen=True)
class Held:
    """What the law has kept of an erasure: by which article, until when (ms UTC), how many rows."""

    article: str
    says: str
    until: int
    rows: int


def listed(site: Site, who: Who, asked: Asked) -> Answer:
    """What they asked for about a car, newest first."""
    one = mine.one_of(site, who, asked)
    found = [shown(site, case) for case in reversed(of_car(site, one))]
    open_ = sum(case.state in moves.OPEN for case in found)
    return Page("owner/cases.html", {"car": mine.shown(site, who, one), "cases": found, "open": open_})


def case(site: Site, who: Who, asked: Asked) -> Answer:
    """One of them: how wide it is, its clock, what was done, and what the law kept."""
    one, found = find(site, who, asked)
    paper, wish = found.certificate or {}, found.wish
    scope = {
        "categories": sorted(wish.scope.categories or ()),
        "from": wish.scope.start,
        "until": wish.scope.until if found.kind != "erase" or found.held_until is None else None,
    }
    done = {name: paper.get(name) for name in ("rows", "keys_destroyed", "remains")}
    kept = [Held(held["article"], held["says"], held["until"], held["rows"]) for held in paper.get("kept", ())]
    data = {"case": shown(site, found), "scope": scope, "done": done, "kept": kept}
    return Page("owner/case.html", {"car": mine.shown(site, who, one), **data})


def certificate(site: Site, who: Who, asked: Asked) -> Answer:
    """The certificate of one, to save; nothing is struck by that."""
    _, found = find(site, who, asked)
    body = json.dumps(certificates.certificate(site, found), ensure_ascii=False).encode()
    return File(f"certificate-{found.id}.json", "application/json", body)


def handed(site: Site, who: Who, asked: Asked) -> Answer:
    """They have it: what links it to the ledger is struck here, so that nobody here can show any more whose it is."""
    one, found = find(site, who, asked)
    certificates.hand_out(site, found)
    said = T("What links the certificate to the ledger is struck here. You alone have it now.")
    return Moved(f"/owner/cases/{found.id}?car={one.id}", said, data={"case": found.id})


def of_car(site: Site, one: Mine) -> list[Case]:
    """What they asked for about a car, or was asked of the whole car in their time as its owner; oldest first."""
    owner = one.role == persons.OWNER
    return [
        case
        for case in cases.of_vehicle(site, one.vehicle.id)
        if case.wish.person == one.person or (owner and case.wish.person is None and one.since <= case.asked)
    ]


def find(site: Site, who: Who, asked: Asked) -> tuple[Mine, Case]:
    """A case of theirs by the path's parameter, with its car; refuses (`case-unknown`) any other."""
    cars = [mine.one_of(site, who, asked)] if asked.text("car", "") else mine.all_of(site, who)
    for one in cars:
        for found in of_car(site, one):
            if found.id == asked.where["case"]:
                return one, found
    raise Refusal("case-unknown", "you asked for nothing under this number")


def shown(site: Site, case: Case) -> Shown:
    """A case as a page shows it."""
    by: Due | None = None
    clock = "done" if case.state == "done" else "stands" if case.kind == "restrict" else ""
    if not clock:
        open_ = clocks.standing(site, case, site.clock())
        by, clock = open_.due, open_.state
    return Shown(
        id=case.id,
        kind=case.kind,
        state=case.state,
        clock=clock,
        asked=case.asked,
        done=case.done,
        due=by.until if by else None,
        article=by.article if by else "",
        says=by.says if by else "",
        held_until=case.held_until,
        certificate=case.certificate is not None and case.entry is not None and case.kind == "erase",
        struck=case.struck,
    )


ROUTES = (
    Route("/owner/cases", listed, ("owner",), nav=T("What I asked for")),
    Route("/owner/cases/{case}", case, ("owner",)),
    Route("/owner/cases/{case}/certificate", certificate, ("owner",), file=True),
    Route("/owner/cases/{case}/handed", handed, ("owner",), "POST"),
)
