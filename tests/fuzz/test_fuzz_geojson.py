"""Whatever a file holds, it is read as zones or refused as Malformed."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.consent.geojson import parse_geojson
from onshore.consent.zones import Zones
from onshore.words.errors import Malformed

RING = [[8.0, 50.0], [8.2, 50.0], [8.2, 50.2], [8.0, 50.0]]
HOLE = [[8.1, 50.02], [8.12, 50.02], [8.12, 50.05], [8.1, 50.02]]
GOOD = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "x"},
            "geometry": {"type": "MultiPolygon", "coordinates": [[RING, HOLE]]},
        }
    ],
}
leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=5),
    st.sampled_from(["type", "Feature", "Polygon", "MultiPolygon", "features", "geometry", "coordinates"]),
)
anything = st.recursive(
    leaves, lambda v: st.lists(v, max_size=5) | st.dictionaries(leaves.map(str), v, max_size=4), max_leaves=20
)


def paths(node, at=()):
    yield at
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from paths(child, (*at, key))


PATHS = list(paths(GOOD))


def parse(text):
    try:
        found = parse_geojson(text, "file", kind="military", datum="WGS-84", margin=10)
    except Malformed:
        return
    assert found
    Zones(found).compile()


def test_the_file_is_good():
    assert parse_geojson(json.dumps(GOOD), "file", kind="military", datum="WGS-84", margin=10)


@given(st.one_of(st.text(), anything.map(json.dumps)))
@settings(max_examples=150, deadline=None)
def test_anything(text):
    parse(text)


@given(st.sampled_from(PATHS), anything, st.integers(-1, 400))
@settings(max_examples=300, deadline=None)
def test_a_good_file_with_one_thing_changed_or_cut_short(path, value, cut):
    changed = json.loads(json.dumps(GOOD))
    node = changed
    for key in path[:-1]:
        node = node[key]
    if path:
        node[path[-1]] = value
    text = json.dumps(changed if path else value)
    parse(text if cut < 0 or cut >= len(text) else text[:cut])
