"""The engineer's desk: the law's word while a request is filled in, their own requests and parcels; never a row."""

import re

import pytest

from border_makers import Border
from desk_makers import PASSWORD
from onshore.border import requests
from onshore.border.transfer import ship
from onshore.desk.routes import ROUTES
from onshore.register import accounts

ASKED = {
    "purpose": "warranty-analysis",
    "category": ["track", "vehicle-operation"],
    "recipient": "stuttgart",
    "start": "2026-09-20",
    "until": "2026-09-22",
    "method": "file",
}


@pytest.fixture
def border(hands):
    return Border(hands)


@pytest.fixture
def shipped(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, permit = border.permitted()
    ship(border.site, request.id)
    return request, permit


@pytest.fixture
def at_home(desk):
    """A browser of an engineer who sits at the site."""
    accounts.add(desk.site, "hana", "engineer", PASSWORD, sits="CN")
    browser = desk.browser()
    assert browser.sign_in("hana").status_code == 303
    return browser


def test_the_form_says_the_word_of_the_law_with_what_is_missing(desk, at_home):
    desk.hands.allow(1)
    desk.hands.drive(1)
    said = at_home.form("/engineer/ask/verdict", **ASKED)
    assert said.status_code == 200
    assert "Standard contract" in said.text
    assert "<form" in said.text
    assert "selected" in said.text
    part = at_home.post(
        "/engineer/ask/verdict", data={"csrf": at_home.token(), **ASKED}, headers={"hx-request": "true"}
    ).text
    assert "Standard contract" in part
    assert "<html" not in part
    assert "Persons with sensitive data" in part
    twin = at_home.post("/engineer/ask/verdict.json", json=ASKED | {"category": "track"}, headers=token(at_home)).json()
    assert "standard-contract" in twin["word"]["missing"]
    assert {one["name"] for one in twin["word"]["counters"]} == {"sensitive", "ordinary"}
    assert requests.listed(desk.site) == []


def token(browser):
    return {"x-csrf-token": browser.token()}


def test_from_abroad_nobody_learns_of_a_car_by_asking(desk):
    """The same word whether cars drove or not, and no counter."""
    browser = desk.as_("engineer")
    before = browser.form("/engineer/ask/verdict", **ASKED).text
    desk.hands.allow(1)
    desk.hands.drive(1)
    assert browser.form("/engineer/ask/verdict", **ASKED).text == before
    assert "Persons with sensitive data" not in before
    done = browser.form("/engineer/ask", **ASKED)
    assert browser.get(f"{done.headers['location']}.json").json()["word"]["counters"] == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"start": ""}, "start: it is needed"),
        ({"until": "x"}, "it is a day"),
        ({"until": "2026-09-01"}, "ends before it begins"),
        ({"category": []}, "category-unknown"),
        ({"purpose": "none"}, "purpose-unknown"),
        ({"recipient": "none"}, "recipient-unknown"),
        ({"signal": "Vehicle.None"}, "signal-unknown"),
        ({"method": "fax"}, "it is one of"),
    ],
)
def test_what_is_not_filled_in_yet_is_said_and_nothing_asked(desk, wrong, says):
    browser = desk.as_("engineer")
    said = browser.form("/engineer/ask/verdict", **ASKED | wrong)
    assert (said.status_code, says in said.text) == (200, True)
    refused = browser.form("/engineer/ask", **ASKED | wrong)
    assert refused.status_code in (409, 422)
    assert says in refused.text
    assert requests.listed(desk.site) == []


def test_a_request_is_asked_and_told_with_what_comes_next(desk):
    desk.hands.allow(1)
    desk.hands.drive(1)
    browser = desk.as_("engineer")
    assert "You asked for nothing yet." in browser.texts("/engineer")
    done = browser.form("/engineer/ask", **ASKED)
    assert done.status_code == 303
    standing = requests.listed(desk.site)[0]
    assert standing.transfer.asked_by == "engineer"
    assert standing.transfer.until - standing.transfer.start == 3 * 86_400_000
    here = done.headers["location"]
    assert here == f"/engineer/requests/{standing.transfer.id}"
    text = browser.texts(here)
    assert "see what is missing" in text
    assert "An officer files the papers that are missing." in text
    said = browser.get(f"{here}.json").json()
    assert (said["line"]["state"], said["line"]["next"]) == ("judged", "paper")
    assert [one["id"] for one in browser.get("/engineer.json").json()["requests"]] == [standing.transfer.id]
    assert [one["id"] for one in browser.get("/engineer/requests.json").json()["requests"]] == [standing.transfer.id]


def test_requests_and_parcels_of_others_are_not_theirs_to_see(desk, shipped):
    request, _ = shipped
    accounts.add(desk.site, "otto", "engineer", PASSWORD, sits="DE")
    browser = desk.browser()
    browser.sign_in("otto")
    assert browser.get("/engineer/requests.json").json()["requests"] == []
    assert browser.get("/engineer/parcels.json").json()["parcels"] == []
    for path in (f"requests/{request.id}", f"parcels/{request.id}-1/proof", "parcels/none/proof"):
        assert browser.get(f"/engineer/{path}").status_code == 404
    assert desk.as_("engineer").get(f"/engineer/requests/{request.id}").status_code == 200


def test_a_parcel_comes_with_its_proof_and_how_to_verify_it(desk, shipped):
    request, _ = shipped
    browser = desk.as_("engineer")
    said = browser.get("/engineer/parcels.json").json()["parcels"]
    assert [(one["id"], one["state"], one["file"]) for one in said] == [(f"{request.id}-1", "left", True)]
    text = browser.texts("/engineer/parcels")
    assert f"onshore verify {request.id}-1.parcel --key vkey" in text
    proof = browser.get(f"/engineer/parcels/{request.id}-1/proof")
    beside = desk.site.folder / "outbox" / f"{request.id}-1.tlog-proof"
    assert proof.text.splitlines()[:3] == beside.read_text().splitlines()[:3]
    assert browser.get("/engineer/vkey").text == desk.site.ledger.vkeys


def test_a_category_leads_to_the_form_with_it_filled_in(desk):
    desk.hands.allow(1)
    desk.hands.drive(1)
    browser = desk.as_("engineer")
    page = browser.get("/engineer/catalogue/track").text
    link = re.search(r'href="(/engineer/ask\?purpose=warranty-analysis[^"]*)"', page)[1].replace("&amp;", "&")
    filled = browser.get(link).text
    assert 'value="track" checked' in filled
    assert 'value="warranty-analysis" selected' in filled


def test_no_page_of_theirs_has_a_row(desk, shipped):
    request, _ = shipped
    car, browser = desk.hands.car(1), desk.as_("engineer")
    real = {"request": request.id, "parcel": f"{request.id}-1", "category": "track"}
    ids = [str(car.id), f"{car.id:016x}", str(car.owner), f"{car.owner:016x}"]
    strangers = [desk.hands.vin(1).decode(), "owner 1", *ids]
    for route in ROUTES:
        if route.roles == ("engineer",) and route.method == "GET":
            path = re.sub(r"\{([a-z]+)\}", lambda m: real[m[1]], route.path)
            said = browser.get(path)
            assert said.status_code == 200, (path, said.text)
            assert not [one for one in strangers if one in said.text], path
            assert "LTEST" not in said.text
