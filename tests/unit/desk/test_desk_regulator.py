"""The regulator's desk: permits, what left under them, the ledger, evidence; no person, no car, no row."""

import configparser
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from border_makers import Border
from onshore.border import granting, grants
from onshore.border.permits.permit import signed
from onshore.border.transfer import ship
from onshore.cli.init import regulator_key
from onshore.desk.routes import ROUTES
from onshore.ledger import alone

LIMITS = {"persons": "2", "start": "2026-09-21", "until": "2026-10-01", "rows": "1000"}


@pytest.fixture
def border(hands):
    return Border(hands)


@pytest.fixture
def shipped(border):
    for number in (1, 2):
        border.hands.allow(number)
    border.hands.drive(1, 2)
    request, permit = border.permitted()
    ship(border.site, request.id)
    return request, permit


def zipped(said):
    assert said.status_code == 200, said.text
    archive = zipfile.ZipFile(io.BytesIO(said.content))
    return {name: archive.read(name) for name in archive.namelist()}


def test_the_first_page_says_what_left_and_under_which_permit(desk, shipped):
    _, permit = shipped
    browser = desk.as_("regulator")
    said = browser.get("/regulator.json").json()
    assert [(one["permit"], one["persons"], one["rows"], one["state"]) for one in said["left"]] == [
        (permit.id, 2, 80, "left")
    ]
    assert [(one["id"], one["persons"], one["persons_limit"], one["state"]) for one in said["permits"]] == [
        (permit.id, 2, 2, "stands")
    ]
    assert said["ends"] > desk.hands.now
    assert said["counts"][0]["used"] == 2
    text = browser.texts("/regulator")
    assert "The last parcel left on 21 Sept 2026" in text
    assert "under the permit for Warranty analysis." in text
    assert set(said["under"]) == {permit.id}


def test_a_site_of_which_nothing_left_says_so(desk):
    text = desk.as_("regulator").texts("/regulator")
    assert "Nothing left yet." in text
    assert "No permit stands: nothing can leave." in text


def test_what_waits_is_granted_with_limits_and_taken_back(desk, border):
    desk.hands.allow(1)
    desk.hands.drive(1)
    request = border.approved()
    browser = desk.as_("regulator")
    assert [one["id"] for one in browser.get("/regulator.json").json()["waiting"]] == [request.id]
    page = f"/regulator/requests/{request.id}/grant"
    assert "Sign with the key kept here" in browser.texts(page)
    limits = LIMITS | {"space": "5000", "time": "60"}
    done = browser.form(page, **limits)
    assert done.status_code == 303, done.text
    permit_id = done.headers["location"].rpartition("/")[2]
    assert "Granted: at most 2 persons." in browser.texts(f"/regulator/permits/{permit_id}")
    granted = grants.show(border.site, permit_id).permit
    assert (granted.persons, granted.rows, granted.granted_by) == (2, 1000, "regulator")
    assert granted.transforms == ("space:5000", "time:60")
    assert browser.get("/regulator.json").json()["waiting"] == []
    gone = browser.form(f"/regulator/permits/{permit_id}/revoke")
    assert gone.headers["location"] == f"/regulator/permits/{permit_id}"
    assert "Revoked: nothing more leaves under it." in browser.texts(f"/regulator/permits/{permit_id}")
    again = browser.form(f"/regulator/permits/{permit_id}/revoke")
    assert (again.status_code, "permit-revoked" in again.text) == (409, True)
    assert [one["id"] for one in browser.get("/regulator/permits.json").json()["waiting"]] == [request.id]


