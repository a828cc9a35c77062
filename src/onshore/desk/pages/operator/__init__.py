"""The operator's desk: whether all is well, and what to do where it is not."""

from onshore.desk.pages.operator import status
from onshore.desk.route import Route

ROUTES: tuple[Route, ...] = (*status.ROUTES,)
