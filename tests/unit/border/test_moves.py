import pytest

from onshore.border import moves
from onshore.words.errors import Refusal


def test_a_legal_move_gives_the_new_state():
    assert moves.check(moves.REQUEST, "refused", "cleared") == "cleared"


@pytest.mark.parametrize(("old", "new"), [("refused", "permitted"), ("asked", "permitted"), ("cleared", "revoked")])
def test_an_illegal_move_is_refused_with_the_legal_ones(old, new):
    with pytest.raises(Refusal) as refused:
        moves.check(moves.REQUEST, old, new)
    assert refused.value.reason == "illegal-move"
    assert ", ".join(sorted(moves.REQUEST[old])) in refused.value.remedy


@pytest.mark.parametrize("table", [moves.REQUEST, moves.PARCEL])
def test_every_state_that_can_be_reached_is_in_its_table(table):
    assert set().union(*table.values()) <= set(table)


def test_what_left_stays_left():
    with pytest.raises(Refusal, match="no way to 'unsent'"):
        moves.check(moves.PARCEL, "left", "unsent")
