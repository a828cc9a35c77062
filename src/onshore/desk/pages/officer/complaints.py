"""Complaints: what people complain of, by when it is answered, and what they were answered."""

from typing import Any

from onshore.desk import problems, why
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.register import complaints, vehicles, views
from onshore.register.complaints import Complaint
from onshore.site import Site
from onshore.words.errors import Refusal

_WORDS = 20_000  # characters


def listing(site: Site, who: Who, _asked: Asked) -> Answer:
    """Complaints that wait, earliest due first, then those answered; without their words."""
    views.refuse_abroad(site, who.name, "complaint-list")
    found = [_brief(one) for one in complaints.listed(site, every=True)]
    waits = [one for one in found if one["answered"] is None]
    data = {"waits": waits, "ended": found[len(waits) :], "topics": complaints.TOPICS}
    return Page("officer/complaints.html", data | {"purposes": site.settings.site.purposes[1:]})


def one(site: Site, who: Who, asked: Asked) -> Answer:
    """One complaint and its answer, their words opened."""
    views.refuse_abroad(site, who.name, "complaint-show")
    return Page("officer/complaint.html", _data(complaints.find(site, asked.where["complaint"])))


def set_down(site: Site, who: Who, asked: Asked) -> Answer:
    """Set a complaint down; the site's own term for its answer begins."""
    vin = asked.text("vehicle", "").upper()
    done = complaints.open_(
        site,
        asked.one_of("about", complaints.TOPICS),
        asked.text("says", longest=_WORDS),
        who.name,
        vehicle=vehicles.find(site, vin).id if vin else None,
        purpose=asked.text("purpose", ""),
    )
    return Moved(f"/officer/complaints/{done.id}", T("Set down. Its answer is due."), data=_brief(done))


def answer(site: Site, who: Who, asked: Asked) -> Answer:
    """Set down what was answered, once; Onshore sends nothing by itself.

    What is refused is shown on the page of the complaint, with its words, so nobody answers from abroad.
    """
    views.refuse_abroad(site, who.name, "complaint-show")
    found = complaints.find(site, asked.where["complaint"])
    try:
        done = complaints.answer(site, found.id, who.name, asked.text("says", longest=_WORDS))
    except Refusal as refusal:
        shown = _data(found) | {"refused": why.of_refusal(site, refusal)}
        return Page("officer/complaint.html", shown, problems.of_error(refusal).status)
    return Moved(f"/officer/complaints/{done.id}", T("The answer is set down."), data=_brief(done))


def _data(found: Complaint) -> dict[str, Any]:
    return {"complaint": _brief(found) | {"says": found.says, "answer": found.answer}}


def _brief(found: Complaint) -> dict[str, Any]:
    """A complaint without its words."""
    same = ("id", "about", "purpose", "opened", "opened_by", "due", "answered", "answered_by", "state")
    car = "" if found.vehicle is None else f"{found.vehicle:016x}"
    return {name: getattr(found, name) for name in same} | {"vehicle": car}


ROUTES = (
    Route("/officer/complaints", listing, ("officer",), nav=T("Complaints")),
    Route("/officer/complaints", set_down, ("officer",), "POST"),
    Route("/officer/complaints/{complaint}", one, ("officer",)),
    Route("/officer/complaints/{complaint}/answer", answer, ("officer",), "POST"),
)
