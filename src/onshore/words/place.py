"""Places: the columns that say where a car was, the datum they are in, and the zones that the law restricts."""

from dataclasses import dataclass

import pyarrow as pa

LONGITUDE = "Vehicle.CurrentLocation.Longitude"
LATITUDE = "Vehicle.CurrentLocation.Latitude"

DATUM = "datum"
"""Key of the metadata of a position's columns; where it is absent nobody knows (GB/T 32960.3-2016 has no field)."""

DATUMS = ("WGS-84", "GCJ-02")
KINDS = ("military", "government")

Point = tuple[float, float]
"""Longitude and latitude in degrees."""

Polygon = tuple[tuple[Point, ...], ...]
"""Closed rings, the first one outside: a point is in it where it lies in an odd number of them."""


@dataclass(frozen=True)
class Zone:
    """A restricted zone (Automotive Data Provisions, Art. 3(1)): its polygons and the margin around them in metres.

    `kind`: one of KINDS; `datum`: one of DATUMS; `name`: as its source calls it, empty where that says nothing.
    """

    name: str
    kind: str
    datum: str
    margin: int
    polygons: tuple[Polygon, ...]


def datum_of(schema: pa.Schema) -> str | None:
    """The datum of a batch's positions; None where its two columns do not both say the same known one."""
    said = {
        (schema.field(name).metadata or {}).get(DATUM.encode(), b"").decode("ascii", "replace")
        for name in (LONGITUDE, LATITUDE)
        if name in schema.names
    }
    known = said.pop() if len(said) == 1 else ""
    return known if known in DATUMS else None
