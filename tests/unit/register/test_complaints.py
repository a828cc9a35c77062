"""Complaints: the site's own term, one answer, their words sealed and nobody in the ledger."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from onshore.ledger.entry import read
from onshore.register import complaints
from onshore.words.errors import Malformed, Refusal

DAY = 86_400_000


def opened(hands, about="export", **said):
    return complaints.open_(hands.site, about, "Wang Wei, +86 139: my trips were sold.", "officer", **said)


def test_its_answer_is_due_at_the_end_of_a_local_day(hands):
    one = opened(hands, vehicle=hands.car().id, purpose="warranty-analysis")
    zone = ZoneInfo("Asia/Shanghai")
    last = datetime.fromtimestamp(hands.now / 1000, zone).date() + timedelta(days=15)
    assert one.by == f"{last}T23:59:59+08:00"
    assert one.due == int(datetime.combine(last + timedelta(days=1), datetime.min.time(), zone).timestamp() * 1000)
    assert (one.about, one.vehicle, one.purpose, one.opened_by) == (
        "export",
        hands.car().id,
        "warranty-analysis",
        "officer",
    )
    assert one.says.startswith("Wang Wei")


def test_it_goes_from_in_time_to_late_and_is_answered_once(hands):
    one = opened(hands)
    states = [one.state]
    for days in (8, 16):
        hands.now = one.opened + days * DAY
        states.append(complaints.find(hands.site, one.id).state)
    assert states == ["in time", "near", "late"]
    late = complaints.answer(hands.site, one.id, "deputy", "They were not; here is your access.")
    assert (late.state, late.answered_by, late.answer) == (
        "answered late",
        "deputy",
        "They were not; here is your access.",
    )
    with pytest.raises(Refusal) as refused:
        complaints.answer(hands.site, one.id, "deputy", "again")
    assert refused.value.reason == "illegal-move"
    assert complaints.answer(hands.site, opened(hands).id, "officer", "No.").state == "answered"


def test_lists_are_by_what_is_due_and_an_owner_sees_only_its_own(hands):
    first = opened(hands, vehicle=hands.car(1).id)
    hands.now += DAY
    second = opened(hands, "consent", vehicle=hands.car(2).id)
    third = opened(hands, "other")
    assert next(one.id for one in complaints.listed(hands.site)) == first.id
    assert [one.id for one in complaints.listed(hands.site, vehicles=[hands.car(2).id])] == [second.id]
    assert complaints.listed(hands.site, vehicles=[]) == []
    complaints.answer(hands.site, first.id, "officer", "No.")
    assert {one.id for one in complaints.listed(hands.site)} == {second.id, third.id}
    assert [one.id for one in complaints.listed(hands.site, every=True)][-1] == first.id


def test_check_tells_of_them(hands):
    assert complaints.told(hands.site) == (True, "0 wait")
    one = opened(hands)
    assert complaints.told(hands.site) == (True, f"1 wait (1 in time); next by {one.by}")
    hands.now = one.due
    assert not complaints.told(hands.site)[0]


def test_what_is_none_is_not_taken(hands):
    for wrong in ({"about": "weather"}, {"purpose": "fun"}):
        with pytest.raises(Malformed):
            opened(hands, **wrong)
    with pytest.raises(Malformed):
        complaints.open_(hands.site, "other", " ", "officer")
    with pytest.raises(Malformed):
        complaints.answer(hands.site, opened(hands).id, "officer", "")
    with pytest.raises(Refusal) as refused:
        complaints.find(hands.site, "0" * 16)
    assert refused.value.reason == "complaint-unknown"


def test_the_ledger_has_its_topic_and_nobody_s_words(hands):
    one = opened(hands, vehicle=hands.car().id)
    complaints.answer(hands.site, one.id, "officer", "Wang Wei was answered.")
    hands.site.settle()
    raw = list(hands.site.reopened().entries())
    said = [entry for entry in map(read, raw) if entry["t"] == "complaint"]
    assert [(entry["state"], entry["about"]) for entry in said] == [("opened", "export"), ("answered", "export")]
    assert b"Wang" not in b"".join(raw)
    assert str(hands.car().id).encode() not in b"".join(raw)
