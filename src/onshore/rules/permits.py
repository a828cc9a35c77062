"""Permits: whether a transfer stays inside the paper in force."""

from collections.abc import Iterator
from datetime import date

from onshore.rules import routes, ways
from onshore.rules.acts import Facts, PermitInForce, TransferAsked
from onshore.rules.local import local_day, years_later
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Mechanism, Route
from onshore.rules.routes import Load
from onshore.words.verdict import Reason


def under(act: TransferAsked, facts: Facts, load: Load, way: ways.Way, pack: Pack) -> Iterator[Reason]:
    """The permit alone decides, but that no permit for a lighter route carries what needs a stricter one."""
    permit = facts.permit
    assert permit is not None
    held, route = _held(permit.route, pack)
    yield from _breaches(act, facts, permit, route, pack)
    if way.index > held:
        needed = pack.transfer.route[way.index]
        yield needed.reason(needed.code)
    yield from ways.splits(load, facts, held, way.free, pack)


def _held(name: str, pack: Pack) -> tuple[int, Route | Mechanism | None]:
    """What the pack knows by the name of the permit's route, with its index among routes."""
    by_name = next((found for found in pack.transfer.mechanism if found.route == name), None)
    return (0, by_name) if by_name else routes.find(name, pack) or (0, None)


def _breaches(
    act: TransferAsked, facts: Facts, permit: PermitInForce, route: Route | Mechanism | None, pack: Pack
) -> Iterator[Reason]:
    """Every way in which the transfer breaches the permit. `route`: the pack's, None where unknown.

    Dates are inclusive local days; what the permit does not name it does not allow.
    """
    rules = pack.transfer.permit
    today = local_day(facts.at, pack.zone)
    if _revoked(permit, facts.at, today):
        yield rules.permit_revoked.reason("permit-revoked")
    if _over(permit, route, today):
        yield rules.permit_expired.reason("permit-expired")
    if route is None or not _inside(act, permit, today):
        yield rules.outside_permit.reason("outside-permit")


def _inside(act: TransferAsked, permit: PermitInForce, today: date) -> bool:
    return (
        (permit.start is None or permit.start <= today)
        and act.purpose == permit.purpose
        and set(act.categories) <= set(permit.categories)
        and act.recipient == permit.recipient
        and permit.used + act.new_persons <= permit.persons
    )


def _over(permit: PermitInForce, route: Route | Mechanism | None, today: date) -> bool:
    """Past its own last day, or past the years for which the law lets such a paper stand."""
    if permit.until is not None and permit.until < today:
        return True
    if route is None or route.lasts_years is None or permit.start is None:
        return False
    return years_later(permit.start, route.lasts_years) <= today


def _revoked(permit: PermitInForce, at: int, today: date) -> bool:
    """Revoked outright, or since an instant or a local day."""
    if isinstance(permit.revoked, bool):
        return permit.revoked
    if isinstance(permit.revoked, date):
        return permit.revoked <= today
    return permit.revoked <= at
