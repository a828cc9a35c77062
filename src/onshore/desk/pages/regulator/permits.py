"""Permits: what left under each, and taking one back."""

from onshore.border import grants
from onshore.border.views import permitted
from onshore.desk.asked import Asked
from onshore.desk.page import Answer, Moved, Page
from onshore.desk.pages.regulator.first import waiting
from onshore.desk.route import Route
from onshore.desk.texts import T
from onshore.desk.who import Who
from onshore.site import Site

_EACH = 50


def listed(site: Site, _who: Who, asked: Asked) -> Answer:
    """Every permit, the newest first, and what waits for one."""
    found, page = permitted.permits(site), asked.page()
    shown = found[(page - 1) * _EACH : page * _EACH]
    data = {"permits": shown, "number": page, "more": len(found) > page * _EACH, "waiting": waiting(site)}
    return Page("regulator/permits.html", data)


def one(site: Site, _who: Who, asked: Asked) -> Answer:
    """A permit with its limits, how much of them is used, and each parcel under it."""
    permit_id, page = asked.where["permit"], asked.page()
    standing, parcels = permitted.standing(site, permit_id), permitted.under(site, permit_id)
    shown = parcels[(page - 1) * _EACH : page * _EACH]
    data = {"permit": standing, "parcels": shown, "number": page, "more": len(parcels) > page * _EACH}
    return Page("regulator/permit.html", data | {"note": grants.note_of(site, permit_id)})


def revoke(site: Site, who: Who, asked: Asked) -> Answer:
    """Take a permit back, from this instant; say how many parcels were past holding back."""
    site.person(who.name, "regulator")
    permit_id = asked.where["permit"]
    gone = grants.revoke(site, permit_id)
    says = T("Revoked: nothing more leaves under it.")
    if gone:
        says = T("Revoked. Parcels that were already on their way and may still arrive: %(num)d.")
    return Moved(f"/regulator/permits/{permit_id}", says, {"num": len(gone)}, data={"on_their_way": gone})


ROUTES = (
    Route("/regulator/permits", listed, ("regulator",), nav=T("Permits")),
    Route("/regulator/permits/{permit}", one, ("regulator",)),
    Route("/regulator/permits/{permit}/revoke", revoke, ("regulator",), "POST"),
)
