"""Tally: counts add up and survive being written down."""

from onshore.words.tally import Tally

KEPT = ("track", "consent", "consented")
LOST = ("track", "consent", "no-consent")


def test_tallies_add() -> None:
    both = Tally(2, 1, {KEPT: 3}) + Tally(5, 4, {KEPT: 1, LOST: 7})
    assert (both.rows_in, both.rows_kept, both.cells) == (7, 5, {KEPT: 4, LOST: 7})


def test_rows_and_back() -> None:
    tally = Tally(9, 8, {LOST: 2, KEPT: 1})
    assert tally.as_rows() == [(*KEPT, 1), (*LOST, 2)]
    assert Tally.from_rows(9, 8, tally.as_rows()) == tally


def test_a_count_of_nothing_is_not_written() -> None:
    assert Tally(1, 0, {KEPT: 0}).as_rows() == []
