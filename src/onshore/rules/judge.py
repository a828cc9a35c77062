"""The judge: one pure function from an act, the facts and a pack to a verdict with every reason."""

from datetime import date

from onshore.rules.acts import Act, Collect, ConsentAsked, Facts
from onshore.rules.collecting import judge_collect
from onshore.rules.consenting import judge_consent
from onshore.rules.leaving import judge_transfer
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.words.verdict import Reason, Verdict

NO_RULE_PACK = Reason(
    "no-rule-pack",
    "fail closed",
    "No pack of rules is known for this jurisdiction, so nothing is allowed.",
    "add a reviewed pack for the jurisdiction",
)
STALE_RULES = Reason(
    "stale-rules",
    "fail closed",
    "The pack of rules is not in force on this day, so it decides nothing.",
    "install the version that is in force",
)


def judge(act: Act, facts: Facts, pack: Pack | None) -> Verdict:
    """Judge `collect`, `consent` or `transfer` by the scenario book's meaning of the facts.

    Fails closed: without a pack (`no-rule-pack`) or on a day on which it is not in force (`stale-rules`) the
    verdict is no, for that reason alone.
    """
    if pack is None:
        return _no(act, NO_RULE_PACK)
    today = local_day(facts.at, pack.zone)
    if not _in_force(pack, facts, today):
        return _no(act, STALE_RULES)
    if isinstance(act, Collect):
        return judge_collect(act, facts, pack)
    if isinstance(act, ConsentAsked):
        return judge_consent(act, facts, pack)
    return judge_transfer(act, facts, pack)


def _in_force(pack: Pack, facts: Facts, today: date) -> bool:
    """Both last days are inclusive; the earlier one counts."""
    return pack.valid_from <= today and all(
        last is None or today <= last for last in (pack.valid_until, facts.pack_valid_until)
    )


def _no(act: Act, reason: Reason) -> Verdict:
    if isinstance(act, Collect):
        return Verdict("withhold", (reason,))
    return Verdict("reject" if isinstance(act, ConsentAsked) else "refuse", (reason,))
