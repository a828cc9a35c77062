"""Collecting in China: what is kept, withheld or masked, and every reason for it."""

from datetime import date
from typing import Any

import msgspec
import pytest

from law import AT, cn_pack
from onshore.rules.acts import Collect, Facts, StandingConsent
from onshore.rules.judge import judge
from onshore.words.verdict import Verdict

TRIPS = StandingConsent(purposes=("trips",), categories=("track", "vehicle-operation"), separate=True, start=AT)


def collect(consent: StandingConsent | None = TRIPS, setting: str = "on", **act: Any) -> Verdict:
    facts = Facts(at=AT, driver_setting=setting, consent=consent)
    return judge(Collect(**{"category": "track", "purpose": "trips", **act}), facts, cn_pack())


def changed(**fields: Any) -> StandingConsent:
    return msgspec.structs.replace(TRIPS, **fields)


def test_what_was_allowed_is_kept_from_the_first_instant() -> None:
    assert (collect().verdict, collect().codes()) == ("keep", {"consented"})


@pytest.mark.parametrize(
    ("consent", "codes"),
    [
        (None, {"no-consent"}),
        (changed(start=AT + 1), {"no-consent"}),
        (changed(start=None, notice="incomplete"), {"no-consent"}),
        (changed(categories=("identity",)), {"no-consent"}),
        (changed(until=AT), {"consent-expired"}),
        (changed(withdrawn=AT), {"consent-withdrawn"}),
        (changed(purposes=("repair",)), {"purpose-not-consented"}),
        (changed(separate=False), {"not-separate"}),
        (
            changed(separate=False, until=AT, withdrawn=AT, purposes=()),
            {"not-separate", "consent-expired", "consent-withdrawn", "purpose-not-consented"},
        ),
    ],
)
def test_a_consent_that_does_not_stand(consent: StandingConsent | None, codes: set[str]) -> None:
    assert (collect(consent).verdict, collect(consent).codes()) == ("withhold", codes)


@pytest.mark.parametrize("consent", [changed(until=AT + 1), changed(withdrawn=AT + 1), changed(start=None)])
def test_a_consent_that_still_stands(consent: StandingConsent) -> None:
    assert collect(consent).verdict == "keep"


def test_ordinary_information_needs_no_separate_consent() -> None:
    assert collect(changed(separate=False), category="vehicle-operation").verdict == "keep"


@pytest.mark.parametrize("setting", ["off", "unset"])
def test_optional_collection_is_off_until_switched_on(setting: str) -> None:
    assert collect(setting=setting).codes() == {"default-off"}
    assert collect(None, setting, ground="emergency").verdict == "keep"


@pytest.mark.parametrize(
    ("act", "codes"),
    [
        ({"in_catalogue": False}, {"not-in-catalogue"}),
        ({"function_running": False}, {"function-not-running"}),
        ({"zone": "restricted"}, {"restricted-zone"}),
        ({"person_born": date(2012, 6, 16)}, {"guardian-needed"}),
        ({"ground": "statutory"}, {"purpose-not-consented"}),
        ({"ground": "safety"}, {"no-consent"}),
        ({"ground": "statutory", "category": "cabin-audio"}, {"no-consent", "purpose-not-consented"}),
    ],
)
def test_what_consent_does_not_help_against(act: dict[str, Any], codes: set[str]) -> None:
    assert (collect(**act).verdict, collect(**act).codes()) == ("withhold", codes)


def test_a_zone_concerns_pictures_and_tracks_alone() -> None:
    assert collect(category="vehicle-operation", zone="restricted").verdict == "keep"


def test_everything_personal_of_a_child_is_sensitive() -> None:
    loose = changed(separate=False)
    child = collect(loose, category="vehicle-operation", person_born=date(2012, 6, 16))
    assert child.codes() == {"guardian-needed", "not-separate"}
    assert collect(loose, category="vehicle-operation", person_born=date(2012, 6, 15)).verdict == "keep"


@pytest.mark.parametrize("category", ["track", "driving-behaviour", "vehicle-operation", "identity"])
def test_statutory_monitoring_asks_nobody(category: str) -> None:
    kept = collect(None, "off", category=category, ground="statutory", purpose="statutory-monitoring")
    assert (kept.verdict, kept.codes()) == ("keep", {"statutory"})


@pytest.mark.parametrize("ground", ["contract", "emergency"])
def test_other_grounds_ask_for_no_consent(ground: str) -> None:
    assert collect(None, ground=ground).codes() == {ground}


@pytest.mark.parametrize(
    ("purpose", "memo", "verdict"),
    [("driving-safety", True, "keep"), ("driving-safety", False, "withhold"), ("payment", True, "withhold")],
)
@pytest.mark.parametrize("ground", ["consent", "emergency"])
def test_biometrics_serve_driving_safety_with_a_memo(purpose: str, memo: bool, verdict: str, ground: str) -> None:
    consent = changed(categories=("biometric",), purposes=(purpose,))
    act = {"category": "biometric", "purpose": purpose, "biometric_necessity_memo": memo, "ground": ground}
    found = collect(consent, **act)
    assert found.verdict == verdict
    assert ("biometric-not-for-safety" in found.codes()) == (verdict == "withhold")


@pytest.mark.parametrize(
    ("act", "verdict"),
    [
        ({}, "mask"),
        ({"masked": True}, "keep"),
        ({"leaves_car": False}, "keep"),
        ({"category": "exterior-video-anonymised"}, "keep"),
        ({"zone": "restricted"}, "withhold"),
    ],
)
def test_the_road_leaves_the_car_masked(act: dict[str, Any], verdict: str) -> None:
    seen = {"category": "exterior-video", "purpose": "driving-safety", "ground": "safety", **act}
    assert collect(None, "unset", **seen).verdict == verdict


def test_an_owner_cannot_consent_for_those_on_the_road() -> None:
    consent = changed(categories=("exterior-video",))
    assert collect(consent, category="exterior-video").codes() == {"must-mask"}
    assert collect(None, category="exterior-video").codes() == {"must-mask", "no-consent"}
