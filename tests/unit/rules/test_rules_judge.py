"""The judge fails closed: without a pack, or with one that is not in force, the answer is no."""

from datetime import date

import msgspec
import pytest

from law import AT, cn_pack, ms
from onshore.rules.acts import Act, Collect, ConsentAsked, Facts, TransferAsked
from onshore.rules.judge import judge

ACTS: list[tuple[Act, str]] = [
    (Collect(category="track", purpose="p", ground="emergency"), "withhold"),
    (ConsentAsked(categories=("identity",), purposes=("p",)), "reject"),
    (TransferAsked(to="DE", purpose="p", categories=("diagnostic-aggregate",)), "refuse"),
]


@pytest.mark.parametrize(("act", "no"), ACTS)
def test_no_pack_no_permission(act: Act, no: str) -> None:
    found = judge(act, Facts(at=AT), None)
    assert (found.verdict, found.codes()) == (no, {"no-rule-pack"})


@pytest.mark.parametrize(("act", "no"), ACTS)
def test_stale_rules_decide_nothing(act: Act, no: str) -> None:
    stale = (
        (Facts(at=AT, pack_valid_until=date(2026, 6, 14)), cn_pack()),
        (Facts(at=AT), msgspec.structs.replace(cn_pack(), valid_until=date(2026, 6, 14))),
        (Facts(at=ms("2026-01-29T23:59:59+08:00")), cn_pack()),
    )
    for facts, pack in stale:
        found = judge(act, facts, pack)
        assert (found.verdict, found.codes()) == (no, {"stale-rules"})


def test_the_last_day_counts_to_its_end_in_local_time() -> None:
    act = ACTS[2][0]
    for at, verdict in (("2026-06-14T23:59:59+08:00", "allow"), ("2026-06-15T00:00:00+08:00", "refuse")):
        assert judge(act, Facts(at=ms(at), pack_valid_until=date(2026, 6, 14)), cn_pack()).verdict == verdict


def test_a_pack_without_the_rules_of_china_lacks_their_reasons() -> None:
    """Absent rules do not exist: this is how a pack of another jurisdiction differs."""
    cn = cn_pack()
    replace = msgspec.structs.replace
    pack = replace(
        cn,
        classes=replace(cn.classes, important_sites=None, important_scale=None),
        grounds=replace(cn.grounds, safety=None, statutory=None),
        collect=replace(cn.collect, restricted_zone=None, must_mask=None, function_not_running=None, default_off=None),
        consent=replace(
            cn.consent, not_separate=None, guardian_needed=None, asked_too_soon=None, biometric_not_for_safety=None
        ),
        transfer=replace(
            cn.transfer,
            vehicle_may_not_send_abroad=None,
            authority_approval_required=None,
            survey_approval_required=None,
            must_mask=None,
            no_mechanism=None,
        ),
    )
    kept = Collect(category="exterior-video", purpose="p", ground="emergency", zone="restricted")
    assert judge(kept, Facts(at=AT), pack).verdict == "keep"
    unknown_ground = Collect(category="exterior-video", purpose="p", ground="safety", masked=True)
    assert judge(unknown_ground, Facts(at=AT), pack).codes() == {"no-consent"}
    asked = ConsentAsked(
        categories=("biometric",),
        purposes=("p",),
        notice_items=cn.consent.notice_incomplete.items,
        last_refused=AT,
        person_born=date(2020, 1, 1),
    )
    assert judge(asked, Facts(at=AT), pack).verdict == "accept"
    sent = TransferAsked(
        to="DE",
        purpose="statutory-monitoring",
        categories=("point-cloud",),
        by="authority",
        near_sensitive_site=True,
        subjects_in_dataset=10**7,
    )
    assert judge(sent, Facts(at=AT), pack).verdict == "allow"
    refused = judge(msgspec.structs.replace(sent, categories=("identity",)), Facts(at=AT), pack)
    assert refused.missing == ("impact-assessment", "export-notice", "separate-consent")
