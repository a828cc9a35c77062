"""A draft of a request's dossier from what the site knows now; what a human must write is marked as such, plainly.

No figure stands here without the command, or the entry of the ledger, by which it is had again; nobody is named.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from onshore.border import requests
from onshore.border.cases import filing
from onshore.border.life import named
from onshore.border.metering import meter
from onshore.border.requests import Standing
from onshore.border.rows import selection
from onshore.border.rows.selection import Touched
from onshore.border.views import sample
from onshore.ledger.entry import read as read_entry
from onshore.rules.pack_store import Cap, Floor
from onshore.site import Site
from onshore.vault.papers import consents, entries, parcels, permits, reading


@dataclass(frozen=True)
class Line:
    """Something that is so, and where it is had from: a command, a setting, an article, an entry of the ledger."""

    says: str
    source: str


@dataclass(frozen=True)
class Section:
    """A part of the dossier: what is known, and what somebody must write: (who, what), None where nothing lacks."""

    title: str
    lines: tuple[Line, ...]
    to_write: tuple[str, str] | None = None


@dataclass(frozen=True)
class Draft:
    """The dossier of a request as of an instant (ms UTC)."""

    transfer: str
    at: int
    pack: str
    sections: tuple[Section, ...]


def draft(site: Site, transfer_id: str) -> Draft:
    """A dossier's draft from live evidence: who, what, scale, necessity, recipient, safeguards, consent, retention."""
    standing = requests.find(site, transfer_id)
    found = selection.touched(site, standing.transfer, site.clock())
    sections = (
        _who(site, standing),
        _judged(site, standing),
        _what(site, standing),
        _scale(site, standing, found),
        Section("Necessity", (_purpose(standing),), ("the department that asks", _NECESSITY)),
        _recipient(site, standing),
        _papers(site, standing),
        _safeguards(site, standing),
        _consent(site, standing, found),
        _retention(site, standing),
        Section("Risks to the persons and to the public interest", (), ("the data protection officer", _RISKS)),
    )
    return Draft(transfer_id, site.clock(), site.pack.id, sections)


_NECESSITY = "why this purpose cannot be reached with fewer categories, vehicles or days, or within the jurisdiction"
_RISKS = "what could happen to the data abroad, how likely and how grave that is, and what is done about it"


def document(found: Draft) -> dict[str, Any]:
    """The draft as one JSON document."""
    return asdict(found)


def markdown(found: Draft) -> str:
    """The draft as Markdown; what is to be written stands in square brackets."""
    out = [f"# Dossier of request {found.transfer} (draft)", "", f"As of {_at(found.at)}, by {found.pack}."]
    for number, section in enumerate(found.sections, 1):
        out += ["", f"## {number}. {section.title}", ""]
        out += [f"- {line.says} (source: {line.source})" for line in section.lines]
        if section.to_write:
            who, what = section.to_write
            out += [*([""] if section.lines else []), f"[to be written by {who}: {what}]"]
    return "\n".join(out) + "\n"


def _who(site: Site, standing: Standing) -> Section:
    known = site.settings.people.get(standing.transfer.asked_by)
    here, asked = site.settings.site, f"onshore transfer show {standing.transfer.id}"
    lines = (
        Line(f"site {site.id} in {here.jurisdiction}, log {here.origin}", "site.toml, [site]"),
        Line(f"asked by somebody of the role {known.role if known else 'unknown'}; state {standing.state}", asked),
        *_entries(site, standing),
    )
    return Section("Who exports", lines, ("the company", "its legal name, address, registration and security lead"))


def _judged(site: Site, standing: Standing) -> Section:
    asked, verdict = f"onshore transfer show {standing.transfer.id}", standing.verdict
    lines = [Line(f"verdict: {verdict.verdict}, route {verdict.route or 'none'}", asked)]
    lines += [Line(f"{one.code}: {one.says}", f"{site.pack.id}, {one.article}") for one in verdict.reasons]
    lines += [Line(f"missing: {paper}", asked) for paper in verdict.missing]
    lines += [Line(f"{c.name}: {c.used} of {c.threshold or 'no limit'}", asked) for c in verdict.counters]
    return Section("What the law says of it", tuple(lines))


