"""What the papers say of permits, approvals, parcels and persons, held against what the ledger says of them."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, select

from onshore.border import life
from onshore.border.views import viewing
from onshore.ledger.entry import digest, read
from onshore.ledger.totals import Totals
from onshore.site import Site
from onshore.vault.papers import entries, meter, parcels, permits, reading, transfer_approvals, transfers
from onshore.words.permit import Transfer

_KINDS = tuple(f'"t":"{kind}"'.encode() for kind in ("permit", "approval", "release", "view", "restore"))
_ENDED = ("unsent", "cut")  # of a parcel, said by an entry of its own
_OUT = ("sending", "left")  # its release is said, and no end of it

Said = dict[tuple[str, str], list[dict[str, Any]]]
"""Entries of the ledger in order, by kind and by what they are of."""


def disagreements(site: Site) -> Iterator[str]:
    """Each thing that the papers have otherwise than the ledger, or that it takes back; nothing where they agree."""
    said, fell, forgotten = _said(site)
    yield from (f"the ledger states fewer bytes that left than before ({one})" for one in fell)
    with reading(site.engine) as conn:
        yield from _permits(conn, said, forgotten)
        yield from _approvals(conn, said)
        yield from _parcels(conn, said)
        yield from _views(conn, said)


def _said(site: Site) -> tuple[Said, list[str], set[str]]:
    """The entries; each time that totals of bytes went down; permits that a restored backup is too old to have."""
    found: Said = {}
    totals, fell = Totals(), list[str]()
    granted, forgotten = dict[str, int](), set[str]()
    with reading(site.engine) as conn:
        waiting = conn.execute(select(entries.c.body).where(entries.c.leaf.is_(None)).order_by(entries.c.id))
        bodies = [bytes(body) for body in waiting.scalars()]
    for number, body in enumerate((*site.reopened().entries(), *bodies)):
        if any(kind in body for kind in _KINDS) and "obj" in (fields := read(body)):
            found.setdefault((fields["t"], fields["obj"]), []).append(fields)
            if fields["t"] == "permit":
                granted.setdefault(fields["obj"], number)
            elif fields["t"] == "restore":
                forgotten |= {obj for obj, at in granted.items() if at >= fields.get("known", number)}
        fell += [one] if (one := totals.hear(body)) else []
    return found, fell, forgotten


def _permits(conn: Connection, said: Said, forgotten: set[str]) -> Iterator[str]:
    known = {digest(row.note): row for row in conn.execute(select(permits))}
    logged = {obj: {one["state"] for one in some} for (kind, obj), some in said.items() if kind == "permit"}
    for obj in sorted(known.keys() | logged.keys()):
        row, states = known.get(obj), logged.get(obj, set())
        if row is None:
            if obj not in forgotten:
                yield f"the ledger has a permit that the papers have not ({obj})"
        elif not states & {"granted", "recorded"}:
            yield f"the permit {row.id} was never granted: the ledger has no entry of it"
        elif ("revoked" in states) != (row.revoked is not None):
            yield f"the permit {row.id} {'was revoked' if 'revoked' in states else 'stands'} by the ledger alone"


def _approvals(conn: Connection, said: Said) -> Iterator[str]:
    """Of each request, more approvals that stand than the ledger has given."""
    a, t = transfer_approvals.c, transfers.c
    ask = select(a.transfer, a.basis, t.body).join(transfers, t.id == a.transfer).where(a.lapsed.is_(None))
    standing = Counter((r.transfer, life.named(_transfer(r.body)), r.basis) for r in conn.execute(ask))
    for (transfer, obj, basis), number in sorted(standing.items()):
        some = [one for one in said.get(("approval", obj), ()) if one["basis"] == basis]
        lapsed = [at for at, one in enumerate(some) if one["state"] == "lapsed"]
        if sum(one["state"] == "given" for one in some[max(lapsed, default=-1) + 1 :]) < number:
            yield f"an approval of the request {transfer} is on file that the ledger has not"


def _parcels(conn: Connection, said: Said) -> Iterator[str]:
    counts = select(meter.c.parcel, func.count().label("n")).group_by(meter.c.parcel)
    counted = {row.parcel: row.n for row in conn.execute(counts)}
    known = {f"sha256:{row.sha256}": row for row in conn.execute(select(parcels)) if row.sha256}
    logged = {obj: some for (kind, obj), some in said.items() if kind == "release"}
    for obj in sorted(known.keys() | logged.keys()):
        row, some = known.get(obj), logged.get(obj, [])
        if row is None:
            yield f"the ledger has a parcel that the papers have not ({obj})"
        else:
            yield from _parcel(row, some, counted.get(row.id, 0))
    ask = select(parcels.c.id, parcels.c.state, transfers.c.body).join(transfers)
    for row in conn.execute(ask.where(parcels.c.sha256.is_(None), parcels.c.state.in_((*_OUT, "cut")))):
        if _transfer(row.body).method != "view":
            yield f"the parcel {row.id} is {row.state}, and was never sealed"


def _views(conn: Connection, said: Said) -> Iterator[str]:
    """Views, of which there is no file: each by an entry that begins it and one that ends it."""
    counts = select(meter.c.parcel, func.count().label("n")).group_by(meter.c.parcel)
    counted = {row.parcel: row.n for row in conn.execute(counts)}
    asked = select(parcels, transfers.c.body).join(transfers).where(parcels.c.sha256.is_(None))
    rows = [row for row in conn.execute(asked) if _transfer(row.body).method == "view"]
    known = {viewing.named(_transfer(row.body), row.id): row for row in rows}
    logged = {
        obj: states
        for (kind, obj), some in said.items()
        if kind == "view" and "leaving" in (states := {one["state"]: one for one in some})
    }
    for obj in sorted(known.keys() | logged.keys()):
        row, states = known.get(obj), logged.get(obj, {})
        if row is None:
            yield f"the ledger has a view that the papers have not ({obj})"
        elif not states:
            yield f"the view {row.id} is {row.state}, and the ledger has no beginning of it"
        else:
            yield from _view(row, states, counted.get(row.id, 0))


def _view(row: Row[Any], states: dict[str, dict[str, Any]], persons: int) -> Iterator[str]:
    ends = states.keys() - {"leaving"}
    if ends != ({row.state} & {"left", "cut", "unsent"}):
        yield f"the view {row.id} is {row.state} by the papers and {' '.join(sorted(ends)) or 'open'} by the ledger"
    elif any(row.rows != one["rows"] for one in states.values() if "rows" in one):
        yield f"the view {row.id} has {row.rows} rows by the papers and others by the ledger"
    elif row.state != "unsent" and persons != states["leaving"]["subjects"]:
        yield f"the view {row.id} has {persons} persons on the meter and others by the ledger"


def _parcel(row: Row[Any], some: list[dict[str, Any]], persons: int) -> Iterator[str]:
    begun = next((one for one in some if one["state"] == "leaving"), None)
    ends = {one["state"] for one in some} & set(_ENDED)
    if begun is None:
        yield f"the parcel {row.id} is {row.state}, and the ledger has no release of it"
        return
    if ends != ({row.state} & set(_ENDED)):
        yield f"the parcel {row.id} is {row.state} by the papers and {' '.join(ends) or 'gone'} by the ledger"
    if row.rows is not None and row.rows != begun["rows"]:
        yield f"the parcel {row.id} has {row.rows} rows by the papers and {begun['rows']} by the ledger"
    if "unsent" not in ends and persons != begun["subjects"]:
        yield f"the parcel {row.id} has {persons} persons on the meter and {begun['subjects']} by the ledger"


def _transfer(body: str) -> Transfer:
    return msgspec.json.decode(body, type=Transfer)
