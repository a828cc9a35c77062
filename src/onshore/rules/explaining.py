"""Explaining: one act told as a lawyer would, from the act and facts to what would change the answer."""

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec.structs import replace

from onshore.rules import limbs, reasoning, reckoning
from onshore.rules import wording as w
from onshore.rules.acts import Act, Facts, Store, TransferAsked
from onshore.rules.articles import Rule
from onshore.rules.asking import Asked, asked, concerns, is_class, of_recipient, undecided
from onshore.rules.local import local_day
from onshore.rules.pack import Pack, rules
from onshore.rules.pack_words import Words
from onshore.rules.phases import days
from onshore.rules.questions import question
from onshore.rules.recital import Telling, act_told, facts_told, instant, name_of
from onshore.rules.turning import YES, Judged, turns
from onshore.words.verdict import Verdict

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

_OF_A_PERMIT = ("outside-permit", "permit-expired", "permit-revoked")
_REST = "store.within-retention"
"""What remains where no other rule speaks, and so is no question."""


def letter(act: Act, facts: Facts, here: str, packs: Sequence[Pack], judged: Judged) -> list[str]:
    """The whole explanation, in lines. `here`: the site's jurisdiction; `packs`: those asked, the site's own first."""
    verdict = judged(act, facts)
    zone = packs[0].zone if packs else "UTC"
    telling = Telling(
        here, zone, packs[0].words if packs else Words(), reckoning.counts_persons(packs[0] if packs else None)
    )
    found, every = asked(act, verdict, packs, facts.at), asked(act, verdict, packs)
    later = sorted(((day, each.rule) for each in every for day in _to_begin(each, facts)), key=_by_day)
    packs = [pack.as_of(local_day(facts.at, pack.zone)) for pack in packs]
    carrying = [] if undecided(verdict) else list(reasoning.carrying(act, facts, verdict, packs))
    parts = [
        _answer(act, facts, verdict, packs, zone),
        w.wrapped(f"The act. {act_told(act, facts, telling)}"),
        w.wrapped(f"The facts. {told}") if (told := facts_told(act, facts, telling)) else [],
        _rulebooks(packs, in_force=not undecided(verdict)),
        [] if undecided(verdict) else _standing_of_data(act, facts, packs),
        _decided(act, facts, verdict, packs),
        _carried(act, facts, verdict, carrying),
        _listed("The figures.", [] if undecided(verdict) else list(reckoning.figures(verdict, packs))),
        _listed("What this answer starts.", list(reckoning.started(act, facts, verdict, packs, judged))),
        _otherwise(act, facts, verdict, judged, telling, packs),
        _silent(found, act, facts, packs, [item.rule for item in carrying]),
        _to_come(later),
        _uncovered(packs, verdict),
    ]
    return [line for part in parts if part for line in ("", *part)][1:]


def turns_told(act: Act, facts: Facts, judged: Judged, here: str, packs: Sequence[Pack]) -> list[str]:
    """What together would make the judge say yes, in the words of the pack that decided; empty where nothing would."""
    verdict = judged(act, facts)
    if undecided(verdict):
        return []
    pack = reasoning.deciding(verdict, packs)
    words = pack.words if pack else Words()
    found = (words.paper(move.paper) if move.paper else move.words for move in turns(act, facts, judged, here))
    return list(dict.fromkeys(filter(None, found)))


def _to_begin(each: Asked, facts: Facts) -> Iterator[date]:
    """The days on which a rule, or its figures, begin after this one."""
    today = local_day(facts.at, each.pack.zone)
    yield from (day for day in days([each.rule]) if day > today)


def _by_day(begins: tuple[date, Rule]) -> tuple[date, str]:
    return begins[0], begins[1].id


def _answer(act: Act, facts: Facts, verdict: Verdict, packs: Sequence[Pack], zone: str) -> list[str]:
    lines = [_ANSWERS[verdict.verdict]] if verdict.verdict in _ANSWERS else list(_due(facts, verdict, packs, zone))
    if verdict.earlier is not None:
        lines += w.wrapped(f"To be safe, act by {w.day(verdict.earlier)}: the calendar does not say more.")
    lines += [f"Take care: {_WARNINGS.get(word, w.plain(word))}." for word in verdict.warnings]
    lines += w.wrapped(_ORDERED) if _ordered_unknown(act, packs) else []
    for told in reckoning.follows(act, facts, verdict, packs):
        lines += w.wrapped(told)
    return lines


_WARNINGS = {
    "calendar-missing": "the calendar of working days does not reach that far",
    "holiday-differs": "the day is a holiday in some of the jurisdictions inside, and not in others",
    "no-clock": "these rules have no such clock",
    "stale-rules": "the rules at hand are not those of that day",
    "no-rule-pack": "no rules are known for this jurisdiction",
}

_ORDERED = (
    "Take care: a foreign court or authority asks for it, and these rules say nothing of such orders. It is judged as "
    "any other transfer would be; whether the order may be followed at all is for counsel."
)


def _ordered_unknown(act: Act, packs: Sequence[Pack]) -> bool:
    """Whether an authority asks, and the rules do not know what to make of that."""
    if not isinstance(act, TransferAsked) or act.by != "authority" or not packs:
        return False
    rule = packs[0].transfer.authority_approval_required
    return rule is None or "authority" not in rule.by


