"""A signal is in a policy exactly if the sieve would keep a row of now; and no policy outlives what it rests on."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sieve_strategies import BOOK, PURPOSES, TYPES, batch_of

from onshore.consent.policy import Host, Setting, compile_policy, content, document
from onshore.consent.reference import reference_sieve
from onshore.words.batch import signals
from onshore.words.consent import Consent
from onshore.words.errors import Refusal

CAR = 1
NOW = 5
VALUES = {
    "Speed": 1.5,
    "Odometer": 7,
    "Open": True,
    "Cells": b"\x01",
    "Latitude": 31.2,
    "Route": "home",
    "Gaze": "left",
}

instants = st.integers(0, 9)
consents = st.lists(
    st.builds(
        Consent,
        id=st.just(7),
        person=st.sampled_from([5, 6]),
        vehicle=st.just(CAR),
        purpose=st.sampled_from([*PURPOSES[1:]]),
        category=st.sampled_from(["vehicle-operation", "track", "biometric", "cabin-audio"]),
        start=instants,
        until=st.none() | instants,
        withdrawn=st.none() | instants,
        notice=st.just("1"),
        separate=st.booleans(),
        recipients=st.just(frozenset()),
    ),
    max_size=6,
)


def setting(**more) -> Setting:
    said = {
        "rulebook": BOOK,
        "catalogue": {},
        "purposes": PURPOSES,
        "wanted": {},
        "host": Host("gate.example", "CN"),
        "home": {"CN"},
        "pack_ends": None,
        "longest": 100,
    }
    return Setting(**said | more)


def kept(door: str, given: list[Consent]) -> set[str]:
    names = list(VALUES)
    batch = batch_of([(CAR, NOW, door, VALUES)], names)
    sieved = reference_sieve(batch, given, PURPOSES, BOOK, NOW)
    return set() if sieved.kept is None else set(signals(sieved.kept.schema))


@given(consents, st.sampled_from(["gb32960", "mqtt"]))
def test_a_signal_is_in_the_policy_exactly_if_the_sieve_would_keep_it(given_, door):
    policy = compile_policy(CAR, given_, setting(), NOW)
    told = {name for line in policy.through(door) for name in line.signals}
    assert told & VALUES.keys() == kept(door, given_)
    assert told <= TYPES.keys()


@given(consents, st.integers(1, 9), st.none() | st.integers(0, 12))
def test_no_policy_outlives_a_consent_in_it_the_pack_or_its_longest_time(given_, longest, pack_ends):
    policy = compile_policy(CAR, given_, setting(longest=longest, pack_ends=pack_ends), NOW)
    assert policy.until <= NOW + longest
    assert pack_ends is None or policy.until <= pack_ends
    named = {(line.purpose, line.category) for line in policy.lines if line.ground == "consent"}
    behind = [c for c in given_ if c.holds(NOW) and (c.purpose, c.category) in named]
    ends = [
        e
        for c in behind
        for e in (c.until, c.withdrawn)
        if e is not None and (c.separate or c.category not in BOOK.separate)
    ]
    assert all(policy.until <= end for end in ends)


@given(consents, st.randoms(use_true_random=False))
def test_the_same_consents_in_another_order_make_the_same_bytes(given_, random):
    shuffled = list(given_)
    random.shuffle(shuffled)
    first, second = (compile_policy(CAR, some, setting(), NOW) for some in (given_, shuffled))
    assert document(first, "site", 3) == document(second, "site", 3)
    assert content(first) == content(second)
    said = json.loads(document(first, "site", 3))
    assert said["version"] == 3
    assert said["vehicle"] == f"{CAR:016x}"


def test_a_host_outside_the_jurisdiction_is_refused():
    with pytest.raises(Refusal) as refused:
        compile_policy(CAR, [], setting(host=Host("gate.example", "DE"), article="Art. 1"), NOW)
    assert refused.value.reason == "host-abroad"
    assert refused.value.article == "Art. 1"
