"""Retention: until when the law of the day lets what is kept lie, and by which article it goes then."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import msgspec
from sqlalchemy import func, select

from onshore.register.judgements import Judged
from onshore.rules.acts import Facts, Store
from onshore.rules.judge import judge
from onshore.rules.keeping import Term, cap_of, floor_of
from onshore.rules.local import local_day, local_midnight
from onshore.rules.pack import Pack
from onshore.rules.pack_store import Keeping
from onshore.site import Site
from onshore.vault.papers import reading, restrictions, segments
from onshore.vault.retire import Kind, Ripe, going, kind_of, kinds, ripe
from onshore.vault.segments import Shelf
from onshore.words.verdict import Reason
from onshore.words.vocabulary import STATUTORY

_SECOND = 1000  # an age is told to the judge in whole seconds
_NEVER = 1 << 62


def kept(site: Site, kind: Kind, record: str = "observation") -> Store:
    """What the judge is asked of rows of a kind, new ones: whether they may lie here."""
    category, ground, exception = kind
    return Store(
        category=category,
        place=site.settings.site.jurisdiction[:2],
        record=record,
        exception=STATUTORY if ground == "statutory" else exception or "none",
    )


class Limits:
    """Before which instant rows must have been made to go at a given one, by the law that stands then.

    The judge is asked, by halving, for the least age at which he says `purge`: what is older goes as well, since a
    longer age only takes floors away and puts caps on. So no cap, floor, exception or figure is read here.
    """

    def __init__(self, site: Site, at: int) -> None:
        self._site, self.at = site, at
        self._version = site.law.on(local_day(at, site.law.zone))
        self._found: dict[Kind, int | None] = {}

    @property
    def digest(self) -> str:
        """The sha256 of the pack that stands then."""
        return self._version.digest

    @property
    def pack(self) -> Pack:
        """That pack."""
        return self._version.pack

    def __call__(self, kind: Kind) -> int | None:
        """The instant (ms UTC) before which rows of a kind must have been made to go; None where none goes."""
        if kind not in self._found:
            self._found[kind] = self._cut(kind)
        return self._found[kind]

    def judged(self, kind: Kind) -> tuple[Judged, ...]:
        """The judge's word on what was made just before that; nothing where nothing goes."""
        cut = self(kind)
        return () if cut is None else (self._judged(kind, self._age(cut - 1)),)

    def why(self, kind: Kind) -> tuple[Reason, ...]:
        """By which articles that goes."""
        return tuple(reason for one in self.judged(kind) for reason in one.verdict.reasons)

    def goes(self, kind: Kind, made: int) -> bool:
        """The judge's word on one row."""
        return self._goes(kind, self._age(made))

    def _age(self, made: int) -> int:
        return max(self.at - made, 0) // _SECOND

    def _goes(self, kind: Kind, age: int) -> bool:
        return self._judged(kind, age).verdict.verdict == "purge"

    def _judged(self, kind: Kind, age: int) -> Judged:
        act, facts = msgspec.structs.replace(kept(self._site, kind), age=f"{age}s"), Facts(at=self.at)
        by = (f"sha256:{self.digest}",)
        return Judged(act, facts, judge(act, facts, self.pack, ()), by, self._version.lenient)

    def _cut(self, kind: Kind) -> int | None:
        young, old = 0, max(self.at, 0) // _SECOND  # ages: as if new, and as if made in 1970
        if not self._goes(kind, old):
            return None
        while old - young > 1:
            middle = (young + old) // 2
            young, old = (young, middle) if self._goes(kind, middle) else (middle, old)
        return self.at - old * _SECOND + 1


@dataclass(frozen=True)
class Stay:
    """Segments of one kind: `first` is the earliest instant at which any of its rows can have been made.

    `may`: until when that may lie, `must`: until when it has to (None: nothing says so). `due`: rows, files and bytes
    that go now, `files` whole ones among `due_files`. `restricted`: on how many scopes of it a restriction stands.
    """

    kind: Kind
    rows: int
    files: int
    size: int
    first: int
    may: Term | None
    must: Term | None
    due_rows: int
    due_files: int
    due_whole: int
    due_bytes: int
    restricted: int


def stays(site: Site, at: int) -> list[Stay]:
    """Everything that lies in segments, by kind, as it would be at an instant (ms UTC); touches nothing."""
    limits, shelf = Limits(site, at), Shelf(site.root, site.vault, site.id)
    due: dict[Kind, list[Ripe]] = {}
    for one in ripe(site.engine, shelf, site.law.zone, limits):
        due.setdefault(kind_of(one.segment), []).append(one)
    found = []
    for kind in kinds(site.engine):
        some = due.get(kind, [])
        first, counted = _counted(site, kind)
        found.append(
            Stay(
                kind,
                **counted,
                first=first,
                may=ends(site, kept(site, kind), first, at),
                must=floor_of(kept(site, kind), first, limits.pack.as_of(local_day(at, site.law.zone))),
                due_rows=sum(going(one, shelf, site.law.zone) for one in some),
                due_files=len(some),
                due_whole=sum(one.whole for one in some),
                due_bytes=sum(one.segment.size for one in some),
            )
        )
    return found


def _counted(site: Site, kind: Kind) -> tuple[int, dict[str, Any]]:
    t, (category, ground, exception) = segments.c, kind
    mine = (t.category == category, t.ground == ground, t.exception == exception)
    with reading(site.engine) as conn:
        counts = func.count(), func.sum(t.rows), func.sum(t.bytes), func.min(t.day)
        files, rows, size, day = conn.execute(select(*counts).where(*mine)).one()
        first = conn.scalar(select(func.min(t.first)).where(*mine, t.day == day))
        asked = conn.execute(select(restrictions.c.categories)).scalars().all()
    start = local_midnight(date.fromisoformat(day), site.law.zone)
    restricted = sum(said is None or f'"{category}"' in said for said in asked)
    return max(start, first), {"files": files, "rows": int(rows), "size": int(size), "restricted": restricted}


def ends(site: Site, act: Store, made: int, now: int) -> Term | None:
    """Until when what is kept like this and was made at an instant may lie, by what is known now of laws to come.

    None where no cap ever reaches it. Where a law that begins later caps it and it is older by then, its first day.
    """
    for start, end, pack in _phases(site, now):
        term = cap_of(act, made, pack)
        if term is not None and max(term.until, start) < end:
            return term if start == now else Term(max(term.until, start), term.article, term.says)
    return None


def _phases(site: Site, now: int) -> Iterator[tuple[int, int, Pack]]:
    """The packs as they stand from now on, each with the instants between which it does."""
    zone = site.law.zone
    today = local_day(now, zone)
    ahead = site.law.ahead(today)
    begins = {day for version in ahead for day in (version.pack.valid_from, *_since(version.pack.store)) if day > today}
    days = [today, *sorted(begins)]
    instants = [now, *(local_midnight(day, zone) for day in days[1:]), _NEVER]
    for day, (start, end) in zip(days, pairwise(instants), strict=True):
        yield start, end, site.law.on(day).pack.as_of(day)


def _since(rules: Keeping | None) -> set[date]:
    if rules is None:
        return set()
    return {rule.since for rule in (*rules.cap, *rules.floor, *rules.exception) if rule.since is not None}
