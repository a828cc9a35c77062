"""Permits: the limits of the paper in force."""

from datetime import date
from typing import Any

import msgspec
import pytest

from law import cn_pack, ms
from onshore.rules.acts import Exported, Facts, GroupExports, PermitInForce, TransferAsked
from onshore.rules.judge import judge
from onshore.words.verdict import Verdict

PAPERS = frozenset({"impact-assessment", "export-notice", "separate-consent"})
PERMIT = PermitInForce(
    route="assessment",
    purpose="repair",
    categories=("track", "identity"),
    recipient="plant-1",
    persons=10,
    used=9,
    start=date(2026, 3, 2),
    until=date(2029, 3, 1),
)
NOON = "2026-06-15T12:00:00+08:00"


def transfer(change: dict[str, Any], at: str = NOON, known: dict[str, Any] | None = None, **act: Any) -> Verdict:
    asked = {"to": "DE", "purpose": "repair", "categories": ("track",), "recipient": "plant-1", "new_persons": 1}
    facts = Facts(at=ms(at), papers=PAPERS, permit=msgspec.structs.replace(PERMIT, **change), **(known or {}))
    return judge(TransferAsked(**{**asked, **act}), facts, cn_pack())


def test_within_the_permit() -> None:
    found = transfer({})
    assert (found.verdict, found.codes(), found.route) == ("allow", {"within-permit"}, "assessment")


@pytest.mark.parametrize(
    "act",
    [
        {"new_persons": 2},
        {"purpose": "marketing"},
        {"categories": ("track", "health")},
        {"recipient": "plant-2"},
        {"recipient": None},
    ],
)
def test_outside_the_permit(act: dict[str, Any]) -> None:
    assert transfer({}, **act).codes() == {"outside-permit"}


def test_what_the_permit_does_not_name_it_bars() -> None:
    bare = PermitInForce(route="assessment")
    facts = Facts(at=ms(NOON), papers=PAPERS, permit=bare)
    asked = TransferAsked(to="DE", purpose="repair", categories=("identity",), new_persons=1)
    assert judge(asked, facts, cn_pack()).codes() == {"outside-permit"}


@pytest.mark.parametrize(
    ("at", "codes"),
    [
        ("2026-03-01T23:59:59+08:00", {"outside-permit"}),
        ("2026-03-02T00:00:00+08:00", {"within-permit"}),
        ("2029-03-01T23:59:59+08:00", {"within-permit"}),
        ("2029-03-02T00:00:00+08:00", {"permit-expired"}),
    ],
)
def test_days_are_local_and_inclusive(at: str, codes: set[str]) -> None:
    assert transfer({}, at).codes() == codes


def test_the_law_ends_it_after_three_years_whatever_it_says() -> None:
    assert transfer({"until": None}, "2029-03-01T12:00:00+08:00").verdict == "allow"
    assert transfer({"until": None}, "2029-03-02T12:00:00+08:00").codes() == {"permit-expired"}
    assert transfer({"until": None, "start": None}, "2039-03-02T12:00:00+08:00").verdict == "allow"


@pytest.mark.parametrize(
    ("revoked", "verdict"),
    [
        (True, "refuse"),
        (ms(NOON), "refuse"),
        (ms(NOON) + 1, "allow"),
        (date(2026, 6, 15), "refuse"),
        (date(2026, 6, 16), "allow"),
    ],
)
def test_revoked(revoked: bool | int | date, verdict: str) -> None:
    found = transfer({"revoked": revoked})
    assert found.verdict == verdict
    assert ("permit-revoked" in found.codes()) == (verdict == "refuse")


def test_a_lighter_permit_does_not_carry_what_needs_a_stricter_one() -> None:
    light = {"route": "contract-or-certificate", "until": None}
    assert transfer(light).verdict == "allow"
    heavy = transfer(light, known={"exported": Exported(sensitive=9_999)})
    assert (heavy.codes(), heavy.route) == ({"assessment-required"}, "contract-or-certificate")


def test_a_route_that_the_pack_does_not_know_carries_nothing() -> None:
    assert transfer({"route": "adequacy"}).codes() == {"outside-permit", "contract-or-certificate-required"}
    exempt = transfer({"route": "adequacy"}, categories=("identity",))
    assert exempt.codes() == {"outside-permit"}


def test_a_permit_is_judged_where_the_count_alone_would_be_exempt() -> None:
    assert transfer({"used": 10}, categories=("identity",)).codes() == {"outside-permit"}


def test_a_group_may_not_split_under_permits() -> None:
    known = {"group_exports": GroupExports(members=("a", "b"), sensitive=9_999)}
    assert transfer({}, known=known).verdict == "allow"
    assert transfer({"route": "contract-or-certificate"}, known=known).codes() == {"possible-splitting"}
