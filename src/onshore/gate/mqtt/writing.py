"""From a control packet to its bytes (MQTT 3.1.1 and 5.0, chapter 3)."""

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
    Packet,
    Ping,
    Publish,
    Subscribe,
    Unsubscribe,
)
from onshore.gate.mqtt.properties import Kind
from onshore.gate.mqtt.reading import RETURN_CODES, V5
from onshore.gate.mqtt.wire import Reason, binary, text, varint

_CODES = {int(reason): code for code, reason in RETURN_CODES.items()}
_REFUSED = 5  # in 3.1.1 there is no nearer word for any other reason

PUBACK = bytes((Kind.PUBACK << 4, 2))
"""Followed by the packet identifier: a message is taken (3.4)."""


def encode(packet: Packet, version: int) -> bytes:
    """The bytes of a packet in version 4 (MQTT 3.1.1) or 5; what 3.1.1 cannot say is left out there."""
    first, body = _WRITE[type(packet)](packet, version)
    return bytes((first,)) + varint(len(body)) + body


def _said(said: dict[int, Any], version: int) -> bytes:
    return properties.write(said) if version == V5 else b""


def _connect(packet: Connect, version: int) -> tuple[int, bytes]:
    will = packet.will
    flags = (packet.user is not None) << 7 | (packet.password is not None) << 6 | packet.clean << 1
    parts = [_said(packet.properties, version), text(packet.client_id)]
    if will is not None:
        flags |= will.retain << 5 | will.qos << 3 | 4
        parts += [_said(will.properties, version), text(will.topic), binary(will.payload)]
    if packet.user is not None:
        parts.append(text(packet.user))
    if packet.password is not None:
        parts.append(binary(packet.password))
    head = text("MQTT") + bytes((version, flags)) + packet.keep_alive.to_bytes(2, "big")
    return Kind.CONNECT << 4, head + b"".join(parts)


def _connack(packet: Connack, version: int) -> tuple[int, bytes]:
    code = packet.reason if version == V5 else _CODES.get(packet.reason, _REFUSED)
    return Kind.CONNACK << 4, bytes((packet.present, code)) + _said(packet.properties, version)


def _publish(packet: Publish, version: int) -> tuple[int, bytes]:
    number = packet.packet_id.to_bytes(2, "big") if packet.qos else b""
    first = Kind.PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    return first, text(packet.topic) + number + _said(packet.properties, version) + packet.payload


def _answer(packet: Answer, version: int) -> tuple[int, bytes]:
    body = packet.packet_id.to_bytes(2, "big")
    if version == V5 and (packet.reason or packet.properties):
        body += bytes((packet.reason,)) + (properties.write(packet.properties) if packet.properties else b"")
    return packet.kind << 4 | (2 if packet.kind == Kind.PUBREL else 0), body


def _subscribe(packet: Subscribe, version: int) -> tuple[int, bytes]:
    filters = [
        text(f.topic) + bytes((f.qos | f.no_local << 2 | f.as_published << 3 | f.retained << 4,))
        for f in packet.filters
    ]
    head = packet.packet_id.to_bytes(2, "big") + _said(packet.properties, version)
    return Kind.SUBSCRIBE << 4 | 2, head + b"".join(filters)


def _unsubscribe(packet: Unsubscribe, version: int) -> tuple[int, bytes]:
    head = packet.packet_id.to_bytes(2, "big") + _said(packet.properties, version)
    return Kind.UNSUBSCRIBE << 4 | 2, head + b"".join(map(text, packet.filters))


def _answers(packet: Answers, version: int) -> tuple[int, bytes]:
    if version == V5:
        reasons = bytes(packet.reasons)
    elif packet.kind == Kind.SUBACK:
        reasons = bytes(min(reason, Reason.UNSPECIFIED) for reason in packet.reasons)
    else:
        reasons = b""
    return packet.kind << 4, packet.packet_id.to_bytes(2, "big") + _said(packet.properties, version) + reasons


def _ping(packet: Ping, _: int) -> tuple[int, bytes]:
    return (Kind.PINGRESP if packet.answer else Kind.PINGREQ) << 4, b""


def _last(packet: Disconnect | Auth, version: int) -> tuple[int, bytes]:
    kind = Kind.AUTH if isinstance(packet, Auth) else Kind.DISCONNECT
    if version != V5 or not (packet.reason or packet.properties):
        return kind << 4, b""
    said = properties.write(packet.properties) if packet.properties else b""
    return kind << 4, bytes((packet.reason,)) + said


_WRITE: dict[type, Callable[[Any, int], tuple[int, bytes]]] = {
    Connect: _connect,
    Connack: _connack,
    Publish: _publish,
    Answer: _answer,
    Subscribe: _subscribe,
    Unsubscribe: _unsubscribe,
    Answers: _answers,
    Ping: _ping,
    Disconnect: _last,
    Auth: _last,
}
