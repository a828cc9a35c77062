"""The public scenario book passes, every case of it, by the packs that ship."""

from pathlib import Path

from law import packs
from onshore.rules.book import check


def test_the_book_passes(shared: Path) -> None:
    outcomes = check((shared / "scenarios" / "public.toml").read_text("utf-8"), packs(), "public.toml")
    assert [outcome.line() for outcome in outcomes if not outcome.passed] == []
    assert len(outcomes) >= 58
