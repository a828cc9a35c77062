"""The regulator's desk: permits, what left under each, meters, the ledger, spot checks; nothing of a person."""

from onshore.desk.pages.regulator import checks, first, granting, ledger, permits, witness
from onshore.desk.route import Route

ROUTES: tuple[Route, ...] = (
    *first.ROUTES,
    *permits.ROUTES,
    *granting.ROUTES,
    *checks.ROUTES,
    *ledger.ROUTES,
    *witness.ROUTES,
)
