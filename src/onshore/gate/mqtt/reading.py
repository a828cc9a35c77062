"""From the body of a control packet to the packet (MQTT 3.1.1 and 5.0, chapter 3)."""

from collections.abc import Callable
from typing import Any

from onshore.gate.mqtt import properties
from onshore.gate.mqtt.packets import (
    Answer,
    Answers,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Filter,
    Packet,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)
from onshore.gate.mqtt.properties import Kind, Property
from onshore.gate.mqtt.wire import MOST, Cursor, Reason, Wrong

V3, V5 = 4, 5
"""Protocol levels: MQTT 3.1.1 (3.1.2.2) and MQTT 5 (3.1.2.2)."""

RETURN_CODES = {
    0: Reason.SUCCESS,
    1: Reason.VERSION,
    2: Reason.CLIENT_ID,
    3: Reason.UNAVAILABLE,
    4: Reason.BAD_LOGIN,
    5: Reason.NOT_AUTHORIZED,
}
"""Of a CONNACK in 3.1.1 (table 3.1)."""

_TWO = {Kind.PUBREL, Kind.SUBSCRIBE, Kind.UNSUBSCRIBE}


def packet(first: int, body: bytes, version: int, most: int = MOST) -> Packet:
    """Any packet but PUBLISH, by its first byte and body, with at most so many user properties.

    Wrong where it is none of this version.
    """
    kind = first >> 4
    if first & 0x0F != (2 if kind in _TWO else 0):
        raise Wrong("reserved bits are not as they must be")
    cursor = Cursor(body, most)
    found = _READ[Kind(kind)](cursor, version, Kind(kind))
    cursor.end()
    return found


def publish(first: int, body: bytes, version: int, most: int = MOST) -> Publish:
    """PUBLISH (3.3); a topic with a wildcard, or QoS 3, is Wrong."""
    qos = first >> 1 & 3
    at = int.from_bytes(body[:2], "big") + 2
    if qos == 3 or (not qos and first & 8) or at + 2 * (qos > 0) > len(body):
        raise Wrong("a PUBLISH whose QoS, DUP or length cannot be")
    topic = Cursor(body).text()
    if "+" in topic or "#" in topic:
        raise Wrong("a message's topic has a wildcard in it", Reason.PROTOCOL_ERROR)
    number = 0
    if qos:
        number = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if not number:
            raise Wrong("a packet identifier is zero", Reason.PROTOCOL_ERROR)
    said: dict[int, Any] = {}
    if version == V5:
        if body[at : at + 1] == b"\0":
            at += 1
        else:
            cursor = Cursor(body[at:], most)
            said = properties.read(cursor, Kind.PUBLISH)
            at = len(body) - cursor.left
    if not topic and Property.TOPIC_ALIAS not in said:
        raise Wrong("a message has no topic", Reason.PROTOCOL_ERROR)
    return Publish(topic, body[at:], qos, number, bool(first & 1), bool(first & 8), said)


def _connect(cursor: Cursor, _: int, __: Kind) -> Connect:
    name, version = cursor.text(), cursor.number(1)
    if name != "MQTT" or version not in {V3, V5}:
        raise Wrong("neither MQTT 3.1.1 nor MQTT 5", Reason.VERSION)
    flags, keep_alive = cursor.number(1), cursor.number(2)
    has_will, qos = flags & 4, flags >> 3 & 3
    if flags & 1 or qos == 3 or (not has_will and flags & 0x38):
        raise Wrong("connect flags that cannot be")
    if version == V3 and flags & 0xC0 == 0x40:
        raise Wrong("a password without a user name")
    said = properties.read(cursor, Kind.CONNECT) if version == V5 else {}
    if Property.AUTH_DATA in said and Property.AUTH_METHOD not in said:
        raise Wrong("authentication data without a method", Reason.PROTOCOL_ERROR)
    client_id = cursor.text()
    will = _will(cursor, version, qos, retain=bool(flags & 0x20)) if has_will else None
    user = cursor.text() if flags & 0x80 else None
    password = cursor.binary() if flags & 0x40 else None
    return Connect(version, client_id, bool(flags & 2), keep_alive, will, user, password, said)


