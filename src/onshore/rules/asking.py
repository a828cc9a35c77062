"""Asking: which packs and which of their rules an act asks."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from onshore.rules.acts import Act, Collect, Facts, Store, TransferAsked
from onshore.rules.articles import Rule
from onshore.rules.judge import NO_RULE_PACK, STALE_RULES
from onshore.rules.local import local_day
from onshore.rules.pack import Pack, rules
from onshore.rules.pack_store import Exempted
from onshore.rules.recital import name_of
from onshore.rules.standing import is_draft
from onshore.words.verdict import Verdict

PARTS = {
    "collect": ("classes", "grounds", "collect", "consent"),
    "consent": ("classes", "consent"),
    "store": ("store",),
    "transfer": ("classes", "transfer"),
    "deadline": ("clock",),
}
"""Kind of act to the parts of a pack in which the judge looks."""

_OF_A_REQUEST = frozenset({"consent.notice-incomplete", "consent.bundled", "consent.asked-too-soon"})
_OF_A_STANDING = frozenset(
    {"consent.no-consent", "consent.consent-expired", "consent.consent-withdrawn", "consent.purpose-not-consented"}
)
_IMPORTANT = frozenset({"classes.important_sites", "classes.important_scale"})
_NOT_ASKED = {"collect": _OF_A_REQUEST | _IMPORTANT, "consent": _OF_A_STANDING | _IMPORTANT}
"""Rules on a consent that is submitted, those on one that stands, and what is important only where it leaves."""


@dataclass(frozen=True)
class Asked:
    """A rule that was asked, where it stands in its pack, and whether it decided."""

    rule: Rule
    fired: bool
    path: str
    pack: Pack


def undecided(verdict: Verdict) -> bool:
    """Whether no rule was asked at all: there is none, or none in force."""
    return set(verdict.reasons) <= {NO_RULE_PACK, STALE_RULES} and bool(verdict.reasons)


def asked(act: Act, verdict: Verdict, packs: Iterable[Pack], at: int | None = None) -> list[Asked]:
    """The rules of the packs that this kind of act asks, those about other data or another ground left out.

    `at` (milliseconds UTC): what begins only later is left out as well. None where no rules are in force.
    """
    if undecided(verdict):
        return []
    fired = {(reason.article, reason.says) for reason in verdict.reasons}
    return [
        Asked(rule, (rule.article, rule.says) in fired, path, pack)
        for pack in packs
        for path, rule in rules(pack)
        if (rule.article, rule.says) in fired or _looks_at(path, act)
        if _part(path) in PARTS[name_of(act)] and concerns(path, rule, act) and not is_class(path, rule)
        if rule.binds_recipient or not of_recipient(pack, act)
        if at is None or rule.since is None or rule.since <= local_day(at, pack.zone)
    ]


def in_play(act: Act, facts: Facts, own: Pack | None, packs: Sequence[Pack]) -> list[Pack]:
    """Of all packs those that are asked: the site's own, that of the data's origin, that of the recipient."""
    found = [own] if own is not None else []
    if own is None or not isinstance(act, TransferAsked):
        return found
    for code in (act.produced_in, act.to):
        law = [p for p in packs if code in p.home and not is_draft(p)]
        begun = [p for p in law if p.valid_from <= local_day(facts.at, p.zone)]
        newest = max(begun, key=lambda p: p.valid_from, default=None)
        if newest is None or newest in found or code in own.home:
            continue
        if code == act.produced_in or any(rule.binds_recipient for _, rule in rules(newest)):
            found.append(newest)
    return found


def facts_of(found: Iterable[Asked]) -> Iterator[dict[str, Any]]:
    """The rules asked, for a machine."""
    for each in found:
        since = {"since": each.rule.since.isoformat()} if each.rule.since else {}
        yield {"id": each.rule.id, "article": each.rule.article, "says": each.rule.says, "fired": each.fired, **since}


def of_recipient(pack: Pack, act: Act) -> bool:
    """Whether a pack is asked only because the recipient stands there."""
    return isinstance(act, TransferAsked) and act.to in pack.home and act.produced_in not in pack.home


def is_class(path: str, rule: Rule) -> bool:
    """Whether a rule says what some categories are in law."""
    return _part(path) == "classes" and hasattr(rule, "categories")


def concerns(path: str, rule: Rule, act: Act) -> bool:
    """Whether a rule on some categories, one ground or one clock is about what this act is about."""
    ground = path.removeprefix("grounds.") if path.startswith("grounds.") else getattr(rule, "ground", None)
    mine = getattr(act, "categories", None) or ((act.category,) if hasattr(act, "category") else ())
    named, what = getattr(rule, "categories", None), getattr(rule, "what", None)
    return (
        (not named or not mine or bool(set(named) & set(mine)))
        and _concerns_copy(rule, act)
        and ground in {None, getattr(act, "ground", ground)}
        and what in {None, getattr(act, "what", what)}
    )


def _concerns_copy(rule: Rule, act: Act) -> bool:
    """Whether a rule on some kinds of copy or record, or an exception, is about what would be kept."""
    if not isinstance(act, Store):
        return True
    if isinstance(rule, Exempted):
        return rule.name == act.exception
    kinds, records = getattr(rule, "kinds", (act.kind,)), getattr(rule, "records", (act.record,))
    return act.kind in kinds and act.record in records


def _part(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _looks_at(path: str, act: Act) -> bool:
    """Whether the judge looks at a rule for such an act: at those on consent on that ground alone."""
    if path in _NOT_ASKED.get(name_of(act), ()):
        return False
    if not isinstance(act, Collect):
        return True
    return act.ground == "consent" or path not in (*_OF_A_STANDING, "consent.not-separate", "consent.guardian-needed")
