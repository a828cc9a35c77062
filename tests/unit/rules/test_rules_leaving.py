"""Leaving China: routes, papers, exemptions."""

from datetime import date
from typing import Any

import msgspec
import pytest

from law import AT, cn_pack
from onshore.rules.acts import Exported, Facts, GroupExports, StandingConsent, TransferAsked
from onshore.rules.judge import judge
from onshore.words.verdict import Counter, Verdict

TOLD = frozenset({"impact-assessment", "export-notice", "separate-consent"})
CONTRACT = TOLD | {"standard-contract"}
ASSESSED = TOLD | {"assessment"}


def transfer(papers: frozenset[str] = TOLD, known: dict[str, Any] | None = None, **act: Any) -> Verdict:
    asked = {"to": "DE", "purpose": "repair", "categories": ("vehicle-operation",), "new_persons": 1, **act}
    return judge(TransferAsked(**asked), Facts(at=AT, papers=papers, **(known or {})), cn_pack())


def exported(ordinary: int = 0, sensitive: int = 0) -> dict[str, Any]:
    return {"exported": Exported(ordinary=ordinary, sensitive=sensitive)}


def test_inside_nothing_leaves() -> None:
    home = transfer(frozenset(), to="CN", categories=("track",), by="vehicle")
    assert (home.verdict, home.route, home.codes()) == ("allow", "none", {"exempt"})
    assert transfer(to="CN", recipient_status="blocked").codes() == {"recipient-blocked"}


@pytest.mark.parametrize("to", ["HK", "MO", "TW", "DE", "BR"])
@pytest.mark.parametrize("by", ["file", "query", "view"])
def test_abroad_is_abroad_however_it_is_reached(to: str, by: str) -> None:
    assert transfer(to=to, by=by, categories=("track",)).codes() == {"contract-or-certificate-required"}


@pytest.mark.parametrize(
    ("category", "ordinary", "sensitive", "route"),
    [
        ("vehicle-operation", 99_998, 0, "exempt"),
        ("vehicle-operation", 99_999, 0, "contract-or-certificate"),
        ("vehicle-operation", 999_998, 0, "contract-or-certificate"),
        ("vehicle-operation", 999_999, 0, "assessment"),
        ("vehicle-operation", 0, 1, "contract-or-certificate"),
        ("track", 0, 0, "contract-or-certificate"),
        ("track", 0, 9_998, "contract-or-certificate"),
        ("track", 0, 9_999, "assessment"),
        ("exterior-video", 0, 0, "assessment"),
        ("charging-network", 0, 0, "assessment"),
        ("traffic-flow", 0, 0, "assessment"),
        ("diagnostic-aggregate", 0, 0, "exempt"),
        ("exterior-video-anonymised", 0, 0, "exempt"),
    ],
)
def test_routes(category: str, ordinary: int, sensitive: int, route: str) -> None:
    known = exported(ordinary, sensitive)
    bare, held = transfer(TOLD, known, categories=(category,)), transfer(ASSESSED, known, categories=(category,))
    assert (bare.route, held.route) == (route, route)
    assert bare.verdict == ("allow" if route == "exempt" else "refuse")
    assert held.codes() == {"exempt" if route == "exempt" else "within-permit"}


@pytest.mark.parametrize("paper", ["standard-contract", "certificate", "assessment"])
def test_a_stricter_paper_serves_a_lighter_route(paper: str) -> None:
    assert transfer(TOLD | {paper}, categories=("track",)).verdict == "allow"
    above = transfer(TOLD | {paper}, exported(sensitive=9_999), categories=("track",))
    assert (above.verdict == "allow") == (paper == "assessment")


def test_sensitive_information_is_of_one_person_at_least() -> None:
    assert transfer(categories=("track",), new_persons=0).codes() == {"contract-or-certificate-required"}


def test_counters_say_how_far_the_next_threshold_is() -> None:
    counted = transfer(CONTRACT, exported(99_999, 10_000), categories=("track", "identity"))
    assert counted.counters == (Counter("ordinary", 100_000, 1_000_000), Counter("sensitive", 10_001, None))


