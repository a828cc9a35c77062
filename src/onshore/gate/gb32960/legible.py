"""Which frames are real-time data in the clear, by header, time and checksum, and what is wrong with the others."""

import numpy as np
import numpy.typing as npt

from onshore.gate.gb32960.protocol import HEADER, OVERHEAD, START_2016, START_2025, TIME, Command, Encryption, Flag
from onshore.gate.gb32960.reference import envelope
from onshore.words.errors import Malformed

Bytes = npt.NDArray[np.uint8]
Instants = npt.NDArray[np.int64]

_SAME = np.array((3, 21), np.intp)
_SAYS = np.frombuffer(bytes((Flag.COMMAND, Encryption.NONE)), np.uint8)
_STARTS = START_2016[0], START_2025[0]


def legible(heads: Bytes, sizes: int | npt.NDArray[np.int64]) -> Instants:
    """The instant of each row, ms UTC; -1 where its header or time is not right for real-time data in the clear.

    `heads`: (rows, HEADER + TIME), the beginnings of frames; `sizes`: the bytes of a frame, for all or each.
    """
    good = (heads[:, _SAME] == _SAYS).all(axis=1)
    good &= ((heads[:, 0] == _STARTS[0]) | (heads[:, 0] == _STARTS[1])) & (heads[:, 0] == heads[:, 1])
    good &= heads[:, 22] * np.int64(256) + heads[:, 23] == sizes - OVERHEAD
    good &= (heads[:, 2] == Command.REALTIME) | (heads[:, 2] == Command.RESEND)
    return np.where(good, instants(heads[:, HEADER : HEADER + TIME]), -1)


def checksums(matrix: Bytes) -> Bytes:
    """XOR of each row from its command to its end, eight bytes at a time."""
    count, size = matrix.shape
    wide = np.zeros((count, (size + 5) // 8), np.uint64)
    wide.view(np.uint8)[:, : size - 2] = matrix[:, 2:]
    folded = np.bitwise_xor.reduce(wide, axis=1).view(np.uint8).reshape(count, 8)
    sums: Bytes = np.bitwise_xor.reduce(folded, axis=1)
    return sums


def _days_since_1970() -> tuple[Instants, Instants]:
    """(first day, number of days) of each month of 2000 to 2099, at 12 * (year - 2000) + month - 1."""
    months = np.arange("2000-01", "2100-02", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return months[:-1], np.diff(months)


_FIRST_DAY, _DAYS = _days_since_1970()
_DAY, _EIGHT_HOURS = 86_400_000, 28_800_000


def instants(time6: Bytes) -> Instants:
    """Milliseconds UTC of rows YY MM DD hh mm ss in Beijing time; -1 where that is no time."""
    year, month, day, hour, minute, second = time6.T.astype(np.int64)
    index = 12 * year + month - 1
    good = (year < 100) & (month - 1 < 12) & (month > 0) & (hour < 24) & (minute < 60) & (second < 60) & (day > 0)
    index[~good] = 0
    good &= day <= _DAYS[index]
    at = (_FIRST_DAY[index] + day - 1) * _DAY + ((hour * 60 + minute) * 60 + second) * 1000 - _EIGHT_HOURS
    return np.where(good, at, -1)


def why(frame: bytes) -> str:
    """What is wrong with a frame that is not legible; in the order in which the reference decoder looks."""
    try:
        head = envelope(frame)
        if head.command not in {Command.REALTIME, Command.RESEND} or head.flag != Flag.COMMAND:
            return "not real-time data"
        if head.encryption != Encryption.NONE:
            return "encrypted"
    except Malformed as bad:
        return bad.what
    return "no time" if head.length < TIME else "bad time"
