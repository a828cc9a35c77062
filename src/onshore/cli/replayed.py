"""The site's own last days under another pack: what it kept, what it let out, which clocks ran."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
from sqlalchemy import func, select

from onshore.border import requests
from onshore.cli.replayed_clocks import clocks
from onshore.cli.replayed_pack import begins, later, readings
from onshore.cli.replayed_row import NO_EVIDENCE, Row, reasons, rule_told, whenever
from onshore.ledger.entry import read as read_entry
from onshore.rules import names
from onshore.rules import wording as w
from onshore.rules.acts import Act, Collect, Facts, StandingConsent, Store, TransferAsked
from onshore.rules.judge import judge
from onshore.rules.pack import Pack
from onshore.rules.rulebook import compile_rulebook
from onshore.rules.standing import as_if_in_force
from onshore.rules.switches import ART3_5, opinion_papers, turned
from onshore.rules.turning import YES
from onshore.site import Site
from onshore.vault.papers import consents, meter, parcels, reading, segments, transfers
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import STATUTORY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ALLOWED = {"allow": "allowed", "refuse": "refused"}


def replayed(site: Site, pack: Pack, since: int) -> list[Row]:
    """Everything that the site's evidence since an instant says, judged by another pack.

    `pack`: as read; it is taken as if all of it held on every day. Where counsel turned a switch here, the same switch
    is turned there.
    """
    other = turned(as_if_in_force(pack), site.lenient)
    found = (
        *_kept(site, other, since),
        *_old(site, other),
        *_exports(site, other, since),
        *clocks(site, other, since),
    )
    days = begins(pack, since)
    dated = (replace(row, why=tuple(_dated(why, days.get(why)) for why in row.why)) for row in found)
    return [*dated, *readings(site, pack), *later(site, pack, since)]


def _dated(why: str, begins_on: date | None) -> str:
    """A reason, with the day on which its rule begins where that is still to come or came within these days."""
    return why if begins_on is None else f"{why} It begins on {w.day(begins_on)}."


def _kept(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """What the ledger says was kept, by category and ground."""
    cells: Counter[tuple[str, str]] = Counter()
    for entry in map(read_entry, site.ledger.entries(0)):
        if entry["t"] == "ingest" and _ms(entry["at"]) >= since:
            for category, ground, reason, count in entry["cells"]:
                if reason in {"consented", "statutory"}:
                    cells[category, ground] += count
    for (category, ground), count in sorted(cells.items()):
        what, here = _named(category, ground), f"{w.counted(count, 'cell')} kept"
        if ground == "consent":
            yield _consented(site, pack, category, what=what, here=here, since=since)
        else:
            yield _by_law(site, pack, category, ground=ground, what=what, here=here)


def _named(category: str, ground: str) -> str:
    return f"{names.CATEGORY_WORDS[category]}, on {names.GROUND_WORDS[ground]}"


def _consented(site: Site, pack: Pack, category: str, *, what: str, here: str, since: int) -> Row:
    """What was kept by consent: judged once for each consent that stood."""
    verdicts = [judge(act, facts, pack) for act, facts in _collected(site, pack, category, since)]
    lost = [verdict for verdict in verdicts if verdict.verdict != "keep"]
    if not verdicts:
        why = f"{NO_EVIDENCE}: no consent to it stood in these days"
        return Row("kept", what, here, "not judged", why=(why,), evidence=False)
    if not lost:
        return Row("kept", what, here, "kept")
    there = "withheld" if len(lost) == len(verdicts) else "withheld in part"
    told = f"{there}: {len(lost)} of {w.counted(len(verdicts), 'consent')} would not count"
    return Row("kept", what, here, told, changed=True, why=reasons(*lost))


def _by_law(site: Site, pack: Pack, category: str, *, ground: str, what: str, here: str) -> Row:
    """What was kept because the law has it kept: by the ground, and by what of the cars' messages it covers there."""
    verdict = judge(Collect(category=category, purpose=STATUTORY, ground=ground), Facts(at=site.clock()), pack)
    if verdict.verdict != "keep":
        return Row("kept", what, here, "withheld", changed=True, why=reasons(verdict))
    ours, theirs = (_carried(site, each, category) for each in (site.pack, pack))
    known = pack.grounds.statutory
    if known is None or not ours - theirs:
        return Row("kept", what, here, "kept")
    there = "withheld in part" if ours & theirs else "withheld"
    why = f"Of the {w.counted(len(ours), 'field')} in the cars' messages that the law has kept here, "
    why += f"{w.figure(len(ours & theirs)) if ours & theirs else 'none'} would be kept by law there."
    ground = f"The ground there: {rule_told(known)}"
    return Row("kept", what, here, there, changed=True, why=(why, ground))


def _carried(site: Site, pack: Pack, category: str) -> set[tuple[str, str]]:
    """Door and signal of a category that a pack has kept by law."""
    book = compile_rulebook(pack, site.catalogue, "")
    return {(door, name) for door, names in book.statutory.items() for name in names if book.category[name] == category}


