"""China's own cases: the book of each version is judged by that version, the one in force when its cases happen."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest

from law import SOURCE
from onshore.rules.book import Outcome, in_force, read_case, tables
from onshore.rules.judge import judge
from onshore.rules.pack import Pack, parse, rules

PACKS = SOURCE / "rules" / "packs" / "cn"
DRAFT = "2021-05-draft"
VERSIONS = ("2021-10", "2024-03", "2026-02")
ACTS = {"Collect", "ConsentAsked", "Store", "TransferAsked", "Deadline"}


def pack(version: str) -> Pack:
    return parse((PACKS / version / "pack.toml").read_text("utf-8"), f"cn/{version}")


def outcomes(version: str, judged_by: tuple[Pack, ...]) -> list[Outcome]:
    """Every case of a version's book, judged by whichever of the packs is in force at its time."""
    text = (PACKS / version / "cases.toml").read_text("utf-8")
    cases = [read_case(table, f"cn/{version}/cases.toml") for table in tables(text, f"cn/{version}/cases.toml")]
    return [Outcome(case, judge(case.act, case.facts, in_force(case, judged_by))) for case in cases]


def test_nothing_but_the_four_versions_ships() -> None:
    assert {path.name for path in PACKS.iterdir()} == {DRAFT, *VERSIONS}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_cases_of_a_version_pass_by_the_law_in_force(version: str) -> None:
    law = tuple(pack(each) for each in VERSIONS)
    came = outcomes(version, law)
    assert [outcome.line() for outcome in came if not outcome.passed] == []
    assert {getattr(in_force(outcome.case, law), "id", None) for outcome in came} == {f"cn/{version}"}


def test_the_cases_of_the_draft_pass_by_the_draft() -> None:
    assert [outcome.line() for outcome in outcomes(DRAFT, (pack(DRAFT),)) if not outcome.passed] == []


def test_the_books_are_long_and_cover_every_act() -> None:
    books = {version: outcomes(version, (pack(version),)) for version in (DRAFT, *VERSIONS)}
    assert sum(map(len, books.values())) >= 60
    for book in books.values():
        assert {type(outcome.case.act).__name__ for outcome in book} == ACTS
    names = [outcome.case.id for book in books.values() for outcome in book]
    assert len(names) == len(set(names))


def test_the_versions_join_without_gap_or_overlap() -> None:
    spans = [pack(version) for version in VERSIONS]
    for before, after in pairwise(spans):
        assert before.valid_until is not None
        assert before.valid_until + timedelta(days=1) == after.valid_from
    assert spans[-1].valid_until is None


def test_a_rule_keeps_its_id_and_its_place_from_version_to_version() -> None:
    places: dict[str, set[str]] = {}
    for version in (DRAFT, *VERSIONS):
        for path, rule in rules(pack(version)):
            places.setdefault(rule.id, set()).add(path.split("[")[0])
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("version", [DRAFT, *VERSIONS])
def test_nobody_has_reviewed_it_and_what_is_from_weak_memory_says_so(version: str) -> None:
    law = pack(version)
    assert law.reviewed_by == ""
    assert [rule.id for _, rule in rules(law) if rule.mark == "mem-L" and not (rule.verify or rule.kind == "INT")] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_no_draft_rule_binds_in_a_version_in_force(version: str) -> None:
    assert [rule.id for _, rule in rules(pack(version)) if rule.kind == "DRAFT"] == []


FIGURE = re.compile(r'^(\w+) = ("?)(\d+)(\w*"?)$')
FREE = {
    ("clock-assessment-renewal", "2024-03"),  # its end lies in years that no calendar knows yet
    ("clock-assessment-renewal", "2026-02"),
    ("contract-or-certificate", "2021-10"),  # nobody's data needs no contract, with one person or with none
    ("assessment", DRAFT),
}


@pytest.mark.parametrize("version", [DRAFT, *VERSIONS])
def test_every_figure_of_a_pack_is_held_by_a_case(version: str) -> None:
    lines = (PACKS / version / "pack.toml").read_text("utf-8").splitlines()
    cases = [outcome.case for outcome in outcomes(version, (pack(version),))]
    loose = []
    for number, line in enumerate(lines):
        found = FIGURE.match(line)
        if not found or found[1] == "format":
            continue
        rule = next(each for each in reversed(lines[:number]) if each.startswith("id = "))[6:-1]
        for figure in (int(found[3]) - 1, int(found[3]) + 1):
            changed = [*lines[:number], f"{found[1]} = {found[2]}{figure}{found[4]}", *lines[number + 1 :]]
            law = parse("\n".join(changed), version)
            if all(Outcome(case, judge(case.act, case.facts, law)).passed for case in cases):
                loose.append(rule)
    assert {(rule, version) for rule in loose} <= FREE
