"""Pressure: whether the disk has room and keeps up; where not, the doors of a gate stop reading until it does."""

from collections.abc import Callable

_MORE = 10  # a tenth more than what must stay free has to be free again, or the doors would open and close all day
_LONGEST = 10.0  # seconds of rest after one slow sync


class Pressure:
    """Why a gate takes nothing in just now; looked at by the gate's timer.

    `free`: bytes that may still be written; `synced`: how often the journal has synced, and seconds that the last time
    took. Below `least` bytes the gate is held until there is more. After a sync longer than `slow` seconds it rests as
    long as that took, before it tries the next batch: what is read meanwhile would only wait in memory. `tell` hears
    once that it begins ("full" or "slow") and once that it is over (""). `held` is why the doors are to be held now.
    """

    def __init__(
        self,
        free: Callable[[], int],
        synced: Callable[[], tuple[int, float]],
        tell: Callable[[str], None],
        *,
        least: int,
        slow: float,
    ) -> None:
        self._free, self._synced, self._tell = free, synced, tell
        self._least, self._slow = least, slow
        self._count = 0
        self._rests = 0.0
        self.why = ""
        self.held = ""

    def look(self, now: float) -> bool:
        """Look, at `now` (seconds, of any clock that only goes forward); whether `held` is another than before."""
        why = self._found(now)
        if why != self.why:
            self.why = why
            self._tell(why)
        before, self.held = self.held, why if why != "slow" or now < self._rests else ""
        return before != self.held

    def _found(self, now: float) -> str:
        if self._free() < self._least + (self._least // _MORE if self.why == "full" else 0):
            return "full"
        count, took = self._synced()
        if count != self._count and took > self._slow:
            self._rests = now + min(took, _LONGEST)
        news, self._count = count != self._count, count
        if not news:
            return "slow" if self.why == "slow" else ""
        return "slow" if took > (self._slow / 2 if self.why == "slow" else self._slow) else ""
