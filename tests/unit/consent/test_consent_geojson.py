"""Zones are read strictly: what is wrong is named by feature and field, and no coordinate is ever said."""

import json
import re

import pytest

from onshore.consent import geojson
from onshore.consent.geojson import MAX_MARGIN, parse_geojson
from onshore.words.errors import Malformed

SQUARE = [[121.41, 31.21], [121.42, 31.21], [121.42, 31.22], [121.41, 31.22], [121.41, 31.21]]
HOLE = [[121.414, 31.214], [121.416, 31.214], [121.416, 31.216], [121.414, 31.214]]


def feature(*rings, name="north yard", **more):
    geometry = {"type": "Polygon", "coordinates": list(rings or (SQUARE,))}
    return {"type": "Feature", "properties": {"name": name}, "geometry": geometry} | more


def collection(*features, **more):
    return {"type": "FeatureCollection", "features": list(features)} | more


def read(root, *, datum="WGS-84", kind="military", margin=50):
    text = root if isinstance(root, str) else json.dumps(root)
    return parse_geojson(text, "list.geojson", kind=kind, datum=datum, margin=margin)


def test_a_zone_for_each_feature():
    heights = [[*point, 4.5] for point in SQUARE]
    multi = {"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE], [heights]]}
    zones = read(collection(feature(SQUARE, HOLE), feature(geometry=multi, properties=None)))
    assert [(z.name, z.kind, z.datum, z.margin) for z in zones] == [
        ("north yard", "military", "WGS-84", 50),
        ("", "military", "WGS-84", 50),
    ]
    ring, hole = (tuple(map(tuple, r)) for r in (SQUARE, HOLE))
    assert zones[0].polygons == ((ring, hole),)
    assert zones[1].polygons == ((ring, hole), (ring,))
    assert read(feature(properties={}))[0].name == ""


@pytest.mark.parametrize("name", geojson._WGS_84)
def test_a_file_may_say_that_it_is_in_the_datum_it_is_imported_as(name):
    said = {"type": "name", "properties": {"name": name}}
    assert read(collection(feature(), crs=said))
    assert read(collection(feature(), crs=None))
    with pytest.raises(Malformed, match="crs: "):
        read(collection(feature(), crs=said), datum="GCJ-02")


@pytest.mark.parametrize("name", [*geojson._WGS_84, "urn:ogc:def:crs:EPSG::3857", "GCJ-02"])
@pytest.mark.parametrize(("where", "level"), [("feature 1: crs: ", 0), ("feature 1: geometry.crs: ", 1)])
def test_a_feature_and_its_geometry_may_say_it_too(where, level, name):
    one, said = feature(), {"type": "name", "properties": {"name": name}}
    (one, one["geometry"])[level]["crs"] = said
    if name in geojson._WGS_84:
        assert read(collection(one))
        with pytest.raises(Malformed, match=where):
            read(collection(one), datum="GCJ-02")
    else:
        for datum in ("WGS-84", "GCJ-02"):
            with pytest.raises(Malformed, match=where):
                read(collection(one), datum=datum)
    assert read(feature(crs=None))


def ring(*points):
    return feature(list(points))


BAD = {
    "not JSON": ["{", '{"type": NaN}', '{"type": -Infinity}', '"\\ud800', "", '{"a": ' + "9" * 5000 + "}"],
    "a key is given twice": [
        '{"type": "Feature", "type": "Feature"}',
        json.dumps(feature()).replace('"coordinates"', '"coordinates": [[]], "coordinates"'),
    ],
    "nested too deep": ["[" * 100_000, '{"type":"Feature","a":' + "[" * 50_000],
    "type: a FeatureCollection or a Feature": [[], 1, "null", {"type": "Polygon"}, {}, {"type": ["Feature"]}],
    "features: a list": [collection(), {"type": "FeatureCollection"}, collection() | {"features": {"0": feature()}}],
    "crs: it names": [
        collection(feature(), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}),
        collection(feature(), crs=4326),
    ],
    "feature 2: type": [collection(feature(), None), collection(feature(), {"type": "Polygon"})],
    "feature 1: properties:": [feature(properties=["name"])],
    "feature 1: properties.name": [
        feature(name=7),
        feature(name="n" * 201),
        *(feature(name=f"north{c}yard") for c in "\0\n\x1b\x7f\x85\u200b\u202e\u2028\ud800"),
    ],
    "feature 1: geometry.type": [
        feature(geometry=None),
        feature(geometry={"type": "Point", "coordinates": SQUARE[0]}),
        feature(geometry={"type": "GeometryCollection", "geometries": []}),
        feature(geometry={"coordinates": [SQUARE]}),
    ],
    "feature 1: geometry.coordinates: a list of at least 1 ring is": [
        feature(geometry={"type": "Polygon"}),
        feature(geometry={"type": "Polygon", "coordinates": []}),
    ],
    "feature 1: geometry.coordinates: a list of at least 1 polygon": [
        feature(geometry={"type": "MultiPolygon", "coordinates": []})
    ],
    "geometry.coordinates[0]: a list of at least 4 positions": [ring(*SQUARE[:3]), feature("ring")],
    "geometry.coordinates[0]: a ring ends": [ring(*SQUARE[:4])],
    "feature 1: geometry.coordinates[0][1][2]: a position": [
        feature(geometry={"type": "MultiPolygon", "coordinates": [[SQUARE, [*SQUARE[:2], point, *SQUARE[3:]]]]})
        for point in ([121.4], [1, 2, 3, 4], ["121.4", 31.2], [True, 31.2], [None, 31.2], 121.4, [[1], 2])
    ],
    "coordinates[0][0]: a longitude": [ring([180.01, 31.2], *SQUARE), ring([10**300, 31.2], *SQUARE)],
    "coordinates[0][0]: a zone's latitude": [ring([121.4, 85.001], *SQUARE), ring([121.4, -90], *SQUARE)],
    "coordinates[0]: the ring crosses itself": [
        ring(*SQUARE[:4], *SQUARE),
        ring(*SQUARE[:4], SQUARE[0], [121.415, 31.21], *SQUARE[1:]),  # twice round, with another corner
        ring([0, 1], [0.59, -0.81], [-0.95, 0.31], [0.95, 0.31], [-0.59, -0.81], [0, 1]),  # a pentagram
        ring([0, 0], [2, 2], [2, 0], [0, 1], [0, 0]),  # a bow tie, its halves unequal
        ring(SQUARE[0], [121.41, 31.2], *SQUARE),  # a spike
    ],
    "coordinates[1]: the ring crosses itself": [feature(SQUARE, [*HOLE[:3], *HOLE])],
    "coordinates: nothing is left inside": [
        ring(*[SQUARE[0]] * 4),
        ring(SQUARE[0], SQUARE[2], SQUARE[0], SQUARE[0]),
        ring([0, 0], [1, 1], [1, 0], [0, 1], [0, 0]),
        ring([0, 0], [1, 0], [1, 1e-7], [0, 1e-7], [0, 0]),  # a centimetre wide
        feature(SQUARE, SQUARE),
        feature(SQUARE, SQUARE[::-1]),
        feature(SQUARE, [[x, y - 1e-7] for x, y in SQUARE]),
        feature(HOLE, SQUARE),
        feature(SQUARE, [*SQUARE[:3], SQUARE[0]], [SQUARE[0], *SQUARE[2:]]),
    ],
    "geometry.coordinates[1]: nothing is left inside": [
        feature(geometry={"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE, SQUARE]]}),
    ],
    "coordinates[0][1]: an edge crosses the antimeridian": [
        ring([170, 1], [179, 1], [-179, 2], [170, 2], [170, 1]),
    ],
}


@pytest.mark.parametrize(("says", "root"), [(says, root) for says, roots in BAD.items() for root in roots])
def test_what_is_wrong_is_named(says, root):
    with pytest.raises(Malformed) as caught:
        read(root)
    assert says in str(caught.value)
    assert str(caught.value).startswith("list.geojson: ")
    assert not re.search(r"\d\.\d{2}", str(caught.value).replace("3.1.9", ""))
    assert "north" not in str(caught.value)


@pytest.mark.parametrize(
    "rings",
    [
        [[[x, y] for x, y in SQUARE for _ in range(2)]],  # each corner twice
        [SQUARE[::-1]],
        [SQUARE, HOLE[::-1]],
        [[[0, 0], [4, 0], [4, 4], [2, 1], [0, 4], [0, 0]]],
        [[[0, 0], [1, 0], [2, 0], [2, 2], [1, 1], [0, 2], [0, 0]]],
        [[[0, 0], [2, 1], [4, 0], [4, 4], [2, 1], [0, 4], [0, 0]]],  # touches itself
        [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0], [1, 1], [1, 3], [3, 3], [3, 1], [1, 1], [0, 0]]],  # a hole by a slit
        [[[0, 0], [1e-5, 0], [1e-5, 1e-5], [0, 1e-5], [0, 0]]],  # a metre wide
        [[[-180, -85], [0, -85], [180, -85], [180, 85], [0, 85], [-180, 85], [-180, -85]]],
    ],
)
def test_what_encloses_something_is_taken(rings):
    assert len(read(feature(*rings))[0].polygons[0]) == len(rings)


@pytest.mark.parametrize("name", ["North yard", "\u5317\u5e93", "caf\u00e9 \u3000 7", "\ue000"])
def test_a_name_may_be_in_any_script(name):
    assert read(feature(name=name))[0].name == name


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "school"}, "kind: it is one of military, government"),
        ({"datum": "BD-09"}, "datum: it is one of WGS-84, GCJ-02"),
        ({"margin": -1}, "margin"),
        ({"margin": MAX_MARGIN + 1}, "margin"),
    ],
)
def test_what_is_said_of_the_file_is_checked_too(change, says):
    with pytest.raises(Malformed, match=says):
        read(feature(), **change)


@pytest.mark.parametrize(("limit", "most"), [("MAX_BYTES", 400), ("MAX_FEATURES", 1), ("MAX_VERTICES", 9)])
def test_there_are_limits(monkeypatch, limit, most):
    read(collection(feature(), feature()))
    monkeypatch.setattr(geojson, limit, most)
    with pytest.raises(Malformed, match=f"more than {most} .* in"):
        read(collection(feature(), feature()))
