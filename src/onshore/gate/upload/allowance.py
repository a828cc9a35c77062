"""What a car may have us read: rows and bytes of a file, bytes of a day, files begun in a minute."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from onshore.words.errors import Refusal

DAY, _MINUTE = 86_400_000, 60_000  # milliseconds
_AT_ONCE = 64 << 20  # bytes of a car that a crash of the gate may leave uncounted

FATES = {"too-many-rows": "rows", "unpacks-too-far": "bytes"}
"""Refusals after which a file is over, and what papers note as its fate."""


class Days(Protocol):
    """What papers know of bytes, by car and day (UTC, days since 1970)."""

    def spent(self, vehicle: int, day: int) -> int:
        """How many there were."""

    def spend(self, vehicle: int, day: int, more: int) -> None:
        """So many more."""


class Allowance:
    """What all cars have spent today and in this minute, in this process and, of days, in those before it.

    `day`: bytes of a car, as its files unpack; `begins`: how many it may begin in a minute.
    """

    def __init__(self, days: Days, clock: Callable[[], int], day: int, begins: int) -> None:
        self._days, self._clock, self._most, self._begins = days, clock, day, begins
        self._day = self._minute = -1
        self._spent: dict[int, int] = {}
        self._unsaved: Counter[int] = Counter()
        self._begun: Counter[int] = Counter()

    def begin(self, vehicle: int) -> None:
        """One more file is begun, or tried; refuses (`too-fast`) too many of one car in a minute."""
        if (minute := self._clock() // _MINUTE) != self._minute:
            self._minute = minute
            self._begun.clear()
        if self._begun[vehicle] >= self._begins:
            raise Refusal(
                "too-fast",
                f"a car may begin {self._begins} uploads in a minute",
                remedy="go on with one of those that were begun, or wait a minute",
            )
        self._begun[vehicle] += 1

    def check(self, vehicle: int) -> None:
        """Refuse (`too-much-today`) a car that has spent its day."""
        if self._of(vehicle) >= self._most:
            raise Refusal(
                "too-much-today",
                f"this car has sent what is read of one in a day: {self._most} bytes, as they unpack",
                remedy="go on from the same place tomorrow (UTC)",
            )

    def spend(self, vehicle: int, more: int) -> None:
        """So many more bytes of a car were read."""
        self._spent[vehicle] = self._of(vehicle) + more
        self._unsaved[vehicle] += more
        if self._unsaved[vehicle] >= _AT_ONCE:
            self.save(vehicle)

    def save(self, vehicle: int) -> None:
        """Have papers know what a car spent."""
        if more := self._unsaved[vehicle]:
            self._days.spend(vehicle, self._day, more)
            del self._unsaved[vehicle]

    def _of(self, vehicle: int) -> int:
        if (day := self._clock() // DAY) != self._day:
            for one in list(self._unsaved):
                self.save(one)
            self._day = day
            self._spent.clear()
        if vehicle not in self._spent:
            self._spent[vehicle] = self._days.spent(vehicle, day)
        return self._spent[vehicle]


@dataclass
class Cost:
    """What one file has cost: `rows` that were read, bytes that were `made` of it, what papers were told of.

    `most_rows`, `most_bytes`: what it may.
    """

    allowance: Allowance
    vehicle: int
    most_rows: int
    most_bytes: int
    rows: int = 0
    made: int = 0
    told: int = 0

    def add(self, size: int) -> None:
        """The file is `size` bytes so far, as it unpacks; refuses what is more than it may have.

        Bytes count as they come, as they unpack, or as the values that are made of them, whichever is most.
        """
        size = max(size, self.made, self.told)
        self.allowance.spend(self.vehicle, size - self.told)
        self.told = size
        if self.rows > self.most_rows:
            raise Refusal(
                "too-many-rows",
                f"this file has more rows than the {self.most_rows} that are read of one; what came first was kept",
                remedy="cut the drive into several files, or record fewer rows a second",
            )
        if size > self.most_bytes:
            raise Refusal(
                "unpacks-too-far",
                f"this file unpacks to more than the {self.most_bytes} bytes that are read of one; what came first was "
                "kept",
                remedy="cut the drive into several files",
            )
