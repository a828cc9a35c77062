"""Acts on a vehicle: each leaves a salted paper at the site and its digest in the ledger, and tells the doors."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from onshore.ledger.entry import digest
from onshore.site import Site
from onshore.vault.papers import identity_changes, meta, reading, vehicle_acts

_COUNTER = "identities"


@dataclass(frozen=True)
class Act:
    """What was done to a vehicle: the salted paper, and the number of the ledger entry that holds its digest."""

    paper: dict[str, Any]
    entry: int


def recorded(site: Site, conn: Connection, vehicle: int, state: str, **said: Any) -> Act:
    """Record an act ("certified", "revoked", "sold", "retired"), inside the transaction that does it.

    `said` stands in the paper beside the vehicle's random id: ids, serial numbers and instants, never a name or VIN.
    """
    paper = {
        "kind": "vehicle",
        "state": state,
        "site": site.id,
        "vehicle": f"{vehicle:016x}",
        "at": site.clock(),
        "salt": site.randomness(16).hex(),
        **said,
    }
    number = site.hand_in(conn, site.entry("vehicle", obj=digest(paper), state=state))
    conn.execute(vehicle_acts.insert().values(entry=number, vehicle=vehicle, paper=json.dumps(paper)))
    return Act(paper, number)


def receipt(site: Site, act: Act) -> dict[str, Any]:
    """The paper of an act with its proof, which 'onshore verify' accepts."""
    return {"receipt": act.paper, "proof": site.proof(act.entry)}


def of_vehicle(site: Site, vehicle: int) -> list[Act]:
    """The acts on a vehicle, oldest first."""
    with reading(site.engine) as conn:
        ask = select(vehicle_acts.c.entry, vehicle_acts.c.paper).where(vehicle_acts.c.vehicle == vehicle)
        return [Act(json.loads(row.paper), row.entry) for row in conn.execute(ask.order_by(vehicle_acts.c.entry))]


def changes(conn: Connection) -> int:
    """How often a vehicle lost an identity: a revocation, a retirement."""
    found = conn.execute(select(meta.c.value).where(meta.c.name == _COUNTER)).scalar()
    return int(found) if found else 0


def mark_changed(conn: Connection, vehicle: int) -> None:
    """Tell the doors that something by which they knew a vehicle no longer stands."""
    turn = changes(conn) + 1
    conn.execute(delete(meta).where(meta.c.name == _COUNTER))
    conn.execute(insert(meta).values(name=_COUNTER, value=str(turn)))
    conn.execute(delete(identity_changes).where(identity_changes.c.vehicle == vehicle))
    conn.execute(insert(identity_changes).values(vehicle=vehicle, turn=turn))


def changed_since(conn: Connection, turn: int) -> set[int]:
    """The vehicles that lost something since a turn."""
    return set(conn.scalars(select(identity_changes.c.vehicle).where(identity_changes.c.turn > turn)))
