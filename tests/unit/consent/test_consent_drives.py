import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from onshore.consent.drives import HOLDS, NOBODY, Said, drives_of
from onshore.consent.records import BEFORE_TIME, FOREVER
from onshore.words.batch import BASE

CAR, OTHER, CLEO, DORA = 100, 200, 1, 2
ALWAYS = (BEFORE_TIME, FOREVER)

instants = st.sampled_from([0, 1, 2, 3, HOLDS - 1, HOLDS, HOLDS + 1, HOLDS + 2])
spoken = st.builds(
    Said, st.sampled_from([CAR, OTHER]), instants, st.sampled_from([NOBODY, CLEO, DORA]), instants, instants
)


def plainly(said, vehicle, time):
    """Whose consents are asked for one row, by the words of the docstring."""
    last = max((one for one in said if one.vehicle == vehicle and one.at <= time), key=lambda one: one.at, default=None)
    if last is None or last.driver == NOBODY or time - last.at >= HOLDS or not last.since <= time < last.until:
        return vehicle
    return last.driver


def batch(rows):
    vehicle, time = zip(*rows, strict=True)
    arrays = [pa.array(vehicle, pa.int64()), *(pa.array(time, BASE[1].type) for _ in range(2))]
    arrays.append(pa.array(["mqtt"] * len(rows)).dictionary_encode().cast(BASE[3].type))
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(BASE, metadata={"said": "so"}))


@given(
    st.lists(spoken, unique_by=lambda one: (one.vehicle, one.at)),
    st.lists(st.tuples(st.sampled_from([CAR, OTHER, 300]), instants), min_size=1),
)
def test_a_row_is_whose_the_car_said_last(said, rows):
    vehicle, time = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    assert drives_of(said).asked(vehicle, time).tolist() == [plainly(said, v, t) for v, t in rows]


def test_of_two_words_in_one_instant_the_later_counts():
    drives = drives_of([Said(CAR, 5, CLEO, *ALWAYS), Said(CAR, 5, DORA, *ALWAYS)])
    assert drives.asked(np.array([CAR]), np.array([5])).tolist() == [DORA]


def test_a_batch_is_put_under_drivers_and_back():
    drives = drives_of([Said(CAR, 5, CLEO, *ALWAYS), Said(CAR, 7, NOBODY, *ALWAYS), Said(OTHER, 0, DORA, *ALWAYS)])
    before = batch([(CAR, 4), (CAR, 5), (CAR, 6), (CAR, 7), (OTHER, 9), (300, 9)])
    under = drives.under_driver(before)
    assert under.column("vehicle").to_pylist() == [CAR, CLEO, CLEO, CAR, DORA, 300]
    assert under.schema.equals(before.schema, check_metadata=True)
    assert drives.under_vehicle(under).equals(before)


def test_where_no_car_ever_spoke_nothing_is_done():
    before = batch([(CAR, 4)])
    none = drives_of([])
    assert none.under_driver(before) is before
    assert none.under_vehicle(before) is before
    assert none.last(np.array([CAR]), np.array([4])).tolist() == [-1]
