"""What an owner does at the desk: allow and withdraw, save and verify, take along, erase; and what they then see."""

import io
import json
import re
import tarfile
import zipfile
from dataclasses import replace

import msgspec
import pyrage
import pytest

from border_makers import Border
from desk_makers import Desk
from onshore.border import transfer
from onshore.desk.tracks import tracks
from onshore.register import consents, policies
from onshore.rights import cases, erase
from onshore.vault.age import recipient_of
from rights_makers import agreed, floored, said, verified

PURPOSE = "/owner/purposes/warranty-analysis"
DAY = 86_400_000


def forms(page):
    """Where each button of a page goes: (path, its other fields)."""
    found = []
    for form in re.findall(r"<form.*?</form>", page, re.DOTALL):
        action = re.search(r'action="([^"]*)"', form)[1]
        for button in re.findall(r"<button[^>]*>", form):
            value = re.search(r'name="category" value="([^"]*)"', button)
            to = re.search(r'formaction="([^"]*)"', button)
            found.append((to[1] if to else action, value[1] if value else ""))
    return found


def purpose(browser, name="warranty-analysis"):
    """A purpose as the first page has it."""
    return next(p for p in browser.get("/owner.json").json()["cars"][0]["purposes"] if p["purpose"] == name)


def test_to_withdraw_takes_no_more_steps_than_to_allow(desk):
    browser = desk.as_("owner")
    browser.get("/owner")
    before = forms(browser.get(PURPOSE).text)
    assert (f"{PURPOSE}/allow", "track") in before
    assert not [to for to, _ in before if to.endswith("/withdraw")]
    assert browser.form(f"{PURPOSE}/allow", category="track").status_code == 303  # open the purpose, press: two steps
    after = forms(browser.get(PURPOSE).text)
    assert (f"{PURPOSE}/withdraw", "track") in after  # the same two, on the same line
    assert (f"{PURPOSE}/allow", "track") not in after
    assert (f"{PURPOSE}/withdraw", "") in after
    assert (f"{PURPOSE}/withdraw", "") in forms(browser.get("/owner").text)  # or one, on the first page
    assert len(before) == len([one for one in after if one[1] or not one[0].startswith(PURPOSE)])


def test_what_is_allowed_and_withdrawn_shows_and_counts_at_once(desk):
    hands, browser = desk.hands, desk.as_("owner")
    assert not purpose(browser)["sent"]
    browser.form(f"{PURPOSE}/allow", category="track", recipient="stuttgart", until="year")
    assert "You allow it from now on." in browser.texts(PURPOSE)
    shown = purpose(browser)
    assert (shown["categories"], shown["recipients"], shown["rows"]) == (["track"], ["stuttgart"], 0)
    assert 365 * DAY <= shown["until"] - hands.now + DAY <= 367 * DAY
    hands.now += 1000
    hands.drive(1)
    assert purpose(browser)["rows"] == 20
    assert purpose(browser, "statutory-monitoring")["rows"] > 0
    gone = browser.form(f"{PURPOSE}/withdraw", **{"from": "first"})
    assert gone.headers["location"] == "/owner"
    assert "nothing more is kept for it" in browser.texts("/owner")
    assert not purpose(browser)["sent"]
    hands.now += 1000
    hands.drive(1)
    assert purpose(browser)["rows"] == 20
    desk._in.clear()
    hands.now += 2 * DAY
    assert purpose(desk.as_("owner"))["rows"] == 0


def test_it_is_told_whether_the_car_knows(desk):
    hands, browser = desk.hands, desk.as_("owner")
    car = hands.car(1).id
    assert browser.get("/owner.json").json()["cars"][0]["obeys"] is None
    policies.check_in(hands.site, car, policies.current(hands.site, car).version, hands.now)
    assert browser.get("/owner.json").json()["cars"][0]["obeys"] is True
    hands.now += 1000
    browser.form(f"{PURPOSE}/allow", category="track")
    assert "does not know the newest yet" in browser.texts("/owner")
    policies.check_in(hands.site, car, policies.current(hands.site, car).version, hands.now)
    assert "the car sends by this" in browser.texts("/owner")


def test_every_category_says_why_it_is_sent_or_not(desk):
    desk.hands.allow(1)
    browser = desk.as_("owner")
    found = {one["category"]: one for one in browser.get(f"{PURPOSE}.json").json()["categories"]}
    assert found["track"]["decided"]["verdict"] == "keep"
    assert found["health"]["decided"]["verdict"] == "withhold"
    assert "no-consent" in {one["code"] for one in found["health"]["decided"]["reasons"]}
    assert "Vehicle.CurrentLocation.Latitude" in {one["name"] for one in found["track"]["signals"]}
    law = browser.get("/owner/purposes/statutory-monitoring.json").json()
    assert all(one["sent"] and one["decided"]["verdict"] == "keep" for one in law["categories"])
    assert forms(browser.get("/owner/purposes/statutory-monitoring").text)[1:-3] == []


