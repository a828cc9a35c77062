"""The owner's desk: what my car sends and why, whom I allowed what, who received what, how it ends."""

from onshore.desk.pages.owner import cases, copies, erase, first, purposes, receipts, received, trips
from onshore.desk.route import Route

ROUTES: tuple[Route, ...] = (
    *first.ROUTES,
    *trips.ROUTES,
    *received.ROUTES,
    *receipts.ROUTES,
    *copies.ROUTES,
    *erase.ROUTES,
    *cases.ROUTES,
    *purposes.ROUTES,
)
