"""What comes out of a transform is never finer than asked, and what was dropped is never in it."""

import math
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onshore.border.rows import transforms
from onshore.border.rows.coarse import cell_centres
from onshore.border.rows.transforms import apply, parse, stream
from onshore.site import read_catalogue
from onshore.words.batch import BASE, TIME
from onshore.words.errors import Malformed
from onshore.words.place import LATITUDE, LONGITUDE

CATALOGUE = read_catalogue()
TRACK = [name for name, signal in CATALOGUE.items() if signal.category == "track"]
METRES = st.integers(1, transforms.MOST_METRES)
PLACES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


def sides(latitude, east, north):
    """Metres that these degrees are long on the ellipsoid of WGS-84, at a latitude."""
    a, e2, phi = 6_378_137.0, 0.00669437999014, math.radians(latitude)
    w = 1 - e2 * math.sin(phi) ** 2
    return (
        math.radians(east) * a * math.cos(phi) / math.sqrt(w),
        math.radians(north) * a * (1 - e2) / w**1.5,
    )


@given(METRES, st.lists(PLACES, min_size=2, max_size=60))
def test_two_centres_are_never_nearer_than_the_metres(metres, places):
    x, y = (np.array(values) for values in zip(*places, strict=True))
    said = sorted(set(zip(*(values.tolist() for values in cell_centres(x, y, metres)), strict=True)))
    for i, (x1, y1) in enumerate(said):
        for x2, y2 in said[i + 1 :]:
            if y1 == y2:
                turn = abs(x1 - x2)
                assert sides(y1, min(turn, 360 - turn), 0)[0] >= metres - 0.3
            else:
                assert sides(min(abs(y1), abs(y2)), 0, abs(y1 - y2))[1] >= metres - 0.3


@given(METRES, PLACES)
def test_a_centre_is_where_the_car_was_and_its_own_centre(metres, place):
    x, y = np.array([place[0]]), np.array([place[1]])
    (east,), (north,) = cell_centres(x, y, metres)
    assert sides(0, 0, abs(north - place[1]))[1] <= metres + 1_000
    again = cell_centres(np.array([east]), np.array([north]), metres)
    assert (again[0][0], again[1][0]) == (east, north)


@given(METRES, PLACES, st.floats(-1e-7, 1e-7))
def test_a_cell_is_all_the_same_to_whoever_is_in_it(metres, place, step):
    """Nothing of a position but its cell comes through: two that are told apart lie in two cells."""
    x, y = np.array([place[0], place[0]]), np.array([place[1], min(max(place[1] + step, -90), 90)])
    east, north = cell_centres(x, y, metres)
    if north[0] == north[1]:
        assert east[0] == east[1]


@pytest.mark.parametrize("place", [(181, 0), (0, 90.5), (math.nan, 0), (0, math.inf)])
def test_what_is_no_place_on_the_globe_is_none_afterwards(place):
    east, north = cell_centres(np.array([place[0]]), np.array([place[1]]), 100)
    assert np.isnan(east).all()
    assert np.isnan(north).all()


def table(rows):
    """Rows of (vehicle, second, value or None) as tracks, sorted as segments are."""
    rows = sorted(rows, key=lambda row: row[:2])
    columns = {
        "vehicle": pa.array([r[0] for r in rows], pa.int64()),
        "time": pa.array([r[1] * 1000 for r in rows], pa.int64()).cast(TIME),
        "received": pa.array([r[1] * 1000 + 80 for r in rows], pa.int64()).cast(TIME),
        "door": pa.DictionaryArray.from_arrays(pa.array([0] * len(rows), pa.int8()), ["gb32960"]),
        LONGITUDE: pa.array([None if r[2] is None else 121 + r[2] / 1e4 for r in rows], pa.float64()),
        LATITUDE: pa.array([None if r[2] is None else 31 + r[2] / 1e4 for r in rows], pa.float64()),
        "Vehicle.Onshore.Navigation.DestinationName": pa.array(["home"] * len(rows)),
        "Vehicle.CurrentLocation.Timestamp": pa.array([str(r[1]) for r in rows]),
        "Vehicle.Onshore.PositionValid": pa.array([True] * len(rows)),
    }
    fields = [*BASE, *(pa.field(name, columns[name].type) for name in list(columns)[len(BASE) :])]
    return pa.table(list(columns.values()), pa.schema(fields))


ROWS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 200), st.none() | st.integers(0, 9_999)), min_size=1, max_size=60
)


