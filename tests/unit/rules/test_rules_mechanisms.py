"""Mechanisms: what carries personal data elsewhere than in China, and what is owed on the way."""

from datetime import date
from typing import Any

import msgspec
import pytest

from law import AT, ms, pack, packs
from onshore.rules.acts import Facts, PermitInForce, StandingConsent, TransferAsked
from onshore.rules.articles import PAPERS, Asking, Barred, ByMeans, OnRoutes, Rule
from onshore.rules.judge import judge
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Leaving, Mechanism, NoMechanism
from onshore.words.verdict import Verdict

EU = pack("eu/2025-09")
RULE = {"article": "Art. 1", "mark": "mem-H", "kind": "LAW", "says": "It is so."}


def ask(papers: tuple[str, ...] = (), by: Pack = EU, at: int = AT, known: Any = None, **act: Any) -> Verdict:
    facts = Facts(at=at, papers=frozenset(papers), **(known or {}))
    asked = {"to": "IN", "purpose": "repair", "categories": ("identity",), "new_persons": 1, **act}
    return judge(TransferAsked(**asked), facts, by)


def with_rules(**rules: Any) -> Pack:
    return msgspec.structs.replace(EU, transfer=msgspec.structs.replace(EU.transfer, **rules))


SAFE = ("standard-contract", "transfer-assessment", "export-notice")


@pytest.mark.parametrize(
    ("papers", "act", "route", "codes"),
    [
        (SAFE, {}, "safeguards", {"within-permit"}),
        (SAFE[:2], {}, "safeguards", {"notice-missing"}),
        ((*SAFE[:2], "export-notice-incomplete"), {}, "safeguards", {"notice-incomplete"}),
        (SAFE[::2], {}, "safeguards", {"transfer-assessment-missing"}),
        ((), {}, "safeguards", {"no-mechanism", "transfer-assessment-missing", "notice-missing"}),
        ((), {"to": "JP"}, "adequacy", {"exempt"}),
        ((), {"to": "FR"}, "none", {"exempt"}),
        ((), {"ground": "emergency"}, "exempt", {"exempt"}),
        (("export-notice",), {"ground": "contract"}, "exempt", {"exempt"}),
        ((), {"ground": "contract"}, "exempt", {"notice-missing"}),
        (("separate-consent", "export-notice"), {}, "exempt", {"exempt"}),
        (("separate-consent",), {}, "safeguards", {"no-mechanism", "transfer-assessment-missing", "notice-missing"}),
        # clauses that lack their assessment do not stand in the way of a derogation
        (("standard-contract", "export-notice"), {"ground": "contract"}, "exempt", {"exempt"}),
        ((), {"categories": ("diagnostic-aggregate",)}, "exempt", {"exempt"}),
    ],
)
def test_what_carries_it(papers: tuple[str, ...], act: dict[str, Any], route: str, codes: set[str]) -> None:
    found = ask(papers, **act)
    assert (found.route, found.codes()) == (route, codes)
    assert found.verdict == ("allow" if codes <= {"exempt", "within-permit"} else "refuse")


def test_what_is_missing_is_named() -> None:
    assert ask().missing == ("transfer-assessment", "export-notice", "standard-contract")


def test_a_consent_on_record_counts_until_it_is_withdrawn() -> None:
    consent = StandingConsent(purposes=("repair",), categories=("identity",), separate=True)
    told = ("export-notice",)
    assert ask(told, known={"consent": consent}, recipient="plant-1").route == "exempt"
    gone = msgspec.structs.replace(consent, withdrawn=AT)
    assert ask((*told, "separate-consent"), known={"consent": gone}, recipient="plant-1").verdict == "refuse"


def test_a_permit_is_judged_alone() -> None:
    permit = PermitInForce(
        route="safeguards",
        purpose="repair",
        categories=("identity",),
        recipient="plant-1",
        persons=1,
        start=date(2026, 1, 1),
    )
    told = ("transfer-assessment", "export-notice")
    found = ask(told, known={"permit": permit}, recipient="plant-1")
    assert (found.verdict, found.route, found.codes()) == ("allow", "safeguards", {"within-permit"})
    assert ask(known={"permit": permit}, recipient="plant-1").codes() == {
        "transfer-assessment-missing",
        "notice-missing",
    }
    unknown = msgspec.structs.replace(permit, route="assessment")
    assert ask(told, known={"permit": unknown}, recipient="plant-1").codes() == {"outside-permit"}


def test_where_nothing_is_called_impersonal_everything_needs_a_mechanism() -> None:
    assert "no-mechanism" in ask(by=with_rules(no_personal=None), categories=("diagnostic-aggregate",)).codes()


def test_the_lack_of_a_mechanism_may_have_further_names() -> None:
    none = NoMechanism(id="none", codes=("separate-consent-missing",), route="exempt", **RULE)
    found = ask(("export-notice",), by=with_rules(no_mechanism=none))
    assert (found.route, found.codes()) == ("exempt", {"no-mechanism", "separate-consent-missing"})
    stays = msgspec.structs.replace(none, purposes=("repair",))
    assert "no-mechanism" in ask(by=with_rules(no_mechanism=stays), to="JP").codes()


