"""An officer abroad: what they may not open they do not read by having an act refused, and they see no count."""

import pytest

from border_makers import Border
from desk_makers import PASSWORD, Desk
from onshore.border import transfer
from onshore.border.cases import courts
from onshore.register import accounts, complaints, incidents
from onshore.register.incidents import Happened
from onshore.site import open_site

WORDS = "Wang Wei says so"


@pytest.fixture
def desk(hands):
    """A desk of a site that knows a court of the US as such."""
    toml = hands.site.folder / "site.toml"
    key = hands.site.settings.recipients["stuttgart"].key
    toml.write_text(toml.read_text() + f'\n[recipients.court]\njurisdiction = "US"\nkey = "{key}"\nauthority = true\n')
    hands.site = open_site(hands.site.folder, clock=hands.site.clock)
    return Desk(hands)


@pytest.fixture
def abroad(desk):
    accounts.add(desk.site, "ada", "officer", PASSWORD, sits="DE")
    browser = desk.browser()
    assert browser.sign_in("ada").status_code == 303
    return browser


@pytest.fixture
def cases(desk):
    """The page of a complaint, an incident and a court's request, each ended or bound to refuse the acts below."""
    site, now = desk.site, desk.hands.now
    complaint = complaints.open_(site, "consent", WORDS, "officer")
    complaints.answer(site, complaint.id, "officer", WORDS)
    incident = incidents.open_(site, Happened("leak", "grave", now, WORDS, ("track",)), "officer")
    wanted = courts.Wanted(("track",), now - 1000, now, ())
    court = courts.ask(site, "court", "court", wanted, authority=WORDS, reference="26-cv-1", by="officer")
    courts.refuse(site, court.id, "officer", WORDS)
    named = {"complaints": complaint.id, "incidents": incident.id, "courts": court.id}
    return {what: f"/officer/{what}/{number}" for what, number in named.items()}


@pytest.mark.parametrize(
    ("what", "act", "fields"),
    [
        ("complaints", "answer", {"says": "again"}),
        ("incidents", "amend", {"says": "more"}),
        ("incidents", "report", {"to": "FR", "number": "R-1"}),
        ("incidents", "close", {"says": "found"}),
        ("courts", "approve", {"number": "MOJ-1"}),
        ("courts", "refuse", {"says": "no"}),
    ],
)
@pytest.mark.parametrize("twin", ["", ".json"])
def test_what_may_not_be_opened_is_not_shown_by_an_act_that_is_refused(desk, abroad, cases, what, act, fields, twin):
    assert abroad.get(f"{cases[what]}{twin}").status_code == 403
    sent = abroad.form(f"{cases[what]}/{act}{twin}", **fields)
    assert sent.status_code == 403
    assert "Wang" not in sent.text
    if twin:
        assert sent.json()["reason"] == "view-is-export"
    assert "Wang" in desk.as_("officer").get(f"{cases[what]}.json").text


def test_a_request_is_shown_abroad_without_a_count(desk, abroad):
    desk.hands.allow(1)
    desk.hands.drive(1)
    border = Border(desk.hands)
    request, _ = border.permitted()
    transfer.ship(border.site, request.id)
    page = f"/officer/requests/{request.id}"
    here, there = desk.as_("officer").get(f"{page}.json").json(), abroad.get(f"{page}.json").json()
    assert (here["parcels"][0]["persons"], here["permits"][0]["used"], here["counted"]) == (1, 1, True)
    assert (there["parcels"][0]["persons"], there["permits"][0]["used"], there["counted"]) == (None, None, False)
    assert here["toward"]
    assert here["counts"]
    assert (there["toward"], there["counts"]) == ([], [])
    counters = "Counters to the next threshold"
    assert counters in desk.as_("officer").texts(page)
    words = abroad.texts(page)
    assert "Parcels" in words
    assert counters not in words


def test_nor_is_a_count_told_with_an_act_that_is_refused(desk, abroad):
    desk.hands.allow(1)
    desk.hands.drive(1)
    request, _ = Border(desk.hands).ask()
    refused = abroad.form(f"/officer/requests/{request.id}/approve.json")
    assert refused.status_code >= 400
    assert refused.json()["toward"] == refused.json()["counts"] == []
