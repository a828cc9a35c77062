"""Limbs: which of the conditions of a rule an act meets, with the figure of each."""

from collections.abc import Iterator

from msgspec.structs import replace

from onshore.rules import names, routes
from onshore.rules import wording as w
from onshore.rules.acts import Act, Collect, ConsentAsked, Facts, PermitInForce, TransferAsked
from onshore.rules.articles import Notice, Rule, Scale
from onshore.rules.local import local_day
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Route


def met(rule: Rule | None, act: Act, facts: Facts, pack: Pack) -> str:
    """The limbs of a rule that this act meets, in a sentence; empty where it has none to tell."""
    if isinstance(rule, Route) and isinstance(act, TransferAsked):
        found = list(_of_route(rule, act, facts, pack))
        return f"Here: {w.listed(found)}." if found else ""
    if isinstance(rule, Notice) and isinstance(act, ConsentAsked):
        lacking = [names.ITEM_WORDS[item] for item in rule.items if item not in act.notice_items]
        return f"It lacks: {w.listed(lacking)}." if lacking else ""
    if isinstance(act, TransferAsked) and rule == pack.transfer.permit.outside_permit and facts.permit is not None:
        return f"Here: {w.listed(_outside(act, facts.permit, pack, facts.at))}."
    return ""


def standing(act: Act, facts: Facts, pack: Pack) -> Iterator[Rule]:
    """What makes data important besides its category: where it was recorded, or how many persons are in it."""
    classes = pack.classes
    there = isinstance(act, Collect) and act.zone == "restricted"
    if classes.important_sites and (there or getattr(act, "near_sensitive_site", False)):
        yield classes.important_sites
    if isinstance(act, TransferAsked) and (scale := _scale(act, facts, pack)):
        yield scale


def against(used: int, threshold: int) -> str:
    """A count beside a threshold that it has come to."""
    return f"{'passes' if used > threshold else 'reaches'} {w.figure(threshold)}"


def _outside(act: TransferAsked, permit: PermitInForce, pack: Pack, at: int) -> Iterator[str]:
    """What a permit does not cover."""
    if act.purpose != permit.purpose:
        yield "another purpose"
    if beyond := [category for category in act.categories if category not in permit.categories]:
        yield f"data that it does not name ({w.categories(beyond)})"
    if act.recipient != permit.recipient:
        yield "another recipient"
    if permit.used + act.new_persons > permit.persons:
        sum_of = f"{w.figure(permit.used)} sent already and {w.figure(act.new_persons)} more"
        yield f"more persons ({sum_of}, of {w.figure(permit.persons)})"
    if permit.start is not None and permit.start > local_day(at, pack.zone):
        yield f"a day before its first ({w.day(permit.start)})"
    if permit.route not in {each.id for each in pack.transfer.route} | {m.route for m in pack.transfer.mechanism}:
        yield "a route that these rules do not know"


def _of_route(rule: Route, act: TransferAsked, facts: Facts, pack: Pack) -> Iterator[str]:
    load = routes.weigh(act, facts, pack)
    for kind, used, start in (
        ("sensitive", load.sensitive_persons, rule.sensitive_from),
        ("ordinary", load.ordinary_persons, rule.ordinary_from),
    ):
        if start is not None and used >= start:
            yield f"{kind} personal information of {w.persons(used)}, which {against(used, start)}"
    if rule.important and load.important:
        yield f"important data ({w.listed(_why_important(act, facts, pack))})"
    if rule.critical_operator and facts.critical_operator:
        yield "a critical information infrastructure operator"


def _why_important(act: TransferAsked, facts: Facts, pack: Pack) -> Iterator[str]:
    classes = pack.classes
    if classes.important and (named := [c for c in act.categories if c in classes.important.categories]):
        yield w.categories(named)
    if classes.important_sites and act.near_sensitive_site:
        yield "what was recorded near a sensitive site"
    if scale := _scale(act, facts, pack):
        used = max(act.subjects_in_dataset, act.new_persons)
        yield f"personal information of {w.persons(used)}, which {against(used, scale.more_than)}"


def _scale(act: TransferAsked, facts: Facts, pack: Pack) -> Scale | None:
    """The rule by which its number of persons alone makes it important data."""
    plain = replace(pack, classes=replace(pack.classes, important=None, important_sites=None))
    return pack.classes.important_scale if routes.weigh(act, facts, plain).important else None
