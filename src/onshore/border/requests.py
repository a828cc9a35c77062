"""Requests to send something abroad: asked, judged, completed with papers, judged again."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Connection, Table, func, select, update

from onshore.border import life, moves
from onshore.border.cases import courts, filing, tasks
from onshore.border.metering import meter, sisters
from onshore.border.permits import clocks
from onshore.border.rows import choosing
from onshore.border.rows.located import whereabouts
from onshore.border.rows.selection import Sought, Touched, sought, touched
from onshore.register import judgements
from onshore.register.judgements import Judged
from onshore.rules.acts import Exported, Facts, PermitInForce, TransferAsked
from onshore.rules.switches import ART3_5, opinion_papers
from onshore.site import Site
from onshore.vault.age import check_recipient
from onshore.vault.papers import judgements as judged_rows
from onshore.vault.papers import parcels, permits, reading, transfers, writing
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
    acceptable(site, transfer)
    found = touched(site, transfer, site.clock())
    with writing(site.engine) as conn:
        life.begin(site, conn, transfer)
        return _judged(site, conn, transfer, found)


def judged_dry(site: Site, transfer: Transfer, found: Touched, wanted: Sought) -> Verdict:
    """What a request would be told of what was found, without setting anything down."""
    with reading(site.engine) as conn:
        return site.judge(_asked(site, conn, transfer, found, wanted), _facts(site, conn, transfer, found))


def file_paper(site: Site, transfer: Transfer, kind: str, *, number: str, by: str, **said: Any) -> Standing:
    """Put a paper on a request's file, as `filing.Filed` says it; judge the request again."""
    with writing(site.engine) as conn:
        moves.refuse_over(life.state_of(conn, transfer.id))
        filing.put_on_file(site, conn, transfer, filing.Filed(kind, number, **said), by)
        life.lapse(site, conn, transfer.id, "papers-changed")
    return rejudge(site, transfer)


def withdraw_paper(site: Site, transfer: Transfer, paper: int, *, by: str) -> Standing:
    """Take a paper off a request's file, by its number there; judge the request again."""
    with writing(site.engine) as conn:
        filing.withdraw(site, conn, transfer, paper, by)
        life.lapse(site, conn, transfer.id, "papers-changed")
    return rejudge(site, transfer)


def rejudge(site: Site, transfer: Transfer, *, by: str = "") -> Standing:
    """Judge a request with the papers on file now, and write the verdict to the papers and the ledger.

    What an officer holds back stays where it is, unless `by`, another officer, takes it up again.
    """
    found = touched(site, transfer, site.clock())
    with writing(site.engine) as conn:
        return _judged(site, conn, transfer, found, by=by)


def permit_stands(conn: Connection, transfer_id: str) -> bool:
    """Whether a permit that nobody revoked is on a request's file."""
    one = (permits.c.transfer == transfer_id) & permits.c.revoked.is_(None)
    return conn.execute(select(permits.c.id).where(one)).first() is not None


def judged_under(site: Site, conn: Connection, transfer: Transfer, permit: Permit, found: Touched) -> Verdict:
    """The judge's word on shipping what was found now, under a permit alone, as that has it transformed.

    It is written down like any other on this request, whatever it is: a caller that has to refuse commits before.
    """
    facts, counted = _facts(site, conn, transfer, found, permit), load(site, found)
    new = meter.most_new(conn, clocks.year(site, conn), counted)
    under = meter.used(conn, permit.id) + meter.new_under(conn, permit.id, found.persons)
    # The law counts who is new this year, the permit who is new under it, and an act says one number for both: what
    # the permit has used is told so that both sums are exact.
    facts = replace(facts, permit=replace(_limits(permit), used=max(0, under - new)))
    act = _act(site, conn, transfer, new, found, sought(site, transfer, permit))
    return write_down(site, conn, transfer, judgements.ask(site, act, facts))


def write_down(site: Site, conn: Connection, transfer: Transfer, judged: Judged) -> Verdict:
    """Have the ledger say a judgement on a request, and the papers keep what it was on; the verdict."""
    judgements.hand_in(site, conn, "request", [judged], about=transfer.id, obj=life.named(transfer))
    return judged.verdict


