"""Papers on a request's file: number, days, scope, items and sealed scan; which count today, and which run out."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from onshore.border.life import named
from onshore.ledger.entry import digest
from onshore.rules import calendars
from onshore.rules.acts import Deadline, Facts
from onshore.rules.articles import EXPORT_ITEMS, PAPERS
from onshore.rules.pack import Pack
from onshore.rules.pack_clock import CLOCKS
from onshore.site import Site
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import reading, transfer_papers, transfers
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Transfer

NOTICE, INCOMPLETE = "export-notice", "export-notice-incomplete"
_OVER = ("closed", "expired")
_MIB = 1 << 20


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a paper is about by its own words; what it leaves out is the request's."""

    recipients: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    def lacks(self, transfer: Transfer) -> tuple[str, ...]:
        """What of a request the paper does not cover; nothing where it covers it."""
        named = {
            "recipient": not self.recipients or transfer.recipient in self.recipients,
            "categories": not self.categories or set(transfer.categories) <= set(self.categories),
            "purpose": not self.purposes or transfer.purpose in self.purposes,
        }
        return tuple(what for what, covered in named.items() if not covered)


WHOLE = Scope()


@dataclass(frozen=True)
class Filed:
    """A paper as it is handed in: its kind (a code of the scenario book) and number, its days (YYYY-MM-DD, inclusive).

    `items`: what a notice says (of EXPORT_ITEMS); None: nobody named them one by one. `file`: its scan, sealed here;
    `sha256`: of a scan that is kept elsewhere.
    """

    kind: str
    number: str
    start: str | None = None
    until: str | None = None
    scope: Scope = WHOLE
    items: tuple[str, ...] | None = None
    file: bytes | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Paper:
    """A paper on file. `withdrawn`: milliseconds UTC; `kept`: whether its scan lies here."""

    id: int
    transfer: str
    kind: str
    number: str
    start: date | None
    until: date | None
    scope: Scope
    items: tuple[str, ...] | None
    filed: int
    filed_by: str
    withdrawn: int | None
    sha256: str | None
    kept: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """The items that a notice lacks."""
        named = self.kind == NOTICE and self.items is not None
        return tuple(one for one in EXPORT_ITEMS if one not in (self.items or ())) if named else ()

    def state(self, transfer: Transfer, today: date) -> str:
        """One of "counts", "incomplete", "not covering", "not yet", "over", "withdrawn"."""
        if self.withdrawn is not None:
            return "withdrawn"
        if self.start is not None and today < self.start:
            return "not yet"
        if self.until is not None and self.until < today:
            return "over"
        if self.scope.lacks(transfer):
            return "not covering"
        return "incomplete" if self.missing else "counts"


def put_on_file(site: Site, conn: Connection, transfer: Transfer, filed: Filed, by: str) -> int:
    """Put a paper on a request's file, in the caller's transaction; its number. A renewal stands beside the older one.

    Malformed: a kind, item or day that is none, days that end before they begin, a scan over the site's limit. Refused
    (`paper-of-another`): the same paper, by number or scan, is on file elsewhere for other recipients alone.
    """
    _acceptable(site, filed)
    sha256 = hashlib.sha256(filed.file).hexdigest() if filed.file is not None else filed.sha256
    values: dict[str, Any] = {
        "transfer": transfer.id,
        "kind": filed.kind,
        "number": filed.number,
        "start": filed.start,
        "until": filed.until,
        "scope": msgspec.json.encode(filed.scope).decode(),
        "said": None if filed.items is None else msgspec.json.encode(filed.items).decode(),
        "filed": site.clock(),
        "filed_by": by,
        "sha256": sha256,
    }
    _refuse_of_another(site, conn, transfer, filed, sha256)
    key = conn.execute(transfer_papers.insert().values(**values)).inserted_primary_key
    assert key is not None
    number = int(key[0])
    if filed.file is not None:
        sealed = seal(site.key("column"), filed.file, _context(number), site.randomness)
        conn.execute(update(transfer_papers).where(transfer_papers.c.id == number).values(file=sealed))
    _note(site, conn, transfer, values, "filed")
    return number