@pytest.mark.parametrize("act", ["allow", "withdraw"])
def test_what_the_law_asks_for_is_nobodys_to_decide(desk, act):
    browser = desk.as_("owner")
    assert browser.form(f"/owner/purposes/statutory-monitoring/{act}", category="track").status_code == 404
    assert browser.get("/owner/purposes/none-such").status_code == 404
    assert browser.form(f"{PURPOSE}/allow", category="biometric").status_code == 422
    assert browser.form(f"{PURPOSE}/allow", category="track", recipient="nobody").status_code == 404


def test_a_notice_that_lacks_something_is_told_with_its_article(hands):
    hands.site = replace(hands.site, settings=msgspec.structs.replace(hands.site.settings, notices={}))
    said_ = Desk(hands).as_("owner").form(f"{PURPOSE}/allow", category="track")
    assert said_.status_code == 409
    assert "notice-incomplete" in said_.text
    assert not consents.of_vehicle(hands.site, hands.car(1).id)


def test_a_receipt_is_saved_and_verified(desk):
    desk.hands.allow(1)
    browser = desk.as_("owner")
    browser.form(f"{PURPOSE}/withdraw")
    rows = browser.get("/owner/receipts.json").json()["receipts"]
    assert sorted(one["state"] for one in rows) == ["given"] * 2 + ["withdrawn"] * 2
    for one in rows:
        saved = browser.get(f"/owner/receipts/{one['consent']}/{one['state']}")
        assert 'filename="receipt-' in saved.headers["content-disposition"]
        assert verified(desk.site, saved.json())
        assert saved.json()["receipt"]["state"] == one["state"]
    assert browser.get(f"/owner/receipts/{rows[0]['consent']}/lost").status_code == 404
    assert browser.get("/owner/receipts/key").text == (desk.site.folder / "ledger" / "vkey").read_text()
    fields = {"csrf": browser.token()}
    told = browser.post("/owner/receipts/check", data=fields, files={"receipt": ("r.json", saved.content)})
    assert (told.status_code, "It holds" in told.text) == (200, True)
    other = saved.content.replace(b'"track"', b'"health"').replace(b'"vehicle-operation"', b'"health"')
    told = browser.post("/owner/receipts/check.json", data=fields, files={"receipt": ("r.json", other)})
    assert (told.status_code, bool(told.json()["checked"]["wrong"])) == (409, True)


def test_a_copy_is_sealed_to_the_key_and_stays_nowhere(desk):
    hands = desk.hands
    hands.allow(1)
    hands.drive(1)
    browser = desk.as_("owner")
    assert browser.form("/owner/copy", key="age1nonsense").status_code == 422
    assert not list(desk.site.folder.rglob("*.age"))
    got = browser.form("/owner/copy", key=recipient_of(hands.identity), category="track")
    assert got.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(got.content)) as both:
        sealed, receipt = (both.read(name) for name in sorted(both.namelist(), key=lambda n: n.endswith("json")))
    assert verified(desk.site, json.loads(receipt))
    opened = pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(hands.identity)])
    with tarfile.open(fileobj=io.BytesIO(opened)) as tar:
        assert any(name.endswith(".csv") for name in tar.getnames())
    assert not list(desk.site.folder.rglob("*.age")) + list(desk.site.folder.rglob("*.receipt.json"))
    taken = browser.get("/owner/copy.json").json()["taken"]
    assert [(one["kind"], one["state"]) for one in taken] == [("take", "done")]
    assert cases.find(desk.site, taken[0]["id"]).wish.identity == "account"


