"""Requests of foreign courts and police: a queue of their own, and nothing disclosed without an approval."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from onshore.border.cases.filing import day
from onshore.ledger.entry import digest
from onshore.register import judgements
from onshore.register.judgements import Judged
from onshore.rules.acts import Facts, TransferAsked
from onshore.site import Site
from onshore.vault import papers as papers_of
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import court_requests, reading, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import CATEGORIES

APPROVAL = "authority-approval"
KINDS = ("court", "police")
_MIB = 1 << 20


class Wanted(msgspec.Struct, frozen=True):
    """What an authority wants: categories of vehicles (random ids; none named: all) over [start, until), ms UTC."""

    categories: tuple[str, ...]
    start: int
    until: int
    vehicles: tuple[int, ...] = ()


@dataclass(frozen=True)
class Court:
    """A request in the queue. `state`: waiting, approved, refused. `authority`, `reference`: opened from their seal."""

    id: str
    kind: str
    recipient: str
    jurisdiction: str
    wanted: Wanted
    authority: str
    reference: str
    asked: int
    asked_by: str
    state: str
    verdict: Verdict
    decided: int | None
    decided_by: str | None
    number: str | None
    start: str | None
    until: str | None


def ask(site: Site, kind: str, recipient: str, wanted: Wanted, *, authority: str, reference: str, by: str) -> Court:
    """Set down what a foreign court or police asks for, and judge it by the rules on authorities.

    Refused: a recipient that site.toml does not name as an authority (`not-an-authority`). Malformed: no category, a
    period that ends before it begins, nobody named.
    """
    to = site.recipient(recipient)
    if not site.settings.recipients[recipient].authority:
        raise Refusal(
            "not-an-authority",
            f"'{recipient}' is not named as a court or police here",
            article=_article(site),
            remedy=f"set authority = true under [recipients.{recipient}] if that is what it is",
        )
    if kind not in KINDS or not authority.strip() or not reference.strip():
        raise Malformed(f"say who asks: {' or '.join(KINDS)}, its name and its reference", where="court")
    if not wanted.categories or not set(wanted.categories) <= set(CATEGORIES) or wanted.start >= wanted.until:
        raise Malformed("say which categories, and a period that ends after it begins", where="court")
    court, judged = site.randomness(16).hex(), _judged(site, recipient, wanted, approved=False)
    who = json.dumps({"authority": authority, "reference": reference}).encode()
    row: dict[str, Any] = {
        "id": court,
        "kind": kind,
        "recipient": recipient,
        "jurisdiction": to.jurisdiction,
        "body": msgspec.json.encode(wanted).decode(),
        "sealed": seal(site.key("column"), who, _context(court, "sealed"), site.randomness),
        "asked": site.clock(),
        "asked_by": by,
        "state": "waiting",
        "verdict": msgspec.json.encode(judged.verdict).decode(),
    }
    with writing(site.engine) as conn:
        conn.execute(court_requests.insert().values(**row))
        _note(site, conn, row, "asked", judged)
    site.settle()
    return find(site, court)


def approve(
    site: Site,
    court_id: str,
    by: str,
    *,
    number: str,
    start: str | None = None,
    until: str | None = None,
    file: bytes | None = None,
) -> Court:
    """Put the approval of the competent authority on a request's file, and judge it again with that.

    It is a paper: its number, its local days (inclusive) and its scan, sealed. Refused where the request was decided
    already (`court-decided`); nothing is disclosed by this alone: 'onshore transfer ask' to that recipient comes next.
    """
    first, last = day(start, "from"), day(until, "until")
    if not number.strip() or (first is not None and last is not None and last < first):
        raise Malformed("an approval has its number, and days that do not end before they begin", where="approval")
    if file is not None and len(file) > site.settings.filing.scan_mb * _MIB:
        raise Malformed(f"a scan has at most {site.settings.filing.scan_mb} MiB ([filing] scan_mb)", where="file")
    judged = _judged(site, (one := find(site, court_id)).recipient, one.wanted, approved=True)
    values = {
        "number": number,
        "start": start,
        "until": until,
        "sha256": None if file is None else digest(file.hex())[7:],
        "verdict": msgspec.json.encode(judged.verdict).decode(),
    }
    return _decide(site, court_id, by, "approved", values, file, judged)


def refuse(site: Site, court_id: str, by: str, words: str) -> Court:
    """Refuse a request, in words that are sealed with it; refused where it was decided already (`court-decided`)."""
    if not words.strip():
        raise Malformed("say why: whoever asks will want to read it", where="court")
    return _decide(site, court_id, by, "refused", {}, words.encode())


def find(site: Site, court_id: str) -> Court:
    """A request by its id; refuses an unknown one."""
    with reading(site.engine) as conn:
        row = conn.execute(select(court_requests).where(court_requests.c.id == court_id)).one_or_none()
    if row is None:
        raise Refusal("court-unknown", "there is no such request", remedy="'onshore court list' shows them")
    return _court(site, row)


def listed(site: Site) -> list[Court]:
    """All requests, those that wait first, oldest first."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(court_requests).order_by(court_requests.c.asked, court_requests.c.id)).all()
    return sorted((_court(site, row) for row in rows), key=lambda one: one.state != "waiting")


def told(site: Site) -> tuple[bool, str]:
    """A line on the queue."""
    found = listed(site)
    waits = sum(one.state == "waiting" for one in found)
    return True, f"{len(found)} requests of foreign courts and police, {waits} wait; none is answered by itself"


