"""Requests to send something abroad: asked, judged, completed with papers, judged again."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, select, update

from onshore.border import meter, moves
from onshore.border.selection import Touched, touched
from onshore.ledger.entry import digest
from onshore.rules.acts import Exported, Facts, PermitInForce, TransferAsked
from onshore.rules.articles import PAPERS
from onshore.rules.switches import ART3_5, opinion_papers
from onshore.site import Site
from onshore.vault.age import check_recipient
from onshore.vault.papers import permits, reading, transfer_papers, transfers, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Permit, Transfer
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import CATEGORIES, STATUTORY

_CODE = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True)
class Standing:
    """A request as it stands: what was asked, its state, the last verdict."""

    transfer: Transfer
    state: str
    verdict: Verdict


def ask(site: Site, transfer: Transfer) -> Standing:
    """Set a request down and judge it; the verdict, not an error, says whether the law would have it."""
    _acceptable(site, transfer)
    found = touched(site, transfer, site.clock())
    body = msgspec.json.encode(transfer).decode()
    with writing(site.engine) as conn:
        conn.execute(transfers.insert().values(id=transfer.id, state="asked", asked=site.clock(), body=body))
        return _judged(site, conn, transfer, found)


def dry_run(site: Site, transfer: Transfer) -> tuple[Verdict, Touched]:
    """What a request would be told and what it would touch, without setting anything down."""
    _acceptable(site, transfer)
    found = touched(site, transfer, site.clock())
    with reading(site.engine) as conn:
        return site.judge(_asked(site, conn, transfer, found), _facts(site, conn, transfer)), found


def file_paper(
    site: Site, transfer: Transfer, kind: str, *, number: str, by: str, until: str | None, sha256: str | None
) -> Standing:
    """Put a paper (a code of the scenario book, its last day as YYYY-MM-DD) on a request's file; judge it again."""
    if kind not in PAPERS:
        raise Malformed(f"there is no paper '{kind}'; there are {', '.join(PAPERS)}", where="paper")
    if until is not None:
        _day(until)
    values = {"number": number, "filed": site.clock(), "filed_by": by, "until": until, "sha256": sha256}
    key = (transfer_papers.c.transfer == transfer.id) & (transfer_papers.c.kind == kind)
    with writing(site.engine) as conn:
        if conn.execute(update(transfer_papers).where(key).values(**values)).rowcount == 0:
            conn.execute(transfer_papers.insert().values(transfer=transfer.id, kind=kind, **values))
    return rejudge(site, transfer)


def rejudge(site: Site, transfer: Transfer) -> Standing:
    """Judge a request with the papers on file now, and write the verdict to the papers and the ledger."""
    found = touched(site, transfer, site.clock())
    with writing(site.engine) as conn:
        return _judged(site, conn, transfer, found)


def named(transfer: Transfer) -> str:
    """The digest by which the ledger and a permit name a request: all that was asked, vehicles by their ids in hex."""
    return digest(asdict(transfer) | {"vehicles": [f"{v:016x}" for v in transfer.vehicles]})


def permit_stands(conn: Connection, transfer_id: str) -> bool:
    """Whether a permit that nobody revoked is on a request's file."""
    one = (permits.c.transfer == transfer_id) & permits.c.revoked.is_(None)
    return conn.execute(select(permits.c.id).where(one)).first() is not None


def judged_under(site: Site, conn: Connection, transfer: Transfer, permit: Permit, persons: set[int]) -> Verdict:
    """The judge's word on shipping to these persons now, under a permit alone."""
    facts = _facts(site, conn, transfer, permit)
    new = meter.new_under(conn, permit.id, persons)
    return site.judge(_act(site, transfer, new, len(persons)), facts)


def find(site: Site, transfer_id: str) -> Standing:
    """A request by its id; refuses an unknown one."""
    with reading(site.engine) as conn:
        row = conn.execute(select(transfers).where(transfers.c.id == transfer_id)).one_or_none()
    if row is None:
        raise Refusal("transfer-unknown", "there is no such request", remedy="'onshore transfer list' shows them")
    return Standing(_transfer(row.body), row.state, _verdict(row.verdict))


