"""The judge: one pure function from an act, the facts and the packs to a verdict with every reason."""

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

import msgspec

from onshore.rules.acts import Act, Collect, ConsentAsked, Deadline, Facts, Store, TransferAsked
from onshore.rules.clocks import UNKNOWN, judge_deadline
from onshore.rules.collecting import judge_collect
from onshore.rules.consenting import judge_consent
from onshore.rules.keeping import judge_store
from onshore.rules.leaving import binding_refusals, judge_transfer
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.standing import is_draft
from onshore.words.verdict import Reason, Verdict

T = TypeVar("T")

NO_RULE_PACK = Reason(
    "no-rule-pack",
    "fail closed",
    "No rules are known for this jurisdiction, so nothing is allowed.",
    "the rules of that jurisdiction, reviewed by counsel",
)
STALE_RULES = Reason(
    "stale-rules",
    "fail closed",
    "The rules at hand are not in force on this day, so they decide nothing and nothing is allowed.",
    "the rules as they stand on that day",
)
_NO = {Collect: "withhold", ConsentAsked: "reject", Store: "refuse", TransferAsked: "refuse", Deadline: UNKNOWN}


def judge(act: Act, facts: Facts, pack: Pack | None, others: Sequence[Pack] = ()) -> Verdict:
    """Judge an act by the scenario book's meaning of the facts. `pack`: of the jurisdiction where the site stands.

    `others`: packs of other jurisdictions. A transfer is judged by that of `produced_in` as well, and the stricter
    wins; that of the recipient is asked for the rules that bind a recipient; one without a pack is simply abroad.

    Fails closed: without a pack (`no-rule-pack`) or on a day on which it is not in force (`stale-rules`) the
    verdict is no, for that reason alone. A rule that begins within a pack's days is asked from its day on (`since`).
    """
    if pack is None:
        return _no(act, NO_RULE_PACK)
    if not _in_force(pack, facts.pack_valid_until, facts.at):
        return _no(act, STALE_RULES)
    pack = pack.as_of(local_day(facts.at, pack.zone))
    if isinstance(act, TransferAsked):
        return _transfer(act, facts, pack, others)
    if isinstance(act, Collect):
        return judge_collect(act, facts, pack)
    if isinstance(act, ConsentAsked):
        return judge_consent(act, facts, pack)
    return judge_store(act, facts, pack) if isinstance(act, Store) else judge_deadline(act, facts, pack)


def concerned(act: Act) -> frozenset[str]:
    """The jurisdictions besides the site's own whose packs are asked of an act: where it goes, and where it is from."""
    return frozenset({act.to, act.produced_in or act.to}) if isinstance(act, TransferAsked) else frozenset()


def _transfer(act: TransferAsked, facts: Facts, pack: Pack, others: Sequence[Pack]) -> Verdict:
    here = judge_transfer(act, facts, pack)
    if not others:
        return here
    origin = None if act.produced_in in {None, *pack.home} else _of(act.produced_in, others, facts.at)
    if origin is not None:
        if not _in_force(origin, None, facts.at):
            return _no(act, STALE_RULES)
        # the permit is this site's and of its regulator
        here = _stricter(here, judge_transfer(act, msgspec.structs.replace(facts, permit=None), origin))
    there = None if act.to in pack.home else _of(act.to, others, facts.at)
    if there is not None and there is not origin and _in_force(there, None, facts.at):
        bound = binding_refusals(act, facts, there)
        here = _stricter(here, Verdict("refuse", bound, here.route)) if bound else here
    return here


def _of(code: str | None, packs: Sequence[Pack], at: int) -> Pack | None:
    """The newest pack of a jurisdiction that has begun, as it stands then; before it there are no rules."""
    begun = [p for p in packs if not is_draft(p) and code in p.home and p.valid_from <= local_day(at, p.zone)]
    newest = max(begun, key=lambda p: p.valid_from, default=None)
    return newest and newest.as_of(local_day(at, newest.zone))


def _stricter(one: Verdict, other: Verdict) -> Verdict:
    """A refusal outweighs a permission, and two refusals count together; the route is that of the first to refuse."""
    if one.verdict == other.verdict:
        lead, rest = one, other
    else:
        lead, rest = (one, other) if one.verdict == "refuse" else (other, one)
    return Verdict(
        lead.verdict,
        _merged(lead.reasons, rest.reasons if one.verdict == other.verdict else ()),
        route=lead.route,
        missing=_merged(lead.missing, rest.missing),
        counters=_merged(one.counters, other.counters),
        duties=_merged(one.duties, other.duties),
    )


def _merged(one: tuple[T, ...], other: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _in_force(pack: Pack, last_day: date | None, at: int) -> bool:
    """Both last days are inclusive; the earlier one counts."""
    today = local_day(at, pack.zone)
    return pack.valid_from <= today and all(last is None or today <= last for last in (pack.valid_until, last_day))


def _no(act: Act, reason: Reason) -> Verdict:
    warnings = (reason.code,) if isinstance(act, Deadline) else ()
    return Verdict(_NO[type(act)], (reason,), warnings=warnings)
