"""Papers are the same whether the site's own lie in SQLite or in PostgreSQL."""

from border_makers import Border
from onshore.border.transfer import ship
from onshore.register import consents
from onshore.reports.draft import draft
from onshore.reports.report import Table
from onshore.rights.erase import erase


def test_a_year_is_told_alike_from_either_database(hands):
    for number in (1, 2, 3):
        hands.allow(number)
    hands.drive(1, 2, 3)
    consents.withdraw(hands.site, hands.car(3))
    request, _ = Border(hands).permitted()
    ship(hands.site, request.id)
    erase(hands.site, hands.car(3), "owner")
    for kind in ("annual", "risk", "impact", "transfers", "erasures"):
        report = draft(hands.site, kind, 2026, "zh", {})
        assert {one.why for one in report.open} <= {"human"}
    parts = [part for one in draft(hands.site, "annual", 2026, "en", {}).sections for part in one.parts]
    tables = {part.title: [row.cells for row in part.rows] for part in parts if isinstance(part, Table)}
    assert tables["Purposes, and the consents that stand for each"] == [
        ("warranty analysis", "track, vehicle operation", 4, "—", 4)
    ]
    assert tables["Consents given and withdrawn"] == [("Consents given", 6, "—"), ("Consents withdrawn", 2, "—")]
    assert tables["Vehicles and persons"][0][1] == 3
    assert tables["Erasures"][0][1] == 1
    assert [row[4:6] for row in tables["Parcels and views that left"]] == [(80, 2)]
