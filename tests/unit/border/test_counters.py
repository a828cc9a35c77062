"""What the meter shows, and what sister companies declare: it counts when the law asks whether an export was split."""

import json
from datetime import date

import pytest

from onshore.border import requests
from onshore.border.metering import counters, meter, sisters
from onshore.border.metering.sisters import Declared
from onshore.border.transfer import ship
from onshore.cli.deep import damage
from onshore.rules.local import local_midnight
from onshore.vault.papers import meter_totals, reading, writing
from onshore.words.errors import Malformed, Refusal


def declared(site, by="beijing motors", **change):
    said = {"year": 2026, "sensitive": 10, "ordinary": 20, "paper": "D-1"} | change
    sisters.declare(site, Declared(by, **said), "officer")


def group(site, request, year=2026):
    with reading(site.engine) as conn:
        return sisters.counting(conn, year, request)


def test_of_each_sister_the_newest_counts_to_whom_and_for_what_it_says(border):
    request = border.request()
    assert group(border.site, request) is None
    declared(border.site, sensitive=10)
    declared(border.site, sensitive=7, paper="D-2")  # it corrects itself
    declared(border.site, by="guangzhou motors", recipient="stuttgart", purpose="warranty-analysis", ordinary=5)
    declared(border.site, by="guangzhou motors", purpose="repair", sensitive=1000)
    declared(border.site, by="shenzhen motors", year=2025)
    said = group(border.site, request)
    assert said.members == ("beijing motors", "guangzhou motors")
    assert (said.sensitive, said.ordinary) == (17, 25)
    border.site.settle()
    logged = [e for e in map(json.loads, border.site.ledger.entries()) if e["t"] == "declared"]
    assert [e["number"] for e in logged] == ["D-1", "D-2", "D-1", "D-1", "D-1"]
    assert b"motors" not in b"".join(border.site.ledger.entries())


@pytest.mark.parametrize(
    "change",
    [
        {"by": " "},
        {"by": "x" * 81},
        {"year": 1},
        {"sensitive": -1},
        {"ordinary": 10**13},
        {"paper": "no number"},
    ],
)
def test_what_cannot_be_declared_is_malformed(border, change):
    with pytest.raises(Malformed):
        declared(border.site, **change)


def test_an_unknown_recipient_is_refused(border):
    with pytest.raises(Refusal, match="atlantis"):
        declared(border.site, recipient="atlantis")


def test_an_export_that_stays_small_beside_a_large_sister_is_called_splitting(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.ask()
    border.file(request, "impact-assessment", "standard-contract", "export-notice", "separate-consent")
    assert requests.find(border.site, request.id).verdict.verdict == "allow"
    steps = [route.sensitive_from for route in border.site.pack.transfer.route if route.sensitive_from is not None]
    declared(border.site, sensitive=max(steps))
    again = requests.rejudge(border.site, request)
    assert "possible-splitting" in again.verdict.codes()


def test_counts_are_shown_beside_the_thresholds_of_the_pack_with_articles(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, granted = border.permitted(rows=100)
    ship(border.site, request.id)
    declared(border.site)
    seen = counters.standing(border.site)
    assert (seen["year"], seen["zone"], seen["pack"]) == (2026, border.site.law.zone, border.site.pack.id)
    assert {c["name"]: c["used"] for c in seen["counts"]} == {"sensitive": 1, "ordinary": 1}
    assert all(step["article"] for count in seen["counts"] for step in count["thresholds"])
    assert all(count["thresholds"] for count in seen["counts"])
    (shown,) = seen["permits"]
    assert shown | {"id": granted.id, "persons": 1, "persons_limit": 2, "rows": 40, "rows_limit": 100} == shown
    assert [d["by"] for d in seen["declared"]] == ["beijing motors"]
    assert counters.standing(border.site, 2025)["counts"][0]["used"] == 0


def test_a_new_year_begins_at_local_midnight(border):
    zone = border.site.law.zone
    border.hands.allow(1)
    border.hands.now = local_midnight(date(2027, 1, 1), zone) - 60_000
    border.hands.drive(1)
    request, _ = border.permitted(until=date(2027, 1, 31))
    ship(border.site, request.id)
    border.hands.now = local_midnight(date(2027, 1, 1), zone)
    ship(border.site, request.id)
    with reading(border.site.engine) as conn:
        assert [meter.exported(conn, y).sensitive for y in (2026, 2027)] == [1, 1]


def test_a_total_that_somebody_lowered_is_found_by_the_deep_check(border):
    border.hands.allow(1)
    border.hands.drive(1)
    request, _ = border.permitted()
    ship(border.site, request.id)
    assert not [says for _, says in damage(border.site) if "meter" in says]
    with writing(border.site.engine) as conn:
        conn.execute(meter_totals.update().where(meter_totals.c.name == "2026/sensitive").values(persons=0))
    assert any("2026/sensitive" in says for _, says in damage(border.site))
