"""A site with its authority, and two cars of it, for all tests of a file."""

import pytest

from mqtt_makers import Garage


@pytest.fixture(scope="module")
def garage(tmp_path_factory):
    return Garage(tmp_path_factory.mktemp("garage"))


@pytest.fixture(scope="module")
def car(garage):
    return garage.car(1)


@pytest.fixture(scope="module")
def other(garage):
    return garage.car(2)
