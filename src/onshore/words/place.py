"""Places: the columns that say where a car was, the datum they are in, and the zones that the law restricts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

LONGITUDE = "Vehicle.CurrentLocation.Longitude"
LATITUDE = "Vehicle.CurrentLocation.Latitude"

ROW_DATUM = "Vehicle.Onshore.Datum"
"""The column that says it row by row (GB/T 32960.3-2025): 1 WGS-84, 2 GCJ-02, any other number that nobody knows."""

HERE = "here"
"""The place where the car is, by its own position."""

NOWHERE = "nowhere"
"""What signals tell of that say nothing of where: whether a position holds, how exact it is."""

Pair = tuple[str, str]
"""The signals that carry a place: its longitude and its latitude."""

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


def coordinates(places: Mapping[str, str]) -> dict[str, Pair | None]:
    """The signals that carry each place; `places`: signal to the place that it tells of, NOWHERE left out.

    None for a place that nobody can look at: it has not exactly one longitude and one latitude, by the last step of
    their names.
    """
    found: dict[str, Pair | None] = {HERE: (LONGITUDE, LATITUDE)}
    for place in set(places.values()) - {HERE, NOWHERE}:
        named = sorted(name for name, its in places.items() if its == place)
        x, y = ([n for n in named if n.endswith(last)] for last in (".Longitude", ".Latitude"))
        found[place] = (x[0], y[0]) if len(x) == len(y) == 1 else None
    return found


def datum_of(schema: pa.Schema, pair: Pair = (LONGITUDE, LATITUDE)) -> str | None:
    """The datum of a batch's positions; None where its two columns do not both say the same known one."""
    said = {
        (schema.field(name).metadata or {}).get(DATUM.encode(), b"").decode("ascii", "replace")
        for name in pair
        if name in schema.names
    }
    known = said.pop() if len(said) == 1 else ""
    return known if known in DATUMS else None


def data_of(
    batch: pa.RecordBatch, pair: Pair = (LONGITUDE, LATITUDE)
) -> list[tuple[str | None, slice | NDArray[np.intp]]]:
    """The data that a batch's positions are in, each with its rows; None where nobody knows.

    A row's own word (ROW_DATUM, a column of uint8) counts for the car's own position, and where it says nothing, or of
    another place, what the columns say of all.
    """
    of_all = datum_of(batch.schema, pair)
    if pair != (LONGITUDE, LATITUDE) or ROW_DATUM not in batch.schema.names:
        return [(of_all, slice(None))]
    column = batch.column(ROW_DATUM)
    if column.type != pa.uint8():
        return [(None, slice(None))]
    codes = column.fill_null(0).to_numpy()
    said = np.where(column.is_null().to_numpy(zero_copy_only=False), _place(of_all), np.where(codes <= 2, codes, 0))
    return [(_BY_CODE[code], np.flatnonzero(said == code)) for code in np.unique(said).tolist()]


_BY_CODE = (None, *DATUMS)


def _place(datum: str | None) -> int:
    return _BY_CODE.index(datum)
