"""What persons asked for: the cases with their clocks, and one case with its certificate."""

import json
from dataclasses import dataclass
from typing import Any

from onshore.desk.asked import Asked
from onshore.desk.page import Answer, File, Moved, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import views
from onshore.rights import cases, certificates, clocks, moves
from onshore.rights.cases import Case
from onshore.site import Site
from onshore.words.errors import Malformed, Refusal

_TOLD = ("rows", "keys_destroyed", "kept", "remains", "erased_until", "done", "struck")
"""What of a certificate the page says; all of it is in the file."""


@dataclass(frozen=True)
class Listed:
    """A case. `clock`: "late", "near", "in time", "held", "no clock", "stands" (a restriction), or "done".

    `due`: ms UTC, exclusive; `article`, `says`: of the pack; `sure`: False where a calendar does not reach.
    """

    id: str
    kind: str
    vehicle: str
    asked: int
    asked_by: str
    identity: str
    clock: str
    due: int | None
    sure: bool
    article: str
    says: str
    held_until: int | None


def listing(site: Site, who: Who, _asked: Asked) -> Answer:
    """The cases that wait, what is due first on top; restrictions that stand; certificates not handed out yet."""
    views.refuse_abroad(site, who.name, "rights-list")
    ready = cases.waiting(site, "erase", states=("done", "held"))
    data = {
        "waits": [_listed(one.case, one) for one in clocks.queue(site)],
        "stand": [_listed(case, None) for case in cases.waiting(site, "restrict")],
        "ready": [_listed(case, None) for case in ready if case.certificate and case.entry is not None],
    }
    return Page("officer/rights.html", data)


def case(site: Site, who: Who, asked: Asked) -> Answer:
    """One case: what was asked, how wide, by when, and what its certificate says."""
    views.refuse_abroad(site, who.name, "rights-show")
    found = cases.find(site, asked.where["case"])
    opened = clocks.standing(site, found, site.clock()) if found.state in moves.OPEN else None
    scope = found.wish.scope
    data = {
        "case": _listed(found, opened),
        "state": found.state,
        "done": found.done,
        "categories": sorted(scope.categories or ()),
        "start": scope.start,
        "until": scope.until,
        "one_driver": scope.driver is not None,
        "one_keeper": found.wish.person is not None,
        "certificate": _certificate(found),
        "handed_out": found.struck,
    }
    return Page("officer/case.html", data)


def certificate(site: Site, who: Who, asked: Asked) -> Answer:
    """The certificate of an erasure with its proof, to save for the person."""
    views.refuse_abroad(site, who.name, "rights-show")
    found = _erasure(site, asked)
    paper = certificates.certificate(site, found)
    return File(f"{found.id}.certificate.json", "application/json", json.dumps(paper, ensure_ascii=False).encode())


def handed(site: Site, _who: Who, asked: Asked) -> Answer:
    """The person has it: what links it to the ledger is struck here."""
    found = _erasure(site, asked)
    if asked.text("given", "") != "yes":
        raise Malformed("say that the person has it: nothing here proves any more what it says", where="given")
    certificates.certificate(site, found)
    done = certificates.hand_out(site, found)
    said = T("Handed out. What linked it to the ledger is struck here.")
    return Moved(f"/officer/rights/{found.id}", said, data={"id": found.id, "handed_out": done.struck})


def _erasure(site: Site, asked: Asked) -> Case:
    """An erasure; of other cases the person has a receipt in hand already."""
    found = cases.find(site, asked.where["case"])
    if found.kind != "erase":
        raise Refusal("certificate-unknown", "no certificate belongs to a case of this kind")
    return found


def _certificate(found: Case) -> dict[str, Any] | None:
    if found.kind != "erase" or found.certificate is None:
        return None
    return {name: found.certificate.get(name) for name in _TOLD}


def _listed(found: Case, waits: clocks.Open | None) -> Listed:
    by = waits.due if waits else None
    kind_of_rest = "stands" if (found.kind, found.state) == ("restrict", "asked") else "done"
    return Listed(
        id=found.id,
        kind=found.kind,
        vehicle=f"{found.vehicle:016x}",
        asked=found.asked,
        asked_by=found.asked_by,
        identity=found.wish.identity,
        clock="stands" if kind_of_rest == "stands" else waits.state if waits else "done",
        due=by.until if by else None,
        sure=by.sure if by else True,
        article=by.article if by else "",
        says=by.says if by else "",
        held_until=found.held_until,
    )


ROUTES = (
    Route("/officer/rights", listing, ("officer",), nav=T("Persons' requests")),
    Route("/officer/rights/{case}", case, ("officer",)),
    Route("/officer/rights/{case}/certificate", certificate, ("officer",), file=True),
    Route("/officer/rights/{case}/handed", handed, ("officer",), "POST"),
)
