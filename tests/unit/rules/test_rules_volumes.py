"""Volumes of twelve months, to recipients of concern."""

from typing import Any

import msgspec
import pytest

from law import AT, pack
from onshore.rules.acts import Exported, Facts, PermitInForce, TransferAsked
from onshore.rules.judge import judge
from onshore.words.verdict import Verdict

US = pack("us/2026-01")
PROGRAMME = frozenset({"restricted-transaction-programme"})


def ask(known: dict[str, Any] | None = None, **act: Any) -> Verdict:
    asked = {"to": "CN", "purpose": "repair", "categories": ("track",), "precision_m": 10.0, **act}
    return judge(TransferAsked(**asked), Facts(at=AT, **(known or {})), US)


def test_the_counter_says_how_far_it_is() -> None:
    found = ask({"devices_12_months": 997}, new_devices=2)
    assert found.verdict == "allow"
    assert ("bulk-geolocation-guard", 999, 1000) in [(c.name, c.used, c.threshold) for c in found.counters]


def test_a_refusal_starts_a_clock_and_names_the_paper() -> None:
    found = ask({"devices_12_months": 999}, new_devices=1)
    assert (found.verdict, found.codes(), found.route) == ("refuse", {"bulk-threshold"}, "safeguards")
    assert found.missing == ("restricted-transaction-programme",)
    assert found.duties == ("rejected-offer-report",)


def test_a_person_whose_devices_nobody_counted_has_one() -> None:
    assert ask({"devices_12_months": 990}, new_persons=10).codes() == {"bulk-threshold"}


def test_persons_are_counted_by_class() -> None:
    known = {"exported": Exported(sensitive=9_999)}
    assert ask(known, categories=("health",), new_persons=1).codes() == {"bulk-threshold"}
    assert ask(known, categories=("identity",), new_persons=1).verdict == "allow"
    assert ask(categories=("identity",), subjects_in_dataset=100_000).codes() == {"bulk-threshold"}


def test_persons_of_twelve_months_count_with_all_who_are_in_this() -> None:
    """28 CFR 202.205: at any point in the preceding twelve months, to the same recipient; no year begins anew."""
    asked = {"categories": ("health",), "new_persons": 0}
    known = {"others_12_months": Exported(sensitive=9_999), "exported": Exported()}
    found = ask(known, **asked, subjects_in_dataset=1)
    assert found.codes() == {"bulk-threshold"}
    assert ("bulk-health-guard", 10_000, 10_000) in [(c.name, c.used, c.threshold) for c in found.counters]
    to_others = {"others_12_months": Exported(ordinary=9_999), "exported": Exported(sensitive=10**6)}
    assert ask(to_others, **asked, subjects_in_dataset=1).verdict == "allow"


@pytest.mark.parametrize("to", ["CN", "US"])
def test_the_programme_carries_it(to: str) -> None:
    found = ask({"papers": PROGRAMME}, to=to, new_devices=1000, recipient_status="covered-person")
    assert (found.verdict, found.codes(), found.route) == ("allow", {"within-permit"}, "safeguards")


def test_inside_and_below_nothing_is_asked() -> None:
    found = ask(to="US", new_devices=1)
    assert (found.verdict, found.codes(), found.route) == ("allow", {"exempt"}, "none")


def test_a_listed_site_is_never_carried() -> None:
    found = ask({"papers": PROGRAMME}, new_devices=1, near_sensitive_site=True)
    assert (found.codes(), found.duties) == ({"sensitive-site"}, ("rejected-offer-report",))
    assert ask(to="DE", new_devices=1, near_sensitive_site=True).verdict == "allow"


def test_under_a_permit_the_route_is_its_own() -> None:
    permit = PermitInForce(route="exempt", purpose="repair", categories=("track",), recipient="p", persons=9999)
    found = ask({"permit": permit, "papers": PROGRAMME}, recipient="p", new_devices=1000)
    assert (found.verdict, found.route) == ("allow", "exempt")


def test_counsel_may_go_by_the_number_of_the_law() -> None:
    kept = tuple(rule for rule in US.transfer.bulk if not rule.switch)
    site = msgspec.structs.replace(US, transfer=msgspec.structs.replace(US.transfer, bulk=kept))
    asked = TransferAsked(to="CN", purpose="repair", categories=("track",), new_devices=1000)
    assert judge(asked, Facts(at=AT), site).verdict == "allow"
    assert judge(msgspec.structs.replace(asked, new_devices=1001), Facts(at=AT), site).codes() == {"bulk-threshold"}


def test_figures_may_help_nobody() -> None:
    bulk = tuple(msgspec.structs.replace(rule, papers=()) for rule in US.transfer.bulk)
    site = msgspec.structs.replace(US, transfer=msgspec.structs.replace(US.transfer, bulk=bulk))
    asked = TransferAsked(to="CN", purpose="repair", categories=("track",), new_devices=1000)
    found = judge(asked, Facts(at=AT, papers=PROGRAMME), site)
    assert (found.codes(), found.missing) == ({"bulk-threshold"}, ())


def test_a_set_of_many_counts_though_nobody_in_it_is_new() -> None:
    assert ask(subjects_in_dataset=999).verdict == "allow"
    assert ask(subjects_in_dataset=1000).codes() == {"bulk-threshold"}


@pytest.mark.parametrize("category", ["driving-behaviour", "exterior-video-anonymised", "vehicle-operation"])
def test_coordinates_are_locations_whatever_carries_them(category: str) -> None:
    known = {"devices_12_months": 999}
    assert ask(known, categories=(category,), new_devices=1).verdict == "allow"
    assert ask(known, categories=(category,), new_devices=1, coordinates=True).codes() == {"bulk-threshold"}
    assert ask(categories=(category,), near_sensitive_site=True, coordinates=True).codes() == {"sensitive-site"}
    assert ask(known, categories=(category,), new_devices=1, coordinates=True, precision_m=1001.0).verdict == "allow"
