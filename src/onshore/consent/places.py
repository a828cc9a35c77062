"""Places: where each vehicle stands in columns, found by its id for many vehicles at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

ABSENT = 0
"""What is found for a vehicle that has no place; no vehicle is given it."""

_ID, _PLACE = 0, 1
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 / golden ratio: Knuth, TAOCP 3, 6.4, multiplicative hashing


@dataclass(frozen=True, eq=False)
class Places:
    """A hash table with linear probing (TAOCP 3, 6.4, algorithm L): rows of id and place, both 0 where free."""

    table: Ints

    def find(self, vehicle: Ints) -> Ints:
        """The place of each vehicle, ABSENT where it has none."""
        slot = _slot(vehicle, len(self.table))
        found = self.table.take(slot, axis=0)
        place = found[:, _PLACE].copy()
        astray = np.flatnonzero((found[:, _ID] != vehicle) & (place != ABSENT))
        while astray.size:
            slot[astray] = (slot[astray] + 1) % len(self.table)
            found = self.table.take(slot[astray], axis=0)
            place[astray] = found[:, _PLACE]
            astray = astray[(found[:, _ID] != vehicle[astray]) & (found[:, _PLACE] != ABSENT)]
        return place

    def with_these(self, vehicle: Ints, place: Ints) -> "Places":
        """A copy in which these vehicles, none twice, have these places; at most a quarter may be taken in all."""
        table = self.table.copy()
        _put(table, vehicle, place)
        return Places(table)


def room_for(vehicles: int) -> Places:
    """No places yet, but room for so many."""
    return Places(np.zeros((1 << (4 * vehicles + 4).bit_length(), 2), np.int64))


def places_of(vehicle: Ints, place: Ints) -> Places:
    """The places of vehicles, none of them twice."""
    empty = room_for(len(vehicle))
    _put(empty.table, vehicle, place)
    return empty


def _put(table: Ints, vehicle: Ints, place: Ints) -> None:
    slot, waiting = _slot(vehicle, len(table)), np.arange(len(vehicle))
    rows = np.column_stack((vehicle, place))
    while waiting.size:
        here = table.take(slot[waiting], axis=0)
        mine = waiting[(here[:, _PLACE] == ABSENT) | (here[:, _ID] == vehicle[waiting])]
        table[slot[mine]] = rows[mine]
        waiting = waiting[(table.take(slot[waiting], axis=0) != rows[waiting]).any(axis=1)]
        slot[waiting] = (slot[waiting] + 1) % len(table)


def _slot(vehicle: Ints, size: int) -> Ints:
    """Where a probe begins: the upper bits of a product, for a size that is a power of two."""
    shift = np.uint64(65 - size.bit_length())
    return ((vehicle.view(np.uint64) * _SPREAD) >> shift).view(np.int64)
