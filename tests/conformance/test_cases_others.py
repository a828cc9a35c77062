"""The cases that the packs of GB, RU, IN, SA, VN, KR and JP ship: each is judged by the law in force at its time."""

from datetime import timedelta
from pathlib import Path

import pytest

from law import SOURCE, ms
from onshore.rules.acts import Facts, Store
from onshore.rules.book import Outcome, check, in_force, read_case, tables
from onshore.rules.judge import judge
from onshore.rules.pack import Pack, parse, rules
from onshore.rules.switches import turned

PACKS = SOURCE / "rules" / "packs"
VERSIONS = (
    "gb/2023-10",
    "gb/2026-02",
    "in/2025-11",
    "in/2027-05",
    "jp/2022-04",
    "kr/2023-09",
    "ru/2025-07",
    "sa/2024-09",
    "vn/2026-01",
)
ACTS = {"Collect", "ConsentAsked", "Store", "TransferAsked", "Deadline"}


def pack(version: str) -> Pack:
    return parse((PACKS / version / "pack.toml").read_text("utf-8"), version)


def everyone() -> tuple[Pack, ...]:
    return tuple(pack(version) for version in VERSIONS)


def book(version: str, judged_by: tuple[Pack, ...]) -> list[Outcome]:
    """The outcomes of a version's own cases."""
    return check((PACKS / version / "cases.toml").read_text("utf-8"), judged_by, f"{version}/cases.toml")


def test_nothing_but_these_versions_ships() -> None:
    theirs = {version.split("/")[0] for version in VERSIONS}
    found = {f"{path.parent.name}/{path.name}" for each in theirs for path in (PACKS / each).iterdir()}
    assert found == set(VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cases_of_a_version_pass_by_the_law_in_force(version: str) -> None:
    law = everyone()
    came = book(version, law)
    assert [outcome.line() for outcome in came if not outcome.passed] == []
    assert {getattr(in_force(outcome.case, law), "id", None) for outcome in came} == {version}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_book_is_long_enough_and_covers_the_acts(version: str) -> None:
    came = book(version, everyone())
    assert len(came) >= 5
    assert ACTS - {type(outcome.case.act).__name__ for outcome in came} <= {"ConsentAsked"}


def test_no_case_has_the_name_of_another() -> None:
    names = [outcome.case.id for version in VERSIONS for outcome in book(version, everyone())]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_has_reviewed_it_and_what_is_from_weak_memory_says_so(version: str) -> None:
    law = pack(version)
    assert law.id == version
    assert law.reviewed_by == ""
    weak = [rule for _, rule in rules(law) if rule.mark in {"mem-M", "mem-L"}]
    assert [rule.id for rule in weak if not (rule.verify or rule.kind == "INT")] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_every_source_is_cited_and_none_is_a_draft(version: str) -> None:
    law = pack(version)
    marks = " ".join(rule.mark for _, rule in rules(law))
    assert [source.code for source in law.source if source.code not in marks] == []
    assert [rule.id for _, rule in rules(law) if rule.kind == "DRAFT"] == []


@pytest.mark.parametrize("jurisdiction", ["gb", "in"])
def test_the_versions_of_one_jurisdiction_join_without_gap_or_overlap(jurisdiction: str) -> None:
    before, after = (pack(version) for version in VERSIONS if version.startswith(jurisdiction))
    assert before.valid_until is not None
    assert before.valid_until + timedelta(days=1) == after.valid_from
    assert after.valid_until is None


def test_a_mirror_abroad_is_what_counsel_decides_but_never_the_first_write() -> None:
    facts = Facts(at=ms("2026-06-15T10:00:00+03:00"))
    strict = pack("ru/2025-07")
    lenient = turned(strict, {"ru_mirror_abroad"})
    for kind, then in (("replica", "keep"), ("backup", "keep"), ("primary", "refuse"), ("first-write", "refuse")):
        act = Store(category="identity", place="DE", kind=kind)
        assert judge(act, facts, strict).verdict == "refuse"
        assert judge(act, facts, lenient).verdict == then


def test_the_public_book_passes_for_these_jurisdictions(shared: Path) -> None:
    text = (shared / "scenarios" / "public.toml").read_text("utf-8")
    theirs = {version[:2].upper() for version in VERSIONS}
    cases = [read_case(table, "public.toml") for table in tables(text, "public.toml")]
    mine = [case for case in cases if case.jurisdiction in theirs]
    outcomes = [Outcome(case, judge(case.act, case.facts, in_force(case, everyone()))) for case in mine]
    assert [outcome.line() for outcome in outcomes if not outcome.passed] == []
    assert {outcome.case.id for outcome in outcomes} >= {"RU-01", "VN-01"}
