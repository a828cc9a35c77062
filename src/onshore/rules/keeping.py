"""Keeping: whether something may lie where it would lie, and for how long."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from onshore.rules import mechanisms
from onshore.rules.acts import Facts, Store
from onshore.rules.lengths import ahead, back, length
from onshore.rules.pack import Pack
from onshore.rules.pack_store import Cap, Exempted, Floor, Keeping, Sink
from onshore.words.verdict import Reason, Verdict

WITHIN = "within-retention"
NO_RULES = Reason(
    "no-rule-pack",
    "fail closed",
    "The rules at hand say nothing of keeping, so nothing is kept by them.",
    "rules on keeping",
)


def judge_store(act: Store, facts: Facts, pack: Pack) -> Verdict:
    """`keep`, `purge` or `refuse`, with every reason. What must not lie there at all outweighs how long it lay."""
    rules = pack.store
    if rules is None:
        return Verdict("refuse", (NO_RULES,))
    floors = list(_below(act, facts, pack, rules))
    over = [] if floors else list(_over(act, facts, pack, rules))
    if act.ask == "purge":
        return Verdict("refuse", tuple(floors)) if floors else _plain("purge", over, rules)
    refused = (*_misplaced(act, facts, pack, rules), *_too_many(act, rules))
    if refused:
        return Verdict("refuse", (*refused, *over))
    return _plain("purge" if over else "keep", over, rules)


def _plain(word: str, over: list[Reason], rules: Keeping) -> Verdict:
    return Verdict(word, tuple(over) or (rules.within_retention.reason(WITHIN),))


def _misplaced(act: Store, facts: Facts, pack: Pack, rules: Keeping) -> Iterator[Reason]:
    """Whether a sink may stand in that place."""
    if act.place in pack.home:
        return
    for rule in rules.foreign_sink:
        if _asked(rule, act) and not _lifted(rule, act, facts, pack):
            yield rule.reason("foreign-sink")
    first = rules.first_write_abroad
    if first and _asked(first, act) and not _lifted(first, act, facts, pack):
        yield first.reason("first-write-abroad")


def _asked(rule: Sink, act: Store) -> bool:
    there = not rule.to or act.place in rule.to
    return there and act.kind in rule.kinds and _concerns(rule.categories, act.category)


def _lifted(rule: Sink, act: Store, facts: Facts, pack: Pack) -> bool:
    """By its place, by papers, or because the pack calls the place adequate."""
    filed = bool(rule.papers) and bool(facts.papers & set(rule.papers)) and facts.papers >= set(rule.also)
    return filed or act.place in rule.places or (rule.adequate and mechanisms.adequate(act.place, facts, pack))


def _too_many(act: Store, rules: Keeping) -> Iterator[Reason]:
    """Clips beyond the number or the length that the exception has."""
    found = _exception(act, rules)
    if found is None:
        return
    many = found.per_day is not None and (act.clips_today or 0) >= found.per_day
    if many or (found.max_seconds is not None and (act.clip_seconds or 0) > found.max_seconds):
        yield found.reason("clip-quota")


def _over(act: Store, facts: Facts, pack: Pack, rules: Keeping) -> Iterator[Reason]:
    """The caps that are exceeded; an exception lifts them."""
    if _exception(act, rules) is not None:
        return
    for cap in rules.cap:
        if act.record in cap.records and act.category in cap.categories and _older(act, cap, facts, pack):
            yield cap.reason("retention-over")


def _below(act: Store, facts: Facts, pack: Pack, rules: Keeping) -> Iterator[Reason]:
    """The floors that are not reached."""
    for floor in rules.floor:
        asked = act.record in floor.records and _concerns(floor.categories, act.category)
        if asked and _younger(act, floor, facts, pack):
            yield floor.reason("below-retention-floor")


def _younger(act: Store, floor: Floor, facts: Facts, pack: Pack) -> bool:
    return _made(act, facts, pack) > back(facts.at, length(floor.min, "min"), pack.zone)


def _older(act: Store, cap: Cap, facts: Facts, pack: Pack) -> bool:
    return _made(act, facts, pack) < back(facts.at, length(cap.max, "max"), pack.zone)


def _made(act: Store, facts: Facts, pack: Pack) -> int:
    """When it was made: its age, counted back as the limits are."""
    return back(facts.at, act.length(), pack.zone)


def _exception(act: Store, rules: Keeping) -> Exempted | None:
    fitting = (e for e in rules.exception if e.name == act.exception and _concerns(e.categories, act.category))
    return next((e for e in fitting if _shown(e, act)), None)


def _shown(rule: Exempted, act: Store) -> bool:
    """Whether anything is told of what an exception limits; otherwise nothing shows that it is one."""
    limited = rule.per_day is not None or rule.max_seconds is not None
    return not limited or act.clips_today is not None or act.clip_seconds is not None


def _concerns(categories: Collection[str], category: str) -> bool:
    return not categories or category in categories


@dataclass(frozen=True, slots=True, order=True)
class Term:
    """Until when (milliseconds UTC) something must, or may, be kept, by which article, in the rule's own words."""

    until: int
    article: str
    says: str


def floor_of(act: Store, made: int, pack: Pack) -> Term | None:
    """Until when what was made at an instant (ms UTC) must be kept: the last floor to end; None where none is asked."""
    floors = () if pack.store is None else pack.store.floor
    asked = [f for f in floors if act.record in f.records and _concerns(f.categories, act.category)]
    return max((Term(ahead(made, length(f.min, "min"), pack.zone), f.article, f.says) for f in asked), default=None)


def cap_of(act: Store, made: int, pack: Pack) -> Term | None:
    """Until when it may be kept: the first cap to end, never before its floor does; None where nothing caps it."""
    if pack.store is None or _exception(act, pack.store) is not None:
        return None
    caps = [c for c in pack.store.cap if act.record in c.records and act.category in c.categories]
    first = min((Term(ahead(made, length(c.max, "max"), pack.zone), c.article, c.says) for c in caps), default=None)
    below = floor_of(act, made, pack)
    return below if first and below and below.until > first.until else first
