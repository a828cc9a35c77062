"""What is said to a platform that the law names, and what it answers (GB/T 32960.3): bytes in, answers out. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.protocol import HEADER, TIME, Command, Flag, Splitter, header

RETRY_S, REST_S, TRIES = 60, 1800, 3
"""After a login that failed the next is tried a minute later, after three half an hour later (GB/T 32960.3, login)."""

AGAIN_S = (RETRY_S,) * TRIES + (REST_S,) * TRIES
"""Seconds after which a frame that was answered with an error is sent again; after the last of these it is set apart.

As often and as late as a login that failed, and then as often again: what a platform refuses now it may take once the
car is registered there, or its own trouble is over.
"""


def again_after(tries: int) -> int | None:
    """Seconds until rows are sent again that were refused so often before this time; None: no more."""
    return AGAIN_S[tries] if tries < len(AGAIN_S) else None


def pause(failures: int) -> int:
    """Seconds to wait after so many failures in a row."""
    return REST_S if failures % TRIES == 0 else RETRY_S


@dataclass(frozen=True)
class Login:
    """Under which code this platform is known there, what it logs in with, and in which edition's frames."""

    code: bytes
    user: str
    password: str
    edition: int

    def say(self, at: int, serial: int) -> bytes:
        """Platform login (05) at an instant (ms UTC); `serial`: counted per day, from 1 on."""
        return encode.platform_login(self.code, at, serial, self.user, self.password, edition=self.edition)

    def leave(self, at: int, serial: int) -> bytes:
        """Platform logout (06), with the number of its login."""
        return encode.platform_login(self.code, at, serial, "", "", edition=self.edition, logout=True)

    def alive(self) -> bytes:
        """Heartbeat (07), where nothing else was said for a while."""
        return encode.heartbeat(self.code, edition=self.edition)


class Answer(NamedTuple):
    """A platform's answer: to which command, for whom, with which time in it, and its flag."""

    command: int
    vin: bytes
    time: bytes
    flag: int


class Ear:
    """Finds the answers in what a platform sends; commands of its own (0x80 to 0x82) are not for us, and unheard."""

    def __init__(self) -> None:
        self._splitter = Splitter()

    def hear(self, data: bytes) -> list[Answer]:
        """What one read completes, in order."""
        found = [(*header(event), event) for event in self._splitter.feed(data) if isinstance(event, bytes)]
        return [
            Answer(command, vin, whole[HEADER : HEADER + TIME], flag)
            for _, command, flag, vin, _, _, whole in found
            if flag != Flag.COMMAND
        ]


class Window:
    """Frames that were sent together, until each is answered. An empty one was not sent, and counts as answered."""

    def __init__(self, frames: Sequence[bytes]) -> None:
        self._open: dict[tuple[bytes, bytes], list[int]] = defaultdict(list)
        self._flags: list[int | None] = [None if frame else int(Flag.OK) for frame in frames]
        for place, frame in reversed(list(enumerate(frames))):
            if frame:
                self._open[frame[4:21], frame[HEADER : HEADER + TIME]].append(place)

    def heard(self, answer: Answer) -> bool:
        """Take note of an answer: the oldest frame of that car and second is answered by it. Whether there was one."""
        waiting = self._open.get((answer.vin, answer.time))
        if not waiting or answer.command not in {Command.REALTIME, Command.RESEND}:
            return False
        self._flags[waiting.pop()] = answer.flag
        return True

    @property
    def answered(self) -> int:
        """How many frames are answered, up to the first that is not."""
        return self._flags.index(None) if None in self._flags else len(self._flags)

    @property
    def refused(self) -> list[int]:
        """The places of those of these that the platform would not have."""
        return [place for place, flag in enumerate(self._flags[: self.answered]) if flag != Flag.OK]

    @property
    def done(self) -> bool:
        """Whether all are answered."""
        return None not in self._flags
