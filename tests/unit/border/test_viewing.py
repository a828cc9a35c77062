"""A view under a permit: counted like a parcel before the first row, for whom it was granted, and stopped at once."""

import json

import pytest
from sqlalchemy import delete, select, update

from onshore.border import approvals, grants, requests, transfer, underway
from onshore.border.agreeing import disagreements
from onshore.border.metering import meter
from onshore.border.rows.parcel import pseudonyms
from onshore.border.views import spotcheck, viewing
from onshore.query.asking import answered, visible
from onshore.query.entries import Question
from onshore.register import consents
from onshore.rights import received
from onshore.site import open_site
from onshore.vault.papers import meter as meter_table
from onshore.vault.papers import parcels, reading, writing
from onshore.words.errors import Malformed, Refusal

ALL = 'SELECT vehicle, time, "Vehicle.TraveledDistance" FROM vehicle_operation ORDER BY 1, 2'


@pytest.fixture
def view(border):
    """An engineer in Stuttgart, two cars that drove, and a request for a view with its permit."""
    with (border.site.folder / "site.toml").open("a") as file:
        file.write('\n[people.eva]\nrole = "engineer"\nemployer = "stuttgart"\njurisdiction = "DE"\n')
        file.write('\n[people.jo]\nrole = "engineer"\nemployer = "stuttgart"\njurisdiction = "US"\n')
        file.write('\n[people.home]\nrole = "operator"\n')
    border.site = border.hands.site = open_site(border.site.folder, clock=border.site.clock)
    for number in (1, 2):
        border.hands.allow(number)
    border.hands.drive(1, 2)
    return border


def permitted(border, **change):
    request = border.approved(method="view")
    return request, grants.grant(border.site, border.draft(request, **change), border.regulator())


def look(border, request, sql=ALL, by="eva", each=lambda: None, purpose="warranty-analysis"):
    found = []
    with (
        viewing.opened(border.site, request.id, by) as door,
        answered(border.site, Question(sql, purpose, by), door=door) as answer,
    ):
        for batch in answer.batches:
            found += batch.to_pylist()
            each()
    return found


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.reason


def logged(site, kind="view"):
    site.settle()
    return [e for body in site.ledger.entries() if (e := json.loads(body))["t"] == kind]


def state(border, request):
    with reading(border.site.engine) as conn:
        one = select(parcels.c.state, parcels.c.rows).where(parcels.c.transfer == request.id)
        return requests.find(border.site, request.id).state, [tuple(row) for row in conn.execute(one)]


def test_rows_are_seen_as_they_would_leave_and_everybody_is_counted_first(view):
    request, permit = permitted(view)
    seen = look(view, request)
    assert len(seen) == 40
    number = pseudonyms(view.site, "stuttgart")
    assert {row["vehicle"] for row in seen} == {f"{number(view.hands.car(n).id):016x}" for n in (1, 2)}
    with reading(view.site.engine) as conn:
        assert meter.used(conn, permit.id) == 2
        assert meter.rows_used(conn, permit.id) == 40
    before, after = logged(view.site)
    assert (before["state"], before["subjects"], before["dest"]) == ("leaving", 2, "DE")
    assert before["categories"] == ["vehicle-operation"]
    assert (after["state"], after["rows"]) == ("left", 40)
    assert state(view, request) == ("left", [("left", 40)])
    assert look(view, request) == seen
    with reading(view.site.engine) as conn:
        assert meter.rows_used(conn, permit.id) == 80


def test_an_average_counts_whoever_it_is_made_of(view):
    request, permit = permitted(view)
    none = 'SELECT count(*) AS n FROM vehicle_operation WHERE "Vehicle.TraveledDistance" < -1'
    assert look(view, request, none) == [{"n": 0}]
    with reading(view.site.engine) as conn:
        assert (meter.used(conn, permit.id), meter.rows_used(conn, permit.id)) == (2, 40)


