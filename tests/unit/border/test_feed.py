"""A standing feed: each parcel holds what arrived since the last one that left, nothing twice, nothing late missed."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from onshore.border import approvals, grants, requests, underway
from onshore.border.rows.arrivals import SETTLED, Arrived
from onshore.border.transfer import ship
from onshore.site import Site
from onshore.words.errors import Refusal

PAPERS = ("impact-assessment", "standard-contract", "export-notice", "separate-consent")
HOUR, DAY = SETTLED + 1, 86_400_000


def refused(act):
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


@pytest.fixture
def feed(border):
    border.hands.allow(1)
    border.hands.drive(1)
    start, until = border.hands.now - 10 * DAY, border.hands.now + 300 * DAY
    request = border.approved(method="feed", start=start, until=until)
    today = border.site.today()
    limits = {"until": today.replace(year=today.year + 1), "persons": 5}
    grants.grant(border.site, border.draft(request, **limits), border.regulator())
    return request


def times(border, shipped):
    """The instants of the rows of a parcel, by category."""
    inside = border.opened(shipped)
    parts = json.loads(inside["manifest.json"])["parts"]
    found = {}
    for part in parts:
        table = pq.read_table(io.BytesIO(inside[part["name"]]))
        found.setdefault(part["category"], []).extend(table.column("time").cast(pa.int64()).to_pylist())
    return found


def test_each_parcel_goes_on_where_the_last_that_left_ended(border, feed):
    assert refused(lambda: ship(border.site, feed.id)).reason == "nothing-to-send"  # it arrived just now
    border.hands.now += HOUR
    first = ship(border.site, feed.id)
    assert (first.persons, first.rows) == (1, 40)
    assert first.manifest["arrived_until"] == border.hands.now - SETTLED
    assert refused(lambda: ship(border.site, feed.id)).reason == "nothing-to-send"
    assert requests.find(border.site, feed.id).state == "left"
    border.hands.drive(1)
    border.hands.now += HOUR
    second = ship(border.site, feed.id)
    assert second.manifest["arrived_from"] == first.manifest["arrived_until"]
    one, other = times(border, first), times(border, second)
    assert all(one[category] and other[category] for category in ("track", "vehicle-operation"))
    assert not any(set(one[category]) & set(other[category]) for category in one)


def test_what_a_car_out_of_reach_sends_late_is_in_the_next_parcel(border, feed):
    border.hands.now += HOUR
    ship(border.site, feed.id)
    border.hands.now += 4 * DAY
    border.hands.drive(1)
    border.hands.now += HOUR
    ship(border.site, feed.id)
    happened = border.hands.now - 3 * DAY
    border.hands.drive(1, start=happened)
    border.hands.now += HOUR
    late = times(border, ship(border.site, feed.id))
    assert min(late["track"]) == happened // 1000 * 1000


def test_a_parcel_that_did_not_leave_is_not_passed_over(border, feed, monkeypatch):
    border.hands.now += HOUR

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(underway, "send", full)
        with pytest.raises(OSError, match="No space"):
            ship(border.site, feed.id)
    assert requests.find(border.site, feed.id).state == "permitted"
    assert ship(border.site, feed.id).rows == 40


def test_what_lies_in_a_journal_yet_is_brought_in_first(border, feed, monkeypatch):
    border.hands.now += HOUR
    asked = []
    monkeypatch.setattr(Site, "bring_in", lambda _: asked.append(1))
    ship(border.site, feed.id)
    assert asked == [1]


def test_a_feed_ends_when_an_officer_closes_it(border, feed):
    border.hands.now += HOUR
    ship(border.site, feed.id)
    assert approvals.close(border.site, feed.id, "officer").state == "closed"
    assert refused(lambda: ship(border.site, feed.id)).reason == "halted"


def test_rows_are_told_by_their_arrival_from_an_instant_on_to_before_another():
    received = pa.array([1, 2, 3, 4], pa.timestamp("ms", "UTC"))
    batch = pa.record_batch({"received": received, "n": pa.array([1, 2, 3, 4])})
    assert Arrived(2, 4).of(batch).column("n").to_pylist() == [2, 3]
