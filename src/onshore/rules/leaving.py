"""Leaving: whether something may leave the jurisdiction, and by which route."""

from collections.abc import Collection, Iterator

import msgspec

from onshore.rules import permits, routes, ways
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.articles import Barred, Rule, Survey
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Bulk, Leaving
from onshore.rules.routes import Load
from onshore.rules.telling import separately_consented, told_and_asked
from onshore.rules.volumes import counters, reached, refused
from onshore.rules.ways import EXEMPT, WITHIN, Way, foreign
from onshore.words.verdict import Counter, Reason, Verdict

INSIDE = "none"


def judge_transfer(act: TransferAsked, facts: Facts, pack: Pack) -> Verdict:
    """`allow` or `refuse`, with the route, every reason, the papers that lack, and the counts.

    The order is that of the law: what never leaves, what needs nothing, what persons are owed, the route or
    permit.
    """
    rules, bulk = pack.transfer, reached(act, facts, pack)
    never = (*_to_anyone(act, rules), *refused(act, facts, bulk, rules))
    volumes = counters(act, facts, pack)
    if act.to in pack.home:
        never += tuple(_to_authority(act, facts, rules))
        return _decide(bulk[0].route if bulk else INSIDE, never, _allowed(bulk, rules.inside, pack), pack, volumes)
    load = routes.weigh(act, facts, pack)
    way, name, owed = _best(act, facts, load, pack)
    never += (*_abroad(act, facts, load, pack), *owed)
    volumes = (*routes.counters(load, pack), *volumes)
    if facts.permit is not None:
        held = tuple(permits.under(act, facts, load, way, pack))
        return _decide(name, never + held, rules.permit.within_permit.reason(WITHIN), pack, volumes)
    never += (*way.lacks, *ways.splits(load, facts, way.index, way.free, pack))
    if bulk and name == EXEMPT:
        return _decide(bulk[0].route, never, _allowed(bulk, rules.inside, pack), pack, volumes)
    return _decide(name, never, way.allowed, pack, volumes)


def _best(act: TransferAsked, facts: Facts, load: Load, pack: Pack) -> tuple[Way, str, tuple[Reason, ...]]:
    """The first way on which persons are owed nothing more, else the first; its route or the permit's; what is owed."""
    permit = facts.permit
    found = []
    for way in ways.find(act, facts, load, pack):
        name = permit.route if permit else way.route
        found.append((way, name, tuple(_owed(act, facts, load, way, name, pack))))
        if not found[-1][2]:
            return found[-1]
    return found[0]


def binding_refusals(act: TransferAsked, facts: Facts, pack: Pack) -> tuple[Reason, ...]:
    """What the recipient's own jurisdiction bars, by those of its rules that are marked as binding a recipient."""
    rules = binding(pack.transfer)
    if rules is None:
        return ()
    bound = msgspec.structs.replace(pack, transfer=rules)
    load = routes.weigh(act, facts, pack)
    over = reached(act, facts, bound)
    return (*_to_anyone(act, rules), *refused(act, facts, over, rules), *_abroad(act, facts, load, bound))


def binding(rules: Leaving) -> Leaving | None:
    """The part of the rules on leaving which binds a recipient; None where none does."""
    kept = {name: getattr(rules, name) for name in _OPTIONAL}
    marked = {name: rule for name, rule in kept.items() if rule is not None and rule.binds_recipient}
    bulk = tuple(rule for rule in rules.bulk if rule.binds_recipient)
    if not marked and not bulk:
        return None
    stays = rules.no_mechanism
    if stays is not None and not stays.binds_recipient:
        stays = msgspec.structs.replace(stays, purposes=())
    return msgspec.structs.replace(rules, **{**dict.fromkeys(_OPTIONAL), **marked}, bulk=bulk, no_mechanism=stays)


_OPTIONAL = tuple(
    field.name for field in msgspec.structs.fields(Leaving) if field.default is None and field.name != "no_mechanism"
)