def test_persons_over_the_permits_limit_see_to_it_that_no_row_is_shown(view):
    request, permit = permitted(view, persons=1)
    assert refused(lambda: look(view, request, f"{ALL} LIMIT 1")) == "outside-permit"
    with reading(view.site.engine) as conn:
        assert meter.used(conn, permit.id) == 0
    assert logged(view.site) == []
    assert state(view, request) == ("permitted", [])


def test_rows_over_the_permits_limit_are_not_read_however_few_are_shown(view):
    request, _ = permitted(view, rows=50)
    look(view, request, "SELECT count(*) FROM vehicle_operation")
    assert refused(lambda: look(view, request, "SELECT count(*) FROM vehicle_operation")) == "outside-permit"
    assert [row for _, row in state(view, request)[1]] == [40, 0]  # of the second nothing was read: it is unwound
    assert [one["state"] for one in logged(view.site)] == ["leaving", "left", "leaving", "unsent"]
    assert refused(lambda: look(view, request, "SELECT 1 FROM track a, track b")) == "outside-permit"


def test_what_the_permit_has_transformed_is_transformed(view):
    request, _ = permitted(view, transforms=("drop:Vehicle.TraveledDistance", "time:10"), signals=())
    with viewing.opened(view.site, request.id, "eva") as door:
        shown = visible(view.site, Question("", "warranty-analysis", "eva"), door).shown
    assert set(shown) == {"track", "vehicle_operation"}
    assert "Vehicle.TraveledDistance" not in shown["vehicle_operation"].signals
    assert not {"received", "door"} & {*shown["track"].schema.names}
    times = {row["time"].timestamp() % 10 for row in look(view, request, "SELECT time FROM vehicle_operation")}
    assert times == {0}
    with pytest.raises(Malformed):
        look(view, request)
    for hidden in ("received", "door"):
        with pytest.raises(Malformed):
            look(view, request, f"SELECT {hidden} FROM track")


def test_a_consent_that_is_gone_and_one_for_another_recipient_show_nothing(view):
    request, _ = permitted(view, persons=5)
    view.hands.allow(3, recipients=frozenset({"munich"}))
    view.hands.drive(3)
    number = pseudonyms(view.site, "stuttgart")
    consents.withdraw(view.site, view.hands.car(1), category="vehicle-operation")
    assert {row["vehicle"] for row in look(view, request)} == {f"{number(view.hands.car(2).id):016x}"}


@pytest.mark.parametrize("by", ["jo", "home", "officer", "engineer", "regulator", "anna", "nobody"])
def test_nobody_else_looks_under_it(view, by):
    request, _ = permitted(view)
    assert refused(lambda: look(view, request, by=by)) in {"view-is-export", "not-your-act", "person-unknown"}
    assert state(view, request) == ("permitted", [])


def test_without_the_view_the_same_person_is_refused_and_told_how_to_look(view):
    permitted(view)
    with pytest.raises(Refusal) as caught, answered(view.site, Question(ALL, "warranty-analysis", "eva")):
        pass
    assert caught.value.reason == "view-is-export"
    assert "--transfer" in caught.value.remedy


def test_another_purpose_another_table_and_no_table_are_refused(view):
    request, _ = permitted(view)
    assert refused(lambda: look(view, request, purpose="statutory-monitoring")) in {"outside-permit", "purpose-unknown"}
    assert refused(lambda: look(view, request, "SELECT * FROM cabin_video")) == "not-a-table"
    assert refused(lambda: look(view, request, "SELECT 1")) == "nothing-to-send"
    assert refused(lambda: look(view, request, "SELECT * FROM read_csv('/etc/passwd')")) == "not-a-table"
    assert state(view, request) == ("permitted", [])


def test_a_view_is_not_shipped_and_a_file_is_not_looked_at(view):
    request, _ = permitted(view)
    assert refused(lambda: transfer.ship(view.site, request.id)) == "not-a-parcel"
    file, _ = view.permitted()
    assert refused(lambda: look(view, file)) == "not-a-view"


