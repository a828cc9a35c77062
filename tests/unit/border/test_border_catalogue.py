"""The catalogue tells what exists and what it takes to have it, and of few vehicles nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onshore.border.views import catalogue
from onshore.border.views.catalogue import MOST_HIDDEN
from onshore.register import consents
from onshore.rights.erase import erase
from onshore.site import open_site
from onshore.words.errors import Refusal


def of(border, category="track", **said):
    found = catalogue.catalogue(border.site, "DE", **said)
    return next(one for one in found if one.category == category)


MONTH = 31 * 86_400_000


def driving(border, consenting, driving):
    for number in range(1, consenting + 1):
        border.hands.allow(number)
    border.hands.drive(*range(1, driving + 1), seconds=3)


def figures(border):
    one = of(border)
    return one.since, one.rows, one.vehicles, {way.purpose: way.vehicles for way in one.ways if way.vehicles}


@pytest.mark.parametrize(("consents", "cars"), [(MOST_HIDDEN, MOST_HIDDEN), (MOST_HIDDEN + 10, MOST_HIDDEN)])
def test_of_the_rows_of_ten_vehicles_nothing_is_counted_however_many_consent(border, consents, cars):
    driving(border, consents, cars)
    border.hands.now += MONTH
    assert figures(border) == (None, None, None, {})
    assert of(border).signals


def test_from_eleven_on_it_is_told_about_how_much_there_is_and_since_when(border):
    driving(border, MOST_HIDDEN + 1, MOST_HIDDEN + 1)
    assert figures(border) == (None, None, None, {})  # it came this month
    border.hands.now += MONTH
    assert figures(border) == ("2026-09", 30, 10, {"warranty-analysis": 10})


def test_asking_before_and_after_one_car_tells_nothing_of_it(border):
    """What one car adds, or takes away, shows in no figure of the month in which it does."""
    driving(border, MOST_HIDDEN + 1, MOST_HIDDEN + 1)
    border.hands.now += MONTH
    before = figures(border)
    border.hands.allow(50)
    border.hands.drive(50, seconds=100)
    assert figures(border) == before
    consents.withdraw(border.site, border.hands.car(1))
    assert figures(border) == before
    for number in range(51, 60):
        border.hands.allow(number)
    assert figures(border) == before
    border.hands.now += MONTH
    assert figures(border) != before


def test_rows_that_are_erased_or_for_another_purpose_are_not_behind_a_count(border):
    driving(border, MOST_HIDDEN + 1, MOST_HIDDEN + 1)
    border.hands.now += MONTH
    erase(border.site, border.hands.car(1), "officer")
    assert figures(border) == (None, None, None, {})


def test_the_judge_says_what_a_transfer_would_take(border):
    one = of(border, recipient="stuttgart")
    way = next(way for way in one.ways if way.purpose == "warranty-analysis")
    assert way.verdict.verdict == "refuse"
    assert way.verdict.route == "contract-or-certificate"
    assert "impact-assessment" in way.verdict.missing
    assert all(reason.article for reason in way.verdict.reasons)


def test_nothing_in_it_is_of_a_car_or_a_place(border):
    driving(border, MOST_HIDDEN + 1, MOST_HIDDEN + 1)
    border.hands.now += MONTH
    said = json.dumps(catalogue.document(border.site, catalogue.catalogue(border.site, "DE"), "DE", ""))
    for number in (1, 2):
        assert border.hands.vin(number).decode() not in said
        assert f"{border.hands.car(number).id:016x}" not in said
    assert "121." not in said
    assert "31.2" not in said


@given(st.integers(0, 10**9), st.sampled_from([1, 2]))
def test_a_count_is_rounded_down_to_its_first_digits_and_tens_at_the_least(count, digits):
    told = catalogue.rounded(count, digits)
    assert told <= count < told + max(10, 10 ** (len(str(count)) - digits))
    assert told % 10 == 0
    assert len(str(told).rstrip("0")) <= digits


def test_it_is_judged_for_whom_one_works_or_where_one_sits(border):
    toml = border.site.folder / "site.toml"
    eva, jo = 'employer = "stuttgart"', 'jurisdiction = "US"'
    people = f'\n[people.eva]\nrole = "engineer"\n{eva}\n[people.jo]\nrole = "engineer"\n{jo}\n'
    toml.write_text(toml.read_text() + people)
    site = open_site(border.site.folder, clock=border.site.clock)
    assert catalogue.destination(site, "jo") == ("US", "")
    assert catalogue.destination(site, "eva")[1] == "stuttgart"
    assert catalogue.destination(site, "officer", "stuttgart") == ("DE", "stuttgart")
    with pytest.raises(Refusal):
        catalogue.destination(site, "officer", "atlantis")