def means(site: Site, conn: Connection, transfer: Transfer) -> str:
    """How a request is judged: "authority", "view" or "file", by who receives and about whom, not by what it is called.

    An authority's own request is one wherever it comes in; and so is whatever is asked for the cars that one has asked
    for, of the same categories and days, by anybody in its jurisdiction.
    """
    if site.settings.recipients[transfer.recipient].authority:
        return "authority"
    place = site.recipient(transfer.recipient).jurisdiction
    for _, wanted in _wanted(conn, court_requests.c.jurisdiction == place):
        if set(wanted.vehicles) & set(transfer.vehicles) and _touches(wanted, transfer):
            return "authority"
    return "view" if transfer.method == "view" else "file"


def papers(site: Site, conn: Connection, transfer: Transfer) -> frozenset[str]:
    """The approval, where one on the queue covers all of a request to the authority that asked, today."""
    today, t = site.today().isoformat(), court_requests.c
    for row, wanted in _wanted(conn, (t.recipient == transfer.recipient) & (t.state == "approved")):
        runs = (row.start or today) <= today <= (row.until or today)
        cars = not wanted.vehicles or (bool(transfer.vehicles) and set(transfer.vehicles) <= set(wanted.vehicles))
        inside = wanted.start <= transfer.start and transfer.until <= wanted.until
        if runs and cars and inside and set(transfer.categories) <= set(wanted.categories):
            return frozenset({APPROVAL})
    return frozenset()


def refuse_unqueued(site: Site, transfer: Transfer) -> None:
    """Refuse (`court-queue`) what would go to an authority that has no request in the queue, or a refused one alone."""
    if not site.settings.recipients[transfer.recipient].authority:
        return
    t = court_requests.c
    with reading(site.engine) as conn:
        asked = select(t.id).where(t.recipient == transfer.recipient, t.state != "refused")
        if conn.execute(asked).first():
            return
    raise Refusal(
        "court-queue",
        "this recipient is a court or police, and nothing that it asked for waits or was approved here",
        article=_article(site),
        remedy="set its request down first: 'onshore court ask'",
    )


def _decide(
    site: Site,
    court_id: str,
    by: str,
    state: str,
    values: dict[str, Any],
    answer: bytes | None,
    *judged: Judged,
) -> Court:
    mine = court_requests.c.id == court_id
    box = None if answer is None else seal(site.key("column"), answer, _context(court_id, "answer"), site.randomness)
    with writing(site.engine) as conn:
        row = conn.execute(select(court_requests).where(mine)).mappings().one_or_none()
        if row is None:
            raise Refusal("court-unknown", "there is no such request", remedy="'onshore court list' shows them")
        if row["state"] != "waiting":
            raise Refusal(
                "court-decided",
                f"this request was {row['state']} already; what was decided stays as it was written down",
                article=_article(site),
                remedy="a new request of the authority is set down as such: 'onshore court ask'",
            )
        said = {"state": state, "decided": site.clock(), "decided_by": by, "answer": box, **values}
        conn.execute(update(court_requests).where(mine).values(**said))
        _note(site, conn, dict(row), state, *judged)
        site.recall(conn, (court_requests, mine), (papers_of.judgements, papers_of.judgements.c.about == court_id))
    site.settle()
    return find(site, court_id)


def _judged(site: Site, recipient: str, wanted: Wanted, *, approved: bool) -> Judged:
    to = site.recipient(recipient)
    act = TransferAsked(
        to=to.jurisdiction,
        recipient=recipient,
        recipient_status=to.status,
        purpose="authority",
        categories=wanted.categories,
        by="authority",
        new_persons=max(1, len(wanted.vehicles)),
    )
    return judgements.ask(site, act, Facts(at=site.clock(), papers=frozenset({APPROVAL} if approved else ())))


def _article(site: Site) -> str:
    rule = site.pack.transfer.authority_approval_required
    return rule.article if rule else site.pack.transfer.permit.outside_permit.article


def _wanted(conn: Connection, where: Any) -> Iterator[tuple[Row[Any], Wanted]]:
    for row in conn.execute(select(court_requests).where(where)).all():
        yield row, msgspec.json.decode(row.body, type=Wanted)


def _touches(wanted: Wanted, transfer: Transfer) -> bool:
    overlap = transfer.start < wanted.until and wanted.start < transfer.until
    return overlap and bool(set(wanted.categories) & set(transfer.categories))


def _note(site: Site, conn: Connection, row: dict[str, Any], state: str, *judged: Judged) -> None:
    """The ledger's entry: of the request the digest of its sealed record, which nobody can guess; and where it goes."""
    obj = digest({"court": row["id"], "body": row["body"], "sealed": bytes(row["sealed"]).hex()})
    said = {"obj": obj, "state": state, "dest": row["jurisdiction"]}
    judgements.hand_in(site, conn, "court", judged, about=row["id"], **said)


def _court(site: Site, row: Row[Any]) -> Court:
    who = json.loads(open_sealed(site.key("column"), bytes(row.sealed), _context(row.id, "sealed")))
    names = ("id", "kind", "recipient", "jurisdiction", "asked", "asked_by", "state", "decided", "decided_by", "number")
    return Court(
        **{name: getattr(row, name) for name in (*names, "start", "until")},
        wanted=msgspec.json.decode(row.body, type=Wanted),
        verdict=msgspec.json.decode(row.verdict, type=Verdict),
        authority=who["authority"],
        reference=who["reference"],
    )


def _context(court: str, column: str) -> str:
    return f"court_requests/{court}/{column}"