def withdraw(site: Site, conn: Connection, transfer: Transfer, number: int, by: str) -> None:
    """Take a paper off a request's file, in the caller's transaction: it counts no more, nor does an older of its kind.

    Refused where the request has no such paper (`paper-unknown`), or it was withdrawn before (`paper-withdrawn`).
    """
    mine = (transfer_papers.c.id == number) & (transfer_papers.c.transfer == transfer.id)
    row = conn.execute(select(transfer_papers).where(mine)).mappings().one_or_none()
    if row is None:
        raise Refusal("paper-unknown", "this request has no such paper", remedy=_list(transfer.id))
    if row["withdrawn"] is not None:
        raise Refusal("paper-withdrawn", "this paper was withdrawn already", remedy=_list(transfer.id))
    conn.execute(update(transfer_papers).where(mine).values(withdrawn=site.clock(), withdrawn_by=by))
    site.recall(conn, (transfers, transfers.c.id == transfer.id), (transfer_papers, mine))
    _note(site, conn, transfer, dict(row), "withdrawn")


def of_request(conn: Connection, transfer_id: str) -> list[Paper]:
    """The papers of a request, in the order in which they were filed."""
    t = transfer_papers.c
    rows = conn.execute(select(transfer_papers).where(t.transfer == transfer_id).order_by(t.id))
    return [_paper(row) for row in rows]


def counting(conn: Connection, transfer: Transfer, today: date) -> frozenset[str]:
    """The kinds of papers that count for a request on a local day.

    Of a kind the newest that has begun decides: where that is over, withdrawn, or about something else, none counts. A
    notice that lacks an item counts as an incomplete one.
    """
    newest = {one.kind: one for one in of_request(conn, transfer.id) if one.start is None or one.start <= today}
    states = {kind: one.state(transfer, today) for kind, one in newest.items()}
    whole = {kind for kind, state in states.items() if state == "counts"}
    return frozenset(whole | ({INCOMPLETE} if "incomplete" in states.values() else set()))


def scan(site: Site, transfer_id: str, number: int) -> bytes:
    """The scan of a paper, opened; refuses where none was kept (`no-scan`)."""
    t = transfer_papers.c
    with reading(site.engine) as conn:
        sealed = conn.execute(select(t.file).where(t.id == number, t.transfer == transfer_id)).scalar()
    if sealed is None:
        raise Refusal("no-scan", "no scan was kept with such a paper of this request", remedy=_list(transfer_id))
    return open_sealed(site.key("column"), bytes(sealed), _context(number))


@dataclass(frozen=True)
class Ending:
    """A paper that runs out: its last day, the day of the warning, by when its renewal is asked for where the law says.

    `state`: "near" or "over".
    """

    paper: Paper
    last: date
    warn: date
    renewal: date | None
    article: str
    state: str


def endings(site: Site) -> list[Ending]:
    """The papers of requests that go on which run out within the warning's days, or did: earliest first.

    A renewal that counts, or follows, takes its predecessor off the list.
    """
    today, t = site.today(), transfers.c
    found = []
    with reading(site.engine) as conn:
        rows = conn.execute(select(t.id, t.body).where(t.state.not_in(_OVER))).all()
        for row in rows:
            transfer = msgspec.json.decode(row.body, type=Transfer)
            newest = {one.kind: one for one in of_request(conn, transfer.id)}
            found += [ending for one in newest.values() if (ending := _ending(site, one, transfer, today))]
    return sorted(found, key=lambda one: (one.last, one.paper.id))


def told(site: Site) -> tuple[bool, str]:
    """Whether no paper of a request that goes on is over, and a line on those that run out."""
    found = endings(site)
    over = [one for one in found if one.state == "over"]
    if not found:
        return True, f"no paper of a request runs out within {site.settings.filing.warn_working_days} working days"
    first = found[0]
    by = f"; its renewal by {first.renewal} ({first.article})" if first.renewal else ""
    says = f"{len(over)} over, {len(found) - len(over)} run out soon; first {first.paper.kind} of request "
    return not over, f"{says}{first.paper.transfer}, until {first.last}{by}"


def warned(site: Site, last: date) -> date:
    """The day on which one is warned of a last day: so many working days before, by the calendar of the pack."""
    named = next((clock.calendar for clock in site.pack.clock if clock.calendar), None)
    return calendars.earlier(last, site.settings.filing.warn_working_days, named)