@pytest.mark.parametrize(
    ("wrong", "status", "says"),
    [
        ({"persons": ""}, 422, "persons: it is needed"),
        ({"persons": "0"}, 422, "whole number"),
        ({"until": "soon"}, 422, "it is a day"),
        ({"until": "2026-09-01"}, 422, "lies before the first"),
        ({"signal": "Vehicle.None"}, 409, "outside-permit"),
        ({"space": "9"}, 303, ""),
    ],
)
def test_what_cannot_be_granted_stays_in_the_form_with_its_reason(desk, border, wrong, status, says):
    desk.hands.allow(1)
    request = border.approved()
    said = desk.as_("regulator").form(f"/regulator/requests/{request.id}/grant", **LIMITS | wrong)
    assert said.status_code == status
    assert says in said.text
    if status != 303:
        assert 'value="1000"' in said.text
        assert grants.listed(border.site) == []


def test_nobody_grants_what_was_not_approved(desk, border):
    request, _ = border.ask()
    said = desk.as_("regulator").form(f"/regulator/requests/{request.id}/grant", **LIMITS)
    assert said.status_code in (403, 409)
    assert grants.listed(border.site) == []


def test_a_regulator_whose_key_lies_elsewhere_signs_there(desk, border):
    desk.hands.allow(1)
    request, signer = border.approved(), border.regulator()
    regulator_key(border.site.folder).unlink()
    browser, here = desk.as_("regulator"), f"/regulator/requests/{request.id}"
    assert "Your signing key is not kept here" in browser.texts(f"{here}/grant")
    assert browser.form(f"{here}/grant", **LIMITS).status_code == 422
    said = browser.post(f"{here}/words.json", json=LIMITS, headers={"x-csrf-token": browser.token()}).json()
    note = signer.sign(said["text"])
    torn = browser.form(f"{here}/note", note=note.replace('"persons":2', '"persons":9'))
    assert torn.status_code == 500
    assert browser.form(f"{here}/note", note="no permit").status_code == 422
    done = browser.form(f"{here}/note", note=note.replace("\n", "\r\n"))
    assert done.headers["location"] == f"/regulator/permits/{said['permit']}"
    assert grants.listed(border.site) == [said["permit"]]


def test_a_permit_for_another_request_is_not_taken_in_here(desk, border):
    desk.hands.allow(1)
    one, other = border.approved(), border.approved()
    limits = granting.Limits(2, border.site.today(), border.site.today())
    note = signed(granting.drafted(border.site, other.id, limits, "regulator"), border.regulator().sign)
    assert desk.as_("regulator").form(f"/regulator/requests/{one.id}/note", note=note).status_code == 422


def test_a_spot_check_is_read_and_saved(desk, shipped):
    request, permit = shipped
    browser, here = desk.as_("regulator"), f"/regulator/requests/{request.id}"
    assert [one["id"] for one in browser.get("/regulator/requests.json").json()["requests"]] == [request.id]
    said = browser.get(f"{here}.json").json()
    assert (said["state"], said["step"]) == ("left", "receipt")
    assert [one["new"] for one in said["moves"]][-1] == "left"
    assert permit.id in browser.get(here).text
    saved = browser.get(f"{here}/bundle")
    assert saved.headers["content-disposition"] == f'attachment; filename="spot-check-{request.id}.json"'
    assert saved.json()["counts"]["rows"] == 80
    assert browser.get(f"{here}/text").text.startswith(f"# Spot check of request {request.id}")


def test_evidence_is_verified_by_what_lies_in_it(desk, shipped, tmp_path):
    request, _ = shipped
    found = zipped(desk.as_("regulator").get(f"/regulator/requests/{request.id}/evidence"))
    kinds = {name.rpartition("-")[2].partition(".")[0] for name in found if name.startswith("proofs/")}
    assert {"request", "move", "approval", "permit", "release"} <= kinds
    assert json.loads(found[f"requests/{request.id}/bundle.json"])["state"] == "left"
    for name in ("vkey", alone.NAME):
        (tmp_path / name).write_bytes(found[name])
    release = next(name for name in found if name.endswith("-release.tlog-proof"))
    for change, exits in ((lambda raw: raw, 0), (lambda raw: raw.replace(b"index ", b"index 1", 1), 3)):
        (tmp_path / "one.tlog-proof").write_bytes(change(found[release]))
        line = [sys.executable, "-I", "-S", alone.NAME, "one.tlog-proof", "--key", "vkey"]
        said = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert said.returncode == exits, said
    assert zipped(desk.as_("regulator").get("/regulator/evidence")).keys() == found.keys()


