"""Why: how every decision is told: its code, what it says, the article, what would help, and where the law stands."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from onshore.rules.pack import Pack, rules
from onshore.site import Site
from onshore.words.errors import Refusal
from onshore.words.verdict import Reason, Verdict


@dataclass(frozen=True)
class Law:
    """A text of law behind an article: its name in full, and where that can be read."""

    law: str
    address: str


@dataclass(frozen=True)
class Why:
    """One reason of a decision. `pack`: whose rule it is; `known`: "seen" in a source, or of which confidence it is.

    `says` and `article` stand as the pack, or the code that refused, has them: nobody translates law in passing.
    """

    code: str
    says: str
    article: str = ""
    remedy: str = ""
    pack: str = ""
    known: str = ""
    laws: tuple[Law, ...] = ()


_KNOWN = {"seen": "seen", "mem-H": "high", "mem-M": "medium", "mem-L": "low"}


@dataclass(frozen=True)
class Decision:
    """A decision and all of its reasons, as the macro `why` of `_parts.html` shows it."""

    verdict: str
    reasons: tuple[Why, ...]


def of_verdict(site: Site, verdict: Verdict) -> Decision:
    """A verdict of the judge, each reason with the law that its rule cites."""
    return Decision(verdict.verdict, tuple(of_reason(_packs(site), reason) for reason in verdict.reasons))


def of_refusal(site: Site, refusal: Refusal) -> Decision:
    """What Onshore would not do."""
    reason = Reason(refusal.reason, refusal.article, refusal.says, refusal.remedy)
    return Decision("refuse", (of_reason(_packs(site), reason),))


def of_reason(packs: Iterable[Pack], reason: Reason) -> Why:
    """One reason; of a rule of these packs with its sources."""
    for pack in packs:
        mark = _marks(pack).get((reason.article, reason.says))
        if mark is not None:
            known = _KNOWN[mark.partition(":")[0]]
            cited = {code.strip() for code in mark.partition(":")[2].split(",")}
            laws = tuple(Law(one.law, one.address) for one in pack.source if one.code in cited)
            return Why(reason.code, reason.says, reason.article, reason.remedy, pack.id, known, laws)
    return Why(reason.code, reason.says, reason.article, reason.remedy)


_MOST = 64  # packs whose marks are remembered
_seen: dict[int, tuple[Pack, Mapping[tuple[str, str], str]]] = {}


def _marks(pack: Pack) -> Mapping[tuple[str, str], str]:
    """Article and words of each rule to its mark, found once for a pack: pages ask for it many times."""
    kept = _seen.get(id(pack))
    if kept is not None and kept[0] is pack:
        return kept[1]
    found = {(rule.article, rule.says): rule.mark for _, rule in reversed(list(rules(pack))) if rule.article}
    if len(_seen) >= _MOST:
        _seen.clear()
    _seen[id(pack)] = pack, found
    return found


def _packs(site: Site) -> Iterator[Pack]:
    """The site's own first: those of others are read when somebody asks for the first time."""
    yield site.pack
    yield from site.law.others
