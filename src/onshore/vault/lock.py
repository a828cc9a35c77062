"""A road's lock: one process per road, a second one is refused."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onshore.words.errors import Refusal


@contextmanager
def hold(path: Path, road: str) -> Iterator[None]:
    """Hold the lock file at `path`; refuses with `road-taken` while another process (or opening) holds it.

    The kernel lets go of it when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                "road-taken",
                f"another process already runs the road '{road}' of this site",
                remedy="stop that process first, or let it do the work",
            ) from None
        yield
    finally:
        os.close(handle)