def _will(cursor: Cursor, version: int, qos: int, *, retain: bool) -> Will:
    said = properties.read(cursor, Kind.WILL) if version == V5 else {}
    topic, payload = cursor.text(), cursor.binary()
    if not topic or "+" in topic or "#" in topic:
        raise Wrong("a will's topic is empty or has a wildcard in it", Reason.PROTOCOL_ERROR)
    return Will(topic, payload, qos, retain, said)


def _connack(cursor: Cursor, version: int, kind: Kind) -> Connack:
    flags, code = cursor.number(1), cursor.number(1)
    if flags > 1 or (version == V3 and code not in RETURN_CODES):
        raise Wrong("a CONNACK that cannot be")
    reason = RETURN_CODES[code] if version == V3 else code
    return Connack(reason, bool(flags), properties.read(cursor, kind) if version == V5 else {})


def _answer(cursor: Cursor, version: int, kind: Kind) -> Answer:
    number, reason, said = _identifier(cursor), 0, {}
    if version == V5 and cursor.left:
        reason = cursor.number(1)
        said = properties.read(cursor, kind) if cursor.left else {}
    return Answer(kind, number, reason, said)


def _subscribe(cursor: Cursor, version: int, kind: Kind) -> Subscribe:
    number = _identifier(cursor)
    said = properties.read(cursor, kind) if version == V5 else {}
    filters = []
    while cursor.left:
        topic, options = cursor.text(), cursor.number(1)
        retained = options >> 4 & 3
        if not topic or options & 3 == 3 or retained == 3 or options & (0xC0 if version == V5 else 0xFC):
            raise Wrong("a subscription that cannot be", Reason.PROTOCOL_ERROR)
        filters.append(Filter(topic, options & 3, bool(options & 4), bool(options & 8), retained))
    return Subscribe(number, _some(filters), said)


def _unsubscribe(cursor: Cursor, version: int, kind: Kind) -> Unsubscribe:
    number = _identifier(cursor)
    said = properties.read(cursor, kind) if version == V5 else {}
    filters = []
    while cursor.left:
        filters.append(cursor.text())
        if not filters[-1]:
            raise Wrong("a topic filter is empty", Reason.PROTOCOL_ERROR)
    return Unsubscribe(number, _some(filters), said)


def _answers(cursor: Cursor, version: int, kind: Kind) -> Answers:
    number = _identifier(cursor)
    said = properties.read(cursor, kind) if version == V5 else {}
    return Answers(kind, number, list(cursor.rest()), said)


def _ping(_: Cursor, __: int, kind: Kind) -> Ping:
    return Ping(kind == Kind.PINGRESP)


def _disconnect(cursor: Cursor, version: int, kind: Kind) -> Disconnect:
    return Disconnect(*_reason(cursor, version, kind))


def _auth(cursor: Cursor, version: int, kind: Kind) -> Auth:
    if version == V3:
        raise Wrong("a packet type that 3.1.1 does not have")
    return Auth(*_reason(cursor, version, kind))


def _reason(cursor: Cursor, version: int, kind: Kind) -> tuple[int, dict[int, Any]]:
    if version == V3 or not cursor.left:
        return 0, {}
    reason = cursor.number(1)
    return reason, properties.read(cursor, kind) if cursor.left else {}


def _identifier(cursor: Cursor) -> int:
    number = cursor.number(2)
    if not number:
        raise Wrong("a packet identifier is zero", Reason.PROTOCOL_ERROR)
    return number


def _some(filters: list[Any]) -> list[Any]:
    if not filters:
        raise Wrong("a subscription to nothing", Reason.PROTOCOL_ERROR)
    return filters


_READ: dict[Kind, Callable[[Cursor, int, Kind], Packet]] = {
    Kind.CONNECT: _connect,
    Kind.CONNACK: _connack,
    Kind.PUBACK: _answer,
    Kind.PUBREC: _answer,
    Kind.PUBREL: _answer,
    Kind.PUBCOMP: _answer,
    Kind.SUBSCRIBE: _subscribe,
    Kind.SUBACK: _answers,
    Kind.UNSUBSCRIBE: _unsubscribe,
    Kind.UNSUBACK: _answers,
    Kind.PINGREQ: _ping,
    Kind.PINGRESP: _ping,
    Kind.DISCONNECT: _disconnect,
    Kind.AUTH: _auth,
}
