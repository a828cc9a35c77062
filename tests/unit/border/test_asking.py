"""What is asked: signals of their categories, vehicles by filter, a dry run that tells figures and no row."""

import json
from dataclasses import asdict

import pyarrow as pa
import pytest

from onshore.border import grants, requests
from onshore.border.dryrun import dry_run
from onshore.border.rows.choosing import Filter, choose, lines_of, named
from onshore.border.rows.located import Located, whereabouts
from onshore.border.rows.selection import Part, Sought, Touched, in_zones
from onshore.border.rows.transforms import Transforms
from onshore.border.transfer import ship
from onshore.consent.zones import Zones
from onshore.register import zones
from onshore.site import read_catalogue
from onshore.words.errors import Malformed, Refusal
from onshore.words.place import LATITUDE, LONGITUDE, Zone

CATALOGUE = read_catalogue()
SPEED = "Vehicle.Speed"
DATUM = "Vehicle.Onshore.Datum"
VALID = "Vehicle.Onshore.PositionValid"


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


# ---- signals ----


@pytest.mark.parametrize("signal", [SPEED, "Vehicle.Gossip", ""])
def test_a_signal_that_is_of_no_asked_category_is_refused(border, signal):
    for act in (requests.ask, dry_run):
        request = border.request(categories=("track",), signals=(LONGITUDE, signal))
        assert refused(lambda act=act, request=request: act(border.site, request)).reason == "signal-unknown"
    assert requests.listed(border.site) == []


def test_a_category_of_which_no_signal_is_asked_is_refused(border):
    assert refused(lambda: border.ask(signals=(LONGITUDE,))).reason == "category-idle"


def test_a_dry_run_tells_each_category_by_itself(border):
    border.hands.allow(1)
    border.hands.allow(2, categories=("track",))
    border.hands.drive(1, 2, 3)
    found = dry_run(border.site, border.request(categories=("track", "vehicle-operation", "driving-behaviour")))
    track, operation, driving = found.categories
    assert (track.rows, track.vehicles, track.persons) == (40, 2, 2)
    assert (operation.rows, operation.persons) == (20, 1)
    assert (found.rows, found.persons, found.bytes) == (60, 2, track.bytes + operation.bytes)
    assert {LONGITUDE, LATITUDE} <= set(track.signals)
    assert track.bytes > 0
    assert track.precision_m == pytest.approx(0.11, abs=0.01)
    assert operation.precision_m is None
    assert (driving.rows, driving.bytes, driving.signals) == (0, 0, ())  # a category that nobody ever consented to
    assert requests.listed(border.site) == []


def test_a_dry_run_holds_no_car_no_person_and_no_place(border):
    border.hands.allow(1)
    border.hands.drive(1)
    said = json.dumps(asdict(dry_run(border.site, border.request())))
    car = border.hands.car(1)
    for secret in (str(car.id), str(car.owner), border.hands.vin(1).decode(), "121.", "31."):
        assert secret not in said


def test_signals_narrow_what_is_touched_and_what_is_told(border):
    border.hands.allow(1)
    border.hands.drive(1)
    (part,) = dry_run(border.site, border.request(categories=("track",), signals=(VALID,))).categories
    assert part.signals == (VALID,)
    assert part.rows == 20
    assert LONGITUDE in part.left_out
    assert part.precision_m is None


def test_a_row_without_any_of_the_asked_signals_is_not_touched(border):
    border.hands.allow(1)
    border.hands.drive(1)
    engine = "Vehicle.Powertrain.CombustionEngine.Speed"
    found = dry_run(border.site, border.request(categories=("vehicle-operation",), signals=(engine,)))
    assert (found.rows, found.persons) == (0, 0)


def test_a_zone_withholds_what_lies_in_it_whichever_signals_are_asked(border):
    border.hands.allow(1)
    border.hands.drive(1)
    ring = [[121.0, 31.0], [122.0, 31.0], [122.0, 31.5], [121.0, 31.5], [121.0, 31.0]]
    shape = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    text = json.dumps({"type": "FeatureCollection", "features": [shape]})
    zones.put_on_file(border.site, text, zones.Origin("list", "of 2026", "military", "WGS-84", 0), "officer")
    for signals in ((), (VALID,), (LONGITUDE, LATITUDE)):
        found = dry_run(border.site, border.request(categories=("track",), signals=signals))
        assert found.rows == 0
        assert found.withheld["restricted-zone"] > 0
        assert found.categories[0].in_zones == 0  # none of it leaves, so none is near