def _what(site: Site, standing: Standing) -> Section:
    asked, classes = standing.transfer, site.pack.classes
    source = f"onshore transfer show {asked.id} --bundle"
    lines = []
    for category, columns in sample.schema(site, asked).items():
        kind, _, important = classes.kind_of(category).partition("+")
        rule = classes.sensitive if kind == "sensitive" else classes.personal
        called = _CALLED[kind] + (", important data" if important else "")
        names = ", ".join(column["name"] for column in columns)
        lines.append(Line(f"{category}: {called}; {len(columns)} signals: {names}", f"{source}; {rule.article}"))
    lines.append(Line(f"events from {_at(asked.start)} until {_at(asked.until)}", source))
    cars = f"{len(asked.vehicles)} named vehicles" if asked.vehicles else "all vehicles"
    return Section("What would leave", (*lines, Line(f"{cars}, as a {asked.method}", source)))


_CALLED = {
    "sensitive": "sensitive personal information",
    "personal": "other personal information",
    "none": "no personal information",
}


def _scale(site: Site, standing: Standing, found: Touched) -> Section:
    asked, year = standing.transfer, site.today().year
    source = "onshore transfer ask --dry-run, as of now"
    with reading(site.engine) as conn:
        counted = meter.exported(conn, year)
    lines = (
        Line(f"{found.rows} rows of {len(found.vehicles)} vehicles and {len(found.persons)} distinct persons", source),
        *(
            Line(f"{category}: {part.rows} rows, {len(part.persons)} distinct persons", source)
            for category, part in found.parts.items()
        ),
        Line(
            f"so far in {year}: {counted.sensitive} distinct persons with sensitive information left, "
            f"{counted.ordinary} with ordinary",
            f"onshore transfer show {asked.id}, the meter",
        ),
        *(
            Line(_threshold(route), f"{site.pack.id}, {route.article}")
            for route in site.pack.transfer.route
            if route.ordinary_from is not None or route.sensitive_from is not None
        ),
    )
    return Section("Scale, by class, and the thresholds", lines)


def _threshold(route: Any) -> str:
    parts = {"ordinary": route.ordinary_from, "sensitive": route.sensitive_from}
    said = ", ".join(f"from {figure} persons with {kind}" for kind, figure in parts.items() if figure is not None)
    return f"route {route.id}: {said} information in a year"


def _purpose(standing: Standing) -> Line:
    return Line(f"purpose: {standing.transfer.purpose}", f"onshore transfer show {standing.transfer.id}")


def _recipient(site: Site, standing: Standing) -> Section:
    name = standing.transfer.recipient
    to = site.recipient(name)
    adequate = to.jurisdiction in site.pack.home
    where = f"site.toml, [recipients.{name}]"
    lines = (
        Line(f"{name} in {to.jurisdiction}, status {to.status}", where),
        Line("stands inside this jurisdiction" if adequate else "stands abroad", f"{site.pack.id}, home"),
        Line(f"receives files sealed to the key {to.key}", where),
    )
    return Section("The recipient", lines, ("the recipient", _RECIPIENT))


_RECIPIENT = "legal name, address, contact, who has access there, onward transfers, and the law that it is under"


def _papers(site: Site, standing: Standing) -> Section:
    asked = standing.transfer
    source = f"onshore transfer papers {asked.id}"
    with reading(site.engine) as conn:
        found = filing.of_request(conn, asked.id)
        ask = select(permits.c.id, permits.c.revoked).where(permits.c.transfer == asked.id)
        notes = conn.execute(ask).all()
        used = {note.id: meter.used(conn, note.id) for note in notes}
    lines = [
        Line(
            f"{one.kind} number {one.number}: {one.state(asked, site.today())}, until {one.until or 'further notice'}"
            + (f", lacks {', '.join(one.missing)}" if one.missing else ""),
            source,
        )
        for one in found
    ]
    lines += [
        Line(
            f"permit {note.id}: {'revoked' if note.revoked else 'not revoked'}, {used[note.id]} persons used",
            f"onshore permit show {note.id}",
        )
        for note in notes
    ]
    return Section("Papers and permits", tuple(lines), ("counsel", "the text of each paper that lacks or has run out"))


