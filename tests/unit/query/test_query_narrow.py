"""What a filter can match at all: never less than it does match, and little more where it names cars and times."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.query.narrow import EVER, columns_in, possible, spans, vehicles

TIME = pa.timestamp("us", "UTC")
SCHEMA = pa.schema(
    {"vehicle": pa.string(), "time": TIME, "received": TIME, "door": pa.string(), "Vehicle.Speed": pa.float32()}
)
CUTS = [1000, 2000, 3000]
V, T, S = pc.field("vehicle"), pc.field("time"), pc.field("Vehicle.Speed")
A, B, C = "00000000000000aa", "00000000000000bb", "00000000000000cc"


def at(ms):
    return pa.scalar(ms * 1000, pa.int64()).cast(TIME)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (None, [(-EVER, EVER)]),
        (S > 3, [(-EVER, EVER)]),
        (at(1000) <= T, [(1000, EVER)]),
        (at(2500) < T, [(2000, EVER)]),
        (at(1000) > T, [(-EVER, 1000)]),
        ((at(1000) <= T) & (at(2000) > T), [(1000, 2000)]),
        (at(2000) == T, [(2000, 3000)]),
        ((at(500) > T) | (at(3000) <= T), [(-EVER, 1000), (3000, EVER)]),
        ((at(3000) <= T) & (at(1000) > T), []),
        ((at(1000) <= T) & (S > 3), [(1000, EVER)]),
    ],
)
def test_only_the_days_in_which_a_row_may_match(where, found):
    assert spans(where, SCHEMA, CUTS) == found


@pytest.mark.parametrize(
    ("where", "found"),
    [
        (None, None),
        (S > 3, None),
        (V == A, {0xAA}),
        ((V == A) & (S > 3), {0xAA}),
        ((V == A) | (V == B), {0xAA, 0xBB}),
        (V.isin([A, C]), {0xAA, 0xCC}),
        ((V == A) & (V == B), set()),
        ((V == A) | (S > 3), None),
        (V > A, None),
        ((V >= A) & (V <= A), {0xAA}),
        (V != A, None),
        (V == "LTEST000000000001", None),
        (pc.field("door") == A, None),
        ((V == A) | (pc.field("door") == B), None),
    ],
)
def test_only_the_vehicles_whose_rows_may_match(where, found):
    assert vehicles(where, SCHEMA) == found


def test_too_many_ids_are_all_ids():
    assert vehicles(V.isin([f"{n:016x}" for n in range(300)]), SCHEMA) is None


def test_what_is_known_of_rows_rules_out_or_does_not():
    assert possible(V == A, SCHEMA, [V == A, V == B, S > 3]) == [True, False, True]


def test_a_filter_s_columns_are_all_named():
    assert columns_in(None, SCHEMA) == []
    assert set(columns_in((V == A) & (S > 3), SCHEMA)) >= {"vehicle", "Vehicle.Speed"}


ids = st.sampled_from([A, B, C])
leaves = st.one_of(
    st.builds(
        lambda op, v: op(V, pa.scalar(v)),
        st.sampled_from([pc.Expression.__eq__, pc.Expression.__gt__, pc.Expression.__le__, pc.Expression.__ne__]),
        ids,
    ),
    st.builds(
        lambda op, t: op(T, at(t)),
        st.sampled_from([pc.Expression.__eq__, pc.Expression.__ge__, pc.Expression.__lt__]),
        st.integers(0, 4000),
    ),
    st.builds(lambda v: v < S, st.floats(0, 9)),
    st.builds(V.isin, st.lists(ids, min_size=1)),
)
wheres = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a & b, inner, inner),
        st.builds(lambda a, b: a | b, inner, inner),
        st.builds(lambda a: ~a, inner),
    ),
    max_leaves=6,
)
rows = st.lists(st.tuples(ids, st.integers(0, 4000), st.floats(0, 9, width=32)), max_size=20)


@settings(max_examples=150, deadline=None)
@given(wheres, rows)
def test_no_row_that_matches_is_ever_left_out(where, held):
    table = pa.table(
        {
            "vehicle": pa.array([v for v, _, _ in held], pa.string()),
            "time": pa.array([t * 1000 for _, t, _ in held], pa.int64()).cast(TIME),
            "received": pa.array([0] * len(held), pa.int64()).cast(TIME),
            "door": pa.array(["x"] * len(held), pa.string()),
            "Vehicle.Speed": pa.array([s for _, _, s in held], pa.float32()),
        }
    )
    matching = table.filter(where)
    open_spans, cars = spans(where, SCHEMA, CUTS), vehicles(where, SCHEMA)
    for vehicle, time in zip(
        matching["vehicle"].to_pylist(), matching["time"].cast(pa.int64()).to_pylist(), strict=True
    ):
        assert sum(start <= time // 1000 < until for start, until in open_spans) == 1
        assert cars is None or int(vehicle, 16) in cars