def _to_anyone(act: TransferAsked, rules: Leaving) -> Iterator[Reason]:
    """What holds wherever the recipient is."""
    for rule, code in ((rules.recipient_blocked, "recipient-blocked"), (rules.gatekeeper, "gatekeeper")):
        if rule and _bars(rule, act):
            yield rule.reason(code)


def _to_authority(act: TransferAsked, facts: Facts, rules: Leaving) -> Iterator[Reason]:
    """A foreign court or police asks: wherever it would be handed over, approval comes first."""
    asked = rules.authority_approval_required
    if asked and act.by in asked.by and not facts.papers & set(asked.papers):
        yield asked.reason("authority-approval-required")


def _bars(rule: Barred, act: TransferAsked) -> bool:
    barred = act.recipient_status in rule.statuses or act.to in rule.to
    return barred and (not rule.categories or _any(act.categories, rule.categories))


def _abroad(act: TransferAsked, facts: Facts, load: Load, pack: Pack) -> Iterator[Reason]:
    """What holds for anything that leaves, whoever is in it."""
    rules = pack.transfer
    if rules.vehicle_may_not_send_abroad and act.by == "vehicle":
        yield rules.vehicle_may_not_send_abroad.reason("vehicle-may-not-send-abroad")
    first = rules.first_write_abroad
    if first and act.by in first.by and (not first.categories or _any(act.categories, first.categories)):
        yield first.reason("first-write-abroad")
    asked = rules.authority_approval_required
    if asked and not facts.papers & set(asked.papers):
        named = _any(act.categories, asked.categories) or (asked.important and load.important)
        if act.by in asked.by or named:
            yield asked.reason("authority-approval-required")
    stays = rules.no_mechanism
    if stays and act.purpose in stays.purposes:
        yield stays.reason(ways.NO_MECHANISM)
    survey = rules.survey_approval_required
    if survey and _surveyed(survey, act) and not foreign(act, pack) and not facts.papers & set(survey.papers):
        yield survey.reason("survey-approval-required")


def _surveyed(rule: Survey, act: TransferAsked) -> bool:
    return _any(act.categories, rule.categories) or (rule.coordinates and act.coordinates)


def _owed(act: TransferAsked, facts: Facts, load: Load, way: Way, route: str, pack: Pack) -> Iterator[Reason]:
    """What the persons in it are owed: nothing for what is of foreign origin, later in an emergency."""
    if foreign(act, pack) or (way.papers_follow and not load.important):
        return
    if load.personal and not way.papers_follow:
        yield from told_and_asked(act, facts, pack, route, sensitive=load.sensitive)
    mask = pack.transfer.must_mask
    if mask and _any(act.categories, mask.categories) and not separately_consented(act, facts, pack):
        yield mask.reason("must-mask")


def _allowed(bulk: list[Bulk], else_by: Rule, pack: Pack) -> Reason:
    """Why it may go where no route had to be asked: a paper on volumes, or because nothing leaves."""
    return pack.transfer.permit.within_permit.reason(WITHIN) if bulk else else_by.reason(EXEMPT)


def _decide(
    route: str, refusals: tuple[Reason, ...], allowed: Reason, pack: Pack, volumes: tuple[Counter, ...]
) -> Verdict:
    refusals = tuple(dict.fromkeys(refusals))
    return Verdict(
        verdict="refuse" if refusals else "allow",
        reasons=refusals or (allowed,),
        route=route,
        missing=ways.missing(refusals, pack),
        counters=volumes,
        duties=_duties(refusals, pack),
    )


def _duties(refusals: tuple[Reason, ...], pack: Pack) -> tuple[str, ...]:
    """The clocks that this refusal starts."""
    codes = {reason.code for reason in refusals}
    return tuple(dict.fromkeys(report.what for report in pack.report if codes & set(report.on_refusal)))


def _any(categories: Collection[str], among: Collection[str]) -> bool:
    return any(category in among for category in categories)
