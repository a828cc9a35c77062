"""Compaction as the keeper does it: a turn at a time, told to the ledger with the digests of what became what."""

from collections.abc import Callable

from sqlalchemy import Connection

from onshore.site import Site
from onshore.vault.compact import compact
from onshore.vault.rewrite import Replaced
from onshore.vault.segments import Shelf


def turn(site: Site, step: Callable[[str], None] = lambda _step: None) -> bool:
    """Merge small segments, as many as one turn takes; whether there were any. Holds the keep road."""

    def announce(conn: Connection, replaced: Replaced) -> None:
        old, new = ([f"sha256:{segment.sha256}" for segment in some] for some in (replaced.old, replaced.new))
        rows = sum(segment.rows for segment in replaced.new)
        site.hand_in(conn, site.entry("compact", old=old, new=new, rows=rows))

    shelf = Shelf(site.root, site.vault, site.id)
    with site.keeping():
        done = compact(site.engine, shelf, clock=site.clock, randomness=site.randomness, announce=announce, step=step)
    return done is not None