def _collected(site: Site, pack: Pack, category: str, since: int) -> Iterator[tuple[Act, Facts]]:
    """The observations of a category as acts, one for each consent that stood, on the last instant that it did."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(consents).where(consents.c.category == category)).all()
    for row in rows:
        ends = [end for end in (row.until, row.withdrawn) if end is not None]
        if any(end <= max(row.start, since) for end in ends):
            continue
        notice = site.settings.notices.get(row.notice)
        asked = pack.consent.notice_incomplete
        whole = notice is not None and (asked is None or set(asked.items) <= set(notice.items))
        standing = StandingConsent(
            purposes=(row.purpose,),
            categories=(category,),
            start=row.start,
            until=row.until,
            separate=row.separate,
            notice="complete" if whole else "incomplete",
        )
        yield (
            Collect(category=category, purpose=row.purpose),
            Facts(at=min([site.clock(), *(end - 1 for end in ends)]), driver_setting="on", consent=standing),
        )


def _old(site: Site, pack: Pack) -> Iterator[Row]:
    """What lies in the vault now, by category, and how old the oldest of it may be."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(segments.c.category, segments.c.ground, segments.c.day)).all()
    found: dict[tuple[str, str], list[tuple[date, Verdict, Verdict]]] = {}
    for row in rows:
        day = date.fromisoformat(row.day)
        here, there = (_stored(site, each, row.category, row.ground, day) for each in (whenever(site.pack), pack))
        found.setdefault((row.category, row.ground), []).append((day, here, there))
    for (category, ground), files in sorted(found.items()):
        ours = [here for _, here, _ in files if here.verdict not in YES]
        theirs = [there for _, _, there in files if there.verdict not in YES]
        told = [f"{len(bad)} of {len(files)} would have to go" if bad else "may stay" for bad in (ours, theirs)]
        lies = f"{w.counted(len(files), 'file')}, the oldest of {w.day(min(day for day, _, _ in files))}: {told[0]}"
        harder = len(theirs) > len(ours)
        yield Row("stored", _named(category, ground), lies, told[1], harder, reasons(*theirs))


def _stored(site: Site, pack: Pack, category: str, ground: str, day: date) -> Verdict:
    """The word of a pack on a file of that day, as if the site stood where the pack is at home."""
    own = site.settings.site.jurisdiction
    store = Store(
        category=category,
        place=own if own in pack.home else pack.jurisdiction,
        age_days=max((site.today() - day).days, 0),
        exception="statutory-monitoring" if ground == "statutory" else "none",
    )
    return judge(store, Facts(at=site.clock()), pack)


def _exports(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """Requests made in these days, or sent by, with the very facts on which they were judged last."""
    judged = {request: (act, facts) for request, act, facts in requests.judged_since(site, 0)}
    with reading(site.engine) as conn:
        left = (parcels.c.transfer == transfers.c.id) & parcels.c.left.is_not(None)
        counts = select(
            transfers.c.id,
            func.count(parcels.c.id.distinct()).label("parcels"),
            func.count(meter.c.person.distinct()).label("persons"),
        ).select_from(transfers.outerjoin(parcels, left).outerjoin(meter, meter.c.parcel == parcels.c.id))
        mine = counts.where((transfers.c.asked >= since) | (parcels.c.left >= since))
        rows = conn.execute(mine.group_by(transfers.c.id).order_by(transfers.c.asked)).all()
    for row in rows:
        standing = requests.find(site, row.id)
        sent = f"; {w.counted(row.parcels, 'parcel')} left with data of {w.persons(row.persons)}" if row.parcels else ""
        here = f"{_ALLOWED[standing.verdict.verdict]}{sent}"
        if row.id in judged:
            yield _export(site, pack, row.id, *judged[row.id], here=here)
        else:
            why = f"{NO_EVIDENCE}: the facts that it was judged on"
            yield Row("export", f"request {row.id}", here, "not judged", why=(why,), evidence=False)


def _export(site: Site, pack: Pack, request: str, act: TransferAsked, facts: Facts, *, here: str) -> Row:
    concerned = site.law.concerned({act.to, act.produced_in or act.to})
    others = [other for other in concerned if pack.jurisdiction not in other.home]
    verdict = judge(act, _read_alike(site, pack, facts), pack, others)
    refused = verdict.verdict != "allow"
    harder = refused and here.startswith(_ALLOWED["allow"])
    inside = act.to in pack.home and not refused
    there = "no export: it is inside there" if inside else _ALLOWED[verdict.verdict]
    what = f"request {request}: {w.categories(act.categories)} to {w.jurisdiction(act.to)}, for {w.plain(act.purpose)}"
    return Row("export", what, here, there, harder, reasons(verdict) if refused else ())


def _read_alike(site: Site, pack: Pack, facts: Facts) -> Facts:
    """The facts with the papers by which the other pack knows the opinion that counsel had given."""
    turned_then = site.lenient if not facts.strict_art3_5 else site.lenient - {ART3_5}
    return msgspec.structs.replace(facts, papers=facts.papers | opinion_papers(pack, turned_then))


def _ms(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(milliseconds=1)
