"""Answers to many frames at once: as `protocol.reply` writes them, written as columns of bytes."""

from collections.abc import Sequence

import numpy as np

from onshore.gate.gb32960.protocol import HEADER, TIME, Flag

_TO = HEADER + TIME
SIZE = _TO + 1
"""Bytes of an answer to a frame that begins with its time."""


def answers(frames: Sequence[bytes], flags: int | Sequence[int] = Flag.OK) -> list[bytes]:
    """The answer to each of these frames, in order, with one flag or each its own; each carries its time in the clear.

    For frames of more than HEADER + TIME bytes whose data unit begins with the time.
    """
    if not frames:
        return []
    out = np.empty((len(frames), SIZE), np.uint8)
    out[:, :_TO] = np.frombuffer(b"".join([frame[:_TO] for frame in frames]), np.uint8).reshape(-1, _TO)
    out[:, 3] = flags
    out[:, 22:HEADER] = 0, TIME
    out[:, _TO] = np.bitwise_xor.reduce(out[:, 2:_TO], axis=1)
    joined = out.tobytes()
    return [joined[at : at + SIZE] for at in range(0, len(joined), SIZE)]