def refuse_by(site: Site, verdict: Verdict) -> None:
    """Refuse what a verdict refuses, with its first reason, once the ledger has it."""
    if verdict.verdict != "allow":
        site.settle()
        first = verdict.reasons[0]
        raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)


def find(site: Site, transfer_id: str) -> Standing:
    """A request by its id; refuses an unknown one."""
    with reading(site.engine) as conn:
        row = conn.execute(select(transfers).where(transfers.c.id == transfer_id)).one_or_none()
    if row is None:
        raise Refusal("transfer-unknown", "there is no such request", remedy="'onshore transfer list' shows them")
    return Standing(read(row.body), row.state, _verdict(row.verdict))


def listed(site: Site) -> list[Standing]:
    """All requests, oldest first."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(transfers).order_by(transfers.c.asked)).all()
    return [Standing(read(r.body), r.state, _verdict(r.verdict)) for r in rows]


def _judged(site: Site, conn: Connection, transfer: Transfer, found: Touched, *, by: str = "") -> Standing:
    """Write the law's word down, and move the request to where that has it stand, unless an officer holds it."""
    judged = judgements.ask(site, _asked(site, conn, transfer, found), _facts(site, conn, transfer, found))
    verdict = judged.verdict
    before = conn.execute(select(transfers.c.verdict).where(transfers.c.id == transfer.id)).scalar_one()
    if before is not None and _word(_verdict(before)) != _word(verdict):
        life.lapse(site, conn, transfer.id, "verdict-changed")
    write_down(site, conn, transfer, judged)
    said = msgspec.json.encode((judged.act, judged.facts), order="deterministic").decode()
    values = {"verdict": msgspec.json.encode(verdict).decode(), "judged": said}
    conn.execute(update(transfers).where(transfers.c.id == transfer.id).values(**values))
    tasks.set_down(site, conn, transfer, verdict)
    if by or not life.is_held(conn, transfer.id):
        life.go(site, conn, transfer.id, life.due(site, conn, transfer.id), by=by)
    return Standing(transfer, life.state_of(conn, transfer.id), verdict)


def judged_for(transfer_id: str, parcel: str) -> tuple[Table, ColumnElement[bool]]:
    """The judgements on a request since its parcel before this one was begun: rows that a restored backup must have."""
    p, j = parcels.c, judged_rows.c
    before = select(func.coalesce(func.max(p.reserved), 0)).where(p.transfer == transfer_id, p.id != parcel)
    return judged_rows, (j.about == transfer_id) & (j.at >= before.scalar_subquery())


def _word(verdict: Verdict) -> tuple[str, str | None, frozenset[str]]:
    """What of a verdict makes it another one: counters go on counting."""
    return verdict.verdict, verdict.route, verdict.codes()


def judged_since(site: Site, since: int) -> list[tuple[str, TransferAsked, Facts]]:
    """Requests asked since an instant: the id of each, and the act and facts on which it was judged last."""
    ask = select(transfers.c.id, transfers.c.judged).where(transfers.c.asked >= since, transfers.c.judged.is_not(None))
    with reading(site.engine) as conn:
        rows = conn.execute(ask.order_by(transfers.c.asked)).all()
    return [(row.id, *msgspec.json.decode(row.judged, type=tuple[TransferAsked, Facts])) for row in rows]


def acceptable(site: Site, transfer: Transfer) -> None:
    """Refuse, or call malformed, what cannot be asked at all."""
    try:
        check_recipient(site.recipient(transfer.recipient).key)
    except Malformed:
        raise Malformed(
            "its key is no age public key (age1…), so nothing can be sealed to it; mend it, then ask again",
            where=f"site.toml, [recipients.{transfer.recipient}]",
        ) from None
    courts.refuse_unqueued(site, transfer)
    if transfer.ground == tasks.EMERGENCY:
        site.person(transfer.asked_by, "officer")
        tasks.refuse_unreviewed(site)
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
    choosing.refuse_signals(transfer, site.catalogue)


