"""The account of what leaves: each parcel's bytes, written down as they go, and the sum that the ledger states."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select, update

from onshore.border.sending import stated
from onshore.border.sending.destinations import Destination
from onshore.ledger import totals
from onshore.site import Site
from onshore.vault.papers import attempts, meta, reading, sendings, writing

_TOLD = "egress"  # of meta: the totals as the ledger was told of them last


@dataclass(frozen=True)
class Total:
    """Bytes since the site was made.

    `wire`: handed to the kernel by the border, TLS and all, `to` which jurisdiction; `payload`: of sealed parcels that
    left, by hand too. `unexplained`: that the kernel was handed beyond the accounts and no officer has accounted for.
    """

    wire: int
    payload: int
    to: Mapping[str, int]
    unexplained: int


@dataclass(frozen=True)
class Account:
    """One parcel's account, durable after each call."""

    site: Site
    parcel: str

    def now(self) -> int:
        """The site's clock (ms UTC)."""
        return self.site.clock()

    def remote(self) -> dict[str, str]:
        """What the other side calls the upload, as far as it has begun."""
        with reading(self.site.engine) as conn:
            return dict(json.loads(conn.execute(select(sendings.c.remote).where(self._mine)).scalar_one()))

    def most(self) -> int:
        """Bytes of the sealed file that are with the recipient, or may be."""
        with reading(self.site.engine) as conn:
            return handed_over(conn, self.parcel)

    def remember(self, **said: str) -> None:
        """Remember what the other side calls the upload; an empty word is forgotten."""
        kept = {name: word for name, word in {**self.remote(), **said}.items() if word}
        with writing(self.site.engine) as conn:
            conn.execute(update(sendings).where(self._mine).values(remote=json.dumps(kept)))

    def begun(self, until: int) -> None:
        """The sealed file is about to go up to this byte: from now on it may have arrived."""
        more = self._mine, sendings.c.most < until
        with writing(self.site.engine) as conn:
            conn.execute(update(sendings).where(*more).values(most=until))

    def there(self, count: int) -> None:
        """The other side says that it has so many bytes of the sealed file."""
        more = self._mine, sendings.c.payload < count
        with writing(self.site.engine) as conn:
            conn.execute(update(sendings).where(*more).values(payload=count))
            state(self.site, conn)

    def goes(self, count: int) -> None:
        """So many bytes at most are about to go. What was, and was never told of, counts as gone: a process died."""
        c = sendings.c
        with writing(self.site.engine) as conn:
            lost = {"wire": c.wire + c.due, "kernel": c.kernel + c.due}
            conn.execute(update(sendings).where(self._mine).values(**lost, due=count))
            state(self.site, conn)

    def took(self, wire: int, kernel: int) -> None:
        """A connection took so many more bytes, as the border counted them and as the kernel does."""
        more = {"wire": sendings.c.wire + wire, "kernel": sendings.c.kernel + kernel, "due": 0}
        with writing(self.site.engine) as conn:
            conn.execute(update(sendings).where(self._mine).values(**more))
            state(self.site, conn)

    @property
    def _mine(self) -> ColumnElement[bool]:
        return sendings.c.parcel == self.parcel


def begin(site: Site, conn: Connection, parcel: str, destination: Destination, size: int) -> None:
    """Open a parcel's account, in the transaction that says that it is being sent; `size`: bytes of the sealed file."""
    zero = dict.fromkeys(("payload", "most", "wire", "kernel", "due"), 0)
    conn.execute(
        sendings.insert().values(
            parcel=parcel, jurisdiction=destination.jurisdiction, began=site.clock(), remote="{}", bytes=size, **zero
        )
    )


def handed_over(conn: Connection, parcel: str) -> int:
    """Bytes of the sealed file that are with the recipient, or may be; 0 where its sending never began."""
    found = conn.execute(select(sendings.c.most).where(sendings.c.parcel == parcel)).scalar()
    return int(found or 0)


def whole(site: Site, conn: Connection, parcel: str) -> None:
    """All of a parcel has left: in the transaction that notes it."""
    c = sendings.c
    gone = {"payload": c.bytes, "most": c.bytes, "wire": c.wire + c.due, "kernel": c.kernel + c.due, "due": 0}
    conn.execute(update(sendings).where(c.parcel == parcel).values(**gone))
    state(site, conn)


def total(conn: Connection) -> Total:
    """The sums of all accounts."""
    c = sendings.c
    sums = func.sum(c.wire), func.sum(c.payload), func.sum(c.kernel - c.wire)
    rows = conn.execute(select(c.jurisdiction, *sums).group_by(c.jurisdiction).order_by(c.jurisdiction)).all()
    past = conn.execute(select(func.sum(attempts.c.bytes)).where(~attempts.c.seen)).scalar()
    return Total(
        wire=sum(int(row[1]) for row in rows),
        payload=sum(int(row[2]) for row in rows),
        to={row.jurisdiction: int(row[1]) for row in rows},
        unexplained=sum(int(row[3]) for row in rows) + int(past or 0),
    )


def state(site: Site, conn: Connection) -> None:
    """Hand the ledger the totals, where they changed, in the transaction that changed them.

    The log is written in this order, so each of its checkpoints covers an entry with the totals as of it. Totals lower
    than it stated before are not stated: it goes on to contradict them (`refuse_lower`).
    """
    now = fields(total(conn))
    told = json.dumps(now, sort_keys=True)
    known = conn.execute(select(meta.c.value).where(meta.c.name == _TOLD)).scalar()
    if told == known or totals.lower(totals.stated(now), stated.most(site, conn)):
        return
    site.hand_in(conn, site.entry("egress", **now))
    stated.note(site, conn, totals.stated(now))
    if known is None:
        conn.execute(meta.insert().values(name=_TOLD, value=told))
    else:
        conn.execute(update(meta).where(meta.c.name == _TOLD).values(value=told))


def refuse_lower(site: Site, conn: Connection) -> None:
    """Broken where the accounts are lower than the ledger stated them: nothing leaves on forged papers, or old ones."""
    stated.refuse_lower(site, conn, totals.stated(fields(total(conn))))


def fields(sums: Total) -> dict[str, object]:
    """The totals as an entry of the ledger has them."""
    return {
        "total": sums.wire,
        "payload": sums.payload,
        "to": [[code, count] for code, count in sums.to.items()],
        "unexplained": max(sums.unexplained, 0),
    }
