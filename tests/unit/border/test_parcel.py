"""A parcel as its recipient finds it: standard tools open it, a person understands it, it holds what was permitted."""

import base64
import hashlib
import io
import json
import re
import shutil
import subprocess
from itertools import permutations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from onshore.border import grants
from onshore.border.rows import parcel
from onshore.border.rows.selection import leaving, touched
from onshore.border.transfer import ship
from onshore.cli.verifying import verify
from onshore.register import consents, vehicles
from onshore.rights.sale import Choice, sell
from onshore.site import read_catalogue
from onshore.words.errors import Refusal
from onshore.words.place import LATITUDE, LONGITUDE

CATALOGUE = read_catalogue()
VALID = "Vehicle.Onshore.PositionValid"


def permitted(border, request=None, **change):
    request = border.approved(**(request or {}))
    return request, grants.grant(border.site, border.draft(request, **change), border.regulator())


def opened(border, shipped):
    """The manifest, and the rows of each category."""
    inside = border.opened(shipped)
    manifest = json.loads(inside["manifest.json"])
    found = {}
    for part in manifest["parts"]:
        found.setdefault(part["category"], []).append(pq.read_table(io.BytesIO(inside[part["name"]])))
    return manifest, {category: pa.concat_tables(some) for category, some in found.items()}


def cars(border, *numbers):
    for number in numbers:
        border.hands.allow(number)
    border.hands.drive(*numbers)


# ---- what the permit demands ----


def test_a_permit_for_fewer_signals_lets_no_other_out(border):
    cars(border, 1)
    request, _ = permitted(border, {"categories": ("track",)}, signals=(LONGITUDE, VALID))
    manifest, rows = opened(border, ship(border.site, request.id))
    assert rows["track"].column_names == ["vehicle", "time", LONGITUDE, VALID]
    assert [column["name"] for column in manifest["schema"]["track"]] == rows["track"].column_names


def test_what_the_permit_has_dropped_masked_and_coarsened_is_so_in_the_parcel(border):
    cars(border, 1, 2)
    how = (f"drop:{VALID}", "mask:Vehicle.Powertrain.TractionBattery.CurrentVoltage", "space:5000", "time:10")
    request, _ = permitted(border, transforms=how)
    manifest, rows = opened(border, ship(border.site, request.id))
    track, operation = rows["track"], rows["vehicle-operation"]
    assert VALID not in track.column_names
    assert operation.column("Vehicle.Powertrain.TractionBattery.CurrentVoltage").null_count == operation.num_rows
    assert len(set(zip(track.column(LONGITUDE).to_pylist(), track.column(LATITUDE).to_pylist(), strict=True))) <= 4
    for table in rows.values():
        keys = list(zip(table.column("vehicle").to_pylist(), table.column("time").to_pylist(), strict=True))
        assert len(keys) == len(set(keys))  # rows that became equal are one
        assert {at.second % 10 for _, at in keys} == {0}
        assert all(at.microsecond == 0 for _, at in keys)
    assert manifest["rows"] == sum(table.num_rows for table in rows.values()) < 80
    assert [done["name"] for done in manifest["transforms"]] == [*how, "pseudonym"]
    says = {column["name"]: column["says"] for column in manifest["schema"]["vehicle-operation"]}
    assert "masked" in says["Vehicle.Powertrain.TractionBattery.CurrentVoltage"]


def test_a_permit_that_has_all_that_was_asked_dropped_lets_nothing_out(border):
    cars(border, 1)
    request, _ = permitted(border, {"categories": ("track",), "signals": (VALID,)}, transforms=(f"drop:{VALID}",))
    with pytest.raises(Refusal) as caught:
        ship(border.site, request.id)
    assert caught.value.reason == "nothing-to-send"


def test_a_car_has_one_name_for_a_recipient_and_another_for_the_next(border):
    pseudonyms = {name: parcel.pseudonyms(border.site, name) for name in ("stuttgart", "munich")}
    cars(border, 1, 2)
    request, _ = permitted(border)
    names = []
    for _ in range(2):
        _, rows = opened(border, ship(border.site, request.id))
        names.append({car for table in rows.values() for car in table.column("vehicle").to_pylist()})
    ids = {border.hands.car(n).id for n in (1, 2)}
    assert names[0] == names[1] == {pseudonyms["stuttgart"](one) for one in ids}
    assert names[0].isdisjoint({pseudonyms["munich"](one) for one in ids} | ids)


