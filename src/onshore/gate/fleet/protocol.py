"""What a car and the gate say to each other on one connection: bytes in, events out."""

from dataclasses import dataclass

from onshore.gate.fleet import envelope, upgrade, websocket
from onshore.gate.fleet.envelope import Envelope
from onshore.gate.fleet.upgrade import Request
from onshore.gate.fleet.websocket import Code, Frames, Opcode
from onshore.words.errors import Malformed

MAX_MESSAGE = 1_000_000
"""Bytes of a message; a longer one is answered with an error."""

STATUS = "/status"
TOPICS = frozenset((b"V", b"alerts", b"errors"))
"""What a car has to say; `connectivity` is the gate's own to say."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came is no request for a WebSocket: this goes out, and nothing more is heard."""

    answer: bytes


Event = Request | Answered | websocket.Event


class Conversation:
    """One connection, from the car's first byte. Holds a request, or a message of `most` bytes, at the most.

    It begins with Request or Answered; after Request, `accept` gives the answer before anything else is fed, and what
    follows are messages.
    """

    def __init__(self, most: int = MAX_MESSAGE) -> None:
        self._frames = Frames(most)
        self._head: bytearray | None = bytearray()
        self._asked: Request | None = None
        self._rest = b""

    @property
    def open(self) -> bool:
        """Whether it is a WebSocket by now."""
        return self._head is None and self._asked is None

    @property
    def unfinished(self) -> bool:
        """Whether something has begun that has not come whole."""
        return bool(self._head) or self._frames.unfinished

    @property
    def spent(self) -> int:
        """What the car's frames have cost so far, as `Frames` counts it."""
        return self._frames.spent

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if self.open:
            return list(self._frames.feed(data))
        assert self._head is not None, "accept, or close"
        begin = max(0, len(self._head) - 3)
        self._head += data
        end = self._head.find(upgrade.END, begin)
        if end < 0 and len(self._head) <= upgrade.MOST:
            return []
        head, self._rest = bytes(self._head[:end]), bytes(self._head[end + 4 :])
        self._head = None if 0 <= end <= upgrade.MOST else bytearray()
        return [self._requested(head) if self._head is None else _refused("431 Request Header Fields Too Large")]

    def accept(self) -> tuple[bytes, list[Event]]:
        """The answer that opens the WebSocket, and the events of what came right behind the request."""
        assert self._asked is not None
        key, self._asked = self._asked.key, None
        rest, self._rest = self._rest, b""
        return upgrade.accepted(key), list(self._frames.feed(rest))

    def _requested(self, head: bytes) -> Event:
        try:
            request = upgrade.read(head)
        except Malformed:
            return _refused("400 Bad Request")
        if request.path == STATUS and request.method == "GET":
            return Answered(upgrade.answered("200 OK", "mtls ok"))
        if not request.key:
            return _refused("400 Bad Request" if "sec-websocket-key" in request.headers else "426 Upgrade Required")
        self._asked = request
        return request


def refusal(status: str) -> bytes:
    """The answer to a request that is understood and not granted."""
    return upgrade.answered(status, status)


def _refused(status: str) -> Answered:
    return Answered(refusal(status))


def heard(message: bytes) -> Envelope | bytes:
    """A message's envelope; or the reply to what has none that can be read."""
    try:
        return envelope.read(message)
    except Malformed:
        return said(envelope.error(envelope.txid_of(message)))


def acknowledged(about: Envelope) -> bytes:
    """The frame that says that a record is kept, or need not be sent again."""
    return said(envelope.ack(about.txid, about.topic))


def wrong(about: Envelope | None) -> bytes:
    """The frame that says that a message was none."""
    return said(envelope.error(about.txid if about else b""))


def said(message: bytes) -> bytes:
    """A server's frame of a message."""
    return websocket.frame(Opcode.BINARY, message)


def pong(data: bytes) -> bytes:
    """The answer to a ping."""
    return websocket.frame(Opcode.PONG, data)


PING = websocket.frame(Opcode.PING)
"""Asks for a sign of life."""


def goodbye(code: int = Code.NORMAL) -> bytes:
    """The frame that closes."""
    return websocket.closing(code)
