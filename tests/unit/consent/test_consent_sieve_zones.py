"""The sieve at the edge of a restricted zone."""

import math

import pyarrow as pa
import pytest

from onshore.consent.columns import compile_consents
from onshore.consent.reference import reference_sieve
from onshore.consent.sieve import sieve
from onshore.consent.zones import Zones
from onshore.words.batch import BASE, DOOR, TIME
from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.place import DATUM, LATITUDE, LONGITUDE, NOWHERE, ROW_DATUM, Zone
from onshore.words.rulebook import Rulebook

PURPOSES = ("statutory-monitoring", "repair")
RING = ((8.0, 50.0), (8.25, 50.0), (8.25, 50.25), (8.0, 50.25), (8.0, 50.0))
ZONES = (Zone("yard", "military", "WGS-84", 0, ((RING,),)),)
LISTED = {"gb32960": frozenset({LONGITUDE, LATITUDE})}
GOAL_X, GOAL_Y = "Goal.Longitude", "Goal.Latitude"
TRACKS = (LONGITUDE, LATITUDE, GOAL_X, GOAL_Y, "Goal.Name", "Route", "Valid", "Heading")
CATEGORY = dict.fromkeys(TRACKS, "track") | {"Picture": "exterior-video", "Speed": "vehicle-operation"}
PLACES = {GOAL_X: "goal", GOAL_Y: "goal", "Goal.Name": "goal", "Route": "route", "Valid": NOWHERE}
BOOK = Rulebook("cn/test", "", CATEGORY, LISTED, frozenset(), {}, frozenset({"track", "exterior-video"}), PLACES)
IN, OUT = (8.1, 50.1), (9.1, 50.1)


def batch(*places, door="mqtt", datum="WGS-84", kind=None, **more):
    kind = kind or pa.float64()
    said = {DATUM: datum} if datum else None
    n = len(places)
    columns = {LONGITUDE: [p[0] for p in places], LATITUDE: [p[1] for p in places], "Speed": [1.0] * n} | more
    arrays = [
        pa.array([1] * n, pa.int64()),
        pa.array([5] * n, pa.int64()).cast(TIME),
        pa.array([6] * n, pa.int64()).cast(TIME),
        pa.array([door] * n).dictionary_encode().cast(DOOR),
    ]
    fields = list(BASE)
    for name, values in columns.items():
        if values is not None:
            place = name.endswith(("Longitude", "Latitude"))
            arrays.append(pa.array(values, kind if place else None))
            fields.append(pa.field(name, arrays[-1].type, metadata=said if place else None))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


def sieved(arrived, zones=ZONES, book=BOOK):
    given = [
        Consent(1, 1, 1, "repair", category, 0, None, None, "1", False, frozenset())
        for category in ("track", "exterior-video", "vehicle-operation")
    ]
    said = sieve(arrived, compile_consents(given, PURPOSES), book, 9, zones=Zones(zones))
    slowly = reference_sieve(arrived, given, PURPOSES, book, 9, zones=zones)
    assert said.tally.as_rows() == slowly.tally.as_rows()
    assert said.kept.equals(slowly.kept, check_metadata=True)
    return said


def restricted(said):
    return {(c, g): n for c, g, reason, n in said.tally.as_rows() if reason == "restricted-zone"}


def test_pictures_and_tracks_in_a_zone_are_counted_and_nothing_else_of_them_is_left():
    said = sieved(batch(IN, OUT, IN, Picture=[b"a", b"b", None]))
    assert said.kept.num_rows == 3
    assert said.kept.column("Speed").to_pylist() == [1.0] * 3
    assert said.kept.column(LONGITUDE).to_pylist() == [None, 9.1, None]
    assert said.kept.column("Picture").to_pylist() == [None, b"b", None]
    assert said.kept.column("purposes:track").to_pylist() == [0, 2, 0]
    assert restricted(said) == {("track", "consent"): 4, ("exterior-video", "consent"): 1}


def test_no_ground_helps():
    said = sieved(batch(IN, OUT, door="gb32960"))
    assert said.kept.column("purposes:track").to_pylist() == [0, 3]
    assert restricted(said) == {("track", "consent"): 2, ("track", "statutory"): 2}
    assert said.tally.cells["track", "statutory", "statutory"] == 2


@pytest.mark.parametrize(
    ("place", "cells"),
    [
        (IN, 2),
        (OUT, 0),
        ((8.26, 50.1), 0),
        ((None, None), 0),  # not given: nowhere
        ((9.1, None), 1),  # half given: anywhere
        ((None, 51.0), 1),
        ((math.nan, 51.0), 2),
        ((9.1, math.inf), 2),
        ((181.0, 51.0), 2),
    ],
)
def test_a_position_that_was_given_and_is_no_place_lies_in_a_zone(place, cells):
    assert sum(restricted(sieved(batch(place))).values()) == cells


@pytest.mark.parametrize(("datum", "cells"), [("WGS-84", 0), ("GCJ-02", 2), ("", 2), ("BD-09", 2)])
def test_a_zone_reaches_further_for_positions_of_another_datum(datum, cells):
    said = sieved(batch((8.26, 50.1), OUT, datum=datum))
    assert sum(restricted(said).values()) == cells
    assert said.kept.schema.field(LONGITUDE).metadata.get(b"datum", b"").decode() == datum


