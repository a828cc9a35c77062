"""Leaving: whether something may leave the jurisdiction, and by which route."""

from collections.abc import Iterator

from onshore.rules import permits, routes
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.articles import OnPapers, Rule
from onshore.rules.pack import Exemption, Pack
from onshore.rules.routes import Load
from onshore.rules.telling import separately_consented, told_and_asked
from onshore.words.verdict import Reason, Verdict

INSIDE = "none"
EXEMPT = "exempt"
WITHIN = "within-permit"


def judge_transfer(act: TransferAsked, facts: Facts, pack: Pack) -> Verdict:
    """`allow` or `refuse`, with the route, every reason, the papers that lack, and the counts.

    The order is that of the law: what never leaves, what needs nothing, what persons are owed, the route or
    permit.
    """
    if act.to in pack.home:
        return _decide(INSIDE, tuple(_to_anyone(act, pack)), pack.transfer.inside.reason(EXEMPT), pack)
    load = routes.weigh(act, facts, pack)
    free = _free(act, load, pack) or _exemption(act, facts, load, pack)
    index = 0 if free else routes.needed(load, facts, pack)
    refused = (*_to_anyone(act, pack), *_abroad(act, facts, pack), *_owed(act, facts, load, free, pack))
    if facts.permit is None:
        name, allowed = pack.transfer.route[index].id, _because(index, free, pack)
        refused += (*_lacks(index, facts, pack), *_splits(load, facts, index, free, pack))
    else:
        name, allowed = facts.permit.route, pack.transfer.permit.within_permit.reason(WITHIN)
        refused += tuple(_under_permit(act, facts, load, index, free, pack))
    return _decide(name, refused, allowed, pack, load)


def _to_anyone(act: TransferAsked, pack: Pack) -> Iterator[Reason]:
    """What holds wherever the recipient is."""
    rule = pack.transfer.recipient_blocked
    if act.recipient_status in rule.statuses:
        yield rule.reason("recipient-blocked")


def _abroad(act: TransferAsked, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """What holds for anything that leaves, whoever is in it."""
    rules = pack.transfer
    if rules.vehicle_may_not_send_abroad and act.by == "vehicle":
        yield rules.vehicle_may_not_send_abroad.reason("vehicle-may-not-send-abroad")
    asked = rules.authority_approval_required
    if asked and act.by == "authority" and not facts.papers & set(asked.papers):
        yield asked.reason("authority-approval-required")
    stays = rules.no_mechanism
    if stays and act.purpose in stays.purposes:
        yield stays.reason("no-mechanism")
    survey = rules.survey_approval_required
    if survey and not _foreign(act, pack) and not facts.papers & set(survey.papers):
        surveyed = bool(set(act.categories) & set(survey.categories))
        if surveyed or (survey.coordinates and act.coordinates):
            yield survey.reason("survey-approval-required")


def _owed(act: TransferAsked, facts: Facts, load: Load, free: Rule | None, pack: Pack) -> Iterator[Reason]:
    """What the persons in it are owed: nothing for what is of foreign origin, later in an emergency."""
    if _foreign(act, pack) or (isinstance(free, Exemption) and free.papers_follow):
        return
    if load.personal:
        yield from told_and_asked(act, facts, pack)
    mask = pack.transfer.must_mask
    if mask and set(act.categories) & set(mask.categories) and not separately_consented(act, facts, pack):
        yield mask.reason("must-mask")


def _free(act: TransferAsked, load: Load, pack: Pack) -> Rule | None:
    """The rule by which the law on leaving does not concern it."""
    if _foreign(act, pack):
        return pack.transfer.foreign_origin
    return None if load.personal or load.important else pack.transfer.no_personal


def _exemption(act: TransferAsked, facts: Facts, load: Load, pack: Pack) -> Exemption | None:
    """The first exemption that frees this personal information from the routes; none frees important data."""
    if load.important:
        return None
    for exemption in pack.transfer.exemption:
        grounded = exemption.ground in {None, act.ground}
        filed = not exemption.papers or bool(facts.papers & set(exemption.papers))
        if grounded and filed and (exemption.critical_operator or not facts.critical_operator):
            return exemption
    return None


def _foreign(act: TransferAsked, pack: Pack) -> bool:
    """Produced abroad and with nothing domestic joined to it."""
    return act.produced_in is not None and act.produced_in not in pack.home and not act.joined_with_local


def _because(index: int, free: Rule | None, pack: Pack) -> Reason:
    """Why it may leave without a permit, if nothing speaks against it."""
    route = pack.transfer.route[index]
    return pack.transfer.permit.within_permit.reason(WITHIN) if route.papers else (free or route).reason(EXEMPT)


def _lacks(index: int, facts: Facts, pack: Pack) -> Iterator[Reason]:
    """The route's own paper, where neither it nor a stricter one is on file."""
    if not routes.sufficient(index, facts, pack):
        yield pack.transfer.route[index].reason(pack.transfer.route[index].code)


def _splits(load: Load, facts: Facts, held: int, free: Rule | None, pack: Pack) -> Iterator[Reason]:
    """Whether the group as a whole would need a stricter route than the one at hand."""
    together = 0 if free else routes.needed(load, facts, pack, with_group=True)
    alone = 0 if free else routes.needed(load, facts, pack)
    if together > max(held, alone) and not routes.sufficient(together, facts, pack):
        yield pack.transfer.possible_splitting.reason("possible-splitting")


def _under_permit(
    act: TransferAsked, facts: Facts, load: Load, index: int, free: Rule | None, pack: Pack
) -> Iterator[Reason]:
    """The permit alone decides, but that no permit for a lighter route carries what needs a stricter one."""
    permit = facts.permit
    assert permit is not None
    found = routes.find(permit.route, pack)
    held, route = found or (0, None)
    yield from permits.breaches(act, facts, permit, route, pack)
    if index > held:
        yield pack.transfer.route[index].reason(pack.transfer.route[index].code)
    yield from _splits(load, facts, held, free, pack)


def _decide(route: str, refused: tuple[Reason, ...], allowed: Reason, pack: Pack, load: Load | None = None) -> Verdict:
    return Verdict(
        verdict="refuse" if refused else "allow",
        reasons=refused or (allowed,),
        route=route,
        missing=_missing(refused, pack),
        counters=routes.counters(load, pack) if load else (),
    )


def _missing(refused: tuple[Reason, ...], pack: Pack) -> tuple[str, ...]:
    """Codes of the papers that would help, in the order of the reasons; of alternatives the first."""
    rules = pack.transfer
    papers = {route.code: route.papers[0] for route in rules.route if route.papers}
    papers["notice-incomplete"] = rules.notice_missing.papers[0]
    for code in ("impact-assessment-missing", "notice-missing", "separate-consent-missing"):
        papers[code] = _papers(getattr(rules, code.replace("-", "_")))
    for rule, code in (
        (rules.authority_approval_required, "authority-approval-required"),
        (rules.survey_approval_required, "survey-approval-required"),
    ):
        if rule is not None:
            papers[code] = _papers(rule)
    return tuple(dict.fromkeys(papers[reason.code] for reason in refused if reason.code in papers))


def _papers(rule: OnPapers) -> str:
    return rule.papers[0]
