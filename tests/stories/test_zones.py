"""An owner allowed the track; the car drives through a restricted zone, and of that nothing is kept but the count."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from onshore.cli.drives import computed
from onshore.cli.main import cli
from onshore.consent.reference_zones import reference_contains
from onshore.register import zones
from onshore.vault.read import read
from onshore.words.errors import Malformed, Refusal
from onshore.words.place import LATITUDE, LONGITUDE

SECONDS = 600
DRIVE = [(m.units["position"]["longitude"], m.units["position"]["latitude"]) for m in computed(1, SECONDS)]
X, Y = DRIVE[SECONDS // 2]
SIDE = 0.0004


def around(x=X, y=Y, side=SIDE) -> str:
    """A square about a place on the way, as a file of an authority might have it."""
    corners = [[x - side, y - side], [x + side, y - side], [x + side, y + side], [x - side, y + side]]
    geometry = {"type": "Polygon", "coordinates": [[*corners, corners[0]]]}
    return json.dumps({"type": "Feature", "properties": {"name": "north yard"}, "geometry": geometry})


def onshore(hands, *words, code=0):
    done = CliRunner().invoke(cli, [*words, "--site", str(hands.site.folder)])
    assert done.exit_code == code, done.output
    assert not re.search(r"\d{1,3}\.\d{3,}", done.output)
    return done


def imported(hands, text=None, *more, datum="GCJ-02", margin=0, code=0):
    file = hands.site.folder.parent / "yards.geojson"
    file.write_text(text or around())
    said = ("--source", "District government, list of 2026-03", "--kind", "military")
    asked = ("--datum", datum, "--margin", str(margin), *more)
    return onshore(hands, "zone", "import", str(file), *said, "--as", "officer", *asked, code=code)


def kept(hands, *categories):
    site = hands.site
    end = hands.now + 86_400_000
    tables = read(
        site.engine, site.root, site.vault, site.id, use="warranty-analysis", categories=categories, start=0, until=end
    )
    return [row for table in tables for row in table.to_pylist()]


def cells_of(drained):
    return {tuple(row[:3]): row[3] for d in drained for t in d.tallies.values() for row in t.as_rows()}


def test_of_a_drive_through_a_zone_no_track_is_kept_and_all_else_is(hands):
    hands.allow(1)
    imported(hands)
    counted = cells_of(hands.drive(1, seconds=SECONDS))
    standing = zones.Standing(hands.site).compiled()
    inside = [reference_contains(standing._zones, x, y, None) for x, y in DRIVE]
    assert 0 < sum(inside) < SECONDS
    track = kept(hands, "track")
    there = {(row[LONGITUDE], row[LATITUDE]) for row in track}
    assert there == {place for place, restricted in zip(DRIVE, inside, strict=True) if not restricted}
    assert len(track) == SECONDS - sum(inside)
    assert len(kept(hands, "vehicle-operation")) == SECONDS
    withheld = counted["track", "consent", "restricted-zone"]
    assert withheld == 3 * sum(inside)  # longitude, latitude, and whether they hold
    assert counted["track", "statutory", "restricted-zone"] == withheld
    assert counted["track", "consent", "consented"] == counted["track", "statutory", "statutory"] == 3 * len(track)
    assert not any(why[2] == "restricted-zone" for why in counted if why[0] != "track")


def test_the_ledger_holds_the_list_and_the_counts_and_no_place(hands):
    hands.allow(1)
    imported(hands)
    hands.drive(1, seconds=SECONDS)
    hands.site.settle()
    entries = [json.loads(entry) for entry in hands.site.ledger.entries()]
    assert [e["state"] for e in entries if e["t"] == "zone"] == ["imported"]
    cells = [tuple(row[:3]) for e in entries if e["t"] == "ingest" for row in e["cells"]]
    assert ("track", "consent", "restricted-zone") in cells
    files = [p for p in hands.site.folder.rglob("*") if p.is_file()]
    for secret in (str(X - SIDE).encode(), str(Y - SIDE).encode(), b"north yard"):
        assert not [p.name for p in files if secret in p.read_bytes()]


def test_a_removed_zone_holds_nothing_back_any_more(hands):
    hands.allow(1)
    number = imported(hands).stdout.strip()
    standing = zones.Standing(hands.site)
    assert len(standing.compiled()) == 1
    assert standing.compiled() is standing.compiled()
    onshore(hands, "zone", "remove", number, "--as", "officer")
    assert len(standing.compiled()) == 0
    hands.drive(1, seconds=SECONDS)
    assert len(kept(hands, "track")) == SECONDS
    assert "zone-removed" in onshore(hands, "zone", "remove", number, "--as", "officer", code=1).stderr
    shown = onshore(hands, "zone", "list").stdout
    assert "removed 20" in shown
    assert "District government" in shown


def test_who_imports_what_is_told_with_its_proof(hands):
    assert "no zones" in onshore(hands, "zone", "list").stderr
    told = json.loads(imported(hands, None, "--json", datum="WGS-84", margin=250).stdout)
    listed = json.loads(onshore(hands, "zone", "list", "--json").stdout)
    assert [(row["zone"], row["datum"], row["margin_m"], row["by"]) for row in listed] == [
        (told["zone"], "WGS-84", 250, "officer")
    ]
    assert told["paper"]["sha256"] == listed[0]["sha256"]
    assert "stands" in onshore(hands, "zone", "list").stdout
    again = imported(hands, datum="WGS-84", margin=250, code=1)
    assert "zone-known" in again.stderr
    assert "Art. 3(1)" in again.stderr
    assert len(json.loads(imported(hands, None, "--json", datum="GCJ-02", margin=250).stdout)["zone"]) == 32
    gone = json.loads(onshore(hands, "zone", "remove", told["zone"], "--as", "officer", "--json").stdout)
    assert gone["paper"]["state"] == "removed"


@pytest.mark.parametrize("actor", ["regulator", "operator", "nobody"])
def test_it_is_the_officers_act(hands, actor):
    imported(hands, None, "--as", actor, code=1)
    onshore(hands, "zone", "remove", "0" * 32, "--as", actor, code=1)
    assert zones.listed(hands.site) == []


def test_what_is_no_list_of_zones_is_not_imported(hands):
    assert "feature 1: geometry" in imported(hands, '{"type": "Feature"}', code=2).stderr
    assert "yards.geojson: not JSON" in imported(hands, "{", code=2).stderr
    file = Path(hands.site.folder.parent / "latin.geojson")
    file.write_bytes(b'"\xff"')
    asked = ("--source", "x", "--kind", "military", "--datum", "GCJ-02", "--margin", "1", "--as", "officer")
    assert "not UTF-8" in onshore(hands, "zone", "import", str(file), *asked, code=2).stderr
    with file.open("wb") as large:
        large.truncate((32 << 20) + 1)
    assert "in parts" in onshore(hands, "zone", "import", str(file), *asked, code=2).stderr
    assert "zone-unknown" in onshore(hands, "zone", "remove", "0" * 32, "--as", "officer", code=1).stderr
    assert zones.listed(hands.site) == []


@pytest.mark.parametrize(("name", "source"), [("", "x"), ("x", " "), ("x" * 201, "x"), ("x", "a\nb"), ("x", "x" * 401)])
def test_a_list_has_a_name_and_a_source(hands, name, source):
    with pytest.raises(Malformed, match="a line of"):
        zones.put_on_file(hands.site, around(), zones.Origin(name, source, "military", "GCJ-02", 0), "officer")


def test_a_list_that_encloses_nothing_is_not_imported(hands):
    square = json.loads(around())
    ring = square["geometry"]["coordinates"][0]
    square["geometry"]["coordinates"] = [ring, ring]
    told = imported(hands, json.dumps(square), code=2).stderr
    assert "yards.geojson: feature 1: geometry.coordinates: nothing is left inside" in told
    square["geometry"]["coordinates"] = [[*ring, *ring[1:]]]
    assert "goes round twice" in imported(hands, json.dumps(square), code=2).stderr
    assert zones.listed(hands.site) == []


def test_a_list_imported_in_both_data_holds_back_no_less(hands):
    imported(hands, around(side=0.008), datum="WGS-84")
    x, y = np.array([X + 0.0140]), np.array([Y + 0.0014])  # inside at the east edge, and told in the other datum
    before = zones.Standing(hands.site).compiled()
    imported(hands, around(side=0.008), datum="GCJ-02")
    after = zones.Standing(hands.site).compiled()
    for datum in ("GCJ-02", None):
        assert before.contains(x, y, datum).all()
        assert after.contains(x, y, datum).all()
    assert not before.contains(x, y, "WGS-84").any()


def test_a_list_too_large_for_the_grid_is_not_imported(hands, monkeypatch):
    monkeypatch.setattr("onshore.consent.zones_grid._MOST", 1)
    assert "too long" in imported(hands, code=2).stderr
    with pytest.raises(Refusal):
        zones.remove(hands.site, "0" * 32)
    assert zones.listed(hands.site) == []
