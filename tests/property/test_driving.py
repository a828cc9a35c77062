"""Modelled cars obey limits, roads, clocks and batteries, in any city and whatever the seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.cli.driving.cars import CHARGING, DAY, DRIVING, SHANGHAI, City, cars
from onshore.cli.driving.roads import RING, roads
from onshore.words.errors import Malformed

CITIES = (SHANGHAI, City(11.58, 48.14, 4000), City(-58.4, -34.6, 4000))
EARTH = 6_371_000.0
cities = st.sampled_from(CITIES)
seeds = st.integers(0, 1 << 30)


def day_of(city, seed, days=1):
    model = cars(city, 2, days, seed)
    seconds = np.arange(days * DAY + 1, dtype=float)
    return model, [model.at(np.full(len(seconds), car), seconds) for car in range(model.count)]


def metres(states):
    """Between one second and the next, on a sphere: within 0.4 % of the ellipsoid."""
    longitude, latitude = np.radians(states.longitude), np.radians(states.latitude)
    east = np.diff(longitude) * np.cos(latitude[1:])
    return EARTH * np.hypot(east, np.diff(latitude))


@given(cities, seeds)
@settings(max_examples=8, deadline=None)
def test_cars_obey(city, seed):
    _, days = day_of(city, seed)
    for states in days:
        assert (states.speed >= 0).all()
        assert (states.speed <= states.limit + 1e-6).all()
        assert states.speed.max() <= RING
        assert (np.diff(states.driven) >= -1e-6).all()
        assert ((states.charge >= 0) & (states.charge <= 100)).all()
        assert (states.speed[~states.moving] == 0).all()
        assert (np.diff(states.charge)[states.does[1:] == CHARGING] >= -0.01).all()
        assert (np.abs(np.diff(states.speed)) <= 3).all()
        reach = city.radius / 111_000 * 1.5 / np.cos(np.radians(city.latitude))
        assert np.abs(states.longitude - city.longitude).max() <= reach
        assert np.abs(states.latitude - city.latitude).max() <= reach


@given(cities, seeds)
@settings(max_examples=5, deadline=None)
def test_positions_move_as_fast_as_the_car(city, seed):
    _, days = day_of(city, seed)
    for states in days:
        went, moved = np.diff(states.driven), metres(states)
        assert (moved <= went * 1.01 + 1e-3).all()  # round a corner it is less far as the crow flies
        straight = (states.heading[1:] == states.heading[:-1]) & (went > 1)
        assert (moved[straight] >= went[straight] * 0.99).all()


@given(seeds)
@settings(max_examples=4, deadline=None)
def test_a_seed_says_it_all_and_cars_do_not_know_each_other(seed):
    alone, three = cars(SHANGHAI, 1, 2, seed, first=2), cars(SHANGHAI, 3, 2, seed)
    seconds = np.linspace(0, 2 * DAY, 999)
    one, same = alone.at(np.zeros(999, np.intp), seconds), three.at(np.full(999, 2), seconds)
    assert np.allclose(one.longitude, same.longitude, atol=1e-9)
    assert np.allclose(one.charge, same.charge, atol=1e-6)
    assert np.allclose(one.driven, same.driven, atol=1e-2)


def test_days_have_trips_and_nights_and_batteries_are_filled():
    model, days = day_of(SHANGHAI, 5, days=5)
    for states in days:
        assert 0 < states.moving.mean() < 0.4
        assert states.driven[-1] > 5000
        assert not states.moving[[0, DAY, 2 * DAY]].any()
    assert any((states.does == CHARGING).any() for states in days)
    leaves = model.departure()
    assert (leaves > 4 * 3600).all()
    at = model.at(np.arange(2), leaves + 1)
    assert (at.does == DRIVING).all()
    assert (model.at(np.arange(2), leaves - 1).does != DRIVING).all()


def test_a_rectangle_of_instants_is_the_same_as_each_by_itself():
    model = cars(SHANGHAI, 3, 1, 9)
    seconds = np.arange(30_000.0, 30_050)
    together = model.at(np.arange(3)[:, None], np.broadcast_to(seconds, (3, 50)))
    for car in range(3):
        one = model.at(np.full(50, car), seconds)
        assert np.array_equal(one.longitude, together.longitude[car])
        assert np.array_equal(one.charge, together.charge[car])


def test_a_car_that_never_leaves_begins_at_midnight():
    model = cars(SHANGHAI, 60, 1, 7)
    stays = model.departure() == 0
    assert stays.any()
    assert (model.at(np.flatnonzero(stays), np.full(stays.sum(), 43_200.0)).does != DRIVING).all()


@pytest.mark.parametrize("centre", [(181.0, 0.0), (0.0, 85.0), (float("nan"), 0.0)])
def test_no_city_beyond_the_earth(centre):
    with pytest.raises(Malformed, match="longitude"):
        roads(centre, 5000, np.random.default_rng(1))


def test_every_way_leads_there_along_roads_that_meet():
    network = roads((121.0, 31.0), 3000, np.random.default_rng(3))
    for begin in network.places[::7]:
        for end in network.places[::5]:
            route = network.route(int(begin), int(end))
            assert (network.end[route[:-1]] == network.begin[route[1:]]).all()
            if begin != end:
                assert network.begin[route[0]] == begin
                assert network.end[route[-1]] == end
            else:
                assert len(route) == 0
