"""An officer's other pages: today, persons' requests, duties, courts, retention, zones, rules."""

import json

import pytest

from border_makers import PAPERS, Border
from desk_makers import Desk
from onshore.border.sending import attempts
from onshore.register import incidents
from onshore.rights import cases
from onshore.rights.erase import erase
from onshore.site import open_site

DAY, HOUR = 86_400_000, 3_600_000
SQUARE = {
    "type": "Feature",
    "properties": {},
    "geometry": {"type": "Polygon", "coordinates": [[[121, 31], [121.1, 31], [121.1, 31.1], [121, 31.1], [121, 31]]]},
}
ZONES = json.dumps({"type": "FeatureCollection", "features": [SQUARE]}).encode()


@pytest.fixture
def officer(desk):
    return desk.as_("officer")


def test_today_names_the_clock_that_runs_out_next_and_what_waits(desk, officer):
    border = Border(desk.hands)
    desk.hands.drive(1)
    case = cases.opened(desk.site, desk.hands.car(1), "erase", "officer")
    request, _ = border.ask()
    incidents.open_(
        desk.site,
        incidents.Happened("leak", "grave", desk.site.clock(), "a disk is gone", ("track",), persons=3),
        "officer",
    )
    today = officer.get("/officer.json").json()
    assert {one["what"] for one in today["clocks"]} == {"erase", "incident-report"}
    assert [one["due"] for one in today["clocks"]] == sorted(one["due"] for one in today["clocks"])
    assert (f"/officer/rights/{case.id}", case.id) in [(one["page"], one["id"]) for one in today["clocks"]]
    assert [(one["what"], one["id"]) for one in today["waits"]] == [("paper", request.id)]
    assert [(one["kind"], one["persons"]) for one in today["incidents"]] == [("leak", 3)]
    assert "a disk is gone" not in officer.get("/officer.json").text, "its words stay sealed on this page"
    assert {"sinks", "egress"} <= {one["what"] for one in today["lines"]}
    words = officer.texts("/officer")
    assert "Report on an incident" in words
    assert "parcels may be asked for by stuttgart" in words


def test_cars_whose_policy_lags_are_counted_and_named_by_their_ids(desk, officer):
    from onshore.register import policies

    policies.Policies(desk.site).policy(desk.hands.car(1).id)
    desk.hands.now += 2 * DAY
    desk._in.clear()
    lag = desk.as_("officer").get("/officer.json").json()["lag"]
    assert (lag["cars"], lag["ended"]) == (1, 0)
    assert lag["longest"][0]["vehicle"] == f"{desk.hands.car(1).id:016x}"
    assert desk.hands.vin(1).decode() not in desk.as_("officer").get("/officer").text


def test_an_attempt_to_get_out_is_bad_until_an_officer_has_looked(desk, officer):
    attempts.note(desk.site, [("onshore.gate.door", "connect", 0)])
    assert officer.get("/officer.json").json()["unseen"] == 1
    assert "account for it" in officer.texts("/officer")
    assert officer.form("/officer/attempts/acknowledge").status_code == 303
    assert officer.get("/officer.json").json()["unseen"] == 0


def test_a_persons_request_has_its_due_date_and_article(desk, officer):
    desk.hands.drive(1)
    case = cases.opened(desk.site, desk.hands.car(1), "erase", "officer")
    limit = cases.opened(desk.site, desk.hands.car(2), "restrict", "officer")
    seen = officer.get("/officer/rights.json").json()
    assert [(one["id"], one["clock"]) for one in seen["waits"]] == [(case.id, "in time")]
    assert [(one["id"], one["clock"]) for one in seen["stand"]] == [(limit.id, "stands")]
    one = officer.get(f"/officer/rights/{case.id}.json").json()
    assert one["case"]["due"] > desk.site.clock()
    assert one["case"]["article"]
    assert one["certificate"] is None
    assert one["case"]["article"] in officer.texts(f"/officer/rights/{case.id}")
    assert "until it is lifted" in officer.texts(f"/officer/rights/{limit.id}")
    assert officer.get(f"/officer/rights/{case.id}/certificate").status_code == 409
    assert officer.get(f"/officer/rights/{limit.id}/certificate").status_code == 404
    assert officer.get("/officer/rights/none").status_code == 404


def test_a_certificate_is_saved_then_handed_out_and_proves_itself(desk, officer):
    desk.hands.allow(1)
    desk.hands.drive(1)
    case = erase(desk.site, desk.hands.car(1), "officer")
    page = f"/officer/rights/{case.id}"
    assert [one["id"] for one in officer.get("/officer/rights.json").json()["ready"]] == [case.id]
    assert officer.get(f"{page}.json").json()["certificate"]["rows"] > 0
    saved = officer.get(f"{page}/certificate")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.json()["proof"]
    assert officer.form(f"{page}/handed").status_code == 422, "nobody strikes it by a press alone"
    assert officer.form(f"{page}/handed", given="yes").status_code == 303
    after = officer.get(f"{page}.json").json()
    assert after["handed_out"] == desk.site.clock()
    assert after["certificate"]["rows"] is None
    assert officer.get("/officer/rights.json").json()["ready"] == []
    assert "The person alone can prove" in officer.texts(page)


