"""Rows are put in the order that a plain sort gives, however few or many vehicles, places and late rows there are."""

import numpy as np
import pytest

from onshore.vault import order


def drawn(rows, cars, places, late):
    rng = np.random.default_rng(rows + cars)
    vehicle = rng.choice(rng.integers(1, 1 << 62, cars), rows)
    time = np.sort(rng.integers(0, rows // 2 + 1, rows))
    mixed = rng.random(rows) < late
    time[mixed] = rng.permutation(time[mixed])
    return rng.integers(0, places, rows), vehicle, time


@pytest.mark.parametrize("late", [0, 0.01, 1])
@pytest.mark.parametrize("cars", [1, 7, 500])
@pytest.mark.parametrize("places", [1, 40])
def test_it_is_the_order_of_a_plain_sort(cars, places, late):
    place, vehicle, time = drawn(3000, cars, places, late)
    assert (order.in_order(place, vehicle, time) == np.lexsort((time, vehicle, place))).all()


@pytest.mark.parametrize("wide", ["vehicles", "places"])
def test_many_are_compared(wide, monkeypatch):
    monkeypatch.setattr(order, "_SMALL", 64)
    place, vehicle, time = drawn(3000, *((500, 3) if wide == "vehicles" else (3, 500)), 0.5)
    assert (order.in_order(place, vehicle, time) == np.lexsort((time, vehicle, place))).all()


def test_no_rows_have_no_order():
    nothing = np.zeros(0, np.int64)
    assert len(order.in_order(nothing, nothing, nothing)) == 0
