"""What the sieve withholds inside a restricted zone is what the judge would, whatever the ground."""

import msgspec
import pytest

from law import AT, catalogue, cn_pack
from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.rules.judge import judge
from onshore.rules.rulebook import compile_rulebook
from onshore.words.place import LONGITUDE, NOWHERE
from onshore.words.vocabulary import CATEGORIES

PACK = cn_pack()


def judged(category: str, zone: str, ground: str) -> set[str]:
    purpose = "statutory-monitoring" if ground == "statutory" else "trips"
    given = StandingConsent(purposes=(purpose,), categories=(category,), separate=True)
    act = Collect(category=category, purpose=purpose, ground=ground, zone=zone)
    verdict = judge(act, Facts(at=AT, driver_setting="on", consent=given), PACK)
    return {reason.code for reason in verdict.reasons}


@pytest.mark.parametrize("ground", ["consent", "statutory"])
@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_compiled_and_judged_agree(category: str, ground: str) -> None:
    book = compile_rulebook(PACK, catalogue(), "00")
    assert (category in book.zoned) == ("restricted-zone" in judged(category, "restricted", ground))
    assert "restricted-zone" not in judged(category, "none", ground)


def test_tracks_and_pictures_are_among_them_and_a_pack_may_have_no_such_rule() -> None:
    assert {"track", "exterior-video"} <= compile_rulebook(PACK, catalogue(), "00").zoned
    silent = msgspec.structs.replace(PACK, collect=msgspec.structs.replace(PACK.collect, restricted_zone=None))
    assert compile_rulebook(silent, catalogue(), "00").zoned == frozenset()


def test_it_says_of_which_place_a_signal_tells_where_that_is_not_the_cars_own() -> None:
    places = compile_rulebook(PACK, catalogue(), "00").places
    assert places["Vehicle.Powertrain.TractionBattery.Charging.Location.Longitude"] == "charging"
    assert places["Vehicle.Onshore.Navigation.Route"] == "route"
    assert places["Vehicle.Onshore.PositionValid"] == NOWHERE
    assert LONGITUDE not in places
