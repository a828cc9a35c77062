"""Ways: what carries a transfer, a route by count or a mechanism by destination, and what lacks for it."""

from collections.abc import Iterator
from dataclasses import dataclass

from onshore.rules import routes
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.articles import Rule
from onshore.rules.mechanisms import BY_PAPER, fitting
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Exemption, Mechanism, first_paper
from onshore.rules.routes import Load
from onshore.words.verdict import Reason

EXEMPT = "exempt"
WITHIN = "within-permit"
NO_MECHANISM = "no-mechanism"

_ASKING = (
    "impact-assessment-missing",
    "notice-missing",
    "separate-consent-missing",
    "transfer-assessment-missing",
    "not-regulator-notified",
    "authority-approval-required",
    "survey-approval-required",
    NO_MECHANISM,
)


@dataclass(frozen=True, slots=True)
class Way:
    """A way to leave: its route, why it is open, what lacks for it, and the rule (if any) that frees from it.

    `index`: of the route in the pack; 0 where the way is a mechanism.
    """

    route: str
    allowed: Reason
    lacks: tuple[Reason, ...] = ()
    free: Rule | None = None
    papers_follow: bool = False
    index: int = 0


def find(act: TransferAsked, facts: Facts, load: Load, pack: Pack) -> list[Way]:
    """The ways that are open to this transfer by the pack, best first, at least one: the last may lack something."""
    if not pack.transfer.mechanism:
        return [_by_route(act, facts, load, pack)]
    free = _free(act, load, pack)
    if free is not None:
        return [Way(EXEMPT, free.reason(EXEMPT), free=free)]
    found = [_by_mechanism(mechanism) for mechanism in fitting(act, facts, pack)]
    return found or [_no_way(pack)]


def foreign(act: TransferAsked, pack: Pack) -> bool:
    """Produced abroad and with nothing domestic joined to it, where the law makes a difference of that."""
    abroad = act.produced_in is not None and act.produced_in not in pack.home
    return abroad and not act.joined_with_local and pack.transfer.foreign_origin is not None


def splits(load: Load, facts: Facts, held: int, free: Rule | None, pack: Pack) -> Iterator[Reason]:
    """Whether the group as a whole would need a stricter route than the one at hand."""
    rule = pack.transfer.possible_splitting
    if rule is None or free is not None:
        return
    together = routes.needed(load, facts, pack, with_group=True)
    alone = routes.needed(load, facts, pack)
    if together > max(held, alone) and not routes.sufficient(together, facts, pack):
        yield rule.reason("possible-splitting")


def missing(refused: tuple[Reason, ...], pack: Pack) -> tuple[str, ...]:
    """Codes of the papers that would help, in the order of the reasons; of alternatives the first."""
    if not refused:
        return ()
    rules = pack.transfer
    papers = {code: first_paper(getattr(rules, code.replace("-", "_"))) for code in _ASKING}
    papers["notice-incomplete"] = papers["notice-missing"]
    papers["bulk-threshold"] = next((rule.papers[0] for rule in rules.bulk if rule.papers), None)
    papers |= {route.code: first_paper(route) for route in rules.route if route.papers}
    found = (papers.get(reason.code) for reason in refused)
    return tuple(dict.fromkeys(paper for paper in found if paper is not None))


def _by_route(act: TransferAsked, facts: Facts, load: Load, pack: Pack) -> Way:
    free = _free(act, load, pack) or _exemption(act, facts, load, pack)
    index = 0 if free else routes.needed(load, facts, pack)
    route = pack.transfer.route[index]
    enough = routes.sufficient(index, facts, pack)
    return Way(
        route=route.id,
        allowed=_because(route.papers, free or route, pack),
        lacks=() if enough else (route.reason(route.code),),
        free=free,
        papers_follow=any(e.papers_follow and e.ground == act.ground for e in pack.transfer.exemption),
        index=index,
    )


def _by_mechanism(found: Mechanism) -> Way:
    by_paper = bool(found.papers) and found.route in BY_PAPER
    return Way(found.route, found.reason(WITHIN if by_paper else EXEMPT), papers_follow=found.papers_follow)


def _no_way(pack: Pack) -> Way:
    none = pack.transfer.no_mechanism
    assert none is not None
    reasons = tuple(none.reason(code) for code in (NO_MECHANISM, *none.codes))
    return Way(none.route, reasons[0], lacks=reasons)


def _because(papers: tuple[str, ...], rule: Rule, pack: Pack) -> Reason:
    """Why it may leave without a permit, if nothing speaks against it."""
    return pack.transfer.permit.within_permit.reason(WITHIN) if papers else rule.reason(EXEMPT)


def _free(act: TransferAsked, load: Load, pack: Pack) -> Rule | None:
    """The rule by which the law on leaving does not concern it."""
    if foreign(act, pack):
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