def test_rows_of_several_data_in_one_batch_are_each_judged_in_their_own():
    near = [(8.26, 50.1)] * 5
    data = pa.array([1, 2, 3, None, 1], pa.uint8())
    said = sieved(batch(*near, datum="WGS-84").append_column(ROW_DATUM, data))
    assert said.kept.column(LONGITUDE).to_pylist() == [8.26, None, None, 8.26, 8.26]


def test_a_row_datum_of_another_type_is_not_believed():
    said = sieved(batch((8.26, 50.1), datum="WGS-84").append_column(ROW_DATUM, pa.array([1], pa.int32())))
    assert sum(restricted(said).values()) == 2


@pytest.mark.parametrize("gone", [LONGITUDE, LATITUDE])
def test_half_a_position_is_no_place_where_the_other_column_is_absent(gone):
    assert sum(restricted(sieved(batch(IN, OUT, **{gone: None}))).values()) == 2


def test_without_a_position_or_a_zone_or_a_rule_all_is_as_before():
    alone = batch(IN, **{LONGITUDE: None, LATITUDE: None, "Picture": [b"a"], "Route": ["r"]})
    assert not restricted(sieved(alone, zones=()))
    assert not restricted(sieved(batch(IN, OUT), zones=()))
    silent = Rulebook("cn/test", "", CATEGORY, LISTED, frozenset(), {})
    assert not restricted(sieved(batch(IN), book=silent))
    assert not restricted(sieved(alone, book=silent))


def test_a_picture_whose_row_says_no_place_is_withheld_whatever_other_rows_say():
    said = sieved(batch(OUT, (None, None), OUT, IN, Picture=[b"a", b"b", b"c", b"d"]))
    assert said.kept.column("Picture").to_pylist() == [b"a", None, b"c", None]
    assert restricted(said) == {("exterior-video", "consent"): 2, ("track", "consent"): 2}
    nowhere = sieved(batch(OUT, OUT, **{LONGITUDE: None, LATITUDE: None, "Picture": [b"a", b"b"]}))
    assert restricted(nowhere) == {("exterior-video", "consent"): 2}
    assert nowhere.kept.num_rows == 2


@pytest.mark.parametrize(
    ("own", "goal", "kept"),
    [
        (OUT, OUT, {GOAL_X, GOAL_Y, "Goal.Name", "Valid", "Heading"}),
        (OUT, IN, {"Valid", "Heading"}),
        (OUT, (None, None), {"Valid", "Heading"}),  # a name whose place is not told
        (OUT, (9.1, None), {"Valid", "Heading"}),
        (OUT, (math.nan, 50.1), {"Valid", "Heading"}),
        ((None, None), OUT, {GOAL_X, GOAL_Y, "Goal.Name", "Valid"}),
        ((None, None), IN, {"Valid"}),
        ((None, None), (None, None), {"Valid"}),
        (IN, OUT, set()),
        (IN, IN, set()),
    ],
)
def test_each_place_that_a_row_tells_of_is_looked_at(own, goal, kept):
    """A destination or where it charged; a route, whose points nobody can look at, is kept nowhere."""
    tells = {"Goal.Name": ["yard"], "Route": ["r"], "Valid": [True], "Heading": [90.0]}
    said = sieved(batch(own, **{GOAL_X: [goal[0]], GOAL_Y: [goal[1]]}, **tells))
    assert set(said.kept.schema.names) & (set(CATEGORY) - {LONGITUDE, LATITUDE, "Speed"}) == kept
    given = sum(n is not None for n in (*own, *goal)) + len(tells)
    left = len(kept) + sum(n in said.kept.schema.names for n in (LONGITUDE, LATITUDE))
    assert sum(restricted(said).values()) == given - left


def test_a_place_without_both_its_columns_is_not_told():
    half = batch(OUT, **{GOAL_X: [9.1], "Goal.Name": ["yard"]})
    assert restricted(sieved(half)) == {("track", "consent"): 2}
    assert restricted(sieved(batch(OUT, **{"Goal.Name": ["yard"]}))) == {("track", "consent"): 1}


@pytest.mark.parametrize(("datum", "cells"), [("WGS-84", 0), ("GCJ-02", 4), ("", 4)])
def test_each_place_has_the_datum_that_its_columns_say(datum, cells):
    near = (8.26, 50.1)
    assert sum(restricted(sieved(batch(near, **{GOAL_X: [8.26], GOAL_Y: [50.1]}, datum=datum))).values()) == cells


def test_slices_of_a_batch_are_looked_at_where_they_are():
    assert sum(restricted(sieved(batch(IN, OUT, OUT).slice(1))).values()) == 0
    assert sum(restricted(sieved(batch(OUT, IN, (None, 50.1)).slice(1))).values()) == 3


@pytest.mark.parametrize("kind", [pa.float32(), pa.string()])
def test_a_position_in_no_doubles_is_refused_where_there_are_zones(kind):
    wrong = batch(("8", "50") if kind == pa.string() else IN, kind=kind)
    for act in (
        lambda: sieve(wrong, compile_consents([], PURPOSES), BOOK, 9, zones=Zones(ZONES)),
        lambda: reference_sieve(wrong, [], PURPOSES, BOOK, 9, zones=ZONES),
    ):
        with pytest.raises(Malformed):
            act()
    assert sieve(wrong, compile_consents([], PURPOSES), BOOK, 9).tally.rows_in == 1
