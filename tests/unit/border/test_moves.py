import subprocess
import sys
from pathlib import Path

import pytest

from onshore.border import moves
from onshore.words.errors import Refusal

ROOT = Path(__file__).parents[3]
ILLEGAL = [(old, new) for old in moves.LIFE for new in moves.LIFE if new not in moves.LIFE[old]]


def test_a_legal_move_gives_the_new_state():
    assert moves.check(moves.LIFE, "judged", "completed") == "completed"


@pytest.mark.parametrize(("old", "new"), ILLEGAL)
def test_an_illegal_move_is_refused_with_the_legal_ones(old, new):
    with pytest.raises(Refusal) as refused:
        moves.check(moves.LIFE, old, new)
    assert refused.value.reason == "illegal-move"
    assert (", ".join(sorted(moves.LIFE[old])) or "it is over") in refused.value.remedy


@pytest.mark.parametrize("table", [moves.LIFE, moves.PARCEL])
def test_every_state_that_can_be_reached_is_in_its_table_and_every_one_can(table):
    first = next(iter(table))
    assert set().union({first}, *table.values()) == set(table)


def test_nothing_is_reserved_but_what_the_regulator_permitted_and_two_people_approved():
    def before(state):
        return {old for old, news in moves.LIFE.items() if state in news}

    assert before("leaving") == {"reserved"}
    assert before("left") == {"leaving"}
    assert before("reserved") == {"permitted", "left"}
    assert before("permitted") - {"reserved", "leaving"} == {"approved", "revoked", "expired"}
    assert before("approved") == {"completed", "suspended"}


def test_what_left_stays_left():
    with pytest.raises(Refusal, match="no way to 'unsent'"):
        moves.check(moves.PARCEL, "left", "unsent")


def test_the_page_shows_the_picture_that_is_drawn_from_the_table():
    done = subprocess.run([sys.executable, ROOT / "tools" / "draw-life", "--check"], check=False)
    assert done.returncode == 0, "run tools/draw-life"
    assert "](border-life.svg)" in (ROOT / "docs" / "border.md").read_text("utf-8")
