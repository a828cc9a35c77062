"""Answers written as columns are the answers written one by one."""

import pytest

from onshore.gate.gb32960.answers import answers
from onshore.gate.gb32960.protocol import Flag, frame, reply, time6


@pytest.mark.parametrize("start", [b"##", b"$$"])
def test_as_reply_writes_them(start):
    times = [time6(1_768_437_059_000 + 1000 * i) for i in range(50)]
    frames = [frame(2 + i % 2, 0xFE, b"LTEST%012d" % i, at + bytes(i), start=start) for i, at in enumerate(times)]
    flags = [1 + i % 7 for i in range(50)]
    assert answers(frames, flags) == [reply(f, flag, b"") for f, flag in zip(frames, flags, strict=True)]
    assert answers(frames) == [reply(f, Flag.OK, b"") for f in frames]


def test_nobody_asked():
    assert answers([]) == []