def _asked(
    site: Site, conn: Connection, transfer: Transfer, found: Touched, wanted: Sought | None = None
) -> TransferAsked:
    new = meter.most_new(conn, clocks.year(site, conn), load(site, found))
    return _act(site, conn, transfer, new, found, wanted or sought(site, transfer))


def load(site: Site, found: Touched) -> meter.Load:
    """What the meter counts of what would leave: a person is of a class whose rows of theirs leave (pack's classes)."""
    classes = site.pack.classes

    def of(categories: Collection[str]) -> frozenset[int]:
        return frozenset[int]().union(*(found.parts[c].persons for c in categories if c in found.parts))

    return meter.Load(
        frozenset(found.persons),
        of(classes.sensitive.categories),
        of(classes.personal.categories),
        frozenset(found.vehicles),
        found.rows,
    )


def is_sensitive(site: Site, transfer: Transfer) -> bool:
    """Whether any of the asked categories is sensitive personal information here."""
    return any(c in site.pack.classes.sensitive.categories for c in transfer.categories)


def _act(
    site: Site, conn: Connection, transfer: Transfer, new_persons: int, found: Touched, wanted: Sought
) -> TransferAsked:
    """What is judged: of what was found, and not of what the law would otherwise have to suppose."""
    recipient, where = site.recipient(transfer.recipient), whereabouts(site.catalogue, found, wanted)
    return TransferAsked(
        to=recipient.jurisdiction,
        recipient=recipient.name,
        recipient_status=recipient.status,
        purpose=transfer.purpose,
        categories=transfer.categories,
        by=courts.means(site, conn, transfer),
        ground=transfer.ground,
        new_persons=new_persons,
        new_devices=meter.new_devices(conn, clocks.year_ago(site, conn), transfer.recipient, where.devices),
        subjects_in_dataset=len(found.persons),
        coordinates=where.beside_tracks,
        precision_m=where.precision_m,
        near_sensitive_site=found.near,
        produced_in=transfer.produced_in or None,
        joined_with_local=bool(transfer.produced_in),  # it lies here, among what was made here
    )


def _facts(site: Site, conn: Connection, transfer: Transfer, found: Touched, permit: Permit | None = None) -> Facts:
    today, year = site.today(), clocks.year(site, conn)
    counted = meter.exported(conn, year)
    return Facts(
        at=site.clock(),
        exported=Exported(sensitive=counted.sensitive, ordinary=counted.ordinary),
        papers=filing.counting(conn, transfer, today)
        | courts.papers(site, conn, transfer)
        | opinion_papers(site.pack, site.lenient),
        group_exports=sisters.counting(conn, year, transfer),
        strict_art3_5=ART3_5 not in site.lenient,
        permit=None if permit is None else _limits(permit),
        **_of_twelve_months(site, conn, transfer, found),
    )


def _of_twelve_months(site: Site, conn: Connection, transfer: Transfer, found: Touched) -> dict[str, Any]:
    """What this recipient was sent in twelve months, where a law that is asked counts that: vehicles, persons."""
    to = site.recipient(transfer.recipient).jurisdiction
    packs = (site.pack, *site.law.concerned({to, transfer.produced_in or to}))
    counted, since = {rule.count for pack in packs for rule in pack.transfer.bulk}, clocks.year_ago(site, conn)
    facts: dict[str, Any] = {}
    if "devices" in counted:
        facts["devices_12_months"] = meter.devices_since(conn, since, transfer.recipient)
    if "persons" in counted:
        others = meter.others_since(conn, since, transfer.recipient, found.persons)
        facts["others_12_months"] = Exported(sensitive=others.sensitive, ordinary=others.ordinary)
    return facts


def _limits(permit: Permit) -> PermitInForce:
    return PermitInForce(
        route=permit.route,
        purpose=permit.purpose,
        categories=permit.categories,
        recipient=permit.recipient,
        persons=permit.persons,
        start=permit.start,
        until=permit.until,
    )


def read(body: str) -> Transfer:
    """A request from its row's body."""
    return msgspec.json.decode(body, type=Transfer)


def _verdict(body: str) -> Verdict:
    return msgspec.json.decode(body, type=Verdict)
