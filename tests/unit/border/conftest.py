"""People who act at the border of a real site."""

import pytest

from border_makers import Border


@pytest.fixture
def border(hands):
    return Border(hands)
