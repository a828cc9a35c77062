"""The officer's desk: what waits, by when, by which article; cases, papers, zones, packs, incidents."""

from onshore.desk.pages.officer import (
    acts,
    complaints,
    courts,
    explain,
    filing,
    first,
    incidents,
    requests,
    retention,
    rights,
    rules,
    tasks,
    zones,
)
from onshore.desk.route import Route

ROUTES: tuple[Route, ...] = (
    *first.ROUTES,
    *requests.ROUTES,
    *acts.ROUTES,
    *filing.ROUTES,
    *rights.ROUTES,
    *tasks.ROUTES,
    *incidents.ROUTES,
    *complaints.ROUTES,
    *courts.ROUTES,
    *retention.ROUTES,
    *zones.ROUTES,
    *rules.ROUTES,
    *explain.ROUTES,
)