def test_rules_concern_some_destinations_grounds_and_routes() -> None:
    told = OnRoutes(id="told", papers=("regulator-notified",), to=("JP",), grounds=("consent",), **RULE)
    site = with_rules(not_regulator_notified=told)
    assert ask(by=site, to="JP").codes() == {"not-regulator-notified"}
    assert ask(("regulator-notified",), by=site, to="JP").verdict == "allow"
    assert ask(by=site, to="KR").verdict == "allow"
    assert ask(by=site, to="JP", ground="statutory").verdict == "allow"
    assess = OnRoutes(id="assess", papers=("risk-assessment",), routes=("safeguards",), sensitive=True, **RULE)
    site = with_rules(transfer_assessment_missing=assess)
    assert ask(by=site, to="JP").verdict == "allow"
    assert ask(by=site, to="JP", categories=("health",)).codes() == {"transfer-assessment-missing"}


def test_what_bars_a_recipient() -> None:
    barred = Barred(id="b", statuses=("blocked",), to=("KP",), categories=("track",), **RULE)
    site = with_rules(recipient_blocked=barred)
    assert "recipient-blocked" in ask(by=site, to="KP", categories=("track",)).codes()
    assert "recipient-blocked" not in ask(by=site, to="KP").codes()
    assert ask(by=site, to="FR", categories=("track",), recipient_status="blocked").codes() == {"recipient-blocked"}
    none = with_rules(recipient_blocked=None, gatekeeper=None, authority_approval_required=None)
    assert ask(by=none, to="FR", recipient_status="gatekeeper").verdict == "allow"


def test_what_needs_approval_whoever_asks() -> None:
    asking = Asking(id="a", papers=("authority-approval",), categories=("point-cloud",), important=True, **RULE)
    site = with_rules(authority_approval_required=asking)
    assert ask(by=site, to="JP", categories=("point-cloud",)).codes() == {"authority-approval-required"}
    assert ask(by=site, to="JP").verdict == "allow"
    classes = msgspec.structs.replace(site.classes, important=pack("cn/2026-02").classes.important)
    site = msgspec.structs.replace(site, classes=classes)
    assert ask(by=site, to="JP", categories=("traffic-flow",)).codes() == {"authority-approval-required"}


def test_the_car_itself_may_not_write_abroad_first() -> None:
    first = ByMeans(id="f", by=("vehicle",), categories=("identity",), **RULE)
    site = with_rules(first_write_abroad=first)
    sent = TransferAsked(to="JP", purpose="repair", categories=("identity",), by="vehicle", new_persons=1)
    assert judge(sent, Facts(at=AT), site).codes() == {"first-write-abroad"}
    other = msgspec.structs.replace(sent, categories=("track",))
    assert judge(other, Facts(at=AT), site).verdict == "allow"
    assert ask(by=site, to="JP").verdict == "allow"


def test_adequacy_ends_with_its_last_day() -> None:
    for at, verdict in (("2031-12-27T23:59:59+01:00", "allow"), ("2031-12-28T00:00:00+01:00", "refuse")):
        assert ask(to="GB", at=ms(at)).verdict == verdict


def test_a_pack_has_routes_or_mechanisms() -> None:
    found = Mechanism(id="m", route="adequacy", **RULE)
    some = {"inside": EU.transfer.inside, "permit": EU.transfer.permit, "mechanism": (found,)}
    with pytest.raises(ValueError, match="no mechanism fits"):
        Leaving(**some)
    with pytest.raises(ValueError, match="and not both"):
        Leaving(**some, route=pack("cn/2026-02").transfer.route)
    assert isinstance(EU.transfer.inside, Rule)


@pytest.mark.parametrize("name", [found.id for found in packs() if not found.draft and found.valid_until is None])
@pytest.mark.parametrize("lapse", [{"withdrawn": AT}, {"until": AT}, {"start": AT + 1}])
def test_a_consent_that_does_not_stand_carries_nothing_on_its_ground(name: str, lapse: dict[str, int]) -> None:
    """Whatever else is on file: without a standing consent the ground is gone; on another ground it does not matter."""
    by, at = pack(name), max(AT, ms(f"{pack(name).valid_from}T12:00:00+00:00"))
    shift = {key: at + instant - AT for key, instant in lapse.items()}
    whole = {"purposes": ("repair",), "categories": ("identity",), "recipients": ("p",), "separate": True}
    known = {"consent": StandingConsent(**whole, **shift)}
    found = ask((*PAPERS,), by, at, known, to="BR", recipient="p")
    assert (found.verdict, found.codes()) == ("refuse", {"separate-consent-missing"})
    stands = {"consent": StandingConsent(**whole)}
    assert ask((*PAPERS,), by, at, stands, to="BR", recipient="p").verdict == "allow"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"purposes": ("else",)}, "separate-consent-missing"),
        ({"categories": ("track",)}, "separate-consent-missing"),
        ({"recipients": ("q",)}, "recipient-not-named"),
    ],
)
def test_a_consent_to_something_else_carries_nothing_on_its_ground(change: dict[str, Any], code: str) -> None:
    whole: dict[str, Any] = {"purposes": ("repair",), "categories": ("identity",), "recipients": ("p",)}
    known = {"consent": StandingConsent(**{**whole, **change})}
    assert ask(SAFE, known=known, recipient="p").codes() == {code}
    assert ask(SAFE, known=known, recipient="p", ground="contract").verdict == "allow"
    assert (
        ask(SAFE, known={"consent": StandingConsent(**{**whole, "recipients": ()})}, recipient="p").verdict == "allow"
    )
