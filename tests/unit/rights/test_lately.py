"""What was kept lately of a person, and where they went: theirs alone, of a period, nothing restricted drawn."""

import pytest

from onshore.register import persons
from onshore.rights import cases, lately
from onshore.rights.trips import GAP, trips
from onshore.rights.whose import wish
from onshore.words.errors import Refusal
from rights_makers import agreed, said

EVER = 1 << 60


def scope(hands, number=1, person=None, **change):
    car = hands.car(number)
    return wish(hands.site, car, person=person or car.owner, **change).scope


def counted(hands, start=0, **whose):
    found = lately.kept(hands.site, scope(hands, **whose), start)
    return {(one.purpose, one.category): one.rows for one in found}


def test_rows_count_for_each_purpose_that_they_may_serve(hands):
    hands.allow(1)
    hands.drive(1, 2)
    found = counted(hands)
    assert found["warranty-analysis", "track"] == found["statutory-monitoring", "track"] == 20
    assert {purpose for purpose, _ in counted(hands, number=2)} == {"statutory-monitoring"}


def test_only_what_lies_in_the_period_counts(hands):
    hands.allow(1)
    begin = hands.now
    hands.drive(1)
    before = lately.signature(hands.site, hands.car(1).id, begin)
    assert counted(hands, start=begin + 15_000)["warranty-analysis", "track"] == 5
    assert counted(hands, start=hands.now + 1) == {}
    hands.drive(1)
    assert counted(hands, start=begin)["warranty-analysis", "track"] == 40
    assert lately.signature(hands.site, hands.car(1).id, begin) > before
    assert lately.signature(hands.site, hands.car(1).id, EVER) == frozenset()


def test_a_drivers_rows_are_the_drivers(hands):
    car = hands.car(1)
    driver = persons.add_driver(hands.site, car.id, name="Ben", mark="ben")
    agreed(hands, car)
    agreed(hands, car, driver)
    said(hands, (10, None), (20, None), (30, None))
    said(hands, (40, "ben"), (50, "ben"))
    key = ("warranty-analysis", "driving-behaviour")
    assert (counted(hands)[key], counted(hands, person=driver)[key]) == (3, 2)


def test_a_pause_ends_a_trip(hands):
    hands.drive(1, seconds=60)
    hands.now += GAP + 1000
    hands.drive(1, seconds=30)
    hands.drive(2)
    first, second = trips(hands.site, "anna", scope(hands), 0, EVER)
    assert (first.positions, second.positions) == (60, 30)
    assert first.end - first.start == 59_000
    assert first.metres > second.metres > 0
    assert len(first.line) == 60
    assert len(trips(hands.site, "anna", scope(hands), 0, EVER, most=10)[0].line) == 10
    assert trips(hands.site, "anna", scope(hands), second.start, EVER) == [second]
    assert trips(hands.site, "anna", scope(hands), 0, first.start) == []


def test_a_position_on_two_grounds_is_one(hands):
    hands.allow(1)
    hands.drive(1)
    assert [trip.positions for trip in trips(hands.site, "anna", scope(hands), 0, EVER)] == [20]


def test_nothing_that_is_restricted_is_drawn(hands):
    hands.drive(1)
    cases.opened(
        hands.site, hands.car(1), "restrict", "anna", wish(hands.site, hands.car(1), person=hands.car(1).owner)
    )
    assert trips(hands.site, "anna", scope(hands), 0, EVER) == []
    cases.opened(hands.site, hands.car(1), "restrict", "anna")
    with pytest.raises(Refusal, match="restricted"):
        trips(hands.site, "anna", scope(hands), 0, EVER)
    assert counted(hands)["statutory-monitoring", "track"] == 20


def test_an_engineer_does_not_see_where_somebody_went(hands):
    with pytest.raises(Refusal) as refused:
        trips(hands.site, "engineer", scope(hands), 0, EVER)
    assert refused.value.reason == "view-is-export"
