"""Reckoning: how far each count stands from its thresholds, and what falls due because of an act."""

from collections.abc import Iterator, Sequence
from datetime import date

from onshore.rules import names, routes
from onshore.rules import wording as w
from onshore.rules.acts import Act, Deadline, Facts, Store, TransferAsked
from onshore.rules.limbs import against
from onshore.rules.local import local_day
from onshore.rules.pack import Pack, rules
from onshore.rules.pack_clock import Report
from onshore.rules.pack_transfer import Bulk, Exemption, Mechanism
from onshore.rules.recital import clock_words, instant
from onshore.rules.turning import YES, Judged
from onshore.words.verdict import Counter, Verdict

_CLASSES = ("ordinary", "sensitive")


def counts_persons(pack: Pack | None) -> bool:
    """Whether a pack has a threshold of persons in the year."""
    return pack is not None and any(
        threshold is not None
        for route in pack.transfer.route
        for threshold in (route.ordinary_from, route.sensitive_from)
    )


def figures(verdict: Verdict, packs: Sequence[Pack]) -> Iterator[str]:
    """Each count that has a threshold, its distance from it; what stands at nought is left out."""
    own = packs[0] if packs else None
    found = [c for c in verdict.counters if c.name not in _CLASSES or counts_persons(own)]
    taken: set[tuple[str, int]] = set()
    for counter in found:
        label = _label(counter, packs)
        if counter.used and _counts(counter, packs) and (label, counter.used) not in taken:
            taken.add((label, counter.used))
            alike = [c for c in found if (_label(c, packs), c.used) == (label, counter.used)]
            yield f"{label}, this act included: {w.figure(counter.used)}{_measured(alike, packs)}."


def started(act: Act, facts: Facts, verdict: Verdict, packs: Sequence[Pack], judged: Judged) -> Iterator[str]:
    """The duties that this very answer starts, with the day on which each is due."""
    for pack in packs:
        for report in pack.report:
            refused = report.what in verdict.duties and bool(report.on_refusal)
            if refused or (report.on_leaving and _leaves(act, facts, verdict, pack)):
                yield f"{report.says} {_due(report, facts, pack, judged)} ({report.article})"


def follows(act: Act, facts: Facts, verdict: Verdict, packs: Sequence[Pack]) -> Iterator[str]:
    """The papers that follow, where a ground lets something leave before them."""
    if not isinstance(act, TransferAsked) or verdict.verdict not in YES or not packs:
        return
    pack, ground = packs[0], act.ground
    later = any(each.papers_follow and each.ground == ground for each in _grounded(pack))
    if not later or not _leaves(act, facts, verdict, pack):
        return
    asked = [rule for rule in (pack.transfer.impact_assessment_missing, pack.transfer.notice_missing) if rule]
    lacking = [pack.words.paper(rule.papers[0]) for rule in asked if not facts.papers & set(rule.papers)]
    if lacking:
        yield f"What follows: {w.listed(lacking)}; these rules name no day for it, so at once when the danger is over."


def _counts(counter: Counter, packs: Sequence[Pack]) -> bool:
    """Whether a count stands before a threshold or has come to one."""
    return counter.threshold is not None or any(True for _ in _passed(counter, packs))


def _grounded(pack: Pack) -> tuple[Exemption | Mechanism, ...]:
    return (*pack.transfer.exemption, *pack.transfer.mechanism)


def _leaves(act: Act, facts: Facts, verdict: Verdict, pack: Pack) -> bool:
    """Whether personal data goes abroad by this answer, or comes to lie there."""
    if verdict.verdict not in YES:
        return False
    if isinstance(act, Store):
        return act.place not in pack.home and pack.classes.is_personal(act.category)
    return isinstance(act, TransferAsked) and act.to not in pack.home and routes.weigh(act, facts, pack).personal


def _due(report: Report, facts: Facts, pack: Pack, judged: Judged) -> str:
    start = local_day(facts.at, pack.zone)
    due = judged(Deadline(what=report.what, start=start), facts).due
    if due is None:
        return "These rules name no day."
    when = w.day(due) if isinstance(due, date) else instant(due, pack.zone)
    return f"Counted from {w.day(start)}, {clock_words(report.what)} is due on {when}."


def _label(counter: Counter, packs: Sequence[Pack]) -> str:
    own = next((pack.words.counts[counter.name] for pack in packs if counter.name in pack.words.counts), "")
    return own or names.COUNTER_WORDS.get(counter.name, f"On the count of {w.plain(counter.name)}")


def _measured(alike: Sequence[Counter], packs: Sequence[Pack]) -> str:
    """What the count has come to, with the article of each figure, and what is next."""
    passed = [text for counter in alike for text in _passed(counter, packs)]
    ahead = sorted(c.threshold for c in alike if c.threshold is not None and c.threshold > c.used)
    after = "no higher threshold follows"
    if ahead:
        after = f"the next threshold is {w.figure(ahead[0])}, {w.figure(ahead[0] - alike[0].used)} away"
    return f"{f', which {w.listed(passed)}' if passed else ''}; {after}"


def _passed(counter: Counter, packs: Sequence[Pack]) -> Iterator[str]:
    """The highest figure that a count has come to."""
    if counter.name in _CLASSES:
        limits = [(getattr(r, f"{counter.name}_from"), r.article) for r in packs[0].transfer.route]
        reached = [(start, article) for start, article in limits if start is not None and start <= counter.used]
        yield from (f"{against(counter.used, start)} ({article})" for start, article in reached[-1:])
    elif counter.threshold is not None and counter.threshold <= counter.used:
        known = {rule.id: rule for pack in packs for _, rule in rules(pack) if isinstance(rule, Bulk)}
        law = known.get(counter.name)
        whose = "; Onshore's own policy" if law and law.kind == "POLICY" else ""
        behind = f" ({law.article}{whose})" if law else ""
        yield f"{against(counter.used, counter.threshold)}{behind}"
