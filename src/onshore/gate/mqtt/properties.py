"""The properties of MQTT 5 (2.2.2.2, table 2-4): which there are, of what kind, and in which packets."""

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import Any

from onshore.gate.mqtt.wire import Cursor, Reason, Wrong, binary, text, varint

Properties = Mapping[int, Any]
"""By identifier; a user property is a list of pairs of strings, a subscription identifier a list of integers."""


class Kind(IntEnum):
    """Control packets (2.1.2); 0 stands for the will inside a CONNECT, which has properties of its own."""

    WILL = 0
    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


class Property(IntEnum):
    """Identifiers."""

    PAYLOAD_FORMAT = 1
    MESSAGE_EXPIRY = 2
    CONTENT_TYPE = 3
    RESPONSE_TOPIC = 8
    CORRELATION = 9
    SUBSCRIPTION_ID = 11
    SESSION_EXPIRY = 17
    ASSIGNED_CLIENT_ID = 18
    SERVER_KEEP_ALIVE = 19
    AUTH_METHOD = 21
    AUTH_DATA = 22
    REQUEST_PROBLEM = 23
    WILL_DELAY = 24
    REQUEST_RESPONSE = 25
    RESPONSE_INFO = 26
    SERVER_REFERENCE = 28
    REASON_STRING = 31
    RECEIVE_MAXIMUM = 33
    TOPIC_ALIAS_MAXIMUM = 34
    TOPIC_ALIAS = 35
    MAXIMUM_QOS = 36
    RETAIN_AVAILABLE = 37
    USER = 38
    MAXIMUM_PACKET = 39
    WILDCARD_AVAILABLE = 40
    SUBSCRIPTION_ID_AVAILABLE = 41
    SHARED_AVAILABLE = 42


def _flag(cursor: Cursor) -> int:
    value = cursor.number(1)
    if value > 1:
        raise Wrong("a property that is 0 or 1 is neither", Reason.PROTOCOL_ERROR)
    return value


def _two(cursor: Cursor) -> int:
    return cursor.number(2)


def _four(cursor: Cursor) -> int:
    return cursor.number(4)


def _pair(cursor: Cursor) -> tuple[str, str]:
    return cursor.text(), cursor.text()


_Read = Callable[[Cursor], Any]
_WRITE: dict[_Read, Callable[[Any], bytes]] = {
    _flag: lambda value: bytes((value,)),
    _two: lambda value: int(value).to_bytes(2, "big"),
    _four: lambda value: int(value).to_bytes(4, "big"),
    Cursor.varint: varint,
    Cursor.text: text,
    Cursor.binary: binary,
    _pair: lambda value: text(value[0]) + text(value[1]),
}

P, K = Property, Kind
_ANSWERS = (K.PUBACK, K.PUBREC, K.PUBREL, K.PUBCOMP, K.SUBACK, K.UNSUBACK)
_MESSAGE = (K.PUBLISH, K.WILL)
_NOT_PINGS = tuple(k for k in K if k not in {K.PINGREQ, K.PINGRESP})

TABLE: dict[int, tuple[_Read, tuple[Kind, ...]]] = {
    P.PAYLOAD_FORMAT: (_flag, _MESSAGE),
    P.MESSAGE_EXPIRY: (_four, _MESSAGE),
    P.CONTENT_TYPE: (Cursor.text, _MESSAGE),
    P.RESPONSE_TOPIC: (Cursor.text, _MESSAGE),
    P.CORRELATION: (Cursor.binary, _MESSAGE),
    P.SUBSCRIPTION_ID: (Cursor.varint, (K.PUBLISH, K.SUBSCRIBE)),
    P.SESSION_EXPIRY: (_four, (K.CONNECT, K.CONNACK, K.DISCONNECT)),
    P.ASSIGNED_CLIENT_ID: (Cursor.text, (K.CONNACK,)),
    P.SERVER_KEEP_ALIVE: (_two, (K.CONNACK,)),
    P.AUTH_METHOD: (Cursor.text, (K.CONNECT, K.CONNACK, K.AUTH)),
    P.AUTH_DATA: (Cursor.binary, (K.CONNECT, K.CONNACK, K.AUTH)),
    P.REQUEST_PROBLEM: (_flag, (K.CONNECT,)),
    P.WILL_DELAY: (_four, (K.WILL,)),
    P.REQUEST_RESPONSE: (_flag, (K.CONNECT,)),
    P.RESPONSE_INFO: (Cursor.text, (K.CONNACK,)),
    P.SERVER_REFERENCE: (Cursor.text, (K.CONNACK, K.DISCONNECT)),
    P.REASON_STRING: (Cursor.text, (K.CONNACK, *_ANSWERS, K.DISCONNECT, K.AUTH)),
    P.RECEIVE_MAXIMUM: (_two, (K.CONNECT, K.CONNACK)),
    P.TOPIC_ALIAS_MAXIMUM: (_two, (K.CONNECT, K.CONNACK)),
    P.TOPIC_ALIAS: (_two, (K.PUBLISH,)),
    P.MAXIMUM_QOS: (_flag, (K.CONNACK,)),
    P.RETAIN_AVAILABLE: (_flag, (K.CONNACK,)),
    P.USER: (_pair, _NOT_PINGS),
    P.MAXIMUM_PACKET: (_four, (K.CONNECT, K.CONNACK)),
    P.WILDCARD_AVAILABLE: (_flag, (K.CONNACK,)),
    P.SUBSCRIPTION_ID_AVAILABLE: (_flag, (K.CONNACK,)),
    P.SHARED_AVAILABLE: (_flag, (K.CONNACK,)),
}
"""How each is read, and the packets that may have it."""

_NEVER_ZERO = {P.SUBSCRIPTION_ID, P.RECEIVE_MAXIMUM, P.TOPIC_ALIAS, P.MAXIMUM_PACKET}


def read(cursor: Cursor, packet: Kind) -> dict[int, Any]:
    """The properties of a packet.

    Wrong where one is unknown, of another packet, given twice, zero if it may not be, or the user's are too many.
    """
    size = cursor.varint()
    if not size:
        return {}
    inside = Cursor(cursor.take(size))
    found: dict[int, Any] = {}
    while inside.left:
        name = inside.varint()
        kind, packets = TABLE.get(name, (None, ()))
        if kind is None or packet not in packets:
            raise Wrong("a property that this packet cannot have")
        value = kind(inside)
        if name in _NEVER_ZERO and not value:
            zero = Reason.TOPIC_ALIAS if name == P.TOPIC_ALIAS else Reason.PROTOCOL_ERROR
            raise Wrong("a property is zero that must not be", zero)
        if name == P.USER and len(found.get(name, ())) >= cursor.most:
            raise Wrong("a packet has more user properties than the door reads", Reason.QUOTA)
        if name == P.USER or (name == P.SUBSCRIPTION_ID and packet == K.PUBLISH):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise Wrong("a property is given twice", Reason.PROTOCOL_ERROR)
        else:
            found[name] = value
    return found


def write(properties: Properties) -> bytes:
    """Properties behind their length."""
    parts = []
    for name, given in properties.items():
        put = _WRITE[TABLE[name][0]]
        parts += [varint(name) + put(value) for value in (given if isinstance(given, list) else [given])]
    written = b"".join(parts)
    return varint(len(written)) + written
