"""Permits: whether a transfer stays inside the paper in force."""

from collections.abc import Iterator
from datetime import date

from onshore.rules.acts import Facts, PermitInForce, TransferAsked
from onshore.rules.local import local_day, years_later
from onshore.rules.pack import Pack, Route
from onshore.words.verdict import Reason


def breaches(
    act: TransferAsked, facts: Facts, permit: PermitInForce, route: Route | None, pack: Pack
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


def _over(permit: PermitInForce, route: Route | None, today: date) -> bool:
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
