import pyarrow as pa
import pytest

from onshore.words.place import DATUM, HERE, LATITUDE, LONGITUDE, NOWHERE, ROW_DATUM, coordinates, data_of, datum_of


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


UINT8 = pa.uint8()


def rows(kind=UINT8, codes=(1, 2, 3, None, 1, 0, 255), said="GCJ-02"):
    here = schema(x=said, y=said)
    columns = [pa.array([8.1] * len(codes), f.type) for f in here]
    batch = pa.RecordBatch.from_arrays(columns, schema=here)
    return batch if kind is None else batch.append_column(ROW_DATUM, pa.array(codes, kind))


def found(batch):
    return [(datum, list(range(batch.num_rows)[r] if isinstance(r, slice) else r)) for datum, r in data_of(batch)]


def test_a_row_says_its_own_datum_and_where_it_does_not_the_columns_do():
    assert found(rows()) == [(None, [2, 5, 6]), ("WGS-84", [0, 4]), ("GCJ-02", [1, 3])]
    assert found(rows(said=None)) == [(None, [2, 3, 5, 6]), ("WGS-84", [0, 4]), ("GCJ-02", [1])]
    assert found(rows().slice(3, 2)) == [("WGS-84", [1]), ("GCJ-02", [0])]
    assert found(rows(codes=())) == []


def test_without_such_a_column_the_columns_say_it_of_all():
    assert found(rows(None)) == [("GCJ-02", list(range(7)))]


def test_a_column_of_another_type_says_nothing_and_leaves_nothing_to_believe():
    assert found(rows(pa.int32())) == [(None, list(range(7)))]


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
