"""`onshore decode mqtt`: one PUBLISH packet a line in hex, one JSON object a line out."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onshore.gate.mqtt.packets import Publish

MOST = 1 << 18
"""The longest packet that the door takes by default."""


def publish(packet: bytes) -> dict[str, Any]:
    """{topic, qos, retain, payload} of a whole PUBLISH packet, of version 3.1.1 where it is one, else of version 5.

    What is no packet of either gives {"reject": why}; one that has not all its bytes {"reject": "incomplete"}. A
    payload of UTF-8 is given as text, any other as {"hex": …}. Nothing in a packet says of which version it is: where
    both readings hold, it is of 5 if that alone leaves JSON, or its payload would begin with a zero in 3.1.1.
    """
    from onshore.gate.mqtt.protocol import V3, V5

    old, new = (_read(packet, version) for version in (V3, V5))
    if isinstance(new, str) or isinstance(old, str):
        found = new if isinstance(old, str) and not isinstance(new, str) else old
    else:
        alone = _is_json(new.payload) and not _is_json(old.payload)
        found = new if alone or old.payload.startswith(b"\0") else old
    return {"reject": found} if isinstance(found, str) else _said(found)


def _read(packet: bytes, version: int) -> "Publish | str":
    """The message, or why it is none."""
    from onshore.gate.mqtt.packets import Publish
    from onshore.gate.mqtt.protocol import Fault, Reader

    reader = Reader(MOST, version=version)
    events = reader.feed(packet)
    if not events:
        return "incomplete"
    found = events[0]
    if isinstance(found, Fault):
        return found.says
    whole = isinstance(found, Publish) and len(events) == 1 and not reader.unfinished
    return found if isinstance(found, Publish) and whole else "not one PUBLISH packet"


def _said(message: "Publish") -> dict[str, Any]:
    said = {"topic": message.topic, "qos": message.qos, "retain": message.retain}
    try:
        return said | {"payload": message.payload.decode()}
    except UnicodeDecodeError:
        return said | {"payload": {"hex": message.payload.hex()}}


def _is_json(payload: bytes) -> bool:
    import msgspec

    try:
        return isinstance(msgspec.json.decode(payload), dict | list)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
