"""MQTT 3.1.1 and 5 as OASIS has them: bytes in, packets out, in whatever pieces they come; and the bytes of packets.

A reader belongs to one connection. It ends at the first thing that is wrong: both versions have it that the
connection is closed then (3.1.1, 4.8; 5.0, 4.13).
"""

import msgspec

from onshore.gate.mqtt.packets import Connect, Packet, Publish
from onshore.gate.mqtt.properties import Kind, Property
from onshore.gate.mqtt.reading import V3, V5, packet, publish
from onshore.gate.mqtt.wire import MOST, Reason, Wrong
from onshore.gate.mqtt.writing import PUBACK, encode

__all__ = ["PUBACK", "V3", "V5", "Event", "Fault", "Kind", "Property", "Reader", "Reason", "encode"]


class Fault(msgspec.Struct, frozen=True):
    """The end of what can be read: `reason` for a client of version 5, `says` in words of ours."""

    reason: Reason
    says: str


Event = Packet | Fault

_FROM_CLIENT = {
    Kind.CONNECT,
    Kind.PUBLISH,
    Kind.PUBACK,
    Kind.PUBREC,
    Kind.PUBREL,
    Kind.PUBCOMP,
    Kind.SUBSCRIBE,
    Kind.UNSUBSCRIBE,
    Kind.PINGREQ,
    Kind.DISCONNECT,
    Kind.AUTH,
}
_FROM_SERVER = frozenset(Kind) - {
    Kind.WILL,
    Kind.CONNECT,
    Kind.SUBSCRIBE,
    Kind.UNSUBSCRIBE,
    Kind.PINGREQ,
}
_MORE, _ENDLESS = -1, -2
_USERS = 16


class Reader:
    """Reads one side of a connection.

    `most`: the longest packet in bytes, its header included, and what is longer is not waited for. `aliases`: how
    many topic aliases the other side may use (5.0, 3.3.2.3.4); messages come out with their topics. `version`: what
    a client asked for; None on the server's side, where the first packet must be a CONNECT and says it. There a packet
    has 16 user properties at most: nobody here reads them, and they cost more than anything else of their size.
    """

    def __init__(self, most: int, *, aliases: int = 0, version: int | None = None) -> None:
        self.version = version or V3
        self.allowed = _FROM_CLIENT if version is None else _FROM_SERVER
        self._most = most
        self._users = _USERS if version is None else MOST
        self._aliases: dict[int, str] = {}
        self._alias_most = aliases
        self._connected = version is not None
        self._ended = False
        self._pieces: list[bytes] = []
        self._have = self._need = 0

    @property
    def unfinished(self) -> bool:
        """Whether a packet has begun that is not whole."""
        return bool(self._pieces)

    def feed(self, data: bytes) -> list[Event]:
        """The packets that end in these bytes, in order; nothing more after a Fault."""
        if self._pieces:
            self._pieces.append(data)
            self._have += len(data)
            if self._have < self._need:
                return []
            data = b"".join(self._pieces)
            self._pieces = []
        events: list[Event] = []
        at, end = 0, len(data)
        while at < end and not self._ended:
            begin, size = _length(data, at + 1, end)
            if size == _ENDLESS or (size != _MORE and begin + size - at > self._most):
                self._fault(events, *_LENGTHS[size == _ENDLESS])
            elif size == _MORE or begin + size > end:
                self._keep(data[at:], begin + size - at)
                break
            else:
                self._read(events, data[at], data[begin : begin + size])
                at = begin + size
        return events

    def _keep(self, rest: bytes, need: int) -> None:
        """Wait for the rest of a packet without looking at each piece of it again."""
        self._pieces, self._have = [rest], len(rest)
        self._need = max(need, self._have + 1)

    def _read(self, events: list[Event], first: int, body: bytes) -> None:
        try:
            if first >> 4 == Kind.PUBLISH and self._connected:
                message = publish(first, body, self.version, self._users)
                events.append(self._named(message) if message.properties else message)
                return
            self._expect(first >> 4)
            found = packet(first, body, self.version, self._users)
        except Wrong as wrong:
            self._fault(events, wrong.reason, wrong.what)
            return
        if isinstance(found, Connect):
            self._connected, self.version = True, found.version
        events.append(found)

    def _expect(self, kind: int) -> None:
        """The first packet is a CONNECT, and there is one alone (3.1-1, 3.1-2)."""
        if (kind == Kind.CONNECT) == self._connected:
            raise Wrong("the first packet, and no other, is a CONNECT", Reason.PROTOCOL_ERROR)
        if kind not in self.allowed:
            raise Wrong("a packet that this side does not send", Reason.PROTOCOL_ERROR)

    def _named(self, message: Publish) -> Publish:
        """With its topic, where that was sent as an alias (5.0, 3.3.2.3.4)."""
        alias = message.properties.get(Property.TOPIC_ALIAS)
        if alias is None:
            return message
        if alias > self._alias_most:
            raise Wrong("a topic alias is larger than what was agreed", Reason.TOPIC_ALIAS)
        if message.topic:
            self._aliases[alias] = message.topic
            return message
        if alias not in self._aliases:
            raise Wrong("a topic alias stands for nothing", Reason.PROTOCOL_ERROR)
        return msgspec.structs.replace(message, topic=self._aliases[alias])

    def _fault(self, events: list[Event], reason: Reason, says: str) -> None:
        self._ended = True
        events.append(Fault(reason, says))


_LENGTHS = (
    (Reason.TOO_LARGE, "a packet is longer than the door takes"),
    (Reason.MALFORMED_PACKET, "a packet's length is no number"),
)


def _length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the body begins and its bytes, by the remaining length (2.1.4); or what is wrong with it."""
    size = 0
    for shift in (0, 7, 14, 21):
        if at >= end:
            return at, _MORE
        byte = data[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if byte < 0x80:
            return at, size if byte or not shift else _ENDLESS
    return at, _ENDLESS