def listed(site: Site) -> list[Standing]:
    """All requests, oldest first."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(transfers).order_by(transfers.c.asked)).all()
    return [Standing(_transfer(r.body), r.state, _verdict(r.verdict)) for r in rows]


def _judged(site: Site, conn: Connection, transfer: Transfer, found: Touched) -> Standing:
    act, facts = _asked(site, conn, transfer, found), _facts(site, conn, transfer)
    verdict = site.judge(act, facts)
    state = conn.execute(select(transfers.c.state).where(transfers.c.id == transfer.id)).scalar_one()
    for step in _way(state, allowed=verdict.verdict == "allow", stands=permit_stands(conn, transfer.id)):
        state = moves.check(moves.REQUEST, state, step)
    values = {
        "state": state,
        "verdict": msgspec.json.encode(verdict).decode(),
        "judged": msgspec.json.encode((act, facts), order="deterministic").decode(),
    }
    conn.execute(update(transfers).where(transfers.c.id == transfer.id).values(**values))
    reasons = sorted(verdict.codes())
    site.hand_in(conn, site.entry("request", obj=named(transfer), verdict=verdict.verdict, reasons=reasons))
    return Standing(transfer, state, verdict)


def _way(old: str, *, allowed: bool, stands: bool) -> tuple[str, ...]:
    if not allowed:
        return ("refused",)
    if not stands:
        return ("cleared",)
    return ("permitted",) if old == "permitted" else ("cleared", "permitted")


def judged_since(site: Site, since: int) -> list[tuple[str, TransferAsked, Facts]]:
    """Requests asked since an instant: the id of each, and the act and facts on which it was judged last."""
    ask = select(transfers.c.id, transfers.c.judged).where(transfers.c.asked >= since, transfers.c.judged.is_not(None))
    with reading(site.engine) as conn:
        rows = conn.execute(ask.order_by(transfers.c.asked)).all()
    return [(row.id, *msgspec.json.decode(row.judged, type=tuple[TransferAsked, Facts])) for row in rows]


def _acceptable(site: Site, transfer: Transfer) -> None:
    try:
        check_recipient(site.recipient(transfer.recipient).key)
    except Malformed:
        raise Malformed(
            "its key is no age public key (age1…), so nothing can be sealed to it; mend it, then ask again",
            where=f"site.toml, [recipients.{transfer.recipient}]",
        ) from None
    if transfer.purpose == STATUTORY:
        raise Refusal(
            "statutory-ground",
            "rows kept because the law has them kept serve statutory monitoring here and nothing else",
            article=site.pack.grounds.statutory.article if site.pack.grounds.statutory else "",
            remedy="ask for a purpose that the owners consented to",
        )
    if transfer.purpose not in site.settings.site.purposes:
        known = ", ".join(site.settings.site.purposes[1:])
        raise Refusal("purpose-unknown", f"no purpose '{transfer.purpose}' here", remedy=f"choose one of: {known}")
    if transfer.produced_in and not _CODE.fullmatch(transfer.produced_in):
        raise Malformed(f"'{transfer.produced_in}' is no code of a jurisdiction; write DE", where="produced in")
    if transfer.start >= transfer.until:
        raise Malformed("the period ends before it begins", where="from, until")
    unknown = [c for c in transfer.categories if c not in CATEGORIES]
    if unknown or not transfer.categories:
        raise Refusal("category-unknown", f"no category {unknown[:1]}", remedy="choose from: " + ", ".join(CATEGORIES))


def _asked(site: Site, conn: Connection, transfer: Transfer, found: Touched) -> TransferAsked:
    year = site.today().year
    sensitive = is_sensitive(site, transfer)
    new = meter.new_in_year(conn, year, found.persons, sensitive=sensitive)
    return _act(site, transfer, new, len(found.persons))


def is_sensitive(site: Site, transfer: Transfer) -> bool:
    """Whether any of the asked categories is sensitive personal information here."""
    return any(c in site.pack.classes.sensitive.categories for c in transfer.categories)


def _act(site: Site, transfer: Transfer, new_persons: int, subjects: int) -> TransferAsked:
    recipient = site.recipient(transfer.recipient)
    return TransferAsked(
        to=recipient.jurisdiction,
        recipient=recipient.name,
        recipient_status=recipient.status,
        purpose=transfer.purpose,
        categories=transfer.categories,
        new_persons=new_persons,
        subjects_in_dataset=subjects,
        produced_in=transfer.produced_in or None,
        joined_with_local=bool(transfer.produced_in),  # it lies here, among what was made here
    )


def _facts(site: Site, conn: Connection, transfer: Transfer, permit: Permit | None = None) -> Facts:
    today = site.today()
    counted = meter.exported(conn, today.year)
    return Facts(
        at=site.clock(),
        exported=Exported(sensitive=counted.sensitive, ordinary=counted.ordinary),
        papers=_papers(conn, transfer.id, today) | opinion_papers(site.pack, site.lenient),
        strict_art3_5=ART3_5 not in site.lenient,
        permit=None if permit is None else _limits(conn, permit),
    )


def _limits(conn: Connection, permit: Permit) -> PermitInForce:
    return PermitInForce(
        route=permit.route,
        purpose=permit.purpose,
        categories=permit.categories,
        recipient=permit.recipient,
        persons=permit.persons,
        used=meter.used(conn, permit.id),
        start=permit.start,
        until=permit.until,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed(f"'{text}' is no day; write 2026-11-22", where="until") from None


def _papers(conn: Connection, transfer_id: str, today: date) -> frozenset[str]:
    rows: Sequence[Any] = conn.execute(
        select(transfer_papers.c.kind, transfer_papers.c.until).where(transfer_papers.c.transfer == transfer_id)
    ).all()
    return frozenset(r.kind for r in rows if r.until is None or today <= date.fromisoformat(r.until))


def _transfer(body: str) -> Transfer:
    return msgspec.json.decode(body, type=Transfer)


def _verdict(body: str) -> Verdict:
    return msgspec.json.decode(body, type=Verdict)
