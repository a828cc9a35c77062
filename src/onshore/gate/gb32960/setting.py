"""Period settings (0x81): all that a platform can ask of a car, which cannot leave fields out. No control (0x82) ever.

The report period alone is set. How often a car stores for itself, and how often it reports around an alarm, the
standard fixes, and both serve those whom the alarm concerns.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from onshore.gate.gb32960.protocol import START_2016, START_2025, Command, Flag, frame, time6

REPORT_PERIOD = 0x02
MOST_S = 30
"""Real-time data come every 30 seconds or more often (GB/T 32960.3, information reporting)."""


class Orders(Protocol):
    """What the door asks of the register about a car's policy."""

    def untold(self, vehicle: int) -> tuple[int, Mapping[str, Any]] | None:
        """Version and fields of the policy in force, where the car has not said that it obeys it."""

    def checked_in(self, vehicle: int, version: int, at: int) -> None:
        """A vehicle said at an instant (ms UTC) which version it obeys; raises where that is not kept."""

    def changed(self, vehicles: Iterable[int]) -> list[tuple[int, bytes]]:
        """Of these cars, those whose policy is new."""


def period_of(policy: Mapping[str, Any], door: str, carried: frozenset[str]) -> int:
    """The report period in whole seconds, 1 to 30: the shortest of the lines that this door can serve.

    `policy`: its fields (docs/policy.md); `carried`: the signals that frames of this protocol have.
    """
    periods = [
        line["period_ms"]
        for line in policy["collect"]
        if line.get("door", door) == door and not carried.isdisjoint(line["signals"])
    ]
    return min(MOST_S, max(1, min(periods, default=MOST_S * 1000) // 1000))


def report_period(vin: bytes, at: int, seconds: int, *, later: bool) -> bytes:
    """The command that sets the report period, at an instant (ms UTC); `later`: in the 2025 edition, in one byte."""
    value = seconds.to_bytes(1 if later else 2, "big")
    body = time6(at) + bytes((1, REPORT_PERIOD)) + value
    return frame(Command.PARAMETER_SET, Flag.COMMAND, vin, body, start=START_2025 if later else START_2016)
