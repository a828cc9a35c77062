"""Who gives up a place when all are taken: places are few, since each holds a part of a file in memory."""

from collections import Counter
from collections.abc import Iterable

from onshore.gate.upload.arrival import Arrival


def gives_way(live: Iterable[Arrival], vehicle: int, now: float, least: int) -> Arrival | None:
    """The one that makes room for a car's next file; None where nobody has to.

    The oldest that nobody is sending; else, of a car that holds two places more than this one, the one that is sent
    most slowly; else any of another car that sends fewer than `least` bytes a second. `now`: the loop's time. How fast
    one sends is seen over some seconds, from the first time on that somebody asks.
    """
    every = list(live)
    idle = next((one for one in every if not one.lock.locked()), None)
    if idle is not None:
        return idle
    places = Counter(one.upload.vehicle for one in every)
    paces = {one.upload.id: one.pace(now) for one in every}
    slowest = sorted(every, key=lambda one: paces[one.upload.id])
    many = max(places.values(), default=0)
    if many >= places[vehicle] + 2:
        return next(one for one in slowest if places[one.upload.vehicle] == many)
    others = (one for one in slowest if one.upload.vehicle != vehicle)
    return next((one for one in others if paces[one.upload.id] < least), None)