def _ending(site: Site, paper: Paper, transfer: Transfer, today: date) -> Ending | None:
    if paper.until is None or paper.state(transfer, today) == "withdrawn":
        return None
    renewal, article = _renewal(site, paper)
    warn = warned(site, min(paper.until, renewal or paper.until))
    if today < warn:
        return None
    return Ending(paper, paper.until, warn, renewal, article, "over" if paper.until < today else "near")


def _renewal(site: Site, paper: Paper) -> tuple[date | None, str]:
    """By when the pack has a paper's renewal asked for, and the article: counted from its first day."""
    what = f"{paper.kind}-renewal"
    pack: Pack = site.pack
    if what not in CLOCKS or paper.start is None or not any(clock.what == what for clock in pack.clock):
        return None, ""
    verdict = site.judge(Deadline(what=what, start=paper.start), Facts(at=site.clock()))
    last = verdict.earlier if verdict.due is None else verdict.due
    return (last, verdict.reasons[0].article) if isinstance(last, date) else (None, "")


def _acceptable(site: Site, filed: Filed) -> None:
    if filed.kind not in PAPERS:
        raise Malformed(f"there is no paper '{filed.kind}'; there are {', '.join(PAPERS)}", where="paper")
    if filed.items is not None and (unknown := sorted(set(filed.items) - set(EXPORT_ITEMS))):
        raise Malformed(f"a notice has no item '{unknown[0]}'; it has {', '.join(EXPORT_ITEMS)}", where="item")
    if filed.items is not None and filed.kind != NOTICE:
        raise Malformed("items are those of an export-notice", where="item")
    start, until = day(filed.start, "from"), day(filed.until, "until")
    if start is not None and until is not None and until < start:
        raise Malformed("its last day lies before its first", where="from, until")
    most = site.settings.filing.scan_mb * _MIB
    if filed.file is not None and len(filed.file) > most:
        raise Malformed(f"a scan has at most {most >> 20} MiB ([filing] scan_mb); keep it elsewhere", where="file")


def _refuse_of_another(site: Site, conn: Connection, transfer: Transfer, filed: Filed, sha256: str | None) -> None:
    t = transfer_papers.c
    same = (t.number == filed.number) if sha256 is None else (t.number == filed.number) | (t.sha256 == sha256)
    scopes = [_scope(text) for text in conn.execute(select(t.scope).where(t.kind == filed.kind, same)).scalars()]
    if any(scope.recipients and transfer.recipient not in scope.recipients for scope in scopes):
        raise Refusal(
            "paper-of-another",
            f"this {filed.kind} is on file here for other recipients than that of this request",
            article=site.pack.transfer.permit.outside_permit.article,
            remedy="put the paper on file that was made for this recipient",
        )


def day(text: str | None, where: str) -> date | None:
    """A local day from its text; Malformed where it is none."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Malformed(f"'{text}' is no day; write 2026-11-22", where=where) from None


def _note(site: Site, conn: Connection, transfer: Transfer, values: dict[str, Any], state: str) -> None:
    """The ledger's entry: the digests of the request and of what the record says, its scan's digest with it."""
    names = ("transfer", "kind", "number", "start", "until", "scope", "said", "filed", "filed_by", "sha256")
    said = digest({name: values[name] for name in names if values[name] is not None})
    site.hand_in(conn, site.entry("paper", obj=named(transfer), paper=said, which=values["kind"], state=state))


def _paper(row: Row[Any]) -> Paper:
    return Paper(
        id=row.id,
        transfer=row.transfer,
        kind=row.kind,
        number=row.number,
        start=day(row.start, "from"),
        until=day(row.until, "until"),
        scope=_scope(row.scope),
        items=None if row.said is None else msgspec.json.decode(row.said, type=tuple[str, ...]),
        filed=row.filed,
        filed_by=row.filed_by,
        withdrawn=row.withdrawn,
        sha256=row.sha256,
        kept=row.file is not None,
    )


def _scope(text: str) -> Scope:
    return msgspec.json.decode(text, type=Scope)


def _context(number: int) -> str:
    return f"transfer_papers/{number}/file"


def _list(transfer_id: str) -> str:
    return f"'onshore transfer papers {transfer_id}' lists them"
