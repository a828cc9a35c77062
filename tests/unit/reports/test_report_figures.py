"""Figures of a paper are those of the site, this year's beside last year's, each with what it rests on."""

import json

import pytest

from onshore.ledger.entry import read
from onshore.reports.draft import draft
from onshore.reports.report import Human, Paragraph, Table, texts
from onshore.reports.words import table
from onshore.vault.papers import writing

KINDS = ("annual", "risk", "impact", "transfers", "erasures")


def tables(report):
    return {part.title: part for section in report.sections for part in section.parts if isinstance(part, Table)}


def figures(report, title):
    return {row.cells[0]: row.cells[1:] for row in tables(report)[table("en")[title]].rows}


@pytest.fixture(scope="session")
def annual(life):
    return draft(life.site, "annual", 2027, "en", {})


def test_what_was_taken_in_stands_beside_last_years(annual):
    intake = figures(annual, "intake.title")
    assert intake["Rows that arrived"] == ("", 100, 80 + 20 + 5)
    assert intake["Rows kept"] == ("", 100, 105)
    assert figures(annual, "scale.title")["Vehicles registered at the end"] == (5, 3)
    assert figures(annual, "scale.title")["Vehicles added"] == (2, 3)
    assert figures(annual, "consents.title") == {"Consents given": (4, 6), "Consents withdrawn": (2, 2)}
    assert figures(annual, "withheld.title")["no consent"] == (500, 525)


def test_what_left_is_counted_with_thresholds_of_the_pack(annual, life):
    left = figures(annual, "summary.title")
    assert left["Parcels and views that left"] == (1, 1)
    assert left["Rows that left"] == (life.shipped[1].rows, life.shipped[0].rows)
    assert left["Of these refused by the law as it stands"] == (0, 1)
    assert left["Distinct persons with sensitive information, in the year"] == (4, 2)
    counts = figures(annual, "counts.title")["Sensitive personal information"]
    assert counts[:2] == (4, 2)
    assert "from 10,000: security assessment" in counts[2]
    assert figures(annual, "recipients.title")["stuttgart"] == ("DE", "warranty analysis", 1, 1, life.shipped[1].rows)


def test_what_persons_asked_for_is_counted_with_its_clock(annual, life):
    rights = figures(annual, "rights.title")
    assert rights["erasure"] == (1, 0, 1, 1, 0, 0)
    assert rights["access"][:3] == (1, 0, 1)
    erased = figures(annual, "erased.title")
    assert erased["Certificates of erasure"] == (1, 0)
    assert erased["Rows erased"][0] == 200
    said = " ".join(texts(draft(life.site, "erasures", 2027, "en", {})))
    assert "erasure: the time runs by Automotive Data Provisions (Trial), Art. 9(5)" in said


def test_incidents_and_complaints_are_told_without_their_words(annual):
    ((_, *incident),) = (row.cells for row in tables(annual)[table("en")["incidents.title"]].rows)
    assert incident == ["2027-04-14", "leak", "general", "track", "1", "reported", "CN told, number CAC-2027-1"]
    rows = {part.title: part for part in annual.sections[5].parts if isinstance(part, Table)}["Complaints"].rows
    topics = {row.cells[0]: row.cells[1:] for row in rows}
    assert topics["export"] == (1, 0, 1, 0, 0)
    assert topics["consent"] == (1, 0, 0, 0, 1)
    (export,) = [section for section in annual.sections if section.number == "8.4"]
    assert export.parts[0].rows[0].cells == ("export", 1, 0, 1, 0, 0)


def test_articles_13_and_14_have_their_items(annual, life):
    assert [section.number for section in annual.sections] == [
        *map(str, range(1, 9)), "8.1", "8.2", "8.3", "8.4", "8.5",
    ]  # fmt: skip
    assert annual.sections[0].article == "Art. 13(1)"
    assert "from memory" in annual.sections[0].mark
    risk = draft(life.site, "risk", 2027, "en", {})
    assert len(risk.sections) == 7
    assert all("S03" in section.mark for section in risk.sections)


