"""Entries: what the ledger is told of a query before its first row, at its end, and where it was refused."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onshore.ledger.entry import digest
from onshore.register import judgements
from onshore.register.judgements import Judged, behind
from onshore.site import Site
from onshore.vault.papers import queries, writing
from onshore.words.errors import Refusal


@dataclass(frozen=True)
class Question:
    """What somebody asks: the SQL, the purpose, and who, by a name of the settings."""

    sql: str
    purpose: str
    by: str


def asked(site: Site, question: Question, role: str, categories: list[str], judged: Sequence[Judged]) -> dict[str, Any]:
    """Write down a query that is about to run; its entry is under a checkpoint before this returns.

    `judged`: the judge's word on its categories; of none where a door was opened, for there another one counts.
    """
    paper = _paper(site, question, role=role, categories=categories)
    _hand_in(site, paper, judged, state="asked", role=role, purpose=question.purpose, categories=categories)
    return paper


def refused(site: Site, question: Question, why: Refusal) -> None:
    """Write down that a query was refused, and why; nothing that the asker typed stands in the log."""
    known = site.settings.people.get(question.by)
    role = {"role": known.role} if known else {}
    purpose = {"purpose": question.purpose} if question.purpose in site.settings.site.purposes else {}
    paper = _paper(site, question, **role, reasons=[why.reason])
    _hand_in(site, paper, behind(why), state="refused", **role, **purpose, why=why.reason)


def ended(site: Site, paper: dict[str, Any], state: str, rows: int) -> None:
    """Write down how many rows were given: all (`answered`), up to the limit (`cut`), or until it ended early.

    `state`: "answered", "cut", "stopped" by who asked, or "failed". The entry has the digest of the one that it ends.
    """
    with writing(site.engine) as conn:
        site.hand_in(conn, site.entry("query", obj=digest(paper), state=state, rows=rows))
    site.settle()


def _paper(site: Site, question: Question, **said: Any) -> dict[str, Any]:
    """What the entry is about. Of the SQL its salted digest: it may name a car or a place, and is kept nowhere."""
    salt = site.randomness(16).hex()
    known = question.by in site.settings.people
    return {
        "kind": "query",
        "site": site.id,
        "by": question.by if known else "",
        "purpose": question.purpose if question.purpose in site.settings.site.purposes else "",
        "sql": digest({"salt": salt, "sql": question.sql}),
        "at": site.clock(),
        "salt": salt,
        **said,
    }


def _hand_in(site: Site, paper: dict[str, Any], judged: Sequence[Judged], **fields: Any) -> None:
    with writing(site.engine) as conn:
        number = judgements.hand_in(site, conn, "query", judged, obj=digest(paper), **fields)
        conn.execute(queries.insert().values(entry=number, paper=json.dumps(paper)))
    site.settle(number)