def test_an_erasure_is_asked_for_done_and_certified(desk):
    hands = desk.hands
    hands.allow(1)
    hands.drive(1, 2)
    browser = desk.as_("owner")
    assert browser.form("/owner/erase").status_code == 422
    assert not cases.of_vehicle(desk.site, hands.car(1).id)
    asked = browser.form("/owner/erase", sure="yes")
    path = asked.headers["location"].split("?")[0]
    assert "From this moment nobody reads it." in browser.texts(path)
    assert not purpose(browser)["sent"]
    clock = browser.get("/owner.json").json()["cars"][0]["clocks"][0]
    assert (clock["what"], clock["state"]) == ("erase", "in time")
    assert clock["due"] == browser.get(f"{path}.json").json()["case"]["due"] == _due(browser)
    assert browser.get("/owner/trips.json").json()["trips"] == []
    assert browser.get(f"{path}/certificate").status_code == 409
    erase.carry_out(desk.site)
    shown = browser.get(f"{path}.json").json()
    assert (shown["case"]["state"], shown["case"]["certificate"], shown["done"]["rows"]) == ("done", True, 100)
    paper = browser.get(f"{path}/certificate").json()
    assert verified(desk.site, paper)
    assert browser.get(f"{path}/certificate").json()["receipt"] == paper["receipt"]
    browser.form(f"{path}/handed")
    assert browser.get(f"{path}.json").json()["case"]["struck"] == hands.now
    assert "salt" not in browser.get(f"{path}/certificate").json()["receipt"]
    assert purpose(browser, "statutory-monitoring")["rows"] == 0


def _due(browser):
    return browser.get("/owner/erase.json").json()["clock"]["due"]


def test_what_the_law_keeps_is_told_before_and_after(hands):
    floored(hands)
    desk = Desk(hands)
    agreed(hands, hands.car(1))
    said(hands, (10, None), (20, None))
    browser = desk.as_("owner")
    told = browser.get("/owner/erase.json").json()["floors"]
    assert {(one["category"], one["article"]) for one in told} == {("driving-behaviour", "Test Act, Art. 1")}
    path = browser.form("/owner/erase", sure="yes").headers["location"].split("?")[0]
    erase.carry_out(desk.site)
    shown = browser.get(f"{path}.json").json()
    assert (shown["case"]["clock"], [one["article"] for one in shown["kept"]]) == ("held", ["Test Act, Art. 1"])
    assert "what the law keeps until" in browser.texts(path)
    assert browser.get("/owner.json").json()["cars"][0]["clocks"][0]["state"] == "held"
    assert browser.get("/owner/cases.json").json()["open"] == 1


def test_who_received_something_is_told_with_its_permit(hands):
    hands.allow(1)
    hands.drive(1)
    border = Border(hands)
    request, permit = border.permitted()
    transfer.ship(hands.site, request.id)
    desk = Desk(hands)
    mine, other = (desk.as_("owner", car).get("/owner/received.json").json()["parcels"] for car in (1, 2))
    assert other == []
    assert [(p["recipient"], p["jurisdiction"], p["permit"], p["granted_by"]) for p in mine] == [
        ("stuttgart", "DE", permit.id, "regulator")
    ]
    assert mine[0]["decided"]["verdict"] == "allow"
    assert "stuttgart (DE)" in desk.as_("owner").texts("/owner/received")
    assert "stuttgart" in desk.as_("owner").texts(PURPOSE)
    assert desk.as_("owner").get("/owner.json").json()["parcels"] == 1


def test_trips_are_listed_by_day_and_drawn(desk):
    hands, browser = desk.hands, desk.as_("owner")
    assert "None in this week" in browser.texts("/owner/trips")
    hands.drive(1, seconds=120)
    first = hands.now
    hands.now += 2 * DAY
    desk._in.clear()
    hands.drive(1, seconds=60)
    browser = desk.as_("owner")
    found = browser.get("/owner/trips.json").json()
    assert [one["positions"] for one in found["trips"]] == [120, 60]
    assert len(found["lines"]) == 1
    assert found["trips"][0]["metres"] > found["trips"][1]["metres"] > 100
    page = browser.get("/owner/trips").text
    assert page.count("<polyline") == 1
    earlier = found["trips"][0]["day"]
    drawn = browser.get(f"/owner/trips.json?day={earlier}").json()
    assert drawn["day"] == earlier
    assert drawn["lines"] != found["lines"]
    before = browser.get(f"/owner/trips.json?week={found['before']}").json()
    assert (before["trips"], before["after"]) == ([], found["week"])
    assert found["trips"][0]["end"] <= first
    for wrong in ("day=soon", "week=0001-01-01"):
        assert browser.get(f"/owner/trips?{wrong}").status_code == 422


def test_a_drawing_has_a_bar_of_a_round_length():
    drawn = str(tracks("<Ways>", [[(121.0, 31.0), (121.1, 31.0)], [(121.0, 31.05)]], "m", "km"))
    assert "2 km" in drawn
    assert "&lt;Ways&gt;" in drawn
    assert drawn.count("<circle") == 4
    assert "100 m" in str(tracks("Ways", [[(121.0, 31.0), (121.0, 31.0001)]], "m", "km"))
    assert "<polyline" not in str(tracks("Ways", [], "m", "km"))
