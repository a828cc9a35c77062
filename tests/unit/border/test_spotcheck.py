"""The spot check: all of a request, readable, and a few rows for a regulator or officer who looks from home."""

import json
from dataclasses import replace

import pytest

from onshore.border import grants, sealing
from onshore.border.transfer import ship
from onshore.border.views import sample, spotcheck, spotpage
from onshore.register import consents
from onshore.site import open_site
from onshore.words.errors import Refusal

CHARGE = "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"


@pytest.fixture
def shipped(border):
    for number in (1, 2):
        border.hands.allow(number)
    border.hands.drive(1, 2)
    request, _ = border.permitted()
    ship(border.site, request.id)
    return request


def people(border, text):
    toml = border.site.folder / "site.toml"
    toml.write_text(toml.read_text() + text)
    return open_site(border.site.folder, clock=border.site.clock)


def rows(bundle):
    return [row for some in bundle["sample"]["rows"].values() for row in some]


def test_without_a_name_there_is_not_a_row_in_it(border, shipped):
    found = spotcheck.bundle(border.site, shipped.id)
    assert found["sample"] is None
    assert json.loads(json.dumps(found))["state"] == "left"
    assert found["counts"]["rows"] == 80
    assert list(found["counts"]["persons_by_permit"].values()) == [2]
    assert {"track", "vehicle-operation"} == set(found["schema"])
    assert all(column["name"] and column["type"] for some in found["schema"].values() for column in some)


@pytest.mark.parametrize("by", ["regulator", "officer"])
def test_a_regulator_and_an_officer_see_a_few_rows_as_they_would_leave(border, shipped, by):
    found = spotcheck.bundle(border.site, shipped.id, by=by)
    assert 0 < len(rows(found)) <= sample.MOST
    said = json.dumps(found["sample"])
    for number in (1, 2):
        assert border.hands.vin(number).decode() not in said
        assert str(border.hands.car(number).id) not in said
    border.site.settle()
    entries = [json.loads(body) for body in border.site.ledger.entries()]
    shown = [e for e in entries if e["t"] == "view"]
    assert [(e["state"], e["role"], e["rows"]) for e in shown] == [("shown", by, len(rows(found)))]


def test_the_sample_is_sieved_with_the_consents_of_now(border, shipped):
    for number in (1, 2):
        consents.withdraw(border.site, border.hands.car(number))
    assert rows(spotcheck.bundle(border.site, shipped.id, by="regulator")) == []


def test_the_sample_is_transformed_as_the_permit_demands(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request = border.approved()
    draft = replace(border.draft(request), transforms=(f"mask:{CHARGE}", "space:5000", "pseudonym"))
    grants.grant(border.site, draft, border.regulator())
    assert any(column["name"] == CHARGE for column in sample.schema(border.site, request)["vehicle-operation"])
    found = rows(spotcheck.bundle(border.site, request.id, by="regulator"))
    assert found
    assert not any(CHARGE in row for row in found)
    places = {row.get("Vehicle.CurrentLocation.Longitude") for row in found} - {None}
    assert len(places) <= 1


def test_without_a_permit_there_is_no_sample(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.ask()
    found = spotcheck.bundle(border.site, request.id, by="regulator")
    assert rows(found) == []
    assert "no permit" in found["sample"]["says"]


@pytest.mark.parametrize("by", ["engineer", "owner", "operator", "nobody"])
def test_nobody_else_sees_one(border, shipped, by):
    with pytest.raises(Refusal) as caught:
        spotcheck.bundle(border.site, shipped.id, by=by)
    assert caught.value.reason == "not-your-act"


@pytest.mark.parametrize("where", ['jurisdiction = "DE"', 'employer = "stuttgart"', 'employer_jurisdiction = "US"'])
def test_a_regulator_abroad_or_of_others_sees_no_row(border, shipped, where):
    site = people(border, f'\n[people.visitor]\nrole = "regulator"\n{where}\n')
    with pytest.raises(Refusal) as caught:
        spotcheck.bundle(site, shipped.id, by="visitor")
    assert caught.value.reason == "view-is-export"
    assert caught.value.article


def test_a_person_reads_it(border, shipped):
    said = spotpage.page(spotcheck.bundle(border.site, shipped.id, by="regulator"))
    for part in ("# Spot check", "## Papers", "## Permits", "## Schema", "## What left", "## Sample", CHARGE):
        assert part in said
    assert "80 rows" in said
    assert "2 persons used" in said
    assert border.site.ledger.vkey.split()[0] in said
    bare = spotpage.page(spotcheck.bundle(border.site, shipped.id))
    assert "No rows" in bare


def test_a_parcel_that_came_to_nothing_is_told_as_such(border, monkeypatch):
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.permitted()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sealing, "seal_stream", full)
    with pytest.raises(OSError, match="No space"):
        ship(border.site, request.id)
    said = spotpage.page(spotcheck.bundle(border.site, request.id))
    assert f"- parcel {request.id}-1: unsent, left -, no file: it was never sealed" in said
    assert "- 0 parcels, 0 rows" in said


def test_an_emergency_is_called_one(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.ask(categories=("vehicle-operation",), ground="emergency", asked_by="officer")
    assert "claimed as an emergency" in spotpage.page(spotcheck.bundle(border.site, request.id))


def test_its_people_see_where_it_stands_and_not_what_is_in_it(border, shipped):
    found = spotcheck.overview(border.site, shipped.id)
    assert (found["id"], found["state"], found["verdict"]) == (shipped.id, "left", "allow")
    assert [one["by"] for one in found["approvals"]] == ["officer", "deputy"]
    assert [one["used"] for one in found["permits"]] == [one["persons"] for one in found["parcels"]] == [2]
    assert [one["new"] for one in found["moves"]][-3:] == ["reserved", "leaving", "left"]
    assert {one["state"] for one in found["papers"]} == {"counts"}
    assert not {"note", "manifest", "proof"} & {
        key for some in ("permits", "parcels") for one in found[some] for key in one
    }
