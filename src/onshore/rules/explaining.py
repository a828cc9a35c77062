"""Explaining: one act told as a lawyer would, from the act and facts to what would change the answer."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from onshore.rules import wording as w
from onshore.rules.acts import Act, Facts, TransferAsked
from onshore.rules.articles import Rule
from onshore.rules.local import local_day
from onshore.rules.pack import Pack, rules
from onshore.rules.recital import act_told, facts_told, instant, name_of
from onshore.rules.turning import YES, Judged, turns
from onshore.words.verdict import Counter, Verdict

_WIDTH = 96
_CLOSED, _CLOSED_WORDS = "fail closed", "No article: what no rule in force decides is not allowed."

_ASKED = {
    "collect": ("classes", "grounds", "collect", "consent"),
    "consent": ("classes", "consent"),
    "store": ("store",),
    "transfer": ("classes", "transfer"),
    "deadline": ("clock",),
}
"""Kind of act to the parts of a pack in which the judge looks."""

_ANSWERS = {
    "keep": "Yes: it may be kept.",
    "withhold": "No: it is withheld and never written.",
    "mask": "Only masked: it may be kept once every face and plate is masked.",
    "accept": "Yes: the consent counts.",
    "reject": "No: the consent does not count.",
    "allow": "Yes: it may leave.",
    "purge": "It is to be purged.",
    "refuse": "No: it is refused.",
}


@dataclass(frozen=True)
class Asked:
    """A rule that was asked, and whether it decided."""

    rule: Rule
    fired: bool


def asked(act: Act, verdict: Verdict, packs: Iterable[Pack]) -> list[Asked]:
    """The rules of the packs that this kind of act asks, those about other data or another ground left out."""
    fired = {(reason.article, reason.says) for reason in verdict.reasons}
    return [
        Asked(rule, (rule.article, rule.says) in fired)
        for pack in packs
        for path, rule in rules(pack)
        if _part(path) in _ASKED[name_of(act)] and _concerns(path, rule, act) and not _is_class(path, rule)
        if rule.binds_recipient or not _is_recipients(pack, act)
    ]


def in_play(act: Act, facts: Facts, own: Pack | None, packs: Sequence[Pack]) -> list[Pack]:
    """Of all packs those that are asked: the site's own, that of the data's origin, that of the recipient."""
    found = [own] if own is not None else []
    if own is None or not isinstance(act, TransferAsked):
        return found
    for code in (act.produced_in, act.to):
        begun = [p for p in packs if code in p.home and p.valid_from <= local_day(facts.at, p.zone)]
        newest = max(begun, key=lambda p: p.valid_from, default=None)
        if newest is None or newest in found or code in own.home:
            continue
        if code == act.produced_in or any(rule.binds_recipient for _, rule in rules(newest)):
            found.append(newest)
    return found


def letter(act: Act, facts: Facts, here: str, packs: Sequence[Pack], judged: Judged) -> list[str]:
    """The whole explanation, in lines. `here`: the site's jurisdiction; `packs`: those asked, the site's own first."""
    verdict = judged(act, facts)
    zone = packs[0].zone if packs else "UTC"
    parts = [
        _answer(verdict, zone),
        _wrapped(f"The act. {act_told(act, facts, here, zone)}"),
        _wrapped(f"The facts. {facts_told(act, facts, zone)}") if facts_told(act, facts, zone) else [],
        _rulebooks(packs),
        _standing_of_data(act, packs),
        _decided(verdict, packs),
        _figures(verdict),
        _otherwise(act, facts, verdict, judged),
        _silent(asked(act, verdict, packs)),
    ]
    return [line for part in parts if part for line in ("", *part)][1:]


def _answer(verdict: Verdict, zone: str) -> list[str]:
    due: Any = getattr(verdict, "due", None)
    if verdict.verdict in _ANSWERS:
        lines = [_ANSWERS[verdict.verdict]]
    elif due is None:
        lines = ["No day can be named."]
    else:
        lines = [f"It is due on {w.day(due) if isinstance(due, date) else instant(due, zone)}."]
    earlier: Any = getattr(verdict, "earlier", None)
    if earlier is not None:
        early = w.day(earlier) if isinstance(earlier, date) else instant(earlier, zone)
        lines += _wrapped(f"To be safe, act by {early}: the calendar does not say more.")
    lines += [f"Take care: {_WARNINGS.get(word, w.plain(word))}." for word in getattr(verdict, "warnings", ())]
    return lines


_WARNINGS = {
    "calendar-missing": "the calendar of working days does not reach that far",
    "holiday-differs": "the day is a holiday in some of the jurisdictions inside, and not in others",
    "no-clock": "these rules have no such clock",
}


def _rulebooks(packs: Sequence[Pack]) -> list[str]:
    lines: list[str] = []
    for number, pack in enumerate(packs):
        head = "The rules." if not number else "Asked as well, for the data's origin or the recipient:"
        until = f" until {w.day(pack.valid_until)}" if pack.valid_until else ""
        reviewed = f"reviewed by {pack.reviewed_by}" if pack.reviewed_by else "not reviewed by counsel"
        lines += _wrapped(
            f"{head} {pack.title.rstrip('.')}; in force from {w.day(pack.valid_from)}{until}; {reviewed}."
        )
    return lines


def _standing_of_data(act: Act, packs: Sequence[Pack]) -> list[str]:
    """What the data is in law, where a pack says so of its categories."""
    found = [
        rule
        for pack in packs
        for path, rule in rules(pack)
        if _is_class(path, rule) and _concerns(path, rule, act) and not _is_recipients(pack, act)
    ]
    if not found or "classes" not in _ASKED[name_of(act)]:
        return []
    lines = ["What the data is in law."]
    for rule in found:
        lines += _wrapped(f"{rule.says} ({rule.article})", indent="  ", first="  ")
    return lines


def _decided(verdict: Verdict, packs: Sequence[Pack]) -> list[str]:
    if not verdict.reasons:
        return ["No rule speaks against it."] if verdict.verdict in _ANSWERS else []
    lines = [f"What decided{_route(verdict)}"]
    known = {(rule.article, rule.says): rule for pack in packs for _, rule in rules(pack)}
    for number, reason in enumerate(dict.fromkeys(verdict.reasons), 1):
        lines += _wrapped(f"{number}. {reason.says}", indent="     ", first="  ")
        rule = known.get((reason.article, reason.says))
        behind = f"{reason.article}{_standing(rule)}" if reason.article != _CLOSED else _CLOSED_WORDS
        lines += _wrapped(behind, indent="     ", first="     ")
        if rule is not None and (figures := w.figures(rule)):
            lines += _wrapped(f"Its figures: {figures}.", indent="     ", first="     ")
        if reason.remedy and verdict.verdict not in YES:
            lines += _wrapped(f"What it asks for: {reason.remedy}.", indent="     ", first="     ")
    return lines


def _route(verdict: Verdict) -> str:
    if verdict.route is None:
        return ":"
    would = "" if verdict.verdict in YES else " that it takes"
    return f" (the route{would}: {w.ROUTE_WORDS.get(verdict.route, w.plain(verdict.route))}):"


def _standing(rule: Rule | None) -> str:
    if rule is None:
        return ""
    verify = "; still to be held against the text" if rule.verify else ""
    return f" ({w.KIND_WORDS[rule.kind]}; {w.mark_words(rule.mark)}{verify})"


def _figures(verdict: Verdict) -> list[str]:
    """How far each count is from its next threshold; what stands at nought is left out beside what does not."""
    some = any(counter.used for counter in verdict.counters)
    lines = []
    for counter in verdict.counters:
        words = w.COUNTER_WORDS.get(counter.name, f"On the count of {w.plain(counter.name)}")
        if counter.used or not some:
            told = f"{words}, this act included: {w.figure(counter.used)}; {_ahead(counter)}."
            lines += _wrapped(told, "    ", "  ")
    return ["The figures.", *lines] if lines else []


def _ahead(counter: Counter) -> str:
    if counter.threshold is None:
        return "no higher threshold follows"
    if counter.threshold <= counter.used:
        return f"the threshold of {w.figure(counter.threshold)} is reached"
    return f"the next threshold is {w.figure(counter.threshold)}, {w.figure(counter.threshold - counter.used)} away"


def _otherwise(act: Act, facts: Facts, verdict: Verdict, judged: Judged) -> list[str]:
    """What together makes the same judge say yes."""
    if verdict.verdict in YES or name_of(act) not in {"collect", "consent", "transfer"}:
        return []
    moves = [move.words for move in turns(act, facts, judged) if move.words]
    if not moves:
        told = "No paper, consent or setting turns it: the act itself would have to be another."
        return _wrapped(f"What would change the answer. {told}")
    lines = ["What would change the answer. By the same rules it becomes yes with"]
    for number, words in enumerate(moves, 1):
        lines += _wrapped(f"- {words}{'.' if number == len(moves) else ','}", indent="    ", first="  ")
    return lines


def _silent(found: Sequence[Asked]) -> list[str]:
    quiet = [each.rule for each in found if not each.fired]
    lines = [f"{w.figure(len(found))} rules were asked. These had no bearing on the answer:"]
    for rule in quiet:
        lines += _wrapped(f"- {rule.article}: {rule.says}", indent="    ", first="  ")
    return lines if quiet else []


def _part(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]


def _is_recipients(pack: Pack, act: Act) -> bool:
    """Whether a pack is asked only because the recipient stands there."""
    return isinstance(act, TransferAsked) and act.to in pack.home and act.produced_in not in pack.home


def _is_class(path: str, rule: Rule) -> bool:
    return _part(path) == "classes" and bool(getattr(rule, "categories", ()))


def _concerns(path: str, rule: Rule, act: Act) -> bool:
    """Whether a rule on some categories, one ground or one clock is about what this act is about."""
    ground = path.removeprefix("grounds.") if path.startswith("grounds.") else getattr(rule, "ground", None)
    mine = getattr(act, "categories", None) or ((act.category,) if hasattr(act, "category") else ())
    named, what = getattr(rule, "categories", None), getattr(rule, "what", None)
    return (
        (not named or not mine or bool(set(named) & set(mine)))
        and ground in {None, getattr(act, "ground", ground)}
        and what in {None, getattr(act, "what", what)}
    )


def _wrapped(text: str, indent: str = "", first: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=indent)


def facts_of(found: Iterable[Asked]) -> Iterator[dict[str, Any]]:
    """The rules asked, for a machine."""
    for each in found:
        yield {"id": each.rule.id, "article": each.rule.article, "says": each.rule.says, "fired": each.fired}
