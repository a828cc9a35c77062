"""An officer and the registers: incidents with their reporting clocks, complaints with their answers."""

import pytest

from onshore.register import incidents

HOUR = 3_600_000
LEAK = {"kind": "leak", "severity": "grave", "says": "a disk is gone", "category": ["track"], "persons": "3"}


@pytest.fixture
def officer(desk):
    return desk.as_("officer")


def opened(officer, **change):
    done = officer.form("/officer/incidents", **(LEAK | change))
    assert done.status_code == 303, done.text
    return done.headers["location"]


def test_an_incident_starts_the_clock_of_each_jurisdiction(desk, officer):
    page = opened(officer, concerns="de, US")
    seen = officer.get(f"{page}.json").json()
    assert {one["jurisdiction"] for one in seen["incident"]["reports"]} == {"CN", "DE", "US"}
    assert all(one["article"] for one in seen["owed"])
    assert "a disk is gone" in officer.texts(page)
    listed = officer.get("/officer/incidents.json")
    assert "a disk is gone" not in listed.text, "its words stand on its own page alone"
    assert listed.json()["next"]["due"] == min(one["due"] for one in seen["owed"])
    desk.hands.now += 200 * HOUR
    desk._in.clear()
    late = desk.as_("officer")
    assert late.get("/officer/incidents.json").json()["late"] is True
    assert "is late" in late.texts(page)
    assert "is late" in late.texts("/officer/incidents")


def test_a_clock_runs_from_when_somebody_knew_local_to_the_site(desk, officer):
    page = opened(officer, known="2026-09-21T08:00")
    known = officer.get(f"{page}.json").json()["incident"]["known"]
    assert known == 1_789_948_800_000, "08:00 in Shanghai is midnight UTC"
    assert officer.form("/officer/incidents", **(LEAK | {"known": "now"})).status_code == 422
    assert officer.form("/officer/incidents", **(LEAK | {"known": "2027-01-01T00:00+00:00"})).status_code == 422
    for known in ("0001-01-01T00:00", "9999-12-31T23:59", "1999-12-31T08:00"):
        assert officer.form("/officer/incidents", **(LEAK | {"known": known})).status_code == 422, known
    assert officer.form("/officer/incidents", **(LEAK | {"persons": "many"})).status_code == 422


def test_an_incident_is_amended_reported_and_ended(desk, officer):
    page = opened(officer)
    assert officer.form(f"{page}/close", says="found again").status_code == 409, "a report is owed"
    assert officer.form(f"{page}/amend", severity="serious", persons="40", category="health").status_code == 303
    seen = officer.get(f"{page}.json").json()["incident"]
    assert (seen["severity"], seen["persons"], set(seen["categories"])) == ("serious", 40, {"track", "health"})
    refused = officer.form(f"{page}/report", to="FR", number="R-1")
    assert refused.status_code == 404
    assert "is not concerned" in refused.text
    assert officer.form(f"{page}/report", to="CN", number="R-1").status_code == 303
    assert officer.get(f"{page}.json").json()["owed"] == []
    assert officer.form(f"{page}/close", says="found again").status_code == 303
    assert "found again" in officer.texts(page)
    assert officer.form("/officer/incidents/none/close", says="x").status_code == 404


def test_whoever_set_an_incident_down_does_not_find_alone_that_it_was_none(desk, officer):
    page = opened(officer)
    refused = officer.form(f"{page}/close", says="nothing happened", unfounded="yes")
    assert refused.status_code == 403
    assert "Four eyes" in refused.text
    assert incidents.listed(desk.site)[0].state == "open"


def test_a_complaint_is_set_down_and_answered_once(desk, officer):
    desk.hands.car(1)
    vin = desk.hands.vin(1).decode()
    done = officer.form("/officer/complaints", about="consent", says="nobody asked me", vehicle=vin)
    page = done.headers["location"]
    assert vin not in page
    seen = officer.get(f"{page}.json").json()["complaint"]
    assert (seen["vehicle"], seen["says"]) == (f"{desk.hands.car(1).id:016x}", "nobody asked me")
    listed = officer.get("/officer/complaints.json")
    assert "nobody asked me" not in listed.text
    assert len(listed.json()["waits"]) == 1
    assert "Complaints that wait" in officer.texts("/officer/complaints")
    assert officer.form(f"{page}/answer", says="we did, on 1 May").status_code == 303
    assert "we did, on 1 May" in officer.texts(page)
    assert officer.form(f"{page}/answer", says="again").status_code == 409
    assert officer.get("/officer/complaints.json").json()["waits"] == []
    assert "Answered" in officer.texts("/officer/complaints")
    assert officer.form("/officer/complaints", about="weather", says="rain").status_code == 422


def test_a_complaint_about_no_car_waits_until_it_is_late(desk, officer):
    officer.form("/officer/complaints", about="security", says="who reads this?")
    desk.hands.now += 60 * 24 * HOUR
    desk._in.clear()
    assert "is late" in desk.as_("officer").texts("/officer/complaints")
    assert desk.as_("officer").get("/officer/complaints.json").json()["waits"][0]["vehicle"] == ""
