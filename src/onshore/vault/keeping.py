"""The keep road of a site: whoever drains, erases or writes the ledger holds it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onshore.vault.lock import hold
from onshore.words.errors import Refusal

_roads = threading.local()  # what this thread holds: a lock file is of an opening, and knows no threads


@contextmanager
def keeping(folder: Path) -> Iterator[None]:
    """Hold a site's keep road; refuses (`road-taken`) where another process or thread does, not where this one does."""
    held: set[Path] = _roads.__dict__.setdefault("held", set())
    if folder in held:
        yield
        return
    with hold(folder / "locks" / "keep", "keep"):
        held.add(folder)
        try:
            yield
        finally:
            held.discard(folder)


@contextmanager
def suppress_taken() -> Iterator[None]:
    """Go on where another process holds the road: it does the work."""
    try:
        yield
    except Refusal as refusal:
        if refusal.reason != "road-taken":
            raise