def test_a_year_in_which_nothing_left_has_no_items_on_export(hands):
    hands.allow(1)
    hands.drive(1)
    report = draft(hands.site, "annual", 2026, "en", {})
    assert [section.number for section in report.sections] == list("1234567")
    assert "Nothing left this site in the period." in texts(report)
    row = figures(report, "intake.title")["Rows that arrived"]
    assert row == ("", 20, "—")  # there was no site the year before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_figure_rests_on_something_that_is_there(life, kind, language):
    report = draft(life.site, kind, 2027, language, {})
    known = {source.number for source in report.sources}
    assert known == set(range(1, len(known) + 1))
    for section in report.sections:
        for part in section.parts:
            if isinstance(part, Table):
                used = {row.source for row in part.rows} or {part.source}
                assert used <= known
                assert {len(row.cells) for row in part.rows} <= {len(part.head)}
            elif isinstance(part, Paragraph):
                assert part.source in known
            else:
                assert isinstance(part, Human)
                assert part.asks


def test_a_source_names_entries_of_the_very_kind(annual, life):
    entries = [read(body) for body in life.site.ledger.entries()]
    rows = tables(annual)[table("en")["consents.title"]].rows
    (given, withdrawn) = (annual.sources[row.source - 1] for row in rows)
    assert len(given.entries) == 10
    assert {(entries[n]["t"], entries[n]["state"]) for n in given.entries} == {("consent", "given")}
    assert {(entries[n]["t"], entries[n]["state"]) for n in withdrawn.entries} == {("consent", "withdrawn")}
    (parcel,) = tables(annual)[table("en")["parcels.title"]].rows
    (number,) = annual.sources[parcel.source - 1].entries
    assert entries[number]["rows"] == life.shipped[1].rows
    assert entries[number]["t"] == "release"


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_no_vehicle_and_no_place_stands_in_it(life, kind):
    from onshore.register import persons

    for language in ("zh", "en"):
        for year in (2026, 2027):
            said = "\n".join(texts(draft(life.site, kind, year, language, {})))
            said += json.dumps([[str(one)] for one in said.split()], ensure_ascii=False)
            for number in range(1, 6):
                car = life.car(number)
                never = [life.vin(number).decode(), f"{car.id:016x}", str(car.id), f"owner {number}"]
                never += [
                    f"owner{number}@example.org",
                    *(f"{one.person:016x}" for one in persons.of_vehicle(life.site, car.id)),
                ]
                assert not [one for one in never if one in said]


def test_the_register_of_transfers_lists_both_years_apart(life):
    for year, shipped in zip((2026, 2027), life.shipped, strict=True):
        rows = tables(draft(life.site, "transfers", year, "en", {}))[table("en")["parcels.title"]].rows
        assert [row.cells[0] for row in rows] == [shipped.id]
        assert rows[0].cells[4:6] == (shipped.rows, shipped.persons)


def test_the_cover_says_until_when_and_by_which_clock(annual, life):
    facts = dict(annual.facts)
    assert facts["Due by"] == "2027-12-15"
    assert "not over" in facts["Period"]
    assert life.site.ledger.log.origin in facts["Ledger"]
    whole = dict(draft(life.site, "annual", 2026, "en", {}).facts)
    assert whole["Period"] == "2026-01-01 to 2026-12-31"


def test_what_the_law_has_sent_on_and_what_retention_dropped_is_summed(copied):
    digest = "sha256:" + "0" * 64
    days = {"first": "2027-01-01", "last": "2027-01-02", "old": [digest], "new": [], "articles": ["PIPL Art. 19"]}
    with writing(copied.engine) as conn:
        for rows in (300, 40):
            copied.hand_in(conn, copied.entry("forward", to="city", rows=rows, refused=1))
            judged = {"verdict": "purge", "reasons": ["age"], "facts": digest, "packs": [digest]}
            dropped = {"category": "track", "ground": "consent", "rows": rows, **days, **judged}
            copied.hand_in(conn, copied.entry("retire", **dropped))
    report = draft(copied, "annual", 2027, "en", {})
    assert figures(report, "provision.title") == {"city": (340, 0, 2)}
    assert figures(report, "retired.title") == {"track": (340, 0)}
