"""Whereabouts: of which rows of a batch nothing zoned is kept, by the place that a signal tells of."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from onshore.consent.cells import Bits, present, to_bits, to_mask
from onshore.consent.zones import Zones
from onshore.words.errors import Malformed
from onshore.words.place import HERE, LATITUDE, LONGITUDE, NOWHERE, Pair, coordinates, data_of


@dataclass(frozen=True, eq=False)
class Whereabouts:
    """`rows`: by place, the rows of which no signal that tells of it is kept; `places`: as the rulebook has them."""

    rows: Mapping[str, Bits]
    places: Mapping[str, str]

    def restricted(self, signal: str) -> Bits:
        """The rows of which a zoned signal is withheld; signals that tell of one place get the same array."""
        return self.rows[self.places.get(signal, HERE)]


def whereabouts(batch: pa.RecordBatch, zones: Zones, places: Mapping[str, str]) -> Whereabouts:
    """Look at every place that a batch tells of.

    Refused (Malformed): positions that are no float64. Meaning: rule 2 of `consent.reference.reference_sieve`.
    """
    inside, untold = _look(batch, zones, (LONGITUDE, LATITUDE))
    rows = {NOWHERE: inside, HERE: inside | untold}
    for place, pair in coordinates(places).items():
        if place != HERE:
            there, unsaid = _look(batch, zones, pair)
            rows[place] = inside | there | unsaid
    return Whereabouts(rows, places)


def _look(batch: pa.RecordBatch, zones: Zones, pair: Pair | None) -> tuple[Bits, Bits]:
    """The rows whose position lies in a zone, where half a position lies anywhere, and those that have none."""
    columns = [batch.column(name) for name in pair or () if name in batch.schema.names]
    if any(column.type != pa.float64() for column in columns):
        raise Malformed("a position is in degrees, of type double", where=", ".join(pair or ()))
    none = np.zeros((batch.num_rows + 63) // 64, np.uint64)
    given = [present(column) for column in columns]
    told = np.bitwise_or.reduce(given) if given else none
    if pair is None or not told.any():
        return none, ~none
    whole = to_mask(np.bitwise_and.reduce(given), batch.num_rows) if len(columns) == 2 else np.False_
    degrees = [np.frombuffer(c.buffers()[1], np.float64, len(c), c.offset * 8) for c in columns]
    longitude, latitude = (np.where(whole, values, np.nan) for values in (degrees[0], degrees[-1]))
    inside = np.zeros(batch.num_rows, np.bool_)
    for datum, rows in data_of(batch, pair):
        inside[rows] = zones.contains(longitude[rows], latitude[rows], datum)
    return to_bits(inside) & told, ~told
