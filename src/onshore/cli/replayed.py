"""The site's own last days under another pack: what it kept, what it let out, which clocks ran."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from onshore.border import requests
from onshore.ledger.entry import read as read_entry
from onshore.rules import wording as w
from onshore.rules.acts import Act, Collect, Deadline, Facts, StandingConsent, Store
from onshore.rules.judge import judge
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.standing import as_if_in_force
from onshore.rules.turning import YES
from onshore.site import Site
from onshore.vault.papers import consents, reading, rights_cases, segments
from onshore.words.verdict import Verdict
from onshore.words.vocabulary import STATUTORY

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS = {"erase": "erasure", "access": "access-request"}
"""Kind of a person's case to the clock of the scenario book that it starts."""


@dataclass(frozen=True)
class Row:
    """One line of the table: of which part, what it is about, how it came out here, and under the other pack.

    `changed`: whether the other pack is harder on it; `why`: its reasons, with articles.
    """

    part: str
    what: str
    here: str
    there: str
    changed: bool
    why: tuple[str, ...] = ()


def replayed(site: Site, pack: Pack, since: int) -> list[Row]:
    """Everything that the site's evidence since an instant says, judged by another pack."""
    return [*_kept(site, pack, since), *_old(site, pack), *_exports(site, pack, since), *_clocks(site, pack, since)]


def _kept(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """What the ledger says was kept, by category and ground."""
    cells: Counter[tuple[str, str]] = Counter()
    for entry in map(read_entry, site.ledger.entries(0)):
        if entry["t"] == "ingest" and _ms(entry["at"]) >= since:
            for category, ground, reason, count in entry["cells"]:
                if reason in {"consented", "statutory"}:
                    cells[category, ground] += count
    for (category, ground), count in sorted(cells.items()):
        verdicts = [
            judge(act, facts, pack) for act, facts in _collected(site, pack, category, ground=ground, since=since)
        ]
        lost = [verdict for verdict in verdicts if verdict.verdict != "keep"]
        there = "kept"
        if lost:
            of = f": {len(lost)} of {w.counted(len(verdicts), 'consent')} would not do" if ground == "consent" else ""
            there = ("withheld" if len(lost) == len(verdicts) else "withheld in part") + of
        what = f"{w.CATEGORY_WORDS[category]}, on {w.GROUND_WORDS[ground]}"
        yield Row("kept", what, f"{w.figure(count)} cells", there, bool(lost), _why(*lost))


def _collected(site: Site, pack: Pack, category: str, *, ground: str, since: int) -> Iterator[tuple[Act, Facts]]:
    """The observations of a category as acts: one per consent that stood, or the statutory one."""
    if ground != "consent":
        yield Collect(category=category, purpose=STATUTORY, ground=ground), Facts(at=site.clock())
        return
    with reading(site.engine) as conn:
        rows = conn.execute(select(consents).where(consents.c.category == category)).all()
    for row in rows:
        at = max(row.start, since)
        if any(end is not None and end <= at for end in (row.until, row.withdrawn)):
            continue
        notice = site.settings.notices.get(row.notice)
        asked = pack.consent.notice_incomplete
        whole = notice is not None and (asked is None or set(asked.items) <= set(notice.items))
        standing = StandingConsent(
            purposes=(row.purpose,),
            categories=(category,),
            start=row.start,
            separate=row.separate,
            notice="complete" if whole else "incomplete",
        )
        yield (
            Collect(category=category, purpose=row.purpose),
            Facts(at=at, driver_setting="on", consent=standing),
        )


def _old(site: Site, pack: Pack) -> Iterator[Row]:
    """What lies in the vault now, by category, and how old the oldest of it may be."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(segments.c.category, segments.c.ground, segments.c.day)).all()
    found: dict[tuple[str, str], list[tuple[date, Verdict, Verdict]]] = {}
    for row in rows:
        day = date.fromisoformat(row.day)
        here, there = (_stored(site, each, row.category, row.ground, day) for each in (site.pack, pack))
        found.setdefault((row.category, row.ground), []).append((day, here, there))
    for (category, ground), files in sorted(found.items()):
        ours = [here for _, here, _ in files if here.verdict not in YES]
        theirs = [there for _, _, there in files if there.verdict not in YES]
        told = [f"{len(bad)} of {len(files)} would have to go" if bad else "may stay" for bad in (ours, theirs)]
        what = f"{w.CATEGORY_WORDS[category]}, on {w.GROUND_WORDS[ground]}"
        lies = f"{w.counted(len(files), 'file')}, the oldest of {w.day(min(day for day, _, _ in files))}: {told[0]}"
        harder = len(theirs) > len(ours)
        yield Row("stored", what, lies, told[1], harder, _why(*theirs) if harder else ())


def _stored(site: Site, pack: Pack, category: str, ground: str, day: date) -> Verdict:
    """The word of a pack on a file of that day, as if the site stood where the pack is at home."""
    own = site.settings.site.jurisdiction
    store = Store(
        category=category,
        place=own if own in pack.home else pack.jurisdiction,
        age_days=max((site.today() - day).days, 0),
        exception="statutory-monitoring" if ground == "statutory" else "none",
    )
    return judge(store, Facts(at=site.clock()), as_if_in_force(pack))


def _exports(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """Requests to send something abroad, with the very facts on which they were judged last."""
    for request, act, facts in requests.judged_since(site, since):
        verdict = judge(act, facts, pack)
        here = requests.find(site, request).verdict.verdict
        what = f"request {request}: {w.categories(act.categories)} to {w.jurisdiction(act.to)}, {w.plain(act.purpose)}"
        harder = here == "allow" and verdict.verdict != "allow"
        there = {"allow": "allowed", "refuse": "refused"}
        yield Row("export", what, there[here], there[verdict.verdict], harder, _why(verdict) if harder else ())


def _clocks(site: Site, pack: Pack, since: int) -> Iterator[Row]:
    """Cases of persons, and whether they were done by when the other pack would have had them done."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(rights_cases).where(rights_cases.c.asked >= since).order_by(rights_cases.c.asked))
        cases = [row for row in rows.all() if row.kind in _CLOCKS]
    for row in cases:
        clock = Deadline(what=_CLOCKS[row.kind], start=row.asked)
        ours, theirs = (judge(clock, Facts(at=site.clock()), each) for each in (site.pack, pack))
        done = row.done if row.done is not None else site.clock()
        state = "done" if row.done is not None else "open"
        late = _late(theirs, done, pack.zone)
        what = f"{row.kind} asked on {w.day(local_day(row.asked, pack.zone))}, {state}"
        there = f"{_due(theirs, pack.zone)}{', missed' if late else ''}"
        here = f"{_due(ours, site.pack.zone)}{', missed' if _late(ours, done, site.pack.zone) else ''}"
        yield Row("clock", what, here, there, late, _why(theirs) if late else ())


def _late(verdict: Verdict, done: int, zone: str) -> bool:
    due = verdict.due if verdict.due is not None else verdict.earlier
    if due is None:
        return False
    return local_day(done, zone) > due if isinstance(due, date) else done > due


def _due(verdict: Verdict, zone: str) -> str:
    due = verdict.due if verdict.due is not None else verdict.earlier
    if due is None:
        return "no clock for it"
    return "due " + w.day(due if isinstance(due, date) else local_day(due, zone))


def _why(*verdicts: Verdict) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{r.says} ({r.article})" for verdict in verdicts for r in verdict.reasons))


def _ms(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(milliseconds=1)
