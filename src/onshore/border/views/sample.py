"""The sample of a spot check: a few rows as they would leave now, for a regulator or officer who looks from home."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from sqlalchemy import select

from onshore.border import grants, life
from onshore.border.rows import selection
from onshore.border.rows.parcel import interval_seed, pseudonyms
from onshore.site import Site
from onshore.vault.papers import permits, reading, writing
from onshore.words.batch import signals
from onshore.words.permit import Permit, Transfer

MOST = 20
"""Rows of a sample: enough to see what kind of data it is, too few to be of use."""


def schema(site: Site, transfer: Transfer) -> dict[str, list[dict[str, str]]]:
    """The columns that may leave, by category: name, unit and type, under the permit on file if there is one."""
    permit = _permit(site, transfer)
    wanted = selection.sought(site, transfer, permit)
    found: dict[str, list[dict[str, str]]] = {}
    for category, some in wanted.signals.items():
        names = sorted(n for n, s in site.catalogue.items() if s.category == category and (some is None or n in some))
        found[category] = [
            {"name": name, "unit": site.catalogue[name].unit or "", "type": site.catalogue[name].type} for name in names
        ]
    return found


def taken(site: Site, transfer: Transfer, by: str) -> dict[str, Any]:
    """At most MOST rows, sieved with the consents of now, with the permit's transforms and the recipient's pseudonyms.

    Without a permit there is none: nobody said yet what must be done to the rows. The ledger notes who looked, by role.
    """
    permit = _permit(site, transfer)
    if permit is None:
        return {"rows": {}, "says": "no permit is on file, so nothing says yet what must be done to rows first"}
    found: dict[str, list[dict[str, Any]]] = {}
    most = max(1, MOST // max(1, len(transfer.categories)))
    for category, table in _leaving(site, transfer, permit):
        rows = found.setdefault(category, [])
        rows += _rows(site, transfer, table.slice(0, max(0, most - len(rows))))
        if all(len(found.get(one, ())) >= most for one in transfer.categories):
            break
    count = sum(len(rows) for rows in found.values())
    role = site.settings.people[by].role
    with writing(site.engine) as conn:
        shown = {"state": "shown", "what": "spot-check", "role": role, "rows": count}
        site.hand_in(conn, site.entry("view", obj=life.named(transfer), **shown))
    site.settle()
    return {"rows": found, "says": f"at most {MOST} rows as they would leave now, under permit {permit.id}"}


def _leaving(site: Site, transfer: Transfer, permit: Permit) -> Iterator[tuple[str, pa.Table]]:
    now = site.clock()
    found = selection.touched(site, transfer, now, permit)
    return selection.leaving(site, transfer, permit, now, found, interval_seed(site, transfer.recipient))


def _rows(site: Site, transfer: Transfer, table: pa.Table) -> list[dict[str, Any]]:
    """Rows with the recipient's number of the car, and the time in UTC; arrays are told by their bytes."""
    number = pseudonyms(site, transfer.recipient)
    columns = ["vehicle", "time", *signals(table.schema)]
    rows = table.select(columns).to_pylist()
    return [
        {**{name: _plain(value) for name, value in row.items() if value is not None}, "vehicle": number(row["vehicle"])}
        for row in rows
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _permit(site: Site, transfer: Transfer) -> Permit | None:
    """The newest permit on file for a request, its signature checked, whether it stands or not; None without any."""
    ask = select(permits.c.id).where(permits.c.transfer == transfer.id)
    with reading(site.engine) as conn:
        newest = conn.execute(ask.order_by(permits.c.revoked.is_not(None), permits.c.granted.desc())).scalars().first()
    return None if newest is None else grants.show(site, newest).permit
