"""Zones from GeoJSON (RFC 7946), read strictly: an error names the feature and the field, never a coordinate."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from unicodedata import category

from onshore.consent.rings import check_rings
from onshore.words.errors import Malformed
from onshore.words.place import DATUMS, KINDS, Point, Polygon, Zone

MAX_BYTES = 32 << 20
MAX_FEATURES = 20_000
MAX_VERTICES = 500_000
MAX_NAME = 200
MAX_MARGIN = 20_000
"""Metres."""

MAX_LATITUDE = 85
"""Degrees: nearer to the poles a margin in metres spans the globe."""

_WGS_84 = ("urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326")
"""What the member `crs` of GeoJSON before RFC 7946 may say of WGS-84; GCJ-02 has no such name."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Characters that no name has: they show nothing, or change how the rest is shown."""


def parse_geojson(text: str, source: str, *, kind: str, datum: str, margin: int) -> tuple[Zone, ...]:
    """The zones of a Feature or FeatureCollection of Polygons and MultiPolygons, one for each feature.

    `source`: where the text comes from, for errors. `margin`: metres around each zone, 0 to MAX_MARGIN.
    Malformed: what is no such GeoJSON, a key given twice, a `crs` anywhere that is not known to be the datum, a
    ring that is not closed or that `check_rings` refuses, a latitude beyond MAX_LATITUDE, an edge longer than
    180 degrees (it would cross the antimeridian: RFC 7946, section 3.1.9, has it cut in two), a control
    character in a name, more than MAX_BYTES, MAX_FEATURES or MAX_VERTICES, an unknown kind or datum.
    """
    _among(kind, KINDS, "kind")
    _among(datum, DATUMS, "datum")
    if not 0 <= margin <= MAX_MARGIN:
        raise Malformed(f"a margin is 0 to {MAX_MARGIN} metres", where="margin")
    try:
        features = _features(_json(text), datum)
        count = _Vertices()
        return tuple(
            Zone(_name(feature, at, datum), kind, datum, margin, tuple(_polygons(feature, at, count, datum)))
            for at, feature in enumerate(features, 1)
        )
    except Malformed as error:
        raise Malformed(error.what, where=": ".join(filter(None, (source, error.where)))) from None


class _Vertices:
    """How many were read so far."""

    def __init__(self) -> None:
        self._read = 0

    def add(self, more: int, where: str) -> None:
        self._read += more
        if self._read > MAX_VERTICES:
            raise Malformed(f"more than {MAX_VERTICES} vertices in one file; import it in parts", where=where)


def _among(value: str, allowed: tuple[str, ...], where: str) -> None:
    if value not in allowed:
        raise Malformed(f"it is one of {', '.join(allowed)}", where=where)


def _json(text: str) -> Any:
    if len(text) > MAX_BYTES:
        raise Malformed(f"more than {MAX_BYTES} bytes; import it in parts")
    try:
        return json.loads(text, object_pairs_hook=_keyed, parse_constant=_no_number)
    except RecursionError:
        raise Malformed("not GeoJSON: nested too deep") from None
    except ValueError:
        raise Malformed("not JSON") from None


def _keyed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Malformed("a key is given twice in one object; nobody can say which of the two holds")
    return found


def _no_number(_: str) -> None:
    raise ValueError


def _features(root: Any, datum: str) -> list[Any]:
    if not isinstance(root, dict) or root.get("type") not in ("FeatureCollection", "Feature"):
        raise Malformed("a FeatureCollection or a Feature is needed", where="type")
    if root["type"] == "Feature":
        return [root]
    _check_crs(root, datum, "crs")
    features = root.get("features")
    if not isinstance(features, list) or not features:
        raise Malformed("a list of at least one feature is needed", where="features")
    if len(features) > MAX_FEATURES:
        raise Malformed(f"more than {MAX_FEATURES} features; import them in parts", where="features")
    return features


def _check_crs(member: dict[str, Any], datum: str, where: str) -> None:
    """Refuse what says itself to be in another system than the one it is imported as."""
    if member.get("crs") is None:
        return
    match member["crs"]:
        case {"properties": {"name": str(name)}} if name in _WGS_84 and datum == "WGS-84":
            return
    raise Malformed(f"it names a system that is not known to be {datum}; RFC 7946 has no such member", where=where)


def _name(feature: Any, at: int, datum: str) -> str:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise Malformed("'Feature' is needed", where=f"feature {at}: type")
    _check_crs(feature, datum, f"feature {at}: crs")
    properties = feature.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise Malformed("an object or null is needed", where=f"feature {at}: properties")
    name = (properties or {}).get("name")
    if name is None:
        return ""
    if not isinstance(name, str) or len(name) > MAX_NAME or not _UNSEEN.isdisjoint(map(category, name)):
        says = f"a text of at most {MAX_NAME} characters, none of them a control character, is needed"
        raise Malformed(says, where=f"feature {at}: properties.name")
    return name


def _polygons(feature: dict[str, Any], at: int, count: _Vertices, datum: str) -> Iterator[Polygon]:
    where = f"feature {at}: geometry"
    geometry = feature.get("geometry")
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise Malformed("a Polygon or a MultiPolygon is needed; nothing else has an inside", where=where + ".type")
    _check_crs(geometry, datum, where + ".crs")
    where += ".coordinates"
    found = geometry.get("coordinates")
    if geometry["type"] == "Polygon":
        yield _polygon(found, where, count)
        return
    for i, polygon in enumerate(_list(found, 1, "polygon", where)):
        yield _polygon(polygon, f"{where}[{i}]", count)


def _polygon(found: Any, where: str, count: _Vertices) -> Polygon:
    rings = tuple(_ring(ring, f"{where}[{i}]", count) for i, ring in enumerate(_list(found, 1, "ring", where)))
    check_rings(rings, where)
    return rings


def _ring(found: Any, where: str, count: _Vertices) -> tuple[Point, ...]:
    _list(found, 4, "position", where)
    count.add(len(found), where)
    ring = tuple(_point(point, f"{where}[{i}]") for i, point in enumerate(found))
    if ring[0] != ring[-1]:
        raise Malformed("a ring ends where it begins", where=where)
    for i, (one, next_) in enumerate(pairwise(ring)):
        if abs(one[0] - next_[0]) > 180:
            raise Malformed(
                "an edge crosses the antimeridian; cut the polygon there (RFC 7946, 3.1.9)", where=f"{where}[{i}]"
            )
    return ring


def _list(found: Any, least: int, of: str, where: str) -> list[Any]:
    if not isinstance(found, list) or len(found) < least:
        raise Malformed(f"a list of at least {least} {of}{'s' * (least > 1)} is needed", where=where)
    return found


def _point(found: Any, where: str) -> Point:
    if not isinstance(found, list) or len(found) not in {2, 3} or not all(type(n) in {int, float} for n in found):
        raise Malformed("a position is longitude, latitude and perhaps a height, all numbers", where=where)
    longitude, latitude = found[:2]
    if not -180 <= longitude <= 180:
        raise Malformed("a longitude lies between -180 and 180 degrees", where=where)
    if not -MAX_LATITUDE <= latitude <= MAX_LATITUDE:
        raise Malformed(f"a zone's latitude lies between -{MAX_LATITUDE} and {MAX_LATITUDE} degrees", where=where)
    return float(longitude), float(latitude)
