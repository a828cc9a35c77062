"""Ran: for how long this machine has run, by a count that nobody sets."""

import time
from pathlib import Path
from typing import NamedTuple

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Ran(NamedTuple):
    """Which start of the machine this is (empty: it does not say), and the milliseconds since, suspended or not."""

    boot: str
    milliseconds: int


def ran() -> Ran:
    """For how long this machine has run."""
    boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
    return Ran(boot, time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000)