def test_before_it_is_permitted_nothing_is_seen(view):
    asked, _ = view.ask(method="view")
    assert refused(lambda: look(view, asked)) == "impact-assessment-missing"
    approved = view.approved(method="view")
    assert refused(lambda: look(view, approved)) == "permit-missing"


@pytest.mark.parametrize("what", ["revoke", "suspend", "withdraw"])
def test_what_falls_in_between_stops_the_next_batch(view, what):
    request, permit = permitted(view, persons=5)
    acts = {
        "revoke": lambda: grants.revoke(view.site, permit.id),
        "suspend": lambda: approvals.suspend(view.site, request.id, "officer"),
        "withdraw": lambda: consents.withdraw(view.site, view.hands.car(1)),
    }
    shown = []

    def each():
        shown.append(1)
        if len(shown) == 1:
            view.hands.now += 1000
            acts[what]()

    wide = "SELECT a.time FROM vehicle_operation a, vehicle_operation b, vehicle_operation c"  # 64,000 rows
    reason = {"revoke": "permit-revoked", "suspend": "suspended", "withdraw": "consent-withdrawn"}[what]
    assert refused(lambda: look(view, request, wide, each=each)) == reason
    assert len(shown) == 1
    assert logged(view.site)[-1]["state"] == "cut"
    with reading(view.site.engine) as conn:
        assert meter.used(conn, permit.id) == 2  # what was seen was seen
    assert state(view, request)[1][0][0] == "cut"


@pytest.mark.parametrize("rows", [0, 40])
def test_after_a_crash_what_may_have_been_seen_stays_counted_and_the_rest_is_given_back(view, rows):
    request, permit = permitted(view)
    with viewing.opened(view.site, request.id, "eva") as door:
        door.begin(("vehicle-operation",))
        if rows:
            assert sum(batch.num_rows for batch in door.rows("vehicle-operation")) == rows
        assert refused(lambda: look(view, request)) == "road-taken"
        viewing.resume(view.site)  # it goes on: nobody ends it
        underway.resume(view.site)
        assert state(view, request)[0] == "leaving"
    viewing.resume(view.site)
    with reading(view.site.engine) as conn:
        assert meter.used(conn, permit.id) == (2 if rows else 0)
    assert state(view, request) == ("permitted", [("cut" if rows else "unsent", rows)])
    assert len(look(view, request)) == 40


def test_no_row_comes_before_it_is_counted(view):
    request, _ = permitted(view)
    with viewing.opened(view.site, request.id, "eva") as door:
        assert refused(lambda: list(door.rows("track"))) == "not-counted"
        assert refused(door.may_go) == "not-counted"


def test_the_person_and_the_regulator_are_told(view):
    request, _ = permitted(view)
    look(view, request)
    (one,) = received.by_parcels(view.site, view.hands.car(1).owner)
    assert one["recipient"] == "stuttgart"
    counts = spotcheck.bundle(view.site, request.id)["counts"]
    assert (counts["parcels"], counts["rows"]) == (1, 40)


def test_the_papers_of_a_view_are_held_against_the_ledger(view):
    request, _ = permitted(view)
    look(view, request)
    refused(lambda: look(view, request, "SELECT 1"))
    site = view.site
    site.settle()
    assert list(disagreements(site)) == []
    for change in ({"rows": 1}, {"state": "cut"}, {"state": "unsent"}):
        with writing(site.engine) as conn:
            before = dict(conn.execute(select(parcels.c.rows, parcels.c.state)).mappings().one())
            conn.execute(update(parcels).values(**change))
        (says,) = disagreements(site)
        assert "the view" in says
        with writing(site.engine) as conn:
            conn.execute(update(parcels).values(**before))
    with writing(site.engine) as conn:
        conn.execute(delete(meter_table).where(meter_table.c.person == view.hands.car(1).owner))
    (says,) = disagreements(site)
    assert "1 persons on the meter" in says
