"""WebSocket frames (RFC 6455, section 5): bytes in, messages and controls out, and the bytes of a frame."""

from dataclasses import dataclass
from enum import IntEnum

from onshore.gate.limits import KIB


class Opcode(IntEnum):
    """What a frame is (5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Code(IntEnum):
    """Why a connection is closed (7.4.1); ABSENT is never sent."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED = 1003
    ABSENT = 1005
    NOT_UTF8 = 1007
    POLICY = 1008
    TOO_BIG = 1009
    AGAIN_LATER = 1013


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message, whatever frames it came in."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Skipped:
    """A whole message that was too big, and of which nothing is left."""


@dataclass(frozen=True, slots=True)
class Ping:
    """To be answered with a pong of the same bytes (5.5.2)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping, or a sign of life."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer closes: to be answered in kind, once (5.5.1)."""

    code: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The peer broke the rules: nothing more is read, and this code goes out in a close frame (7.1.7)."""

    code: Code


Event = Message | Skipped | Ping | Pong | Closed | Failed

_CONTROL, _FIN, _RSV, _MASKED = 0x08, 0x80, 0x70, 0x80


def frame(opcode: Opcode, data: bytes = b"", *, mask: bytes = b"", fin: bool = True) -> bytes:
    """A frame; a client's is masked with four bytes that nobody can foresee (5.3)."""
    first, flag = (_FIN if fin else 0) | opcode, _MASKED if mask else 0
    size = len(data)
    if size < 126:
        head = bytes((first, flag | size))
    elif size < 1 << 16:
        head = bytes((first, flag | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((first, flag | 127)) + size.to_bytes(8, "big")
    return head + mask + masked(data, mask) if mask else head + data


def closing(code: int) -> bytes:
    """The frame that closes, with its code and no reason (5.5.1)."""
    return frame(Opcode.CLOSE, b"" if code == Code.ABSENT else code.to_bytes(2, "big"))


def masked(data: bytes, mask: bytes) -> bytes:
    """Bytes under a mask, or out from under it (5.3)."""
    size = len(data)
    whole = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(whole, "little")).to_bytes(size, "little")


class Frames:
    """Splits what a peer sends into events; holds one message of `most` bytes at the most.

    `from_client`: frames must be masked, and those of a server must not (5.1). A message of more than `most` bytes
    is skipped without being held, one of more than `end` breaks the rules. Text is none of this protocol's.
    """

    def __init__(self, most: int, *, from_client: bool = True, end: int = 1 << 24) -> None:
        self.spent = 0
        """What frames have cost so far: one each, whatever they are, and one more for every KiB of it."""
        self._most, self._end, self._from_client = most, end, from_client
        self._rest = bytearray()
        self._parts: bytearray | None = None
        self._size = 0  # of the message so far
        self._skip = 0  # bytes of a frame that are still to come and go
        self._last = False  # whether that frame ends its message
        self._over = False

    @property
    def unfinished(self) -> bool:
        """Whether a frame, or a message, has begun and not ended."""
        return not self._over and (bool(self._rest or self._skip) or self._parts is not None)

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete; after Closed or Failed there are no more."""
        events: list[Event] = []
        self._rest += data
        while not self._over:
            event = self._next()
            if event is None:
                break
            events += event
        if self._over:
            self._rest.clear()
        return events

    def _next(self) -> list[Event] | None:
        """The events of one frame, mostly one or none; None where it is not whole yet."""
        rest = self._rest
        if self._skip:
            return self._skipped()
        at = 2 if len(rest) < 2 else _WIDE.get(rest[1] & 0x7F, 2)
        if len(rest) < at:
            return None
        first, second = rest[0], rest[1]
        size = second & 0x7F if at == 2 else int.from_bytes(rest[2:at], "big")
        if wrong := self._wrong(first, second, size):
            return [self._failed(wrong)]
        mask = bytes(rest[at : at + 4]) if self._from_client else b""
        if self._from_client and len(mask) < 4:
            return None
        return self._framed(first, size, at + len(mask), mask)

    def _framed(self, first: int, size: int, at: int, mask: bytes) -> list[Event] | None:
        """A frame with a sound head; its content lies at `at`, or will."""
        rest = self._rest
        opcode, fin = first & 0x0F, bool(first & _FIN)
        if not opcode & _CONTROL and self._size + size > self._most:
            del rest[:at]
            self.spent += 1 + size // KIB
            self._parts, self._size = bytearray(), self._size + size
            self._skip, self._last = size, fin
            return self._skipped()
        if len(rest) < at + size:
            return None
        content = bytes(rest[at : at + size])
        del rest[: at + size]
        self.spent += 1 + size // KIB
        content = masked(content, mask) if mask else content
        if opcode & _CONTROL:
            return [self._controlled(opcode, content)]
        return self._gathered(content, size, fin=fin)

    def _gathered(self, content: bytes, size: int, *, fin: bool) -> list[Event]:
        if fin and self._parts is None:
            return [Message(content)]
        if self._parts is None:
            self._parts = bytearray()
        self._parts += content
        self._size += size
        return self._ended([Message(bytes(self._parts))]) if fin else []

    def _skipped(self) -> list[Event] | None:
        """Let go of what has come of a message that is too big."""
        gone = min(self._skip, len(self._rest))
        del self._rest[:gone]
        self._skip -= gone
        if self._skip:
            return None
        return self._ended([Skipped()]) if self._last else []

    def _ended(self, events: list[Event]) -> list[Event]:
        self._parts, self._size, self._last = None, 0, False
        return events

    def _wrong(self, first: int, second: int, size: int) -> Code | None:
        """What is wrong with a frame's head, if anything."""
        opcode = first & 0x0F
        if first & _RSV or bool(second & _MASKED) != self._from_client or opcode not in _KNOWN:
            return Code.PROTOCOL_ERROR  # 5.2 (no extension was agreed upon), 5.1
        if size < _LEAST.get(second & 0x7F, 0) or size >> 63:
            return Code.PROTOCOL_ERROR  # 5.2: in as few bytes as may be
        if opcode & _CONTROL:
            return None if size <= 125 and first & _FIN else Code.PROTOCOL_ERROR  # 5.5
        if (opcode == Opcode.CONTINUATION) != (self._parts is not None):
            return Code.PROTOCOL_ERROR  # 5.4
        if opcode == Opcode.TEXT:
            return Code.UNSUPPORTED
        return Code.TOO_BIG if self._size + size > self._end else None

    def _controlled(self, opcode: int, content: bytes) -> Event:
        if opcode == Opcode.PING:
            return Ping(content)
        if opcode == Opcode.PONG:
            return Pong()
        self._over = True
        return _close(content)

    def _failed(self, code: Code) -> Failed:
        self._over = True
        return Failed(code)


_KNOWN = frozenset(Opcode)
_WIDE = {126: 4, 127: 10}  # bytes before a mask, by what the second byte says
_LEAST = {126: 126, 127: 1 << 16}
_GIVEN = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))  # codes that may be sent (7.4)


def _close(content: bytes) -> Event:
    if not content:
        return Closed(Code.ABSENT)
    code = int.from_bytes(content[:2], "big")
    if len(content) == 1 or code not in _GIVEN:
        return Failed(Code.PROTOCOL_ERROR)
    try:
        content[2:].decode()
    except UnicodeDecodeError:
        return Failed(Code.NOT_UTF8)
    return Closed(code)
