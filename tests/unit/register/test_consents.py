import hashlib
import json

import numpy as np
import pytest
from sqlalchemy import update

from onshore.consent.columns import LINE
from onshore.register import consents
from onshore.register.consents import Standing, Wish
from onshore.vault.papers import meta, writing
from onshore.words.errors import Refusal


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def test_a_consent_is_recorded_per_purpose_and_category_with_a_receipt_each(hands):
    given = hands.allow()
    assert {(g.consent.purpose, g.consent.category) for g in given} == {
        ("warranty-analysis", "track"),
        ("warranty-analysis", "vehicle-operation"),
    }
    assert [g.consent for g in given] == sorted(
        consents.of_vehicle(hands.site, hands.car().id), key=lambda c: c.category
    )
    paper = consents.receipt(hands.site, given[0])
    entry = json.loads(hands.site.ledger.entry_at(1))
    told = json.dumps(paper["receipt"], sort_keys=True, separators=(",", ":")).encode()
    assert entry["obj"] == "sha256:" + hashlib.sha256(told).hexdigest()
    assert (entry["t"], entry["state"]) == ("consent", "given")


def test_the_ledger_learns_nothing_about_the_person(hands):
    given = hands.allow()
    hands.site.settle()
    entries = b"".join(hands.site.ledger.entries())
    for secret in (
        f"{given[0].consent.person:016x}",
        f"{given[0].consent.vehicle:016x}",
        "track",
        given[0].receipt["salt"],
    ):
        assert secret.encode() not in entries


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"notice": "1999-01"}, "notice-incomplete"),
        ({"separate": False}, "not-separate"),
        ({"bundled_with": "purchase"}, "bundled"),
    ],
)
def test_what_the_law_does_not_accept_is_refused_with_its_article(hands, change, reason):
    refusal = refused(lambda: hands.allow(**change))
    assert refusal.reason == reason
    assert refusal.article
    assert refusal.remedy
    assert consents.of_vehicle(hands.site, hands.car().id) == []


@pytest.mark.parametrize("purpose", ["advertising", "statutory-monitoring"])
def test_nobody_consents_to_a_purpose_that_the_site_does_not_have(hands, purpose):
    wish = Wish(purposes=(purpose,), categories=("track",), notice="2026-11", separate=True)
    assert refused(lambda: consents.give(hands.site, hands.car(), wish)).reason == "purpose-unknown"


def test_withdrawing_ends_what_stands_and_only_that(hands):
    hands.allow()
    gone = consents.withdraw(hands.site, hands.car(), category="track")
    assert [g.consent.category for g in gone] == ["track"]
    assert gone[0].consent.withdrawn == hands.now
    left = [c for c in consents.of_vehicle(hands.site, hands.car().id) if c.holds(hands.now)]
    assert [c.category for c in left] == ["vehicle-operation"]
    assert refused(lambda: consents.withdraw(hands.site, hands.car(), category="track")).reason == "no-consent"
    assert refused(lambda: consents.withdraw(hands.site, hands.car(), purpose="repair")).reason == "no-consent"
    with writing(hands.site.engine) as conn:
        assert len(consents.withdraw_all(hands.site, conn, hands.car(), hands.now)) == 1
        assert consents.withdraw_all(hands.site, conn, hands.car(), hands.now) == []


def test_an_expired_consent_cannot_be_withdrawn(hands):
    hands.allow(until=hands.now + 10)
    assert refused(lambda: consents.withdraw(hands.site, hands.car())).reason == "no-consent"


def test_the_columns_follow_the_papers(hands):
    standing = Standing(hands.site)
    before = standing.columns()
    assert standing.columns() is before
    hands.allow()
    after = standing.columns()
    assert after is not before
    consents.withdraw(hands.site, hands.car())
    assert standing.columns() is not after


def test_what_follows_the_papers_is_what_they_say(hands):
    standing = Standing(hands.site)
    for number in (1, 2, 3):
        hands.allow(number)
    standing.columns()
    hands.allow(2, recipients=frozenset())
    consents.withdraw(hands.site, hands.car(1), category="track")
    hands.allow(4)
    followed, anew = standing.columns(), Standing(hands.site).columns()
    assert followed.moved is not None
    assert anew.moved is None
    for number in range(1, 6):
        assert told(followed, hands.car(number).id) == told(anew, hands.car(number).id)


def told(columns, vehicle):
    place = int(columns.places(np.array([vehicle]))[0])
    found = []
    for category, lines in columns.of.items():
        first, more = int(lines.all_of[place, LINE]), int(lines.more[place])
        own = range(first, first + more + 1) if first else ()
        found += [(category, *lines.table[n].tolist(), columns.recipients[lines.named[n]]) for n in own]
    return sorted(found, key=str)


def test_papers_put_back_to_an_earlier_day_are_read_anew(hands):
    standing = Standing(hands.site)
    hands.allow()
    hands.allow(2)
    standing.columns()
    with writing(hands.site.engine) as conn:
        conn.execute(update(meta).where(meta.c.name == "consents").values(value="1"))
    assert standing.columns().moved is None
    assert told(standing.columns(), hands.car(2).id)


def test_many_changes_at_once_are_read_anew(hands, monkeypatch):
    standing = Standing(hands.site)
    standing.columns()
    monkeypatch.setattr(consents, "_MANY", 2)
    hands.allow()
    assert standing.columns().moved is not None
    hands.allow(2)
    hands.allow(3)
    assert standing.columns().moved is None


def test_a_clock_set_back_does_not_undo_a_withdrawal(hands):
    hands.allow()
    hands.now += 60_000
    consents.withdraw(hands.site, hands.car())
    hands.now -= 50_000  # somebody sets the machine's clock back, into the time when the consent stood
    (drained,) = hands.drive(1, seconds=5, start=hands.now)
    kept = {(ground, reason) for t in drained.tallies.values() for _, ground, reason, _ in t.as_rows()}
    assert ("consent", "consented") not in kept
    assert ("consent", "consent-withdrawn") in kept