def emergency(desk, asked_by):
    desk.hands.allow(1)
    desk.hands.drive(1)
    Border(desk.hands).ask(categories=("vehicle-operation",), ground="emergency", asked_by=asked_by)


def test_a_duty_is_done_once_with_its_paper(desk, officer):
    emergency(desk, "deputy")
    task = officer.get("/officer/tasks.json").json()["waits"][0]
    assert (task["what"], task["state"]) == ("emergency-review", "in time")
    assert "Review of an emergency" in officer.texts("/officer/tasks")
    path = f"/officer/tasks/{task['id']}/done"
    assert officer.form(path).status_code == 422
    assert officer.form(path, number="M-7").status_code == 303
    again = officer.form(path, number="M-8")
    assert again.status_code == 409
    assert "done already" in again.text
    assert officer.get("/officer/tasks.json").json()["ended"][0]["number"] == "M-7"
    assert officer.form("/officer/tasks/none/done", number="1").status_code == 404


def test_whoever_claimed_an_emergency_does_not_review_it(desk, officer):
    emergency(desk, "officer")
    task = officer.get("/officer/tasks.json").json()["waits"][0]
    assert officer.get("/officer/tasks.json").json()["others"] == [task["id"]]
    assert "so another officer reviews it" in officer.texts("/officer/tasks")
    refused = officer.form(f"/officer/tasks/{task['id']}/done", number="M-7")
    assert refused.status_code == 403
    assert "Four eyes" in refused.text
    assert officer.get("/officer/tasks.json").json()["ended"] == []


@pytest.fixture
def bench(hands):
    """A desk of a site that knows a court of the US as such."""
    toml = hands.site.folder / "site.toml"
    key = hands.site.settings.recipients["stuttgart"].key
    toml.write_text(toml.read_text() + f'\n[recipients.court]\njurisdiction = "US"\nkey = "{key}"\nauthority = true\n')
    hands.site = open_site(hands.site.folder, clock=hands.site.clock)
    return Desk(hands)


WANTED = {
    "kind": "court",
    "recipient": "court",
    "authority": "District Court",
    "reference": "26-cv-1",
    "category": "track",
    "from": "2026-01-01",
    "until": "2026-01-31",
}


def set_down(bench, **change):
    officer = bench.as_("officer")
    done = officer.form("/officer/courts", **(WANTED | change))
    assert done.status_code == 303, done.text
    return officer, done.headers["location"]


def test_a_courts_request_waits_and_is_approved_with_its_paper(bench):
    vin = bench.hands.vin(1).decode()
    bench.hands.car(1)
    officer, page = set_down(bench, vehicles=vin)
    assert vin not in page
    seen = officer.get(f"{page}.json").json()["court"]
    assert (seen["state"], seen["vehicles"], seen["decision"]["verdict"]) == ("waiting", 1, "refuse")
    assert seen["wanted_until"] - seen["wanted_from"] == 31 * DAY
    data = {"csrf": officer.token(), "number": "MOJ-1", "until": "2026-12-31"}
    sent = officer.post(f"{page}/approve", data=data, files={"scan": ("a.pdf", b"%PDF-", "application/pdf")})
    assert sent.status_code == 303
    assert officer.get(f"{page}.json").json()["court"]["number"] == "MOJ-1"
    again = officer.form(f"{page}/refuse", says="no")
    assert again.status_code == 409
    assert "approved already" in again.text
    assert officer.form(f"{page}/approve", number="MOJ-2").status_code == 409


def test_a_courts_request_is_refused_in_words(bench):
    officer, page = set_down(bench)
    assert officer.get("/officer/courts.json").json()["waits"] == 1
    assert "District Court" in officer.texts("/officer/courts")
    assert officer.form(f"{page}/refuse").status_code == 422
    assert officer.form(f"{page}/refuse", says="no treaty").status_code == 303
    assert officer.get(f"{page}.json").json()["court"]["state"] == "refused"
    assert "Refuse" not in officer.texts(page).split("What the law says")[1].split("All requests")[0].replace(
        "Refused", ""
    )


@pytest.mark.parametrize(
    "change",
    [
        {"from": ""},
        {"from": "0001-01-01"},
        {"until": "9999-12-31"},
        {"until": "soon"},
        {"kind": "uncle"},
        {"vehicles": "A " * 300},
    ],
)
def test_a_courts_request_that_does_not_say_enough_is_not_taken(bench, change):
    sent = bench.as_("officer").form("/officer/courts", **(WANTED | change))
    assert sent.status_code in (404, 422)


def test_too_many_cars_are_not_taken(bench):
    many = " ".join(f"V{number}" for number in range(201))
    assert bench.as_("officer").form("/officer/courts", **(WANTED | {"vehicles": many})).status_code == 422


