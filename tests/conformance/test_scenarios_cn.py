"""The public scenario book: every case of China that collects, consents or transfers, and the ones without a pack."""

from pathlib import Path
from typing import Any

from law import cn_pack
from onshore.rules.book import ACTS, Outcome, in_force, read_case, tables
from onshore.rules.judge import judge


def judged_here(case: dict[str, Any]) -> bool:
    """Cases of China or of a jurisdiction that nobody has a pack for, of the acts that are judged."""
    return case["jurisdiction"] in {"CN", "BR"} and any(act in case for act in ACTS)


def test_the_book_passes(shared: Path) -> None:
    text = (shared / "scenarios" / "public.toml").read_text("utf-8")
    cases = [read_case(case, "public.toml") for case in tables(text, "public.toml") if judged_here(case)]
    outcomes = [Outcome(case, judge(case.act, case.facts, in_force(case, [cn_pack()]))) for case in cases]
    assert [outcome.line() for outcome in outcomes if not outcome.passed] == []
    assert len(outcomes) >= 35