def test_what_lacks_is_named() -> None:
    refused = transfer(frozenset(), categories=("track", "point-cloud"), by="authority")
    assert refused.missing == (
        "authority-approval",
        "survey-approval",
        "impact-assessment",
        "export-notice",
        "separate-consent",
        "standard-contract",
    )


@pytest.mark.parametrize(
    ("papers", "codes"),
    [
        (TOLD - {"impact-assessment"}, {"impact-assessment-missing"}),
        (TOLD - {"export-notice"}, {"notice-missing"}),
        (TOLD - {"export-notice"} | {"export-notice-incomplete"}, {"notice-incomplete"}),
        (TOLD - {"separate-consent"}, {"separate-consent-missing"}),
    ],
)
def test_persons_are_told_and_asked(papers: frozenset[str], codes: set[str]) -> None:
    assert transfer(papers).codes() == codes


@pytest.mark.parametrize(
    ("subjects", "papers", "strict", "route"),
    [
        (100_000, CONTRACT, True, "exempt"),
        (100_001, CONTRACT, True, "assessment"),
        (100_001, CONTRACT, False, "assessment"),
        (100_001, CONTRACT | {"counsel-opinion-art3-5"}, True, "assessment"),
        (100_001, CONTRACT | {"counsel-opinion-art3-5"}, False, "exempt"),
    ],
)
def test_large_datasets_are_important_unless_counsel_says_otherwise(
    subjects: int, papers: frozenset[str], strict: bool, route: str
) -> None:
    known = {"strict_art3_5": strict}
    assert transfer(papers, known, subjects_in_dataset=subjects).route == route
    assert transfer(papers, known, subjects_in_dataset=subjects, categories=("point-cloud",)).route == "exempt"


def test_what_is_recorded_at_sensitive_sites_is_important() -> None:
    assert transfer(near_sensitive_site=True).codes() == {"assessment-required"}


def test_a_critical_operator_needs_an_assessment_for_one_person() -> None:
    known = {"critical_operator": True}
    assert transfer(CONTRACT, known).codes() == {"assessment-required"}
    assert transfer(ASSESSED, known).verdict == "allow"
    assert transfer(CONTRACT, known, categories=("diagnostic-aggregate",)).codes() == {"exempt"}
    assert transfer(TOLD, known, ground="contract").codes() == {"exempt"}
    filed = TOLD | {"filed-vulnerability-report"}
    assert transfer(filed, known).codes() == {"assessment-required"}


def test_a_contract_with_the_person_needs_no_consent_but_notice_and_assessment() -> None:
    told = TOLD - {"separate-consent"}
    assert transfer(told, ground="contract", categories=("track",), new_persons=50_000).codes() == {"exempt"}
    bare = transfer(frozenset(), ground="contract")
    assert bare.codes() == {"impact-assessment-missing", "notice-missing"}
    important = transfer(told, ground="contract", categories=("charging-network",))
    assert important.codes() == {"assessment-required"}


def test_in_an_emergency_papers_follow() -> None:
    assert transfer(frozenset(), ground="emergency", categories=("track", "health")).codes() == {"exempt"}


def test_a_statutory_duty_is_a_route_but_monitoring_stays() -> None:
    assert transfer(ground="statutory").codes() == {"exempt"}
    assert transfer(ground="statutory", purpose="statutory-monitoring").codes() == {"no-mechanism"}


def test_a_reported_vulnerability_needs_no_route() -> None:
    filed = TOLD | {"filed-vulnerability-report"}
    assert transfer(filed, categories=("track",), new_persons=20_000).codes() == {"exempt"}
    assert transfer(filed, categories=("traffic-flow",)).codes() == {"assessment-required"}


@pytest.mark.parametrize(
    ("act", "code", "paper"),
    [
        ({"by": "authority"}, "authority-approval-required", "authority-approval"),
        ({"categories": ("point-cloud",)}, "survey-approval-required", "survey-approval"),
        ({"coordinates": True}, "survey-approval-required", "survey-approval"),
    ],
)
def test_approvals(act: dict[str, Any], code: str, paper: str) -> None:
    assert transfer(**act).codes() == {code}
    assert transfer(TOLD | {paper}, **act).verdict == "allow"


def test_a_track_alone_is_no_survey() -> None:
    assert transfer(CONTRACT, categories=("track",)).verdict == "allow"


