"""A real site with two years of life in it: cars, consents, withdrawals, exports, a refusal, an erasure."""

from datetime import datetime

from border_makers import PAPERS, Border
from onshore.border import grants
from onshore.border.transfer import ship
from onshore.register import complaints, consents, incidents
from onshore.reports.form import asks
from onshore.rights import access
from onshore.rights.erase import erase

DAY = 86_400_000


def at(text):
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def lived(hands):
    """Autumn 2026 and spring 2027 at a site; its two parcels, of the old year and the new, are in `hands.shipped`."""
    border = Border(hands)
    hands.border = border
    for number in (1, 2, 3):
        hands.allow(number)
    hands.drive(1, 2, 3)
    consents.withdraw(hands.site, hands.car(3))
    hands.drive(3)
    first = border.permitted()[0]
    hands.shipped = [ship(hands.site, first.id)]
    border.ask(purpose="battery-research", categories=("driving-behaviour",))
    for days in range(20, 200, 20):  # a site writes its ledger all year round
        hands.now = at("2026-09-22T12:00:00+08:00") + days * DAY
        hands.drive(2, seconds=5)
    hands.now = at("2027-04-12T09:00:00+08:00")
    hands.allow(4)
    hands.allow(5)
    hands.drive(1, 2, 4, 5)
    request, _ = border.ask()
    border.file(request, *PAPERS)
    border.approve(request)
    grants.grant(hands.site, border.draft(request, persons=9), border.regulator())
    hands.shipped.append(ship(hands.site, request.id))
    hands.now += DAY
    access.access(hands.site, hands.car(2), "owner")
    erase(hands.site, hands.car(1), "owner")
    hands.now += DAY
    happened = incidents.Happened("leak", "general", hands.now - 60_000, "a disk of owner 2", ("track",), persons=1)
    one = incidents.open_(hands.site, happened, "officer")
    incidents.report(hands.site, one.id, "CN", "officer", "CAC-2027-1")
    about = complaints.open_(hands.site, "export", "owner 4 wants to know", "officer", vehicle=hands.car(4).id)
    complaints.answer(hands.site, about.id, "officer", "owner 4 was told")
    complaints.open_(hands.site, "consent", "owner 5 complains", "officer")
    hands.now += DAY
    hands.site.settle()
    return hands


def texts(tmp_path, *, but=()):
    """A file in which humans wrote all that is asked, in both languages."""
    path = tmp_path / "texts.toml"
    said = (
        f'[{name}]\nzh = "此处由企业填写：{name}。"\nen = "Written by the company: {name}."\n'
        for name in asks()
        if name not in but
    )
    path.write_text("\n".join(said), encoding="utf-8")
    return path
