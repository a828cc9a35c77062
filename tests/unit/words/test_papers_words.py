"""The frozen words: verdicts, permits, rulebooks, uses."""

from datetime import date

import pytest

from onshore.words.permit import Permit, Recipient, Transfer
from onshore.words.rulebook import Rulebook
from onshore.words.use import Use
from onshore.words.verdict import Counter, Reason, Verdict
from onshore.words.vocabulary import CATEGORIES, GROUNDS, MAX_PURPOSES, STATUTORY


def test_a_verdict_names_its_codes() -> None:
    verdict = Verdict("refuse", (Reason("a", "Art. 1"), Reason("b", "Art. 2")), counters=(Counter("c", 1, None),))
    assert verdict.codes() == {"a", "b"}
    assert verdict.route is None


@pytest.mark.parametrize(
    "word",
    [
        Recipient("plant-1", "DE", "age1x"),
        Transfer("t", "repair", ("track",), "plant-1", 0, 1),
        Permit(
            "p",
            "s",
            "t",
            "assessment",
            "repair",
            ("track",),
            "r",
            "k",
            1,
            date(2026, 1, 1),
            date(2026, 1, 2),
            "g",
            "sha256:00",
            0,
            1,
            "DE",
        ),
        Rulebook("cn/2026-02", "00", {}, {}, frozenset(), {}),
        Use("repair"),
    ],
)
def test_words_do_not_change(word: object) -> None:
    name = next(iter(word.__annotations__))
    with pytest.raises(AttributeError):
        setattr(word, name, "other")


def test_the_lists_are_closed_and_distinct() -> None:
    assert len(set(CATEGORIES)) == len(CATEGORIES) == 15
    assert len(set(GROUNDS)) == len(GROUNDS)
    assert STATUTORY not in GROUNDS
    assert 1 << (MAX_PURPOSES - 1) < 2**63
