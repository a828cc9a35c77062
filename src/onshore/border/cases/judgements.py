"""Judgements kept, so that each can be made again: from the very facts, by the very packs, held against the ledger."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from onshore.ledger import packs
from onshore.ledger.entry import digest, read
from onshore.ledger.years import is_link
from onshore.rules import switches
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.judge import judge
from onshore.site import Site
from onshore.vault.papers import entries, judgements, reading
from onshore.words.errors import OnshoreError
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict


@dataclass(frozen=True)
class Rejudged:
    """An entry that says a verdict, by its number, made again: `same`; None with why where nobody can say."""

    number: int
    kind: str
    said: str
    same: bool | None
    why: str = ""


def write(
    site: Site, conn: Connection, transfer: Transfer, named: str, judged: tuple[TransferAsked, Facts], verdict: Verdict
) -> str:
    """Hand a judgement to the ledger and keep what it takes to make it again; the act and facts, as they are kept."""
    act, _ = judged
    said = msgspec.json.encode(judged, order="deterministic").decode()
    kept = {"judged": said, "lenient": sorted(site.lenient), "salt": site.randomness(16).hex()}
    concerned = site.law.concerned({act.to, act.produced_in or act.to})
    number = site.hand_in(
        conn,
        site.entry(
            "request",
            obj=named,
            verdict=verdict.verdict,
            reasons=sorted(verdict.codes()),
            facts=digest(kept),
            packs=[f"sha256:{sha256}" for sha256 in site.law.digests(site.today(), concerned)],
        ),
    )
    row = kept | {"lenient": json.dumps(kept["lenient"]), "transfer": transfer.id, "at": site.clock(), "entry": number}
    conn.execute(judgements.insert().values(**row))
    return said


def rejudged(site: Site, since: int) -> Iterator[Rejudged]:
    """Every entry since an instant (ms UTC) that says a verdict, judged again by the packs that it names."""
    with reading(site.engine) as conn:
        rows = conn.execute(select(judgements, entries.c.leaf).join(entries, entries.c.id == judgements.c.entry)).all()
    by_leaf = {row.leaf: row for row in rows if row.leaf is not None}
    shelf = {f"sha256:{file.digest}": file for file in packs.known(site.folder / "packs")}
    for number, body in enumerate(site.ledger.entries()):
        if is_link(body) or b'"reasons":' not in body:
            continue
        entry = read(body)
        if datetime.fromisoformat(entry["at"]).timestamp() * 1000 < since:
            continue
        yield _one(number, entry, by_leaf.pop(number, None), shelf)
    for number in sorted(by_leaf):
        if by_leaf[number].at >= since:
            yield Rejudged(number, "request", "", False, "the papers keep a judgement that the ledger has no entry of")


def _one(number: int, entry: Mapping[str, Any], row: Row[Any] | None, shelf: Mapping[str, packs.PackFile]) -> Rejudged:
    said = entry.get("verdict", entry.get("state", ""))
    if why := _not_kept(entry, row, shelf):
        return Rejudged(number, entry["t"], said, None, why)
    assert row is not None
    kept = {"judged": row.judged, "lenient": json.loads(row.lenient), "salt": row.salt}
    if digest(kept) != entry["facts"]:
        return Rejudged(number, "request", said, False, "the papers keep other facts than those that it was judged on")
    try:
        act, facts = msgspec.json.decode(row.judged, type=tuple[TransferAsked, Facts])
        own, *others = (shelf[name].pack() for name in entry["packs"])
        verdict = judge(act, facts, switches.turned(own, kept["lenient"]), others)
    except (msgspec.MsgspecError, OnshoreError) as error:
        return Rejudged(number, "request", said, None, f"this release cannot judge it: {error}")
    codes = sorted(verdict.codes())
    same = (verdict.verdict, codes) == (said, entry["reasons"])
    return Rejudged(number, "request", said, same, "" if same else f"it is {verdict.verdict} ({', '.join(codes)})")


def _not_kept(entry: Mapping[str, Any], row: Row[Any] | None, shelf: Mapping[str, packs.PackFile]) -> str:
    """Why an entry cannot be judged again; nothing where it can."""
    if entry["t"] != "request":
        return "what it was judged on is not kept"
    if "facts" not in entry:
        return "an older release kept no facts of it"
    if row is None:
        return "the papers here do not keep its facts"
    missing = [name for name in entry["packs"] if name not in shelf]
    return f"the pack {missing[0]} is not here; lay it below packs/" if missing else ""
