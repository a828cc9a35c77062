"""Consent holds over [start, until) and not from the withdrawal on."""

import dataclasses

import pytest

from onshore.words.consent import Consent

OPEN = Consent(
    id=1,
    person=2,
    vehicle=3,
    purpose="repair",
    category="track",
    start=10,
    until=None,
    withdrawn=None,
    notice="1",
    separate=True,
    recipients=frozenset(),
)


@pytest.mark.parametrize(
    ("until", "withdrawn", "holding"),
    [
        (None, None, [10, 99]),
        (20, None, [10, 19]),
        (None, 15, [10, 14]),
        (20, 15, [14]),
    ],
)
def test_when_it_holds(until: int | None, withdrawn: int | None, holding: list[int]) -> None:
    consent = dataclasses.replace(OPEN, until=until, withdrawn=withdrawn)
    ends = [end for end in (until, withdrawn) if end is not None]
    assert all(consent.holds(at) for at in holding)
    assert not consent.holds(9)
    assert not any(consent.holds(end) for end in ends)
