"""The engineer's desk: what exists and what it takes to have it; never a row. It does not open the vault."""

from onshore.desk.pages.engineer import ask, first, mine
from onshore.desk.route import Route

ROUTES: tuple[Route, ...] = (*first.ROUTES, *ask.ROUTES, *mine.ROUTES)
