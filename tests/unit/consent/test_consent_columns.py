"""Consents compiled to columns: what is refused, how vehicles are found, how lines are joined."""

import numpy as np
import pytest

from onshore.consent.columns import SEPARATE, WORD, compile_consents
from onshore.words.consent import Consent
from onshore.words.errors import Malformed

PURPOSES = ("statutory-monitoring", "repair", "insurance")


def consent(vehicle=1, purpose="repair", category="track", start=0, until=None, withdrawn=None, separate=False):
    return Consent(3, 5, vehicle, purpose, category, start, until, withdrawn, "1", separate, frozenset())


@pytest.mark.parametrize(
    "purposes",
    [(), ("repair",), ("statutory-monitoring", "a", "a"), ("statutory-monitoring", *map(str, range(63)))],
)
def test_a_wrong_list_of_purposes_is_refused(purposes):
    with pytest.raises(Malformed, match="list of purposes"):
        compile_consents([], purposes)


def test_sixty_three_purposes_fit_below_the_sign():
    purposes = ("statutory-monitoring", *map(str, range(62)))
    compiled = compile_consents([consent(purpose="61", separate=True)], purposes)
    assert compiled.of["track"].table[1, WORD] == SEPARATE | 1 << 62


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (consent(purpose="statutory-monitoring"), "nobody consents"),
        (consent(purpose="advertising"), "not in the site's list"),
        (consent(start=2**62 + 1), "beyond"),
        (consent(until=2**62 + 1), "beyond"),
        (consent(withdrawn=-(2**62) - 1), "beyond"),
    ],
)
def test_a_wrong_consent_is_refused_by_its_id_alone(wrong, says):
    with pytest.raises(Malformed, match=says) as caught:
        compile_consents([wrong], PURPOSES)
    assert caught.value.where == "consent 3"


@pytest.mark.parametrize("many", [0, 1, 7, 1000])
def test_every_vehicle_is_found_and_no_other(many):
    ids = np.random.default_rng(many).integers(1, 2**63 - 1, 2 * many)
    known, others = ids[:many], np.append(ids[many:], [0, -1, 2**63 - 1])
    compiled = compile_consents([consent(v) for v in known.tolist()], PURPOSES)
    assert (compiled.vehicles[compiled.places(known)] == known).all()
    assert (compiled.places(known) != compiled.unknown).all()
    assert (compiled.places(others) == compiled.unknown).all()


def test_consents_that_differ_in_purpose_alone_share_a_line():
    lines = compile_consents([consent(), consent(purpose="insurance"), consent(start=1)], PURPOSES).of["track"]
    assert lines.table[1:3, WORD].tolist() == [0b110, 0b010]
    assert lines.more[:2].tolist() == [0, 1]


def test_the_order_of_consents_does_not_matter():
    some = [consent(v, start=s, separate=s > 1) for v in (5, 1, 3) for s in (2, 0, 1)]
    one, other = compile_consents(some, PURPOSES), compile_consents(some[::-1], PURPOSES)
    assert (one.of["track"].table == other.of["track"].table).all()
    assert (one.of["track"].all_of == other.of["track"].all_of).all()


@pytest.mark.parametrize("field", ["vehicle", "start", "until"])
def test_a_number_that_64_bits_do_not_hold_is_refused(field):
    with pytest.raises(Malformed, match="64 bits") as caught:
        compile_consents([consent(**{field: 2**63})], PURPOSES)
    assert caught.value.where == f"consents: {field}"
