"""Reasoning: what decided an act, rule by rule, with the limb that was met and what carries the act."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from onshore.rules import limbs, names, routes, ways
from onshore.rules import wording as w
from onshore.rules.acts import Act, Facts, TransferAsked
from onshore.rules.articles import Rule
from onshore.rules.mechanisms import fitting
from onshore.rules.pack import Ground, Pack, rules
from onshore.rules.pack_transfer import Bulk, Exemption, Mechanism, Route
from onshore.rules.turning import YES
from onshore.words.verdict import Reason, Verdict

_NUMBER = re.compile(r"\d[\d,]*", re.ASCII)
_CLOSED, _CLOSED_WORDS = "fail closed", "No article: what no rule in force decides is not allowed."


@dataclass(frozen=True)
class Item:
    """One item of the reasoning: the rule behind it, where there is one, and what it asks for."""

    says: str
    article: str
    remedy: str
    rule: Rule | None
    pack: Pack | None


def items(verdict: Verdict, packs: Sequence[Pack]) -> list[Item]:
    """The reasons of a verdict; the same sentence told once, and of two figures of one volume the higher."""
    known = {(rule.article, rule.says): (rule, pack) for pack in reversed(packs) for _, rule in rules(pack)}
    found: dict[tuple[str, str], Item] = {}
    for reason in verdict.reasons:
        rule, pack = known.get((reason.article, reason.says), (None, None))
        item = Item(reason.says, reason.article, reason.remedy, rule, pack)
        was = found.setdefault((reason.article, reason.says), item)
        if was.remedy != item.remedy:
            found[reason.article, reason.says] = replace(was, remedy=_both(was, reason))
    return [item for item in found.values() if not _outdone(item.rule, [each.rule for each in found.values()])]


def deciding(verdict: Verdict, packs: Sequence[Pack]) -> Pack | None:
    """The pack that decided: that of the first reason, else the site's own."""
    found = (item.pack for item in items(verdict, packs) if item.pack is not None)
    return next(found, packs[0] if packs else None)


def told(item: Item, number: int, act: Act, facts: Facts, *, asks: bool) -> list[str]:
    """An item in lines: what it says, the law behind it, the limb that is met, and what it asks for."""
    taken = "Taken as given, and not judged here: " if _is_taken(item.rule) else ""
    lines = w.wrapped(f"{number}. {taken}{item.says}", "     ", "  ")
    behind = _CLOSED_WORDS if item.article == _CLOSED else _behind(item)
    lines += w.wrapped(behind, "     ", "     ")
    if item.pack is not None and (here := limbs.met(item.rule, act, facts, item.pack)):
        lines += w.wrapped(here, "     ", "     ")
    elif item.rule is not None and not isinstance(item.rule, Bulk | Route) and (figures := _figures(item.rule)):
        lines += w.wrapped(f"The figure: {figures}.", "     ", "     ")
    if asks and item.remedy:
        lines += w.wrapped(f"What it asks for: {item.remedy}.", "     ", "     ")
    return lines


def carrying(act: Act, facts: Facts, verdict: Verdict, packs: Sequence[Pack]) -> Iterator[Item]:
    """The rules by which it may leave, or might: the exemption, the mechanism, or the route with its paper."""
    pack = deciding(verdict, packs)
    if not isinstance(act, TransferAsked) or pack is None or act.to in pack.home:
        return
    reasons = {(reason.article, reason.says) for reason in verdict.reasons}
    for rule in _carriers(act, facts, verdict, pack):
        if (rule.article, rule.says) not in reasons:
            yield Item(rule.says, rule.article, "", rule, pack)


def route_told(verdict: Verdict, packs: Sequence[Pack]) -> str:
    """The route, as the jurisdiction calls it."""
    if verdict.route is None:
        return ":"
    pack = deciding(verdict, packs)
    word = pack.words.route(verdict.route) if pack else names.ROUTE_WORDS[verdict.route]
    return f" (the route{'' if verdict.verdict in YES else ' that it takes'}: {word}):"


def _carriers(act: TransferAsked, facts: Facts, verdict: Verdict, pack: Pack) -> Iterator[Rule]:
    for way in ways.find(act, facts, routes.weigh(act, facts, pack), pack):
        if way.route != verdict.route:
            continue
        if way.free is not None:
            yield way.free
        elif pack.transfer.mechanism:
            yield from [found for found in fitting(act, facts, pack) if found.route == way.route][:1]
        else:
            yield pack.transfer.route[way.index]
        return


def _figures(rule: Rule) -> str:
    """The figures of a rule that its own sentence does not name."""
    found = w.figures(rule)
    return "" if set(_NUMBER.findall(found)) <= set(_NUMBER.findall(rule.says)) else found


def _both(was: Item, reason: Reason) -> str:
    return "; ".join(dict.fromkeys(filter(None, (was.remedy, reason.remedy))))


def _outdone(rule: Rule | None, among: Sequence[Rule | None]) -> bool:
    """Whether a higher figure of the same volume is reached as well: a guard, where the law itself is."""
    if not isinstance(rule, Bulk):
        return False
    same = [each for each in among if isinstance(each, Bulk) and each.categories == rule.categories]
    return any(each.count == rule.count and each.start > rule.start for each in same)


def _is_taken(rule: Rule | None) -> bool:
    """Whether a rule rests on a ground that the question names and nothing on record shows."""
    if isinstance(rule, Ground):
        return rule.code != "consented"
    return isinstance(rule, Exemption | Mechanism) and rule.ground not in {None, "consent"}


def _behind(item: Item) -> str:
    rule = item.rule
    if rule is None or item.pack is None:
        return item.article
    verify = "; still to be held against the text" if rule.verify else ""
    since = f"; since {w.day(rule.since)}" if rule.since else ""
    known = f"{_known(rule, item.pack)}{verify}{since}"
    if rule.kind == "POLICY":
        return f"Onshore's own policy, in view of {item.article} ({known})"
    return f"{item.article} ({names.KIND_WORDS[rule.kind]}; {known})"


def _known(rule: Rule, pack: Pack) -> str:
    """How well an article is known: where it was seen, by the address of each source or what it is."""
    if not rule.mark.startswith("seen"):
        return w.mark_words(rule.mark)
    known = {source.code: source for source in pack.source}
    found = [known[code] for code in rule.mark.removeprefix("seen: ").split(", ")]
    places = (each.address.replace(" ;", ";") if "." in each.address else each.law for each in found)
    return f"seen in: {'; '.join(dict.fromkeys(places))}"