@pytest.mark.parametrize("few", [1, 64])
def test_rows_come_in_the_order_of_pseudonyms_and_not_of_our_own_ids(border, monkeypatch, few):
    monkeypatch.setattr(parcel, "FEW", few)
    cars(border, *range(1, 9))
    request, _ = permitted(border, persons=8)
    _, rows = opened(border, ship(border.site, request.id))
    for table in rows.values():
        names = table.column("vehicle").to_pylist()
        assert names == sorted(names)
        assert len(set(names)) == 8
        keys = list(zip(names, table.column("time").to_pylist(), strict=True))
        assert keys == sorted(keys)


@pytest.mark.parametrize("few", [1, 1 << 20])
def test_a_cars_rows_are_in_the_order_of_their_times_in_whatever_pieces_they_came(monkeypatch, few):
    """With 1 runs of rows are put in order as they are where they can be, with a million every row is moved."""
    monkeypatch.setattr(parcel, "FEW", few)

    def piece(*rows):
        cars, times = zip(*rows, strict=True)
        return pa.table({"vehicle": cars, "time": times, "Vehicle.Speed": [float(car * 100 + at) for car, at in rows]})

    morning, noon, evening = (piece(*((car, at + n) for car in (1, 2, 3) for n in range(3))) for at in (10, 20, 30))
    late = piece((1, 11), (2, 5), (3, 31))  # among the morning's, before them, among the evening's
    for pieces in (*permutations((morning, noon, evening)), *permutations((late, evening, morning))):
        found = parcel.under_pseudonyms(pa.concat_tables(pieces), lambda car: 9 - car)
        rows = [(9 - one["vehicle"], one["time"], one["Vehicle.Speed"]) for one in found.to_pylist()]
        came = [(car, at, speed) for table in pieces for car, at, speed in zip(*table.columns, strict=True)]
        told = sorted(((c.as_py(), t.as_py(), s.as_py()) for c, t, s in came), key=lambda row: (-row[0], row[1]))
        assert rows == told


def test_what_was_recorded_before_a_sale_does_not_leave_after_it(border):
    cars(border, 1, 2)
    request, _ = permitted(border)
    sold = border.hands.car(1)
    sell(border.site, sold, "officer", Choice(), owner="new owner")
    shipped = ship(border.site, request.id)
    assert shipped.persons == 1
    _, rows = opened(border, shipped)
    gone = parcel.pseudonyms(border.site, "stuttgart")(sold.id)
    assert all(gone not in table.column("vehicle").to_pylist() for table in rows.values())
    assert vehicles.owners(border.site)[sold.id] != sold.owner


def test_who_drove_and_was_not_counted_does_not_leave_in_a_car_that_was(border):
    """A consent given between counting and packing changes nothing: its rows wait for the next parcel."""
    cars(border, 1, 2)
    request, permit = permitted(border)
    found = touched(border.site, request, border.hands.now, permit)
    some, both = {border.hands.car(1).id}, {border.hands.car(n).id for n in (1, 2)}
    assert {category: part.asked for category, part in found.parts.items()} == dict.fromkeys(request.categories, both)
    found.parts = {"track": found.parts["track"]}
    found.parts["track"].asked = some
    left = list(leaving(border.site, request, permit, border.hands.now, found, 0))
    assert {(c, v) for c, table in left for v in table.column("vehicle").to_pylist()} == {("track", *some)}


# ---- the file ----


def test_large_parts_are_cut_and_a_column_more_begins_a_new_one(monkeypatch):
    monkeypatch.setattr(parcel, "GROUP", 10)
    monkeypatch.setattr(parcel, "PART", 1)

    def table(count, **more):
        names = {"vehicle": list(range(count, 0, -1)), "time": list(range(count)), "Vehicle.Speed": [1.0] * count}
        return pa.table(names | more)

    tables = [table(4), table(6), table(10), table(10, **{"Vehicle.IsMoving": [True] * 10})]
    packing = parcel.Packing({}, "note", CATALOGUE, lambda car: car * 7 % 13, parcel.Transforms())
    tar = b"".join(packing.flow(("driving-behaviour", one) for one in tables))
    assert [part["rows"] for part in packing.parts] == [10, 10, 10]
    manifest = json.loads(packing.manifest)
    assert manifest["counts"] == {"driving-behaviour": {"rows": 30, "vehicles": 10}}
    assert [c["name"] for c in manifest["schema"]["driving-behaviour"]][2:] == ["Vehicle.Speed", "Vehicle.IsMoving"]
    assert len(tar) % 512 == 0
    assert parcel.bytes_of(tables, lambda car: car) > 0


