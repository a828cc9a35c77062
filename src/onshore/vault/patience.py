"""Patience: how long one process looks whether another one of its site did its part."""

import time
from collections.abc import Iterator

LOOKS = 1500
PAUSE = 0.02  # seconds between two looks: half a minute in all


def looks() -> Iterator[None]:
    """As many times as somebody looks, with a pause between two, so that none follows the last look."""
    for left in reversed(range(LOOKS)):
        yield
        if left:
            time.sleep(PAUSE)