@given(ROWS, st.integers(1, 120), st.integers(0, 2**64 - 1), st.integers(1, 7))
def test_a_car_has_one_row_for_an_interval_however_the_rows_come(rows, seconds, seed, piece):
    how, whole = parse([f"time:{seconds}"]), table(rows)
    pieces = [whole.slice(first, piece) for first in range(0, whole.num_rows, piece)]
    found = pa.concat_tables(stream(pieces, how, CATALOGUE, seed), promote_options="default")
    starts = found.column("time").cast(pa.int64()).to_pylist()
    keys = list(zip(found.column("vehicle").to_pylist(), starts, strict=True))
    assert sorted(keys) == sorted({(v, t * 1000 // (seconds * 1000) * seconds * 1000) for v, t, _ in rows})
    assert {"received", "door", "Vehicle.CurrentLocation.Timestamp"}.isdisjoint(found.column_names)
    said = zip(keys, found.column(LONGITUDE).to_pylist(), found.column(LATITUDE).to_pylist(), strict=True)
    held = {}
    for v, t, value in rows:
        held.setdefault((v, t // seconds * seconds * 1000), set()).add(value)
    for key, x, y in said:
        if x is None:
            assert held[key] == {None}
        else:
            assert round((x - 121) * 1e4) in held[key]
            assert round((x - 121) * 1e4) == round((y - 31) * 1e4)  # of one row


@given(ROWS, st.integers(1, 120), st.lists(st.integers(0, 200), max_size=3), st.integers(1, 2))
def test_an_interval_over_midnight_is_said_once_though_other_cars_come_in_between(rows, seconds, midnights, buckets):
    """Segments are of a day and a bucket: a car's day is followed by that of other cars before it goes on."""
    edges = [0, *sorted(set(midnights) - {0}), 201]
    days = [[row for row in rows if since <= row[1] < until] for since, until in pairwise(edges)]
    cut = [[row for row in day if row[0] % buckets == bucket] for day in days for bucket in range(buckets)]
    found = pa.concat_tables(stream([table(some) for some in cut if some], parse([f"time:{seconds}"]), CATALOGUE))
    keys = list(zip(*(found.column(name).cast(pa.int64()).to_pylist() for name in ("vehicle", "time")), strict=True))
    assert sorted(keys) == sorted({(v, t // seconds * seconds * 1000) for v, t, _ in rows})


@given(ROWS, st.sets(st.sampled_from(TRACK)), st.sets(st.sampled_from(TRACK)), st.integers(0, 5_000))
def test_what_is_dropped_is_never_there_and_what_is_masked_says_nothing(rows, drop, mask, metres):
    names = [f"drop:{n}" for n in drop] + [f"mask:{n}" for n in mask] + ([f"space:{metres}"] if metres else [])
    found = apply(table(rows), parse(names, CATALOGUE), CATALOGUE)
    assert drop.isdisjoint(found.column_names)
    assert all(found.column(name).null_count == found.num_rows for name in mask & set(found.column_names))
    if metres:
        assert "Vehicle.Onshore.Navigation.DestinationName" not in found.column_names
        assert (LONGITUDE in found.column_names) == (LONGITUDE not in drop)
        if {LONGITUDE, LATITUDE} & drop and not {LONGITUDE, LATITUDE} <= drop:
            other = LATITUDE if LONGITUDE in drop else LONGITUDE
            assert found.column(other).null_count == found.num_rows  # half a position has no cell
    assert found.num_rows == len(rows)


def test_which_row_speaks_for_an_interval_is_no_rule_that_tells_the_time():
    rows = [(1, second, second) for second in range(3600)]
    found = apply(table(rows), parse(["time:60"]), CATALOGUE, 7)
    seconds = [round((x - 121) * 1e4) % 60 for x in found.column(LONGITUDE).to_pylist()]
    assert len(set(seconds)) > 20
    other = apply(table(rows), parse(["time:60"]), CATALOGUE, 8)
    assert other.column(LONGITUDE) != found.column(LONGITUDE)


@pytest.mark.parametrize(
    "name",
    [
        *("", "blur:9", "space:", "space:0", "space:-5", "space:1e3", "space:1000001", "space:5 "),
        *("time:86401", "time:٣", "drop:", "mask:", "drop:Vehicle.Nothing", "Pseudonym", "pseudonym:x"),
    ],
)
def test_what_cannot_be_done_is_not_read_as_something_else(name):
    with pytest.raises(Malformed):
        parse([name], CATALOGUE)


def test_a_cell_has_one_size_and_a_pseudonym_goes_without_saying():
    with pytest.raises(Malformed, match="twice"):
        parse(["space:5", "space:500"])
    assert parse(["pseudonym"]) == parse([])
    assert parse(["time:60", "space:5", f"drop:{LONGITUDE}"]) == parse([f"drop:{LONGITUDE}", "space:5", "time:60"])


@pytest.mark.parametrize("name", ["drop:Vehicle.Speed", "mask:Vehicle.Speed", "space:500", "time:60", "pseudonym"])
def test_each_is_told_in_words(name):
    assert name.partition(":")[2] in transforms.said(name)
    assert len(transforms.said(name)) > 20