def test_retention_says_what_would_go_when_and_by_which_article(desk, officer):
    desk.hands.allow(1)
    desk.hands.drive(1)
    today = officer.get("/officer/retention.json").json()
    assert (today["due"], today["ahead"]) == (0, False)
    assert {one["ground"] for one in today["rows"]} >= {"statutory", "consent"}
    later = officer.get("/officer/retention.json?at=2026-12-31").json()
    assert later["ahead"] is True
    assert later["pack"] == desk.site.pack.id
    assert "Nothing was touched" in officer.texts("/officer/retention?at=2026-12-31")
    assert officer.get("/officer/retention?at=2020-01-01").status_code == 422
    assert officer.get("/officer/retention?at=soon").status_code == 422


def zone(officer, body=ZONES, **change):
    said = {"source": "City, 2026", "kind": "military", "datum": "WGS-84", "margin": "100", "csrf": officer.token()}
    files = {"file": ("zones.geojson", body, "application/geo+json")}
    return officer.post("/officer/zones", data=said | change, files=files)


def test_zones_are_imported_listed_and_removed(officer):
    assert "No zone stands" in officer.texts("/officer/zones")
    assert zone(officer).status_code == 303
    seen = officer.get("/officer/zones.json").json()
    assert [(one["origin"]["name"], one["features"], one["imported_by"]) for one in seen["standing"]] == [
        ("zones.geojson", 1, "officer")
    ]
    assert seen["rule"]["reasons"][0]["article"]
    assert "121" not in officer.get("/officer/zones.json").text.replace(seen["standing"][0]["id"], "").replace(
        seen["standing"][0]["sha256"], ""
    ), "no coordinate is shown"
    again = zone(officer)
    assert again.status_code == 409
    assert "stands already" in again.text
    path = f"/officer/zones/{seen['standing'][0]['id']}/remove"
    assert officer.form(path).status_code == 303
    assert officer.form(path).status_code == 409
    after = officer.get("/officer/zones.json").json()
    assert (len(after["standing"]), len(after["removed"])) == (0, 1)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"not json"])
def test_a_file_that_is_no_list_of_zones_is_not_taken(officer, body):
    assert zone(officer, body).status_code == 422
    assert officer.get("/officer/zones.json").json()["standing"] == []


def test_the_pack_in_force_stands_first(desk, officer):
    packs = officer.get("/officer/rules.json").json()["packs"]
    assert (packs[0]["id"], packs[0]["part"]) == (desk.site.pack.id, "here")
    parts = {one["id"]: one["part"] for one in packs}
    assert parts["cn/2021-05-draft"] == "draft"
    assert parts["eu/2025-09"] == "asked"


def test_what_changed_between_two_packs_is_told_rule_by_rule(officer):
    usual = officer.get("/officer/rules/difference.json").json()
    assert (usual["old"]["id"], usual["new"]["id"]) == ("cn/2024-03", "cn/2026-02")
    assert {one["kind"] for one in usual["changes"]} <= {"added", "removed", "changed"}
    assert usual["changes"]
    same = officer.get("/officer/rules/difference.json?old=cn/2026-02&new=cn/2026-02").json()
    assert same["changes"] == []
    assert "they say the same" in officer.texts("/officer/rules/difference?old=cn/2026-02&new=cn/2026-02")
    assert officer.get("/officer/rules/difference?old=xx/2000-01").status_code == 404
    assert officer.get("/officer/rules/difference").status_code == 200


def test_a_case_of_the_book_is_explained(officer):
    told = officer.get("/officer/rules/explain.json?case=CN26-001").json()["explained"]
    assert told["verdict"] == "withhold"
    assert "default-off" in {one["code"] for one in told["decision"]["reasons"]}
    assert "Automotive Data Provisions" in officer.texts("/officer/rules/explain?case=CN26-001")
    assert officer.get("/officer/rules/explain?case=CN00").status_code == 404


def test_an_export_is_explained_before_anybody_asks_for_it(officer):
    asked = "recipient=stuttgart&purpose=warranty-analysis&category=track&persons=20000"
    told = officer.get(f"/officer/rules/explain.json?{asked}").json()["explained"]
    assert told["verdict"] == "refuse"
    assert told["would_turn"]
    assert told["letter"]
    papers = "&".join(f"paper={one}" for one in PAPERS)
    few = officer.get(f"/officer/rules/explain.json?{asked.replace('20000', '5')}&{papers}").json()["explained"]
    assert few["verdict"] == "allow"
    page = officer.get(f"/officer/rules/explain?{asked}")
    assert page.status_code == 200
    assert len(page.content) < 90_000
    assert officer.get("/officer/rules/explain?recipient=stuttgart&purpose=warranty-analysis").status_code == 422
    assert officer.get(f"/officer/rules/explain?{asked.replace('stuttgart', 'nobody')}").status_code in (404, 409)
