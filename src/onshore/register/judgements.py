"""Judgements: the judge's word stands in the ledger's entry of what follows from it, and can be made again from there.

The entry has the word, its reasons, the packs by their digests, and a salted digest of what was asked: act and facts,
which the papers keep. `rejudging` reads all that back.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection

from onshore.ledger.entry import digest
from onshore.rules.acts import Act, Collect, ConsentAsked, Facts
from onshore.rules.expected import ACTS
from onshore.rules.judge import concerned, judge
from onshore.site import Site
from onshore.vault.papers import judgements
from onshore.words.errors import Malformed, Refusal
from onshore.words.verdict import Verdict

_NAMES = {kind: name for name, kind in ACTS.items()}


@dataclass(frozen=True)
class Judged:
    """What the judge was asked and answered, and by what: digests of packs, the site's own first, and its switches."""

    act: Act
    facts: Facts
    verdict: Verdict
    packs: tuple[str, ...]
    lenient: frozenset[str] = frozenset()


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One of these as the papers keep it, all but the answer. `kind`: what the scenario book calls the act."""

    kind: str
    act: msgspec.Raw
    facts: Facts
    packs: tuple[str, ...]
    lenient: tuple[str, ...] = ()


class ByLaw(Refusal):
    """A refusal that the judge is behind: with what it was asked and said, for the entry that tells of it."""

    def __init__(self, reason: str, says: str, judged: Judged, *, article: str, remedy: str) -> None:
        super().__init__(reason, says, article=article, remedy=remedy)
        self.judged = judged


def behind(why: Refusal) -> tuple[Judged, ...]:
    """What the judge was asked and said where a refusal is by law; nothing where it is not."""
    return (why.judged,) if isinstance(why, ByLaw) else ()


def ask(site: Site, act: Act, facts: Facts) -> Judged:
    """Ask the judge, as `Site.judge` does, and hold on to what is needed to ask again."""
    day, others = site.today(), site.law.concerned(concerned(act))
    stands = site.law.on(day)
    packs = tuple(f"sha256:{sha256}" for sha256 in site.law.digests(day, others))
    return Judged(act, facts, judge(act, facts, stands.pack, others), packs, stands.lenient)


def hand_in(
    site: Site, conn: Connection, kind: str, asked: Sequence[Judged], *, about: str | None = None, **fields: Any
) -> int:
    """Hand the ledger an entry with the law's word in it, and keep what that was on; the entry's number.

    `asked`: of none the entry is as it would be without. `about`: the id of the request that all this is about.
    Malformed where it is about one person's age or consent: what is kept here is not found by whoever erases that.
    """
    if not asked:
        return site.hand_in(conn, site.entry(kind, **fields))
    for one in asked:
        _refuse_personal(one)
    judged, salt = msgspec.json.encode([_kept(one) for one in asked]).decode(), site.randomness(16).hex()
    said, reasons = word([one.verdict for one in asked])
    packs, named = merged([one.packs for one in asked]), named_by(judged, salt)
    body = site.entry(kind, **fields, verdict=said, reasons=reasons, facts=named, packs=packs)
    number = site.hand_in(conn, body)
    row = {"facts": named, "about": about, "at": site.clock(), "judged": judged, "salt": salt, "entry": number}
    conn.execute(judgements.insert().values(**row))
    return number


def word(verdicts: Collection[Verdict]) -> tuple[str, list[str]]:
    """What an entry says of verdicts: the word that they share (each, where they differ), and all their reasons."""
    reasons = frozenset[str]().union(*(one.codes() for one in verdicts))
    return "/".join(sorted({one.verdict for one in verdicts})), sorted(reasons)


def merged(packs: Sequence[Sequence[str]]) -> list[str]:
    """Digests of packs, each once, in order."""
    return list(dict.fromkeys(name for some in packs for name in some))


def named_by(judged: str, salt: str) -> str:
    """The digest by which an entry names what it was judged on."""
    return digest({"judged": judged, "salt": salt})


def _kept(one: Judged) -> Kept:
    act = msgspec.Raw(msgspec.json.encode(one.act, order="deterministic"))
    return Kept(_NAMES[type(one.act)], act, one.facts, one.packs, tuple(sorted(one.lenient)))


def _refuse_personal(one: Judged) -> None:
    act, consent = one.act, one.facts.consent
    born = act.person_born is not None if isinstance(act, Collect | ConsentAsked) else False
    before = act.last_refused is not None if isinstance(act, ConsentAsked) else False
    dated = consent is not None and (consent.start, consent.until, consent.withdrawn) != (None, None, None)
    if born or before or dated:
        raise Malformed("what was judged is about one person's age or consent, and is not kept", where="judgement")
