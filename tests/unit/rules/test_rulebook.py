"""The compiled rulebook decides as the judge does, for every category and state of consent."""

import itertools

import msgspec
import pytest

from law import AT, catalogue, cn_pack
from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.rules.judge import judge
from onshore.rules.rulebook import compile_rulebook
from onshore.words.consent import Consent
from onshore.words.rulebook import Rulebook
from onshore.words.vocabulary import CATEGORIES, STATUTORY

PACK = cn_pack()
PURPOSES = ("driving-safety", "trips")
STATES = {
    "none": None,
    "given": {},
    "not-begun": {"start": AT + 1},
    "over": {"until": AT},
    "withdrawn": {"withdrawn": AT},
    "other-purpose": {"purpose": "other"},
    "other-category": {"category": "diagnostic-aggregate"},
    "not-separate": {"separate": False},
}


def consents(state: str, category: str, purpose: str) -> list[Consent]:
    change = STATES[state]
    if change is None:
        return []
    whole = {"id": 1, "person": 1, "vehicle": 1, "notice": "1", "recipients": frozenset(), "separate": True}
    span = {"start": AT, "until": None, "withdrawn": None, "purpose": purpose, "category": category}
    return [Consent(**{**whole, **span, **change})]


def sieve_keeps(book: Rulebook, signal: str, given: list[Consent], purpose: str) -> bool:
    """What `words.rulebook` says a sieve does with one cell, for one purpose."""
    category = book.category.get(signal)
    return category is not None and any(
        consent.holds(AT)
        and (consent.category, consent.purpose) == (category, purpose)
        and (consent.separate or category not in book.separate)
        and purpose in book.only_for.get(category, {purpose})
        for consent in given
    )


def judge_keeps(category: str, given: list[Consent], purpose: str, *, memo: bool) -> bool:
    standing = [
        StandingConsent(
            purposes=(c.purpose,),
            categories=(c.category,),
            separate=c.separate,
            start=c.start,
            until=c.until,
            withdrawn=c.withdrawn,
        )
        for c in given
    ]
    facts = Facts(at=AT, driver_setting="on", consent=next(iter(standing), None))
    act = Collect(category=category, purpose=purpose, biometric_necessity_memo=memo)
    return judge(act, facts, PACK).verdict == "keep"


SIGNAL_OF = {signal.category: name for name, signal in catalogue().items()}


@pytest.mark.parametrize("memo", [True, False])
@pytest.mark.parametrize("state", STATES)
def test_compiled_and_judged_agree(state: str, memo: bool) -> None:
    book = compile_rulebook(PACK, catalogue(), "00", memos={"biometric"} if memo else ())
    for category, purpose in itertools.product(set(CATEGORIES) & set(SIGNAL_OF), PURPOSES):
        given = consents(state, category, purpose)
        kept = sieve_keeps(book, SIGNAL_OF[category], given, purpose)
        assert kept == judge_keeps(category, given, purpose, memo=memo), (category, purpose)


def test_statutory_signals_are_those_that_the_judge_keeps_on_that_ground() -> None:
    book = compile_rulebook(PACK, catalogue(), "00")
    statutory = book.statutory["gb32960"]
    assert set(book.statutory) == {"gb32960"}
    for name, signal in catalogue().items():
        act = Collect(category=signal.category, purpose=STATUTORY, ground="statutory")
        kept = judge(act, Facts(at=AT), PACK).verdict == "keep"
        carried = signal.gb32960 is not None and not signal.gb32960.startswith("header")
        assert (name in statutory) == (kept and carried), name
    assert "Vehicle.CurrentLocation.Latitude" in statutory
    assert "Vehicle.Onshore.Sim.Iccid" in statutory
    assert "Vehicle.VehicleIdentification.VIN" not in statutory


def test_pictures_that_leave_only_masked_never_enter_by_a_column() -> None:
    book = compile_rulebook(PACK, catalogue(), "00")
    left_out = set(catalogue()) - set(book.category)
    assert {catalogue()[name].category for name in left_out} == {"exterior-video"}
    assert (book.pack, book.digest) == ("cn/2026-02", "00")


def test_a_pack_with_fewer_rules_compiles_to_fewer_limits() -> None:
    replace = msgspec.structs.replace
    bare = replace(
        PACK,
        grounds=replace(PACK.grounds, statutory=None),
        collect=replace(PACK.collect, must_mask=None),
        consent=replace(PACK.consent, not_separate=None, biometric_not_for_safety=None),
    )
    book = compile_rulebook(bare, catalogue(), "00")
    assert set(book.category) == set(catalogue())
    assert (book.statutory, book.separate, book.only_for) == ({}, frozenset(), {})


def test_a_limit_without_a_memo_and_a_ground_for_every_category() -> None:
    replace = msgspec.structs.replace
    limit = PACK.consent.biometric_not_for_safety
    ground = PACK.grounds.statutory
    assert limit is not None
    assert ground is not None
    pack = replace(
        PACK,
        grounds=replace(PACK.grounds, statutory=replace(ground, categories=None, purposes=None)),
        consent=replace(PACK.consent, biometric_not_for_safety=replace(limit, memo=False)),
    )
    book = compile_rulebook(pack, catalogue(), "00")
    assert book.only_for == {"biometric": frozenset({"driving-safety"})}
    assert book.statutory == compile_rulebook(PACK, catalogue(), "00").statutory
    anything = Collect(category="health", purpose="any", ground="statutory")
    assert judge(anything, Facts(at=AT), pack).verdict == "keep"
    safe = Collect(category="biometric", purpose="driving-safety", ground="emergency")
    assert judge(safe, Facts(at=AT), pack).verdict == "keep"