def _safeguards(site: Site, standing: Standing) -> Section:
    asked = standing.transfer.id
    log = site.ledger
    lines = [
        Line(
            "what lies here is encrypted, one key for each file, which the site's root key wraps", "onshore keys show"
        ),
        Line("rows are sieved again with the consents of the moment in which they leave", "onshore transfer ship"),
        Line("a vehicle has a number of its own for each recipient", f"onshore transfer show {asked} --bundle"),
        Line("distinct persons are reserved on a meter before anything is sealed", f"onshore transfer show {asked}"),
        Line(
            "a parcel is sealed to the recipient's key (age), its digest in the log before it leaves", "onshore verify"
        ),
        Line(f"the log has {log.size} entries under a checkpoint", "onshore ledger show"),
    ]
    with reading(site.engine) as conn:
        left = conn.execute(select(parcels.c.id, parcels.c.state).where(parcels.c.transfer == asked)).all()
    lines += [Line(f"parcel {one.id}: {one.state}", f"onshore transfer show {asked}") for one in left]
    lack = "measures of organisation: training, access rules, audits, and what happens when something goes wrong"
    return Section("Safeguards in force", tuple(lines), ("the security lead", lack))


def _consent(site: Site, standing: Standing, found: Touched) -> Section:
    asked, t = standing.transfer, consents.c
    fits = (t.purpose == asked.purpose) & t.category.in_(asked.categories)
    with reading(site.engine) as conn:
        rows = conn.execute(select(t.vehicle, t.withdrawn, t.until, t.separate).where(fits)).all()
        resting = selection.resting_on(conn, asked, site.clock())
    withdrawn = sum(row.withdrawn is not None for row in rows)
    withheld: dict[str, int] = {}
    for _, ground, reason, count in found.tally.as_rows():
        if ground == "consent" and reason != "consented":
            withheld[reason] = withheld.get(reason, 0) + count
    source = f"onshore transfer ask --dry-run; {site.pack.consent.no_consent.article}"
    lines = (
        Line(
            f"{len(resting)} consents stand for this purpose and recipient, of {len(set(resting.values()))} cars",
            source,
        ),
        Line(f"{withdrawn} of {len(rows)} ever given for these categories were withdrawn", source),
        Line(f"{sum(row.separate for row in rows)} of them were asked on their own", source),
        *(Line(f"withheld now: {count} cells, {reason}", source) for reason, count in sorted(withheld.items())),
    )
    return Section("Consent", lines, ("the data protection officer", "how people were told and asked, with the notice"))


def _retention(site: Site, standing: Standing) -> Section:
    rules = site.pack.store
    asked = set(standing.transfer.categories)
    found: list[Cap | Floor] = [*rules.cap, *rules.floor] if rules else []
    ours = [rule for rule in found if isinstance(rule, Cap) or "observation" in rule.records]
    mine = [rule for rule in ours if not rule.categories or asked & set(rule.categories)]
    lines = tuple(Line(rule.says, f"{site.pack.id}, {rule.article}; onshore retention") for rule in mine)
    lack = "how long the recipient keeps what it gets, where, and how it is deleted there"
    return Section("How long it is kept", lines, ("the recipient", lack))


def _entries(site: Site, standing: Standing) -> Iterator[Line]:
    """What the log has on the request: kind of entry, instant, and its index there."""
    obj = named(standing.transfer)
    with reading(site.engine) as conn:
        bodies = conn.execute(select(entries.c.leaf, entries.c.body).order_by(entries.c.id)).all()
    for leaf, body in bodies:
        if obj.encode() not in bytes(body):
            continue
        fields = read_entry(bytes(body))
        if fields.get("obj") == obj:
            said = fields.get("verdict") or fields.get("to") or fields.get("state") or ""
            where = "waits for the log" if leaf is None else f"entry {leaf} of the ledger"
            yield Line(f"{fields['t']} {said}, {fields['at']}", where)


def _at(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
