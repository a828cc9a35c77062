"""See: what is held about one car, for which purposes, on which ground, and who received it (PIPL Art. 45)."""

import json
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import select

from onshore.register import consents, drives, persons
from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.site import Site
from onshore.vault.papers import meter, parcels, reading, transfers, writing
from onshore.vault.read import read_all_of
from onshore.words.batch import PURPOSES, purposes_of, signals


def access(site: Site, vehicle: Vehicle, by: str, *, person: int | None = None) -> dict[str, Any]:
    """Everything held about a person by a car, by category and ground: rows, period, purposes, signals; and the rest.

    That is, their consents, and who received what. `person`: the owner now where none is named. Rows of before or
    after their time with the car, and of drives that are another's, are not theirs to see. Refuses who never kept it.
    """
    whose = _Whose(site, vehicle, vehicle.owner if person is None else person)
    site.bring_in()
    held: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"rows": 0, "first": None, "last": None, "purposes": set(), "signals": set()}
    )
    for segment, every in read_all_of(site.engine, site.root, site.vault, site.id, vehicle.id, even_restricted=True):
        table = whose.own(every)
        if not table.num_rows:
            continue
        place = held[segment.place.category, segment.place.ground]
        times = table.column("time").cast("int64").to_numpy()
        place["rows"] += table.num_rows
        place["first"] = min(filter(None, (place["first"], int(times.min()))))
        place["last"] = max(filter(None, (place["last"], int(times.max()))))
        place["purposes"] |= _purposes(table.column(PURPOSES).to_numpy(), purposes_of(table.schema))
        place["signals"] |= set(signals(table.schema))
    case = cases.opened(site, vehicle, "access", by)
    with writing(site.engine) as conn:
        cases.close(conn, case, site.clock())
    return {
        "case": case.id,
        "held": [
            {
                "category": category,
                "ground": ground,
                **{k: sorted(v) if isinstance(v, set) else v for k, v in place.items()},
            }
            for (category, ground), place in sorted(held.items())
        ],
        "consents": [
            {
                "purpose": c.purpose,
                "category": c.category,
                "start": c.start,
                "until": c.until,
                "withdrawn": c.withdrawn,
            }
            for c in consents.of_vehicle(site, vehicle.id)
            if c.person == whose.person
        ],
        "received_by": _recipients(site, whose.person),
    }


class _Whose:
    """Which rows of a vehicle are one person's."""

    def __init__(self, site: Site, vehicle: Vehicle, person: int) -> None:
        self.person = person
        self._since, self._until = persons.span(site, vehicle.id, person)
        self._asked = persons.driver_id(site, vehicle.id, person) or vehicle.id
        self._drives = drives.Standing(site)

    def own(self, table: pa.Table) -> pa.Table:
        vehicle, time = (table.column(name).cast(pa.int64()).to_numpy() for name in ("vehicle", "time"))
        asked = self._drives.compiled().asked(vehicle, time)
        return table.filter(pa.array((asked == self._asked) & (self._since <= time) & (time < self._until)))


def _purposes(bits: "np.ndarray[Any, Any]", said: tuple[str, ...]) -> set[str]:
    served = int(np.bitwise_or.reduce(bits)) if len(bits) else 0
    return {purpose for bit, purpose in enumerate(said) if served >> bit & 1}


def _recipients(site: Site, person: int) -> list[dict[str, Any]]:
    """Every parcel that may have left: one that is `sending` is past holding back, `left` is None until it is noted."""
    ask = (
        select(parcels.c.id, parcels.c.left, transfers.c.body)
        .join(meter, meter.c.parcel == parcels.c.id)
        .join(transfers, transfers.c.id == parcels.c.transfer)
        .where(meter.c.person == person, parcels.c.state.in_(("sending", "left")))
    )
    with reading(site.engine) as conn:
        rows = conn.execute(ask).all()
    return [
        {
            "parcel": r.id,
            "left": r.left,
            **{k: json.loads(r.body)[k] for k in ("recipient", "purpose", "categories")},
        }
        for r in rows
    ]
