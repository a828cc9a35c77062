"""What a policy says besides which signals: periods, precision, conditions."""

import json

import pytest

from onshore.consent.policy import Host, Setting, Wanted, compile_policy, document
from onshore.words.catalogue import Signal
from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.rulebook import Rulebook

SPEED = Signal(
    "Speed", "km/h", "float", "float32", "driving-behaviour", "raw", "0.1 km/h", own=False, gb32960="01.speed"
)
BOOK = Rulebook("xx/1", "ab", {"Speed": "driving-behaviour"}, {"gb32960": frozenset({"Speed"})}, frozenset(), {})
GIVEN = Consent(1, 2, 3, "repair", "driving-behaviour", 0, None, None, "1", separate=False, recipients=frozenset())


def setting(**wanted: Wanted) -> Setting:
    host = Host("gate.example", "XX")
    return Setting(BOOK, {"Speed": SPEED}, ("law", "repair"), wanted, host, {"XX"}, None, 50)


def said(**wanted: Wanted):
    return json.loads(document(compile_policy(3, [GIVEN], setting(**wanted), 10), "site", 1))


def test_a_line_says_ground_purpose_period_and_precision_of_each_signal():
    policy = said(repair=Wanted(2000, "Speed > 0", {"Speed": "5 km/h"}))
    law, repair = policy["collect"]
    assert law == {
        "ground": "statutory",
        "purpose": "law",
        "category": "driving-behaviour",
        "door": "gb32960",
        "period_ms": 1000,
        "signals": {"Speed": "0.1 km/h"},
    }
    assert repair == {
        "ground": "consent",
        "purpose": "repair",
        "category": "driving-behaviour",
        "period_ms": 2000,
        "if": "Speed > 0",
        "signals": {"Speed": "5 km/h"},
    }
    assert (policy["from"], policy["until"]) == (10, 60)


@pytest.mark.parametrize("condition", ["Speed>0", "Speed > fast", "Nothing > 0", "Speed ~ 1", "Speed > 0 or 1"])
def test_a_condition_that_no_car_could_read_is_malformed(condition):
    with pytest.raises(Malformed) as bad:
        said(repair=Wanted(condition=condition))
    assert condition not in str(bad.value)
