import pyarrow as pa
import pytest

from onshore.words.place import DATUM, HERE, LATITUDE, LONGITUDE, NOWHERE, coordinates, datum_of


def schema(**datum):
    fields = {"x": LONGITUDE, "y": LATITUDE}
    said = [pa.field(fields[n], pa.float64(), metadata={DATUM: d} if d else None) for n, d in datum.items()]
    return pa.schema([*said, pa.field("Speed", pa.float32(), metadata={DATUM: "GCJ-02"})])


@pytest.mark.parametrize(
    ("datum", "known"),
    [
        ({"x": "WGS-84", "y": "WGS-84"}, "WGS-84"),
        ({"x": "GCJ-02", "y": "GCJ-02"}, "GCJ-02"),
        ({"x": "GCJ-02"}, "GCJ-02"),
        ({"x": "GCJ-02", "y": "WGS-84"}, None),
        ({"x": "GCJ-02", "y": None}, None),
        ({"x": None, "y": None}, None),
        ({"x": "BD-09", "y": "BD-09"}, None),
        ({"x": "WGS-é", "y": "WGS-é"}, None),
        ({}, None),
    ],
)
def test_a_datum_is_known_where_both_columns_say_the_same_known_one(datum, known):
    assert datum_of(schema(**datum)) == known


def test_another_pair_may_be_asked():
    fields = [pa.field(name, pa.float64(), metadata={DATUM: "GCJ-02"}) for name in ("a.Longitude", "a.Latitude")]
    assert datum_of(pa.schema(fields)) is None
    assert datum_of(pa.schema(fields), ("a.Longitude", "a.Latitude")) == "GCJ-02"


def test_a_place_is_looked_at_by_its_one_longitude_and_its_one_latitude():
    told = {"g.Longitude": "goal", "g.Latitude": "goal", "g.Name": "goal", "r": "route", "v": NOWHERE}
    here = {HERE: (LONGITUDE, LATITUDE)}
    assert coordinates(told) == here | {"goal": ("g.Longitude", "g.Latitude"), "route": None}
    assert coordinates({"g.Longitude": "goal"}) == here | {"goal": None}
    assert coordinates(told | {"h.Longitude": "goal"})["goal"] is None
    assert coordinates({}) == here