def test_the_ledger_is_searched_and_each_entry_proven(desk, shipped):
    browser = desk.as_("regulator")
    said = browser.get("/regulator/ledger.json?kind=release").json()
    assert {one["kind"] for one in said["entries"]} == {"release"}
    first = said["entries"][0]
    digest = first["says"]["permit"][7:30]
    found = browser.get(f"/regulator/ledger.json?find={digest}").json()["entries"]
    assert first["number"] in [one["number"] for one in found]
    assert all(digest in json.dumps(one["says"]) for one in found)
    numbers = [one["number"] for one in browser.get("/regulator/ledger.json").json()["entries"]]
    assert numbers == sorted(numbers, reverse=True)
    older = browser.get("/regulator/ledger.json?before=3").json()
    assert ([one["number"] for one in older["entries"]], older["on"]) == ([2, 1, 0], 0)
    assert "onshore-verify.pyz" in browser.texts(f"/regulator/ledger/{first['number']}")
    proof = browser.get(f"/regulator/ledger/{first['number']}/proof")
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\n")
    assert browser.get("/regulator/vkey").text == desk.site.ledger.vkeys
    assert browser.get("/regulator/checkpoint").text.partition("/")[2]
    assert browser.get("/regulator/verifier").content == alone.built()


@pytest.mark.parametrize(
    "path", ["ledger/999999", "ledger/-1", "ledger/x/proof", "ledger/9999999999999999999", f"ledger/{'0' * 5000}1"]
)
def test_there_is_no_entry_beyond_the_last(desk, path):
    assert desk.as_("regulator").get(f"/regulator/{path}").status_code == 404


@pytest.mark.parametrize("query", ["kind=none", "find=abc", "before=x"])
def test_a_search_that_means_nothing_is_refused(desk, query):
    assert desk.as_("regulator").get(f"/regulator/ledger?{query}").status_code == 422


def test_how_to_run_a_witness_has_this_ledgers_name(desk):
    browser = desk.as_("regulator")
    said = browser.get("/regulator/witness.json").json()
    assert said["witnesses"] == []
    assert f"--name witness.example.org/{said['origin']} --log vkey" in desk.as_("regulator").texts(
        "/regulator/witness"
    )
    assert said["vkeys"] == desk.site.ledger.vkeys.split()


def paths(desk, request, permit):
    """Every page and file of the regulator, with its parameters filled in."""
    real = {"permit": permit.id, "request": request.id, "number": "3"}
    for route in ROUTES:
        if route.roles == ("regulator",) and route.method == "GET":
            path = re.sub(r"\{([a-z]+)\}", lambda m: real[m[1]], route.path)
            yield from [path] if route.file else [path, f"{path}.json"]


def test_no_page_names_a_person_or_a_car(desk, shipped):
    browser = desk.as_("regulator")
    strangers = {"anna", "owner 1", "owner1@example.org"}
    for number in (1, 2):
        car = desk.hands.car(number)
        strangers |= {f"{car.id:016x}", str(car.id), f"{car.owner:016x}", str(car.owner)}
        strangers.add(desk.hands.vin(number).decode())
    for path in paths(desk, *shipped):
        said = browser.get(path)
        assert said.status_code == 200, (path, said.text)
        texts = zipped(said).values() if path.endswith("evidence") else [said.content]
        for text in texts:
            assert not [one for one in strangers if one.encode() in text], path


def test_the_verifier_of_the_package_has_the_modules_of_its_contract():
    contracts = configparser.ConfigParser()
    contracts.read(Path(__file__).parents[3] / ".importlinter", encoding="utf-8")
    named = contracts["importlinter:contract:verifier"]["source_modules"].split()
    assert [f"onshore.ledger.{module}" for module in alone.MODULES] == named