def test_a_dry_run_says_what_a_permit_might_demand_comes_to(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request = border.request(categories=("track",))
    plain = dry_run(border.site, request).categories[0]
    coarse = dry_run(border.site, request, ("space:2000", "time:60", f"drop:{VALID}")).categories[0]
    assert coarse.precision_m == pytest.approx(2000 / 2**0.5)  # half a diagonal: that is how well its centre tells it
    assert VALID not in coarse.signals
    assert coarse.bytes < plain.bytes
    gone = dry_run(border.site, request, (f"drop:{LONGITUDE}", f"drop:{LATITUDE}")).categories[0]
    assert gone.precision_m is None
    with pytest.raises(Malformed):
        dry_run(border.site, request, ("space:0",))


# ---- vehicles ----


def test_vehicles_are_chosen_by_what_a_register_knows(border):
    hands = border.hands
    first, second, third = (hands.car(n) for n in (1, 2, 11))
    hands.now += 60_000
    later = hands.car(12)
    ids = {first.id: 1, second.id: 2, third.id: 11, later.id: 12}

    def chosen(**wanted):
        return {ids[one] for one in choose(border.site, Filter(**wanted))}

    vin = hands.vin(11).decode()
    assert chosen(begins=("LTEST",)) == {1, 2, 11, 12}
    assert chosen(begins=(vin[:16],)) == {11, 12}
    assert chosen(begins=(vin[:16],), since=later.added) == {12}
    assert chosen(until=later.added) == {1, 2, 11}
    assert chosen(vins=(vin, hands.vin(1).decode())) == {1, 11}
    assert chosen(vins=(vin, hands.vin(1).decode()), begins=(vin[:16],)) == {11}


@pytest.mark.parametrize("wanted", [{"begins": ("WVW",)}, {"since": 1 << 50}, {"until": 0}, {}])
def test_a_filter_that_matches_nothing_asks_for_nothing_and_never_for_all(border, wanted):
    border.hands.car(1)
    assert refused(lambda: choose(border.site, Filter(**wanted))).reason == "no-vehicle"


def test_a_list_with_a_stranger_is_refused_without_naming_it(border):
    border.hands.car(1)
    stranger = border.hands.vin(99).decode()
    refusal = refused(lambda: choose(border.site, Filter(vins=(border.hands.vin(1).decode(), stranger))))
    assert refusal.reason == "vehicle-unknown"
    assert "number 2 of the 2" in refusal.says
    assert stranger not in str(refusal)


@pytest.mark.parametrize("begins", ["", "ltest", "LTESTI", "L" * 17, "%", "LTEST\n"])
def test_a_beginning_that_no_vin_has_is_malformed(border, begins):
    with pytest.raises(Malformed):
        choose(border.site, Filter(begins=(begins,)))


def test_a_time_of_registration_that_ends_before_it_begins_is_malformed(border):
    with pytest.raises(Malformed):
        choose(border.site, Filter(since=5, until=5))


def test_a_file_of_vins_is_read_line_by_line(border):
    one, two = (border.hands.vin(n).decode() for n in (1, 2))
    assert lines_of(f"# fleet\n{one}  # first\n\n  {two}\n") == (one, two)
    with pytest.raises(Malformed) as caught:
        lines_of(f"{one}\nLTESTnothing")
    assert "line 2" in str(caught.value)
    assert "nothing" not in str(caught.value)


def test_a_request_is_bound_to_its_filter_and_to_whom_it_meant(border):
    """A car that is registered later does not slip in, and another filter makes another request."""
    hands = border.hands
    hands.allow(1)
    hands.drive(1)
    wanted = Filter(begins=("LTEST",))
    request, _ = border.ask(vehicles=choose(border.site, wanted), chosen=named(border.site, wanted))
    hands.allow(2)
    hands.drive(2)
    border.file(request, "impact-assessment", "standard-contract", "export-notice", "separate-consent")
    border.approve(request)
    grants.grant(border.site, border.draft(request), border.regulator())
    assert ship(border.site, request.id).persons == 1
    said = named(border.site, wanted)
    assert said == named(border.site, Filter(begins=("LTEST",)))
    assert said != named(border.site, Filter(begins=("LTES",)))
    assert "LTEST" not in requests.find(border.site, request.id).transfer.chosen


# ---- what the judge is told ----


def test_the_judge_is_told_of_what_was_found(border):
    border.hands.allow(1)
    border.hands.allow(2, categories=("vehicle-operation",))
    border.hands.drive(1, 2)
    border.ask()
    ((_, act, _),) = requests.judged_since(border.site, 0)
    assert (act.subjects_in_dataset, act.new_devices) == (2, 1)  # one of two cars says where it is
    assert act.precision_m == pytest.approx(0.11, abs=0.01)
    assert not act.coordinates  # tracks are tracks: no other data carries them
    assert not act.near_sensitive_site


def test_rows_whose_position_lies_in_a_zone_are_told_from_those_that_say_none():
    """Where the law here lets them go, the judge hears that they were recorded there."""
    ring = ((121.0, 31.0), (122.0, 31.0), (122.0, 31.5), (121.0, 31.5), (121.0, 31.0))
    compiled = Zones([Zone("a site", "military", "WGS-84", 0, ((ring,),))])
    x = pa.array([121.5, 110.0, None, 121.5, None])
    y = pa.array([31.2, 31.2, None, None, 31.2])
    batch = pa.RecordBatch.from_arrays([x, y], [LONGITUDE, LATITUDE])
    assert in_zones(batch, compiled) == 3  # half a position lies anywhere
    assert in_zones(batch.select([LATITUDE]), compiled) == 3
    assert in_zones(batch, Zones([])) == 0
    assert in_zones(pa.RecordBatch.from_arrays([x], ["Vehicle.Speed"]), compiled) == 0


def test_scenes_beside_positions_are_data_with_coordinates():
    found = Touched(parts={"track": Part(rows=1, vehicles={1}, signals={LONGITUDE, LATITUDE})})
    wanted = Sought({"track": None, "point-cloud": None}, Transforms())
    plain = whereabouts(CATALOGUE, found, wanted)
    assert (plain.beside_tracks, plain.devices) == (False, {1})
    found.parts["point-cloud"] = Part(rows=1, vehicles={1})
    assert whereabouts(CATALOGUE, found, wanted).beside_tracks
    masked = Sought(wanted.signals, Transforms(mask=frozenset({LONGITUDE, LATITUDE})))
    assert whereabouts(CATALOGUE, found, masked) == Located(None, beside_tracks=False, devices=frozenset())
