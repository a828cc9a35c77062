"""A short run of what `make soak` does at length: mutated input gets documented refusals only, from every decoder."""

import random

import pytest

from hostile import harnesses
from soak import guided, mutated, mutations

RUNS = 300


@pytest.mark.parametrize("name", harnesses())
def test_documented_refusals_only(name):
    assert mutated(name, RUNS, 7) is None


@pytest.mark.parametrize("name", harnesses())
def test_what_it_starts_from_is_good(name):
    for good in harnesses()[name].seeds:
        harnesses()[name].feed(good)


def test_mutations_differ_and_come_again_with_their_seed():
    first, again = (mutations((b"one good input", b"another"), random.Random(3)) for _ in range(2))
    some = [next(first) for _ in range(50)]
    assert some == [next(again) for _ in range(50)]
    assert len(set(some)) > 40


def test_what_is_found_is_handed_back(monkeypatch, capsys):
    import hostile

    def falls(data):
        if len(data) > 3:
            raise ValueError("found")

    monkeypatch.setattr(hostile, "harnesses", lambda: {"one": hostile.Harness(falls, (b"four",))})
    found = mutated("one", 100, 1)
    assert found is not None
    assert len(found) > 3
    assert "ValueError: found" in capsys.readouterr().err
    assert callable(guided)
