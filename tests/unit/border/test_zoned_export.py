"""What was kept before a zone was known does not leave once it is drawn."""

import json

from onshore.border.dryrun import dry_run
from onshore.register import zones

ALL_SHANGHAI = [[[121.0, 31.0], [122.0, 31.0], [122.0, 31.5], [121.0, 31.5], [121.0, 31.0]]]


def square():
    feature = {
        "type": "Feature",
        "properties": {"name": "a site"},
        "geometry": {"type": "Polygon", "coordinates": ALL_SHANGHAI},
    }
    return json.dumps({"type": "FeatureCollection", "features": [feature]})


def test_tracks_inside_a_zone_imported_later_are_not_exported(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request = border.request(categories=("track",))
    assert dry_run(border.site, request).rows == 20
    origin = zones.Origin("list", "an authority's list of 2026", "military", "WGS-84", 0)
    zones.put_on_file(border.site, square(), origin, "officer")
    found = dry_run(border.site, request)
    assert found.rows == 0
    assert found.withheld["restricted-zone"] > 0
