"""Tries to get out past the one door: written down, in the ledger, and bad until an officer has looked."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, select, update

from onshore.border.sending import accounts
from onshore.site import Site
from onshore.vault.papers import attempts, reading, writing

Tried = tuple[str, str, int]
"""Which module of ours ("" for code of others), what it did, bytes that the kernel was handed."""


def note(site: Site, tried: Iterable[Tried]) -> None:
    """Write tries down, one entry of the ledger each; bytes that went past the accounts are unexplained from now on."""
    with writing(site.engine) as conn:
        for module, what, count in tried:
            row = {"at": site.clock(), "module": module[:80], "what": what, "bytes": count}
            conn.execute(attempts.insert().values(**row, seen=False, seen_by=""))
            named = {"module": module.lower()[:80]} if module else {}
            site.hand_in(conn, site.entry("attempt", what=what, bytes=count, **named))
        accounts.state(site, conn)
    site.settle()


def unseen(site: Site) -> Sequence[Row[Any]]:
    """The tries at which nobody has looked yet: `id`, `at` (ms UTC), `module`, `what`, `bytes`."""
    with reading(site.engine) as conn:
        return conn.execute(select(attempts).where(~attempts.c.seen).order_by(attempts.c.id)).all()


def acknowledge(site: Site, by: str) -> int:
    """An officer has looked at them, and accounts for what they were; how many. The ledger keeps that they were."""
    with writing(site.engine) as conn:
        new = update(attempts).where(~attempts.c.seen).values(seen=True, seen_by=by)
        count = conn.execute(new).rowcount
        accounts.state(site, conn)
    site.settle()
    return int(count)
