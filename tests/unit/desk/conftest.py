"""The desk of a real site."""

import pytest

from desk_makers import Desk, quick_passwords


@pytest.fixture(autouse=True, scope="session")
def _quick():
    with quick_passwords():
        yield


@pytest.fixture
def desk(hands):
    return Desk(hands)