def test_a_parcel_says_of_itself_what_a_person_asks(border):
    cars(border, 1, 2)
    request, permit = permitted(border, transforms=("time:5",))
    shipped = ship(border.site, request.id)
    manifest, rows = opened(border, shipped)
    assert manifest["rows"] == shipped.rows == sum(part["rows"] for part in manifest["parts"])
    assert manifest["counts"] == {c: {"rows": t.num_rows, "vehicles": 2} for c, t in rows.items()}
    assert manifest["subjects"] == shipped.persons == 2
    assert manifest["request"] == permit.request
    assert manifest["packs"][0]["id"] == manifest["pack"] == border.site.pack.id
    assert len(manifest["packs"]) > 1  # the recipient's law was asked too
    for pack in manifest["packs"]:
        assert re.fullmatch("sha256:[0-9a-f]{64}", pack["digest"])
    assert manifest["period"].count("Z") == 2
    voltage = next(
        column
        for column in manifest["schema"]["vehicle-operation"]
        if column["name"] == "Vehicle.Powertrain.TractionBattery.CurrentVoltage"
    )
    assert (voltage["unit"], voltage["vss"], voltage["arrow"]) == ("V", "float", "float")
    assert "current voltage" in voltage["says"]
    for category, table in rows.items():
        schema = manifest["schema"][category]
        assert [column["name"] for column in schema] == table.column_names
        assert [column["arrow"] for column in schema] == [str(kind) for kind in table.schema.types]
        assert all(column["says"] for column in schema)
    for verb in ("onshore verify", "age --decrypt", "tar --extract", "sha256sum"):
        assert any(verb in line for line in manifest["verify"])
    text = border.opened(shipped)["manifest.json"].decode()
    assert text.index('"purpose"') < text.index('"parts"')
    assert len(text.splitlines()) > 100  # one thing a line


def test_the_tools_of_others_open_it_as_the_manifest_says(border, tmp_path):
    if shutil.which("age") is None:
        pytest.skip("the tool age is not here: apt-get install age")
    cars(border, 1, 2)
    request, _ = permitted(border)
    shipped = ship(border.site, request.id)
    identity, tar, folder = tmp_path / "key.txt", tmp_path / "parcel.tar", tmp_path / "opened"
    identity.write_text(border.hands.identity + "\n")
    folder.mkdir()
    subprocess.run(["age", "--decrypt", "--identity", identity, "--output", tar, shipped.file], check=True)
    subprocess.run(["tar", "--extract", "--file", tar, "--directory", folder], check=True)
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = {part["name"]: part["sha256"] for part in manifest["parts"]} | {"permit.note": manifest["permit"]}
    said = subprocess.run(["sha256sum", *listed], cwd=folder, check=True, capture_output=True, text=True).stdout
    assert {name: f"sha256:{digest}" for digest, name in map(str.split, said.splitlines())} == listed
    for part in manifest["parts"]:
        file = folder / part["name"]
        assert file.stat().st_size == part["bytes"]
        assert pq.read_table(file).num_rows == part["rows"]
        rows, seen = duckdb.execute(
            "SELECT count(*), count(DISTINCT vehicle) FROM read_parquet(?)", [str(file)]
        ).fetchone()
        assert (rows, seen) == (part["rows"], 2)
        assert (
            duckdb.execute("SELECT max(time) - min(time) FROM read_parquet(?)", [str(file)]).fetchone()[0].seconds == 19
        )
    extra = shipped.file.with_suffix(".tlog-proof").read_text().splitlines()[1].removeprefix("extra ")
    entry = json.loads(base64.b64decode(extra))
    assert entry["obj"] == f"sha256:{hashlib.sha256(shipped.file.read_bytes()).hexdigest()}"
    assert entry["manifest"] == f"sha256:{hashlib.sha256((folder / 'manifest.json').read_bytes()).hexdigest()}"


def test_onshore_verify_accepts_it_and_what_is_in_it(border, tmp_path):
    cars(border, 1)
    request, _ = permitted(border, transforms=("space:500", "time:5"), signals=())
    shipped = ship(border.site, request.id)
    identity = tmp_path / "key.txt"
    identity.write_text(border.hands.identity + "\n")
    vkey = border.site.folder / "ledger" / "vkey"
    asked = [str(shipped.file), "--key", str(vkey), "--identity", str(identity)]
    result = CliRunner().invoke(verify, asked)
    assert result.exit_code == 0, result.output
    assert "parts: 2" in result.output


def test_a_consent_that_went_between_asking_and_shipping_takes_its_rows_along(border):
    cars(border, 1, 2)
    request, _ = permitted(border)
    consents.withdraw(border.site, border.hands.car(2), category="track")
    manifest, rows = opened(border, ship(border.site, request.id))
    assert {c: len(set(t.column("vehicle").to_pylist())) for c, t in rows.items()} == {
        "track": 1,
        "vehicle-operation": 2,
    }
    assert manifest["subjects"] == 2
