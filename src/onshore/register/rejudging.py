"""Rejudging: every verdict of the ledger made again, from the very facts and by the very packs that its entry names."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Row, select

from onshore.ledger import packs
from onshore.ledger.entry import read
from onshore.ledger.years import is_link
from onshore.register.judgements import Kept, merged, named_by, word
from onshore.rules import switches
from onshore.rules.expected import ACTS
from onshore.rules.judge import judge
from onshore.rules.local import DAY_MS
from onshore.rules.pack import Pack
from onshore.site import Site
from onshore.vault.papers import entries, judgements, reading
from onshore.words.errors import OnshoreError, Refusal
from onshore.words.verdict import Verdict

_SAYS = (b'"facts":', b'"reasons":', b'"t":"restore"')
_APART = DAY_MS  # by which a clock may have been put right between a verdict and its entry


@dataclass(frozen=True)
class Rejudged:
    """An entry that says a verdict, by its number, made again: `same`, or why it does not hold.

    None: of this one nothing was kept that it could be held against.
    """

    number: int
    kind: str
    said: str
    same: bool | None
    why: str = ""


def rejudged(site: Site, since: int) -> Iterator[Rejudged]:
    """Every entry since an instant (ms UTC) that says a verdict, judged again; of those whose facts are lost, last.

    Facts that the papers lack are of between a backup and its restore, as the ledger has it, or were taken away.
    """
    shelf, named, lost, gaps = _Shelf(site), set[str | None](), list[Rejudged](), list[range]()
    size = site.ledger.size
    for number, body in enumerate(islice(site.ledger.entries(), size)):
        if is_link(body) or not any(mark in body for mark in _SAYS):
            continue
        entry = read(body)
        if entry["t"] == "restore":
            gaps.append(range(entry.get("known", 0), number))
            continue
        facts = entry.get("facts")
        twice = facts in named
        named.add(facts)
        if _instant(entry) < since:
            continue
        one = Rejudged(number, entry["t"], entry.get("verdict", entry.get("state", "")), None, _OLDER)
        if facts is None:
            yield one
        elif (row := _row(site, facts)) is None:
            lost.append(one)
        else:
            same, why = (False, _TWICE) if twice else _again(shelf, number, entry, row)
            yield replace(one, same=same, why=why)
    for one in lost:
        gone = any(one.number in gap for gap in gaps)
        yield replace(one, same=None if gone else False, why=_BACKUP if gone else _LOST)
    yield from _without_entry(site, since, size, named)


_OLDER = "an older release kept nothing that it was judged on"
_TWICE = "an earlier entry rests on the same judgement"
_LOST = "the papers do not keep what it was judged on"
_BACKUP = "what it was judged on is not in the backup that was restored since"


def _again(shelf: "_Shelf", number: int, entry: Mapping[str, Any], row: Row[Any]) -> tuple[bool, str]:
    """Whether an entry holds, and why not."""
    if named_by(row.judged, row.salt) != entry["facts"]:
        return False, "the papers keep other facts than those that it was judged on"
    if row.leaf not in (None, number):
        return False, "what it was judged on is that of another entry"
    try:
        kept = msgspec.json.decode(row.judged, type=list[Kept])
        if merged([one.packs for one in kept]) != entry.get("packs"):
            return False, "it was judged by other packs"
        if any(abs(one.facts.at - _instant(entry)) > _APART for one in kept):
            return False, "it was judged at another time"
        verdict, reasons = word([shelf.judged(one) for one in kept])
    except (msgspec.MsgspecError, OnshoreError) as error:
        return False, f"it cannot be judged: {error}"
    same = (verdict, reasons) == (entry.get("verdict"), entry.get("reasons"))
    return same, "" if same else f"it is {verdict} ({', '.join(reasons)})"


class _Shelf:
    """The packs that ship and those of the site, by digest, each read once."""

    def __init__(self, site: Site) -> None:
        self._home, self._signers = site.settings.site.jurisdiction, site.settings.rules.signers
        self._files = {f"sha256:{file.digest}": file for file in packs.known(site.folder / "packs")}
        self._read = dict[str, Pack]()

    def judged(self, kept: Kept) -> Verdict:
        """The judge's word now; refused where a pack is not here, is no law of this place, or may not be obeyed."""
        own, *others = (self._pack(name) for name in kept.packs)
        if self._home not in own.home:
            raise Refusal("other-rules", f"the pack {own.id} is not the law of this place")
        if kept.kind not in ACTS:
            raise Refusal("act-unknown", "this release knows no such act")
        act = msgspec.json.decode(kept.act, type=ACTS[kept.kind])
        return judge(act, kept.facts, switches.turned(own, kept.lenient), others)

    def _pack(self, name: str) -> Pack:
        if name not in self._files:
            raise Refusal("no-rule-pack", f"the pack {name} is not here; lay it below packs/")
        if name not in self._read:
            self._read[name] = packs.obeyed(self._files[name], self._signers)
        return self._read[name]


def _row(site: Site, facts: str) -> Row[Any] | None:
    ask = select(judgements, entries.c.leaf).outerjoin(entries, entries.c.id == judgements.c.entry)
    with reading(site.engine) as conn:
        return conn.execute(ask.where(judgements.c.facts == facts)).one_or_none()


def _without_entry(site: Site, since: int, size: int, named: Collection[str | None]) -> Iterator[Rejudged]:
    """What the papers keep and the ledger does not name, but for what waits to be written there."""
    ask = select(judgements.c.facts, entries.c.leaf).outerjoin(entries, entries.c.id == judgements.c.entry)
    written = judgements.c.entry.is_(None) | (entries.c.leaf < size)
    with reading(site.engine) as conn:
        rows = conn.execute(ask.where(judgements.c.at >= since, written).order_by(judgements.c.at)).all()
    for row in rows:
        if row.facts not in named:
            why = "the papers keep a judgement that the ledger has no entry of"
            yield Rejudged(-1 if row.leaf is None else row.leaf, "none", "", False, why)


def _instant(entry: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(entry["at"]).timestamp() * 1000