def _due(facts: Facts, verdict: Verdict, packs: Sequence[Pack], zone: str) -> Iterator[str]:
    """By when: a duty, or our own policy where nothing is a duty; and whether that is over."""
    due = verdict.due
    if due is None:
        yield "No day can be named."
        return
    when = w.day(due) if isinstance(due, date) else f"{instant(due, zone)} ({w.time_of(zone)})"
    behind = [item.rule.kind for item in reasoning.items(verdict, packs) if item.rule]
    yield f"By Onshore's own policy, act by {when}." if behind == ["POLICY"] else f"It is due on {when}."
    over = due < local_day(facts.at, zone) if isinstance(due, date) else due < facts.at
    if over:
        yield "That is over already: it is late, and to be done at once."


def _rulebooks(packs: Sequence[Pack], *, in_force: bool) -> list[str]:
    lines: list[str] = []
    for number, pack in enumerate(packs):
        head = "The rules." if not number else "Asked as well, for the data's origin or the recipient:"
        until = f" until {w.day(pack.valid_until)}" if pack.valid_until else ""
        reviewed = f"reviewed by {pack.reviewed_by}" if pack.reviewed_by else "not reviewed by counsel"
        then = "" if in_force else "; not those of that day, and so not asked"
        lines += w.wrapped(
            f"{head} {pack.title.rstrip('.')}; in force from {w.day(pack.valid_from)}{until}; {reviewed}{then}."
        )
    return lines


def _standing_of_data(act: Act, facts: Facts, packs: Sequence[Pack]) -> list[str]:
    """What the data is in law, where a pack says so of its categories, its place or its persons."""
    if name_of(act) == "deadline":
        return []
    found: list[Rule] = []
    for pack in packs:
        if not of_recipient(pack, act):
            found += [rule for path, rule in rules(pack) if is_class(path, rule) and concerns(path, rule, act)]
            found += limbs.standing(act, facts, pack)
    return _listed("What the data is in law.", [f"{rule.says} ({rule.article})" for rule in found])


def _decided(act: Act, facts: Facts, verdict: Verdict, packs: Sequence[Pack]) -> list[str]:
    if not verdict.reasons:
        return ["No rule speaks against it."] if verdict.verdict in _ANSWERS else []
    lines = [f"What decided{reasoning.route_told(verdict, packs)}"]
    for number, item in enumerate(reasoning.items(verdict, packs), 1):
        lines += reasoning.told(item, number, act, facts, asks=verdict.verdict not in YES)
    return lines


def _carried(act: Act, facts: Facts, verdict: Verdict, carrying: Sequence[reasoning.Item]) -> list[str]:
    if not carrying:
        return []
    lines = ["What carries it:" if verdict.verdict in YES else "What would carry it, were the rest as it should be:"]
    for number, item in enumerate(carrying, 1):
        lines += reasoning.told(item, number, act, facts, asks=False)
    return lines


def _listed(head: str, found: Sequence[str]) -> list[str]:
    """A head and what stands under it, one paragraph each."""
    return [head, *(line for told in dict.fromkeys(found) for line in w.wrapped(told, "    ", "  "))] if found else []


def _otherwise(
    act: Act, facts: Facts, verdict: Verdict, judged: Judged, telling: Telling, packs: Sequence[Pack]
) -> list[str]:
    """What together makes the same judge say yes."""
    if verdict.verdict in {*YES, "purge"} or name_of(act) == "deadline" or undecided(verdict):
        return []
    moves = turns_told(act, facts, judged, telling.here, packs)
    if not moves:
        told = "No paper, consent or setting turns it: the act itself would have to be another."
        if isinstance(act, Store) and judged(replace(act, place=telling.here), facts).verdict == "purge":
            there = w.jurisdiction(telling.here)
            told = f"In {there} it could lie, but it has lain too long: there too it is to be purged."
        return w.wrapped(f"What would change the answer. {told}")
    lines = ["What would change the answer. By the same rules it becomes yes, for instance, with"]
    for number, words in enumerate(moves, 1):
        lines += w.wrapped(f"- {words}{'.' if number == len(moves) else ','}", indent="    ", first="  ")
    return lines


def _silent(
    found: Sequence[Asked], act: Act, facts: Facts, packs: Sequence[Pack], told: Sequence[Rule | None]
) -> list[str]:
    """The rules that changed nothing, each as the question that it asks."""
    told = [*told, *(rule for pack in packs for rule in limbs.standing(act, facts, pack))]
    quiet = [each for each in found if not each.fired and each.rule not in told and each.path != _REST]
    if facts.permit is None:
        quiet = [each for each in quiet if not each.path.endswith(_OF_A_PERMIT)]
    asks = [f"- {each.rule.article}: {question(each.path, each.rule, each.pack.words)}." for each in quiet]
    return _listed("Asked as well, without changing the answer:", asks)


def _to_come(later: Sequence[tuple[date, Rule]]) -> list[str]:
    """Rules on such an act that had not begun, or whose figures had not."""
    lines = ["Not asked, for they begin later:"]
    for day, rule in later:
        begins = "begins" if day == rule.since else "its numbers of persons begin"
        lines += w.wrapped(f"- {rule.article}, {begins} on {w.day(day)}: {rule.says}", indent="    ", first="  ")
    return lines if later else []


def _uncovered(packs: Sequence[Pack], verdict: Verdict) -> list[str]:
    """What the site's own rules leave out, which bounds every answer."""
    if not packs or undecided(verdict):
        return []
    left_out = [f"- {each}" for each in packs[0].not_covered]
    return _listed("What these rules leave out, so that nothing here speaks of it:", left_out)
