"""One trip as phases of constant acceleration: along each road away, on, braking, and waiting at its end."""

from dataclasses import dataclass

import numpy as np

from onshore.cli.driving.roads import Flags, Floats, Ints, Roads

TURNING = 5.5  # m/s round a corner
_STRAIGHT = np.cos(np.radians(30))


@dataclass(frozen=True)
class Manner:
    """How somebody drives: acceleration and braking (m/s²), and which share of the limit they like."""

    faster: float
    slower: float
    share: float


@dataclass(frozen=True)
class Phases:
    """Per phase: seconds it lasts, speed (m/s) at its beginning, acceleration (m/s²), its road, metres along it."""

    lasts: Floats
    speed: Floats
    gain: Floats
    road: Ints
    along: Floats


def phases(roads: Roads, route: Ints, manner: Manner, stops: Flags, waits: Floats) -> Phases:
    """A trip from standing to standing. `stops`, `waits`: at the end of each road, whether, and for how many seconds.

    The speed is never above a road's limit, and what lies ahead is braked for in time.
    """
    length, most = roads.length[route], roads.limit[route] * manner.share
    passing = _passing(roads, route, most, stops)
    reach = np.concatenate([[0], np.cumsum(length)])
    square = passing**2
    square = np.minimum.accumulate(square - 2 * manner.faster * reach) + 2 * manner.faster * reach
    left = reach[-1] - reach
    square = (np.minimum.accumulate((square - 2 * manner.slower * left)[::-1]))[::-1] + 2 * manner.slower * left
    before, after = np.maximum(square[:-1], 0), np.maximum(square[1:], 0)
    a, b = manner.faster, manner.slower
    peak = np.minimum(most**2, (2 * a * b * length + b * before + a * after) / (a + b))
    peak = np.maximum(peak, np.maximum(before, after))
    enter, top, leave = np.sqrt(before), np.sqrt(peak), np.sqrt(after)
    away, braked = (peak - before) / (2 * a), (peak - after) / (2 * b)
    on = np.maximum(length - away - braked, 0)
    zero = np.zeros_like(top)
    lasts = np.stack([(top - enter) / a, on / top, (top - leave) / b, np.where(stops, waits, 0)], axis=1).ravel()
    speed = np.stack([enter, top, top, zero], axis=1).ravel()
    gain = np.stack([zero + a, zero, zero - b, zero], axis=1).ravel()
    along = np.stack([zero, away, away + on, length], axis=1).ravel()
    lasting = lasts > 1e-9
    return Phases(lasts[lasting], speed[lasting], gain[lasting], np.repeat(route, 4)[lasting], along[lasting])


def _passing(roads: Roads, route: Ints, most: Floats, stops: Flags) -> Floats:
    """The highest speed at the beginning of the trip and at the end of each of its roads."""
    way = roads.way[route]
    straight = (way[1:] * way[:-1]).sum(axis=1) >= _STRAIGHT
    through = np.where(straight, np.minimum(most[1:], most[:-1]), np.minimum(TURNING, np.minimum(most[1:], most[:-1])))
    return np.concatenate([[0], np.where(stops[:-1], 0, through), [0]])
