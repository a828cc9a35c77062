"""Sister companies: what they declare to have sent counts when the law asks whether an export was split."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from onshore.ledger.entry import REFERENCE, digest
from onshore.rules.acts import MOST, GroupExports
from onshore.rules.local import FIRST_YEAR, LAST_YEAR
from onshore.site import Site
from onshore.vault.papers import declared, writing
from onshore.words.errors import Malformed
from onshore.words.permit import Transfer


@dataclass(frozen=True)
class Declared:
    """Distinct persons whom a sister company sent abroad in a calendar year, by class, and its paper's number.

    `recipient` and `purpose`: to whom and what for; empty: it does not say, so it counts against any.
    """

    by: str
    year: int
    sensitive: int
    ordinary: int
    paper: str
    recipient: str = ""
    purpose: str = ""


def declare(site: Site, said: Declared, actor: str) -> None:
    """Set down what a sister company declares, its entry with it; it takes the place of what it declared before."""
    if not said.by.strip() or len(said.by) > 80:
        raise Malformed("a sister company's name has 1 to 80 letters", where="by")
    if not FIRST_YEAR <= said.year <= LAST_YEAR:
        raise Malformed("a calendar year is needed, such as 2026", where="year")
    if not (0 <= said.sensitive <= MOST and 0 <= said.ordinary <= MOST):
        raise Malformed(f"distinct persons are counted from 0 to {MOST}", where="sensitive, ordinary")
    if not REFERENCE[1](said.paper):
        raise Malformed("a paper's number has letters, digits and . _ / - alone", where="paper")
    if said.recipient:
        site.recipient(said.recipient)
    row = {name: getattr(said, name) for name in Declared.__dataclass_fields__}
    with writing(site.engine) as conn:
        body = site.entry(
            "declared",
            obj=digest(row),
            by=digest(said.by),
            year=said.year,
            sensitive=said.sensitive,
            ordinary=said.ordinary,
            number=said.paper,
        )
        conn.execute(
            declared.insert().values(**row, filed=site.clock(), filed_by=actor, entry=site.hand_in(conn, body))
        )
    site.settle()


def counting(conn: Connection, year: int, transfer: Transfer) -> GroupExports | None:
    """What counts beside a transfer in a year: of each sister, recipient and purpose the newest; None where none is."""
    mine = declared.c.recipient.in_(("", transfer.recipient)) & declared.c.purpose.in_(("", transfer.purpose))
    newest = _newest(conn.execute(select(declared).where(declared.c.year == year, mine).order_by(declared.c.number)))
    if not newest:
        return None
    return GroupExports(
        members=tuple(sorted({row.by for row in newest})),
        ordinary=sum(row.ordinary for row in newest),
        sensitive=sum(row.sensitive for row in newest),
    )


def standing(conn: Connection, year: int) -> list[Row[Any]]:
    """What is declared for a year and stands, sister by sister."""
    return _newest(conn.execute(select(declared).where(declared.c.year == year).order_by(declared.c.number)))


def _newest(rows: Any) -> list[Row[Any]]:
    return list({(row.by, row.recipient, row.purpose): row for row in rows}.values())
