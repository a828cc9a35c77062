"""Several packs: that of the site, of where it was produced, and what binds a recipient."""

from typing import Any

import msgspec
import pytest

from law import AT, ms, pack, packs
from onshore.rules.acts import Deadline, Facts, PermitInForce, Store, TransferAsked
from onshore.rules.judge import judge
from onshore.rules.leaving import binding
from onshore.rules.pack import Pack
from onshore.rules.pack_transfer import Leaving

CN, EU, US = pack("cn/2026-02"), pack("eu/2025-09"), pack("us/2026-01")
HOME = TransferAsked(to="DE", purpose="repair", categories=("track",), new_persons=9, produced_in="DE")


def test_foreign_data_goes_home_by_both_laws() -> None:
    found = judge(HOME, Facts(at=AT), CN, packs())
    assert (found.verdict, found.codes(), found.route) == ("allow", {"exempt"}, "exempt")
    assert {reason.article for reason in found.reasons} == {
        "Cross-Border Data Flows Provisions (2024), Art. 4",
        "GDPR Art. 1(3)",
    }


def test_the_stricter_law_wins() -> None:
    on = msgspec.structs.replace(HOME, to="IN")
    assert judge(on, Facts(at=AT), CN).verdict == "allow"
    found = judge(on, Facts(at=AT), CN, packs())
    assert (found.verdict, found.route) == ("refuse", "safeguards")
    assert "no-mechanism" in found.codes()
    assert "exempt" not in found.codes()
    both = judge(msgspec.structs.replace(on, joined_with_local=True), Facts(at=AT), CN, packs())
    assert {"contract-or-certificate-required", "no-mechanism"} <= both.codes()
    assert both.route == "contract-or-certificate"
    assert {"standard-contract", "transfer-assessment"} <= set(both.missing)


def test_a_permit_is_of_the_site_alone() -> None:
    permit = PermitInForce(route="assessment", purpose="repair", categories=("track",), recipient="p", persons=9)
    asked = msgspec.structs.replace(HOME, to="JP", recipient="p")
    assert judge(asked, Facts(at=AT, permit=permit), CN, packs()).codes() == {"within-permit", "exempt"}


@pytest.mark.parametrize("code", ["BR", "HK"])
def test_where_it_was_produced_without_a_pack_is_simply_abroad(code: str) -> None:
    asked = msgspec.structs.replace(HOME, produced_in=code, to="BR")
    assert judge(asked, Facts(at=AT), EU, packs()) == judge(asked, Facts(at=AT), EU)


def test_an_expired_pack_of_the_origin_decides_nothing() -> None:
    ended = msgspec.structs.replace(EU, valid_until=EU.valid_from)
    assert judge(HOME, Facts(at=AT), CN, (ended,)).codes() == {"stale-rules"}
    assert (
        judge(HOME, Facts(at=AT), CN, (msgspec.structs.replace(EU, valid_from=CN.valid_from.max),)).verdict == "allow"
    )


def test_a_recipient_is_bound_by_marked_rules_alone() -> None:
    asked = TransferAsked(to="CN", purpose="statutory-monitoring", categories=("track",), recipient_status="gatekeeper")
    at = Facts(at=AT, papers=frozenset({"standard-contract", "transfer-assessment", "export-notice"}))
    assert judge(asked, at, EU, (CN,)).codes() == judge(asked, at, EU).codes() == {"gatekeeper"}
    fine = msgspec.structs.replace(asked, recipient_status="blocked", purpose="repair", to="US")
    assert judge(fine, at, CN, (US,)).codes() == judge(fine, at, CN).codes()
    bound = marked(US, recipient_blocked=True)
    site = msgspec.structs.replace(CN, transfer=msgspec.structs.replace(CN.transfer, recipient_blocked=None))
    assert "recipient-blocked" in judge(fine, at, site, (bound,)).codes()
    assert judge(msgspec.structs.replace(fine, to="DE"), at, site, (bound,)) == judge(
        msgspec.structs.replace(fine, to="DE"), at, site
    )


def test_a_marked_volume_and_purpose_bind_as_well() -> None:
    bulk = tuple(msgspec.structs.replace(rule, binds_recipient=True, to=("US",)) for rule in US.transfer.bulk)
    volumes = msgspec.structs.replace(US, transfer=msgspec.structs.replace(US.transfer, bulk=bulk))
    free = TransferAsked(to="US", purpose="repair", categories=("track",), new_devices=1000, produced_in="BR")
    found = judge(free, Facts(at=AT), CN, (volumes,))
    assert (found.verdict, found.codes()) == ("refuse", {"bulk-threshold"})
    few = msgspec.structs.replace(free, new_devices=1)
    assert judge(few, Facts(at=AT), CN, (volumes,)).verdict == "allow"
    rules = CN.transfer
    assert rules.no_mechanism is not None
    stays = msgspec.structs.replace(rules.no_mechanism, binds_recipient=True)
    home = msgspec.structs.replace(CN, transfer=msgspec.structs.replace(rules, no_mechanism=stays, bulk=bulk))
    kept = binding(home.transfer)
    assert kept is not None
    assert kept.no_mechanism == stays
    other = binding(msgspec.structs.replace(rules, bulk=bulk))
    assert other is not None
    assert other.no_mechanism is not None
    assert other.no_mechanism.purposes == ()


def marked(found: Pack, **names: bool) -> Pack:
    """The pack with some rules marked as binding a recipient."""
    rules: dict[str, Any] = {
        name: msgspec.structs.replace(getattr(found.transfer, name), binds_recipient=mark)
        for name, mark in names.items()
    }
    changed: Leaving = msgspec.structs.replace(found.transfer, **rules)
    return msgspec.structs.replace(found, transfer=changed)


@pytest.mark.parametrize("found", packs(), ids=lambda found: found.id)
def test_each_pack_that_ships_judges_every_act_or_is_silent_on_a_clock(found: Pack) -> None:
    at = Facts(at=ms(f"{found.valid_from.isoformat()}T12:00:00+00:00"))
    assert found.store is not None
    assert judge(Store(category="track", place=found.home[0]), at, found).verdict in {"keep", "purge", "refuse"}
    assert judge(Deadline(what="erasure", start=at.at), at, found).verdict in {"due", "unknown"}
    assert found.reviewed_by == ""
    assert len(found.source) >= 1
