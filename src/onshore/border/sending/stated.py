"""The most that the ledger has stated of bytes that left: accounts below it were forged, and nothing leaves on them."""

import hmac
import json
from collections.abc import Mapping
from itertools import chain

from sqlalchemy import Connection, delete, func, or_, select

from onshore.ledger.totals import Totals, lower
from onshore.ledger.years import Years
from onshore.site import Site
from onshore.vault.papers import entries, meta
from onshore.words.errors import Broken

_MARK = "egress-most"
"""In `meta`: [size, number, most, seal]: the most by the log's first entries and by the papers' first, read once."""


def most(site: Site, conn: Connection, log: Years | None = None) -> dict[str, int]:
    """The most that was stated of each total, by name; what waits to be written to the `log` counts as well."""
    log = log or site.ledger
    size, number, known = _marked(site, conn, log)
    e = entries.c
    new = select(e.body).where(or_(e.leaf.is_(None), e.leaf >= log.size), e.id > number).order_by(e.id)
    totals = Totals(known)
    for body in chain(log.entries(size), map(bytes, conn.execute(new).scalars())):
        totals.hear(body)
    return totals.most


def note(site: Site, conn: Connection, known: Mapping[str, int]) -> None:
    """Set down what was stated until now, in the transaction that states it, so that it need not be read again."""
    size, number = site.ledger.size, conn.scalar(select(func.max(entries.c.id))) or 0
    said = json.dumps([size, number, known, _seal(site, size, number, known)])
    conn.execute(delete(meta).where(meta.c.name == _MARK))
    conn.execute(meta.insert().values(name=_MARK, value=said))


def refuse_lower(site: Site, conn: Connection, now: Mapping[str, int]) -> None:
    """Broken where a total is lower than the ledger stated it: forged papers, or old ones that were brought back."""
    if fell := lower(now, most(site, conn)):
        raise Broken(
            f"the accounts of what left are lower than the ledger stated them before ({fell}), so nothing leaves on "
            "them. Find out who changed the papers, or restore them from a backup with the newest ledger"
        )


def _marked(site: Site, conn: Connection, log: Years) -> tuple[int, int, dict[str, int]]:
    """What was noted; nothing, to be read anew, where it is not this site's own word, or of a longer log."""
    raw = conn.execute(select(meta.c.value).where(meta.c.name == _MARK)).scalar()
    try:
        size, number, known, seal = json.loads(raw or "")
        good = hmac.compare_digest(seal, _seal(site, size, number, known)) and size <= log.size
    except (ValueError, TypeError):
        good = False
    return (size, number, known) if good else (0, 0, {})


def _seal(site: Site, size: int, number: int, known: Mapping[str, int]) -> str:
    """Whoever writes in the papers alone makes no total smaller: the ledger's key vouches for the mark."""
    said = json.dumps(["egress", site.id, size, number, sorted(known.items())]).encode()
    return hmac.new(site.key("ledger"), said, "sha256").hexdigest()
