"""The life of a case is one table; the page draws it as it is."""

from pathlib import Path

import pytest

from onshore.rights import cases, moves
from onshore.rights.erase import erase
from onshore.vault.papers import writing
from onshore.words.errors import Refusal

PAGE = Path(__file__).parents[3] / "docs" / "rights.md"


@pytest.mark.parametrize("kind", moves.CASE)
def test_every_state_that_can_be_reached_is_in_its_table(kind):
    assert set().union(*moves.CASE[kind].values()) <= set(moves.CASE[kind])


def test_the_page_draws_the_table():
    assert moves.drawn() in PAGE.read_text("utf-8")


def test_what_is_done_stays_done(hands):
    case = erase(hands.site, hands.car(), "anna")
    with writing(hands.site.engine) as conn, pytest.raises(Refusal) as refused:
        cases.move(conn, case, "asked")
    assert refused.value.reason == "illegal-move"
    assert "nothing: it is over" in refused.value.remedy
