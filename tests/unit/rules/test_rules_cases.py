"""The cases that ship beside each pack pass, and there are enough of them."""

from collections import Counter
from pathlib import Path

import pytest

from law import PACKS, pack, packs
from onshore.rules.book import check, in_force
from onshore.rules.pack import Pack
from onshore.rules.standing import is_draft

BOOKS = sorted(PACKS.glob("*/*/cases.toml"))
LEAST = {"cn": 60, "eu": 15, "us": 12} | dict.fromkeys(("gb", "ru", "in", "sa", "vn", "kr", "jp"), 5)


def judges_of(name: str) -> tuple[Pack, ...]:
    """The packs that a book is judged with: a draft's by the draft alone, any other by all that ship."""
    own = pack(name)
    return (own,) if is_draft(own) else packs()


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: "/".join(path.parts[-3:-1]))
def test_the_cases_of_a_pack_pass(path: Path) -> None:
    name = "/".join(path.parts[-3:-1])
    outcomes = check(path.read_text("utf-8"), judges_of(name), "/".join(path.parts[-3:]))
    assert [outcome.line() for outcome in outcomes if not outcome.passed] == []
    judges = {found.id for outcome in outcomes if (found := in_force(outcome.case, judges_of(name)))}
    assert name in judges


def test_every_pack_has_cases_and_every_jurisdiction_enough() -> None:
    assert {path.parent for path in BOOKS} == {path.parent for path in PACKS.glob("*/*/pack.toml")}
    count: Counter[str] = Counter()
    for path in BOOKS:
        count[path.parts[-3]] += path.read_text("utf-8").count("[[scenario]]")
    assert {name for name, least in LEAST.items() if count[name] < least} == set()


def test_no_case_has_the_name_of_another() -> None:
    ids = [line for path in BOOKS for line in path.read_text("utf-8").splitlines() if line.startswith("id = ")]
    assert [line for line, count in Counter(ids).items() if count > 1] == []
