"""`onshore decode fleet`: one message of a car's stream, as JSON."""

from typing import Any

Said = dict[str, Any]


def record(message: bytes) -> Said:
    """The envelope and its payload, before any transform of ours; or why it is rejected.

    Of an envelope that is no record, such as an acknowledgement, what it has; of a topic that nobody knows, the payload
    as it is.
    """
    from onshore.gate.fleet import envelope, said
    from onshore.gate.fleet.protocol import MAX_MESSAGE
    from onshore.words.errors import Malformed

    if len(message) > MAX_MESSAGE:
        return {"reject": "too long"}
    try:
        read = envelope.read(message)
        topic = _text(read.topic)
        found = {"txid": _text(read.txid), "topic": topic, "message_type": read.type, "message_id": _text(read.id)}
        stream = read.stream
        if stream is None:
            return found
        return found | {
            "created_at": stream.created,
            "sender_id": _text(stream.sender),
            "device_type": _text(stream.kind),
            "device_id": _text(stream.device),
            "delivered_at_epoch_ms": stream.delivered,
            "payload_hex": stream.payload.hex(),
            "proto": said.PROTO.get(topic),
            "payload_json": said.payload(topic, stream.payload),
        }
    except Malformed as bad:
        return {"reject": bad.what}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
