"""Which rows a standing feed has sent already, told by when they arrived: none is sent twice, a late one not missed."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, func, select

from onshore.site import Site
from onshore.vault.papers import parcels, reading
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer

SETTLED = 3_600_000
"""Milliseconds that a row must lie here before a feed takes it: what arrived before is durable and drained by then."""


@dataclass(frozen=True)
class Arrived:
    """Rows that reached the gate in [start, until), milliseconds UTC."""

    start: int
    until: int

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Those rows of a batch."""
        at = batch.column("received").cast(pa.int64())
        return batch.filter(pc.and_(pc.greater_equal(at, self.start), pc.less(at, self.until)))


def arrived(site: Site, transfer: Transfer) -> Arrived | None:
    """The rows whose turn it is: of a feed those since its last parcel that left; None of anything else: all.

    Refused (`nothing-to-send`) until an hour has passed since.
    """
    if transfer.method != "feed":
        return None
    until = site.clock() - SETTLED
    with reading(site.engine) as conn:
        start = _last(conn, transfer.id)
    if until <= start:
        raise Refusal(
            "nothing-to-send",
            "a feed takes what arrived an hour ago or before, and all of that has left with its last parcel",
            remedy=f"ship again later: 'onshore transfer ship {transfer.id}'",
        )
    site.bring_in()  # what a gate acknowledged before lies in segments from here on
    return Arrived(start, until)


def _last(conn: Connection, transfer_id: str) -> int:
    mine = (parcels.c.transfer == transfer_id) & (parcels.c.state == "left")
    return int(conn.execute(select(func.max(parcels.c.arrived)).where(mine)).scalar() or 0)
