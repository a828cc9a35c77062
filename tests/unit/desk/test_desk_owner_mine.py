"""An owner sees their own cars and nobody else's, on every route of theirs; drivers see what is theirs."""

import re

import pytest

from desk_makers import PASSWORD
from onshore.desk.pages.owner import ROUTES
from onshore.register import accounts, consents, persons
from onshore.rights import cases
from onshore.rights.whose import wish
from onshore.vault.papers import writing
from rights_makers import agreed, said

GETS = [route for route in ROUTES if route.method == "GET"]


def named(route):
    return f"{route.method} {route.path}"


@pytest.fixture
def two(desk):
    """Two cars that drove, allowed something and asked for an erasure; the second is somebody else's."""
    hands = desk.hands
    for number in (1, 2):
        hands.allow(number)
    hands.drive(1, 2)
    wide = wish(hands.site, hands.car(2), person=hands.car(2).owner)
    desk.case = cases.opened(hands.site, hands.car(2), "erase", "anna", wide).id
    desk.consent = f"{consents.of_vehicle(hands.site, hands.car(2).id)[0].id:016x}"
    hands.drive(2)
    return desk


def filled(desk, path):
    """A path with what belongs to the second car."""
    return path.format(purpose="warranty-analysis", case=desk.case, consent=desk.consent, state="given")


def theirs(desk):
    """What would show the second car."""
    return f"{desk.hands.car(2).id:016x}", 'vin_ends":"0002', "ends in 0002", desk.case, desk.consent


@pytest.mark.parametrize("route", ROUTES, ids=named)
def test_an_owner_gets_nothing_of_another_car(two, route):
    browser, other = two.as_("owner", 1), f"{two.hands.car(2).id:016x}"
    before = [cases.of_vehicle(two.site, two.hands.car(2).id), consents.of_vehicle(two.site, two.hands.car(2).id)]
    path = filled(two, route.path)
    fields = {"car": other, "category": "track", "sure": "yes", "key": "age1"}
    for asked in (path, f"{path}?car={other}") if route.method == "GET" else (path,):
        for twin in ("",) if route.file else ("", ".json"):
            where = asked.replace("?", f"{twin}?") if "?" in asked else asked + twin
            said = browser.get(where) if route.method == "GET" else browser.form(where, **fields)
            if "?" in asked or "{c" in route.path or route.method == "POST":
                assert said.status_code == 404 or route.path in ("/owner", "/owner/receipts/key")
            for word in theirs(two):
                assert word not in said.text.replace(path, ""), where  # what was asked for stands in links
    after = [cases.of_vehicle(two.site, two.hands.car(2).id), consents.of_vehicle(two.site, two.hands.car(2).id)]
    assert after == before


@pytest.mark.parametrize("route", GETS, ids=named)
def test_the_other_owner_does_see_it(two, route):
    browser, path = two.as_("owner", 2), filled(two, route.path)
    if path.endswith("/certificate"):
        return
    assert browser.get(path).status_code == 200
    assert browser.get(f"{path}?car={two.hands.car(2).id:016x}").status_code == 200


def test_whoever_keeps_no_car_is_told_so(two):
    hands = two.hands
    person = persons.add_driver(hands.site, hands.car(1).id, name="Ben", mark="ben")
    accounts.add(hands.site, "ben", "owner", PASSWORD, person=person)
    with writing(hands.site.engine) as conn:
        persons.remove_driver(hands.site, conn, hands.car(1).id, person)
    browser = two.browser()
    browser.sign_in("ben")
    assert "No car is registered in your name." in browser.texts("/owner")
    for route in GETS:
        if route.path not in ("/owner", "/owner/receipts/key"):
            assert browser.get(filled(two, route.path)).status_code == 404


def test_a_driver_sees_what_is_theirs_and_not_the_owners(desk):
    hands = desk.hands
    car = hands.car(1)
    driver = persons.add_driver(hands.site, car.id, name="Ben", mark="ben")
    agreed(hands, car)
    agreed(hands, car, driver)
    said(hands, (10, None), (20, None), (30, None))
    said(hands, (40, "ben"), (50, "ben"))
    accounts.add(hands.site, "ben", "owner", PASSWORD, person=driver)
    browser = desk.browser()
    browser.sign_in("ben")
    mine, owners = (
        {p["purpose"]: p["rows"] for p in one.get("/owner.json").json()["cars"][0]["purposes"]}["warranty-analysis"]
        for one in (browser, desk.as_("owner", 1))
    )
    assert mine == 2 * owners / 3 > 0
    assert browser.get("/owner.json").json()["cars"][0]["role"] == "driver"
    browser.form("/owner/purposes/warranty-analysis/withdraw")
    held = {c.person for c in consents.of_vehicle(hands.site, car.id) if c.holds(hands.now)}
    assert held == {car.owner}
    assert re.search("what you drove yourself", browser.texts("/owner"))
