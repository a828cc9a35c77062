"""A load: cars that are connected send what was built beforehand, at a rate or as fast as they are answered."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from onshore.cli.terminals import PATIENCE, Car, Latencies
from onshore.cli.voices.spoken import Pace, Voice

_TICK = 0.002  # seconds between looks at what is due
_AHEAD = 100 << 20  # bytes of frames that are built before the first is sent
_PIECE = 2048  # frames that are built at once while cars send


@dataclass(frozen=True)
class Wish:
    """What is asked for: frames a second of each car (0: as fast as they are answered), for how many seconds.

    `window`: frames of a car on their way where it is as fast as they are answered; `burst`: frames in one packet.
    """

    rate: float
    seconds: float
    window: int = 64
    burst: int = 1


class Script:
    """The frames of all cars, in the order that each sends them."""

    def __init__(self, voice: Voice, cars: int, at: Pace, wish: Wish) -> None:
        size = len(voice.frames(0, 1, at)[0][0])
        needed = int(wish.rate * wish.seconds) + wish.burst if wish.rate else _AHEAD
        self._first = max(wish.burst, min(needed, _AHEAD // (size * cars)))
        self._known = voice.frames(0, self._first, at)
        self._many = many = max(wish.burst, _PIECE // cars)
        self._later = lru_cache(maxsize=8)(lambda piece: voice.frames(self._first + piece * many, many, at))

    def packet(self, car: int, number: int, count: int) -> bytes:
        """Frames of a car from a number on, in one piece."""
        frames = self._known[car][number : number + count]
        while len(frames) < count:
            piece, at = divmod(number + len(frames) - self._first, self._many)
            frames = frames + self._later(piece)[car][at : at + count - len(frames)]
        return frames[0] if count == 1 else b"".join(frames)


class Load:
    """Connected cars, and the frames that they send."""

    def __init__(self, cars: Sequence[Car], script: Script, wish: Wish) -> None:
        self._cars, self._script, self._wish = cars, script, wish
        self._numbers = {car: number for number, car in enumerate(cars)}
        self._until = 0.0

    async def run(self) -> float:
        """Send, and wait for the last answers; the seconds that it took."""
        begun = time.perf_counter()
        self._until = begun + self._wish.seconds
        await (self._paced(begun) if self._wish.rate else self._closed())
        end = time.perf_counter() + PATIENCE
        while any(car.open and not car.lost for car in self._cars) and time.perf_counter() < end:
            await asyncio.sleep(_TICK)
        return time.perf_counter() - begun

    async def _closed(self) -> None:
        for car in self._cars:
            car.answered = self._more
            self._more(car, 0)
        while (left := self._until - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        for car in self._cars:
            car.answered = None

    def _more(self, car: Car, count: int) -> None:
        """Whoever was answered sends as much again."""
        del count
        while car.open + self._wish.burst <= self._wish.window and not car.lost:
            if time.perf_counter() >= self._until:
                return
            self._send(car)

    async def _paced(self, begun: float) -> None:
        """All cars by turns, so that what they send together is even."""
        cars, wish = self._cars, self._wish
        packets, total = 0, max(1, int(wish.rate * wish.seconds / wish.burst)) * len(cars)
        while packets < total:
            passed = time.perf_counter() - begun
            due = min(total, int(passed * wish.rate * len(cars) / wish.burst) + 1)
            for packet in range(packets, due):
                car = cars[packet % len(cars)]
                if not car.lost:
                    self._send(car)
            packets = due
            await asyncio.sleep(_TICK)

    def _send(self, car: Car) -> None:
        count = self._wish.burst
        car.send(self._script.packet(self._numbers[car], car.sent, count), count)


def figures(cars: Sequence[Car], latencies: Latencies, seconds: float) -> dict[str, float]:
    """What a load came to."""
    acknowledged = sum(car.acknowledged for car in cars)
    return {
        "cars": len(cars),
        "sent": sum(car.sent for car in cars),
        "acknowledged": acknowledged,
        "refused": sum(car.refused for car in cars),
        "unanswered": sum(car.open for car in cars),
        "connections_lost": sum(car.lost for car in cars),
        "seconds": round(seconds, 2),
        "per_second": round(acknowledged / seconds),
        "latency_p50_ms": round(latencies.share(0.5), 2),
        "latency_p99_ms": round(latencies.share(0.99), 2),
    }