def test_a_car_does_not_send_abroad() -> None:
    assert transfer(by="vehicle").codes() == {"vehicle-may-not-send-abroad"}


def test_foreign_data_goes_home_freely_unless_joined() -> None:
    act = {"categories": ("track", "point-cloud"), "new_persons": 500_000, "produced_in": "DE"}
    home = transfer(frozenset(), **act)
    assert (home.codes(), home.route) == ({"exempt"}, "exempt")
    assert "impact-assessment-missing" in transfer(frozenset(), joined_with_local=True, **act).codes()
    assert "impact-assessment-missing" in transfer(frozenset(), **{**act, "produced_in": "CN"}).codes()


def test_faces_leave_masked_unless_their_owners_consented() -> None:
    assert transfer(ASSESSED, categories=("exterior-video",)).verdict == "allow"
    assert transfer(ASSESSED, categories=("exterior-video",), ground="contract").codes() == {"must-mask"}


CONSENT = StandingConsent(
    purposes=("repair",), categories=("vehicle-operation",), recipients=("plant-1",), separate=True, start=AT
)


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({}, {"exempt"}),
        ({"start": None}, {"exempt"}),
        ({"start": AT + 1}, {"separate-consent-missing"}),
        ({"until": AT}, {"separate-consent-missing"}),
        ({"until": AT + 1}, {"exempt"}),
        ({"withdrawn": AT}, {"separate-consent-missing"}),
        ({"withdrawn": AT + 1}, {"exempt"}),
        ({"separate": False}, {"separate-consent-missing"}),
        ({"purposes": ("other",)}, {"separate-consent-missing"}),
        ({"categories": ("track",)}, {"separate-consent-missing"}),
        ({"recipients": ("plant-2",)}, {"recipient-not-named"}),
        ({"notice": "incomplete"}, {"notice-incomplete"}),
    ],
)
def test_a_consent_on_record_speaks_for_itself(change: dict[str, Any], codes: set[str]) -> None:
    known = {"consent": msgspec.structs.replace(CONSENT, **change)}
    assert transfer(TOLD - {"separate-consent"}, known, recipient="plant-1").codes() == codes


def test_a_paper_does_not_outlive_the_consent_on_record() -> None:
    known = {"consent": msgspec.structs.replace(CONSENT, withdrawn=AT)}
    assert transfer(TOLD, known, recipient="plant-1").codes() == {"separate-consent-missing"}


@pytest.mark.parametrize(("recipients", "codes"), [((), {"exempt"}), (("plant-1",), {"recipient-not-named"})])
def test_a_transfer_that_names_no_recipient(recipients: tuple[str, ...], codes: set[str]) -> None:
    known = {"consent": msgspec.structs.replace(CONSENT, recipients=recipients)}
    assert transfer(TOLD, known).codes() == codes


@pytest.mark.parametrize(
    ("papers", "own", "group", "splitting"),
    [
        (TOLD, (60_000, 0), (39_998, 0), False),
        (TOLD, (60_000, 0), (39_999, 0), True),
        (CONTRACT, (60_000, 0), (39_999, 0), False),
        (CONTRACT, (0, 5_000), (0, 5_000), True),
        (ASSESSED, (0, 5_000), (0, 5_000), False),
    ],
)
def test_a_group_may_not_split(
    papers: frozenset[str], own: tuple[int, int], group: tuple[int, int], splitting: bool
) -> None:
    known = {
        "exported": Exported(ordinary=own[0], sensitive=own[1]),
        "group_exports": GroupExports(members=2, ordinary=group[0], sensitive=group[1]),
    }
    found = transfer(papers, known)
    assert found.codes() == ({"possible-splitting"} if splitting else found.codes() & {"exempt", "within-permit"})
    assert transfer(papers, known, ground="contract").verdict == "allow"


def test_other_jurisdictions_facts_change_nothing_here() -> None:
    assert transfer(new_devices=10**6, precision_m=1, recipient_status="gatekeeper").codes() == {"exempt"}
    assert transfer(known={"devices_12_months": 10**6, "calendar_until": 2026}).codes() == {"exempt"}
    assert transfer(known={"pack_valid_until": date(2026, 6, 15)}).codes() == {"exempt"}
