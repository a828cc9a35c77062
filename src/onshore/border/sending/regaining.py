"""After a restore: the accounts of what left since the backup, made anew from what the ledger says of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from onshore.border.sending import accounts, stated
from onshore.ledger.entry import read
from onshore.ledger.years import Years
from onshore.site import Site
from onshore.vault import counts
from onshore.vault.papers import attempts, entries, meter, meter_vehicles, parcels, sendings, writing

Releases = Mapping[str, tuple[int, dict[str, Any]]]
"""By what they are of, each release that was about to leave: its number in the log, and its fields.

`end`: how it ended, by an entry of its own: `unsent`, or `cut` with at most so many bytes gone (`most`).
"""


def regain(site: Site) -> int:
    """Have every parcel that counts as gone in the accounts, and no total lower than the ledger stated it.

    How many accounts are new. Whoever restores calls it: by papers from before it, a parcel that was begun since is all
    gone; where the ledger says that it ended otherwise, so it is. What the sockets took the ledger has as sums alone:
    what no account explains goes to the newest of its jurisdiction. Bytes that nobody had explained stay so until an
    officer looks at them again.
    """
    log = site.reopened()
    releases, last = _read(log)
    with writing(site.engine) as conn:
        known = set(conn.scalars(select(sendings.c.parcel)))
        ask = select(parcels).where(parcels.c.state == "left", parcels.c.sha256.is_not(None)).order_by(parcels.c.id)
        gone = [row for row in conn.execute(ask) if f"sha256:{row.sha256}" in releases]
        for row in gone:
            _account(conn, row, *releases[f"sha256:{row.sha256}"], known=row.id in known)
        counts.recount(conn)
        _sum_up(site, conn, log)
        missing = last - max(accounts.total(conn).unexplained, 0)
        if missing > 0:
            said = {"at": site.clock(), "module": "", "what": "uncounted", "bytes": missing}
            conn.execute(attempts.insert().values(**said, seen=False, seen_by=""))
        if gone or missing > 0:
            accounts.state(site, conn)
    return len({row.id for row in gone} - known)


def _read(log: Years) -> tuple[Releases, int]:
    """The releases of the log, and the bytes that were unexplained when it stated them last."""
    releases: dict[str, tuple[int, dict[str, Any]]] = {}
    unexplained = 0
    for number, body in enumerate(log.entries()):
        if b'"t":"release"' in body and "obj" in (said := read(body)):
            if said["state"] == "leaving":
                releases[said["obj"]] = number, said
            elif said["obj"] in releases:
                releases[said["obj"]][1].update(end=said["state"], most=said.get("bytes", 0))
        elif b'"t":"egress"' in body:
            unexplained = int(read(body)["unexplained"])
    return releases, unexplained


def _account(conn: Connection, row: Row[Any], number: int, said: Mapping[str, Any], *, known: bool) -> None:
    """The account of a parcel by its release, all that may be gone counted as gone; its row names that entry again."""
    entry = conn.scalar(select(entries.c.id).where(entries.c.leaf == number))
    conn.execute(update(parcels).where(parcels.c.id == row.id).values(entry=entry, state=said.get("end", "left")))
    if said.get("end") == "unsent":
        conn.execute(delete(meter).where(meter.c.parcel == row.id))
        conn.execute(delete(meter_vehicles).where(meter_vehicles.c.parcel == row.id))
    most = said.get("most", said["bytes"])
    gone = {"payload": most, "most": most}
    if known:
        conn.execute(update(sendings).where(sendings.c.parcel == row.id).values(**gone))
        return
    none = {"wire": 0, "kernel": 0, "due": 0, "remote": "{}", "began": row.left or row.reserved}
    where = {"parcel": row.id, "jurisdiction": said["dest"], "bytes": said["bytes"]}
    conn.execute(sendings.insert().values(**where, **gone, **none))


def _sum_up(site: Site, conn: Connection, log: Years) -> None:
    sums, c = accounts.total(conn), sendings.c
    for name, count in stated.most(site, conn, log).items():
        code = name.removeprefix("to ")
        more = count - sums.to.get(code, 0)
        newest = select(c.parcel).where(c.jurisdiction == code).order_by(c.began.desc(), c.parcel.desc()).limit(1)
        if name != code and more > 0 and (parcel := conn.scalar(newest)) is not None:
            changed = {"wire": c.wire + more, "kernel": c.kernel + more}
            conn.execute(update(sendings).where(c.parcel == parcel).values(**changed))
