"""The control packets of MQTT (3.1.1 and 5.0, chapter 3) as values; what 3.1.1 lacks is empty there."""

from typing import Any

import msgspec

from onshore.gate.mqtt.wire import Reason


class _Packet(msgspec.Struct, frozen=True):
    pass


class Will(_Packet, frozen=True):
    """What the server publishes for a client that goes without a word (3.1.2.5)."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: dict[int, Any] = {}


class Connect(_Packet, frozen=True):
    """`version`: 4 is MQTT 3.1.1, 5 is MQTT 5; `keep_alive` in seconds, 0: none."""

    version: int
    client_id: str
    clean: bool = True
    keep_alive: int = 0
    will: Will | None = None
    user: str | None = None
    password: bytes | None = None
    properties: dict[int, Any] = {}


class Connack(_Packet, frozen=True):
    """The answer to it."""

    reason: Reason | int = Reason.SUCCESS
    present: bool = False
    properties: dict[int, Any] = {}


class Publish(_Packet, frozen=True):
    """A message; `packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    retain: bool = False
    dup: bool = False
    properties: dict[int, Any] = {}


class Answer(_Packet, frozen=True):
    """PUBACK (4), PUBREC (5), PUBREL (6) or PUBCOMP (7), by `kind`."""

    kind: int
    packet_id: int
    reason: Reason | int = Reason.SUCCESS
    properties: dict[int, Any] = {}


class Filter(_Packet, frozen=True):
    """What is subscribed to, and how (5.0, 3.8.3.1)."""

    topic: str
    qos: int = 0
    no_local: bool = False
    as_published: bool = False
    retained: int = 0


class Subscribe(_Packet, frozen=True):
    """Of one filter or more."""

    packet_id: int
    filters: list[Filter]
    properties: dict[int, Any] = {}


class Unsubscribe(_Packet, frozen=True):
    """Of one filter or more."""

    packet_id: int
    filters: list[str]
    properties: dict[int, Any] = {}


class Answers(_Packet, frozen=True):
    """SUBACK (9) or UNSUBACK (11), by `kind`: a reason for each filter, in their order; in 3.1.1 none for UNSUBACK."""

    kind: int
    packet_id: int
    reasons: list[int] = []
    properties: dict[int, Any] = {}


class Ping(_Packet, frozen=True):
    """PINGREQ, or its answer."""

    answer: bool = False


class Disconnect(_Packet, frozen=True):
    """The last packet; in 3.1.1 a client's alone, and without a reason."""

    reason: Reason | int = Reason.SUCCESS
    properties: dict[int, Any] = {}


class Auth(_Packet, frozen=True):
    """Extended authentication (5.0, 3.15), which nobody here does."""

    reason: Reason | int = Reason.SUCCESS
    properties: dict[int, Any] = {}


Packet = Connect | Connack | Publish | Answer | Subscribe | Unsubscribe | Answers | Ping | Disconnect | Auth
