"""Reconciliation: what the sockets took, what the accounts say, and what the ledger states, held against each other."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from onshore.border.sending import accounts, attempts
from onshore.border.sending.stated import most
from onshore.ledger import totals
from onshore.ledger.years import Years
from onshore.site import Site
from onshore.vault.papers import entries, parcels, reading, recipient_receipts, sendings

Line = tuple[str, bool, str]
_NEWEST = 512  # entries that are read at once, newest first


def looks(site: Site) -> Iterator[Line]:
    """Each look of it: what, whether it is well, and what there is to say."""
    log = site.reopened()  # before the papers: what is handed in from now on is in these alone
    with reading(site.engine) as conn:
        sums = accounts.total(conn)
        wrong = list(_wrong(site, conn, log, sums))
        waiting, due = _unreceived(conn), conn.execute(select(func.sum(sendings.c.due))).scalar()
    left = sums.unexplained
    says = f"{left}, of {sums.wire} that the border's sockets took, {sums.payload} of them and by hand of parcels"
    if due:
        says += f"; up to {due} more are going just now, or went when a process died: the next to send counts them"
    if left:
        says += "; find out what sent them: an officer then says 'onshore egress acknowledge'"
    yield "unexplained bytes", left == 0 and not wrong, "; ".join([says, *wrong])
    for one in attempts.unseen(site):
        who = one.module or "code that is not Onshore's"
        at = datetime.fromtimestamp(one.at / 1000, UTC).isoformat(timespec="seconds")
        did = {"start": "start another program", "place": "reach a place that site.toml does not list"}
        went = f"sent {one.bytes} bytes past the account" if one.what == "uncounted" else "was stopped"
        yield "attempt", False, f"{at} {who} tried to {did.get(one.what, 'open a connection outwards')}, and {went}"
    if waiting:
        yield "receipts", True, f"{waiting} parcels left, and their recipients have not said that they have them"


def _stated(conn: Connection, log: Years, size: int) -> dict[str, Any] | None:
    """The totals as the newest entry of them has them: of those that wait, else of the log itself.

    Not of the papers' copy of the log: who can write into an account can write there too.
    """
    e = entries.c
    waiting = select(e.body).where(or_(e.leaf.is_(None), e.leaf >= size)).order_by(e.id.desc())
    for body in chain(map(bytes, conn.execute(waiting).scalars()), _newest_first(log, size)):
        if b'"t":"egress"' in body and (said := json.loads(body))["t"] == "egress":
            return dict(said)
    return None


def _newest_first(log: Years, size: int) -> Iterator[bytes]:
    for start in range((size - 1) // _NEWEST * _NEWEST, -1, -_NEWEST):
        yield from reversed(list(islice(log.entries(start), min(_NEWEST, size - start))))


def _wrong(site: Site, conn: Connection, log: Years, sums: accounts.Total) -> Iterator[str]:
    now, stated = accounts.fields(sums), _stated(conn, log, log.size)
    if stated is None and (sums.wire or sums.payload):
        yield "the ledger states no total"
    if stated is not None and any(stated[name] != value for name, value in now.items()):
        yield f"the ledger states {stated['total']} and {stated['payload']}: the accounts were changed beside it"
    if fell := totals.lower(totals.stated(now), most(site, conn, log)):
        yield f"the ledger stated more before ({fell}): what left was taken away, and nothing leaves until it is back"
    for row in conn.execute(_NO_ACCOUNT):
        yield f"the parcel {row.id} is out, and has no account"
    for row in conn.execute(_ACCOUNTS):
        release = _release(log, row)
        if [release.get(n) for n in ("obj", "bytes", "dest")] != [f"sha256:{row.sha256}", row.bytes, row.jurisdiction]:
            yield f"the account of parcel {row.parcel} is not what its release in the ledger says"
        if not row.payload <= row.most <= row.bytes or (row.state == "left" and row.payload != row.bytes):
            yield f"the account of parcel {row.parcel} does not add up"


def _release(log: Years, row: Row[Any]) -> dict[str, Any]:
    """What the log says of a parcel; what is not in it yet, as it was handed in."""
    if row.body is None:
        return {}
    return dict(json.loads(row.body if row.leaf is None or row.leaf >= log.size else log.entry_at(row.leaf)))


_ACCOUNTS = (
    select(sendings, parcels.c.state, parcels.c.sha256, entries.c.body, entries.c.leaf)
    .join(parcels, parcels.c.id == sendings.c.parcel)
    .join(entries, entries.c.id == parcels.c.entry, isouter=True)
)
_NO_ACCOUNT = (
    select(parcels.c.id)
    .join(sendings, sendings.c.parcel == parcels.c.id, isouter=True)
    .where(parcels.c.state.in_(("sending", "left", "cut")), parcels.c.stood.is_not(None), parcels.c.sha256.is_not(None))
    .where(sendings.c.parcel.is_(None))
)


def _unreceived(conn: Connection) -> int:
    r = recipient_receipts.c
    ask = select(parcels.c.id).join(recipient_receipts, r.parcel == parcels.c.id, isouter=True)
    files = (parcels.c.state == "left") & parcels.c.sha256.is_not(None)  # of a view there is none to confirm
    return len(conn.execute(ask.where(files, r.parcel.is_(None))).all())
