"""See: what is held about a person by a car, why, on which ground, how long, and who received it (PIPL Art. 45)."""

from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa

from onshore.register import persons, views
from onshore.register.vehicles import Vehicle
from onshore.rights import cases, floors, papers, received
from onshore.rights.cases import DESK, Wish
from onshore.rights.whose import rows, wish
from onshore.site import Site
from onshore.vault.papers import writing
from onshore.vault.restrictions import hidden
from onshore.words.batch import PURPOSES, purposes_of, signals


def access(site: Site, vehicle: Vehicle, by: str, *, person: int | None = None, identity: str = DESK) -> dict[str, Any]:
    """Everything held about a person by a car, by category and ground: rows, period, purposes, signals; and the rest.

    That is: who they are to the site, their consents with receipts, what the car was told and is known by (an owner's
    alone), drives, earlier requests, until when each category stays and by which article, and who received what.
    `person`: the owner now where none is named. Rows of before or after their time with the car, and of drives that are
    another's, are not theirs to see. What gates acknowledged until now is in it. Refuses who never kept it, and whoever
    would show it abroad (`view-is-export`).
    """
    views.refuse_abroad(site, by, "rights-access")
    person = vehicle.owner if person is None else person
    mine = wish(site, vehicle, person=person, identity=identity)
    since, until = persons.span(site, vehicle.id, person)
    owner = persons.driver_id(site, vehicle.id, person) is None
    case = cases.opened(site, vehicle, "access", by, mine)
    site.bring_in()
    held = _held(site, mine)
    seen = {
        "case": case.id,
        "keeper": papers.keeper(site, vehicle, person),
        "held": held,
        "restricted": hidden(site.engine).holds(mine.scope),
        "consents": papers.consented(site, vehicle, person),
        **(papers.of_the_car(site, vehicle, since, until) if owner else {}),
        "drives": papers.driven(site, vehicle.id, mine.scope.driver or vehicle.id, since, until),
        "requests": [one for one in papers.requests(site, vehicle.id, person, since, until) if one["case"] != case.id],
        "received_by": received.by_parcels(site, person),
        "forwarded_to": received.by_platforms(site, {place["ground"] for place in held}),
        "asked_here": received.by_queries(site, {place["category"] for place in held}, since, until),
    }
    with writing(site.engine) as conn:
        cases.close(conn, case, site.clock())
    return seen


def _held(site: Site, mine: Wish) -> list[dict[str, Any]]:
    held: dict[tuple[str, str], dict[str, Any]] = defaultdict(
        lambda: {"rows": 0, "first": None, "last": None, "purposes": set(), "signals": set(), "packs": set()}
    )
    for where, table in rows(site, mine.scope):
        place = held[where.category, where.ground]
        times = table.column("time").cast("int64").to_numpy()
        place["rows"] += table.num_rows
        place["first"] = min(filter(None, (place["first"], int(times.min()))))
        place["last"] = max(filter(None, (place["last"], int(times.max()))))
        place["purposes"] |= _purposes(table.column(PURPOSES).to_numpy(), purposes_of(table.schema))
        place["signals"] |= _valued(table)
        place["packs"].add(where.pack)
    return [
        {
            "category": category,
            "ground": ground,
            **{k: sorted(v) if isinstance(v, set) else v for k, v in place.items()},
            **_stays(site, category, ground, place["last"]),
        }
        for (category, ground), place in sorted(held.items())
    ]


def _valued(table: pa.Table) -> set[str]:
    """Signals of which any value is held."""
    return {name for name in signals(table.schema) if table.column(name).null_count < table.num_rows}


def _stays(site: Site, category: str, ground: str, last: int) -> dict[str, Any]:
    """Until when the last of these rows must, and may, be kept; None where the pack says nothing of it."""
    must, may = floors.stay(site, category, ground, last)
    return {
        name: None if term is None else {"until": term.until, "article": term.article, "says": term.says}
        for name, term in (("must_be_kept", must), ("may_be_kept", may))
    }


def _purposes(bits: "np.ndarray[Any, Any]", said: tuple[str, ...]) -> set[str]:
    served = int(np.bitwise_or.reduce(bits)) if len(bits) else 0
    return {purpose for bit, purpose in enumerate(said) if served >> bit & 1}
