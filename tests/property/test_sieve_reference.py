"""The fast sieve says what the reference says, never widens, and never keeps what was withdrawn."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from sieve_strategies import (
    PURPOSES,
    batches,
    cases,
    consents,
    fast,
    instants,
    plain,
    purposes_of_cells,
    slowly,
    uses,
    zoned,
)

from onshore.consent.columns import compile_consents
from onshore.consent.sieve import sieve
from onshore.words.use import Use

REASONS = {
    "consented",
    "statutory",
    "not-in-catalogue",
    "restricted-zone",
    "default-off",
    "no-consent",
    "purpose-not-consented",
    "recipient-not-named",
    "biometric-not-for-safety",
    "not-separate",
    "consent-withdrawn",
    "consent-expired",
}


@given(zoned)
@settings(max_examples=150, deadline=None)
def test_the_sieve_says_what_the_reference_says(case):
    assert plain(fast(case)) == plain(slowly(case))


def test_every_reason_occurs():
    seen: Counter[str] = Counter()

    @given(zoned)
    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    def look(case):
        said = fast(case)
        assert plain(said) == plain(slowly(case))
        if isinstance(said, str):
            seen["refused"] += 1
        else:
            seen.update({why[2] for why in said.tally.cells})

    look()
    assert set(seen) == REASONS | {"refused"}
    assert min(seen.values()) >= 3, seen


@given(zoned, st.data(), uses, st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_sieving_again_never_widens(case, data, only, later):
    first = fast(case)
    if isinstance(first, str) or first.kept is None:
        return
    fewer = data.draw(st.lists(st.sampled_from(case.consents), unique_by=id) if case.consents else st.just([]))
    only = case.only or only  # what was sieved for one use is sieved for that use again, not for another
    again = sieve(first.kept, compile_consents(fewer, PURPOSES), case.book, case.now + later, only=only)
    before, after = purposes_of_cells(first.kept), purposes_of_cells(again.kept)
    assert set(after) <= set(before)
    times = dict(zip(case.batch.column("received").to_pylist(), case.batch.column("time").to_pylist(), strict=True))
    times = {int(r.timestamp() * 1000): int(t.timestamp() * 1000) for r, t in times.items()}
    for cell, bits in after.items():
        # A car whose clock runs ahead may reach a consent that begins between two sievings.
        if later == 0 or times[cell[0]] <= case.now:
            by_consent = before[cell] & ~1
            allowed = by_consent if case.only is not None and case.only.purpose != PURPOSES[0] else before[cell]
            assert bits & ~1 & ~by_consent == 0
            assert bits & ~allowed & ~1 == 0


@given(cases)
@settings(max_examples=60, deadline=None)
def test_sieving_again_alike_changes_nothing(case):
    first = fast(case)
    if isinstance(first, str) or first.kept is None:
        return
    again = fast(case._replace(batch=first.kept))
    assert plain(again)[1:] == plain(first)[1:]


@given(batches(), st.lists(consents, min_size=1, max_size=8), instants, st.sampled_from([None, Use("repair")]))
@settings(max_examples=100, deadline=None)
def test_what_was_withdrawn_is_never_kept(batch, given_consents, now, only):
    withdrawn = [c for c in given_consents if c.withdrawn is not None]
    said = fast_or_none(batch, withdrawn, now, only)
    if said is None or said.kept is None:
        return
    vehicle = said.kept.column("vehicle").to_pylist()
    time = [int(t.timestamp() * 1000) for t in said.kept.column("time").to_pylist()]
    numbers = said.kept.column("received").to_pylist()
    rows = {int(n.timestamp() * 1000): (v, t) for n, v, t in zip(numbers, vehicle, time, strict=True)}
    for (number, name), bits in purposes_of_cells(said.kept).items():
        its, at = rows[number]
        for i, purpose in enumerate(PURPOSES[1:], 1):
            if bits >> i & 1:
                assert any(
                    c.withdrawn > max(at, now) and (c.vehicle, c.purpose) == (its, purpose)
                    for c in withdrawn
                    if c.category == said.kept.schema.field(name).metadata[b"category"].decode()
                )


def fast_or_none(batch, given_consents, now, only):
    from sieve_strategies import Case

    said = fast(Case(batch, given_consents, now, only))
    return None if isinstance(said, str) else said
