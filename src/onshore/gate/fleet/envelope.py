"""The envelope of a record, in FlatBuffers: read with every offset checked, written as the project's encoder does.

Tables and slots: Envelope 0 txid, 1 topic, 2 type, 3 message, 4 message id; Stream 0 created at (s), 1 sender id,
2 payload, 3 device type, 4 device id, 5 delivered at (ms). In an acknowledgement slot 3 points to an empty vector, not
to a table, so nothing is looked for behind it.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from onshore.words.errors import Malformed

STREAM, ACK = 4, 5
"""Types of an envelope's message: a record, and the acknowledgement of one."""

WRONG = b"incorrect message format"
"""What an error reply says."""

_U16, _U32, _I32, _U64 = (struct.Struct(form) for form in ("<H", "<I", "<i", "<Q"))


@dataclass(frozen=True, slots=True)
class Stream:
    """A record. `created`: seconds UTC; `sender`, `device` and `kind` are what the car says, and nobody believes."""

    created: int = 0
    sender: bytes = b""
    payload: bytes = b""
    kind: bytes = b""
    device: bytes = b""
    delivered: int = 0


@dataclass(frozen=True, slots=True)
class Envelope:
    """What was sent: `txid` is echoed in the reply; `stream` where the type is STREAM, None of any other type."""

    txid: bytes
    topic: bytes
    type: int
    id: bytes
    stream: Stream | None


def read(data: bytes) -> Envelope:
    """Read an envelope; Malformed "incomplete" where an offset points outside, "bad envelope" where none can be."""
    table = _Table(data, _at(_U32, data, 0))
    kind = table.byte(2)
    stream = table.table(3) if kind == STREAM else None
    if kind == STREAM and stream is None:
        raise Malformed("bad envelope: it holds no record")
    return Envelope(
        table.vector(0), table.vector(1), kind, table.vector(4), None if stream is None else _stream(stream)
    )


def txid_of(data: bytes) -> bytes:
    """The txid of what may be no whole envelope, for the reply to it; empty where it cannot be read."""
    try:
        return _Table(data, _at(_U32, data, 0)).vector(0)
    except Malformed:
        return b""


def ack(txid: bytes, topic: bytes) -> bytes:
    """The acknowledgement of a record."""
    if _SHORT <= len(txid) <= _LONG and len(topic) <= _LONG and topic.isascii():
        head, tail = _around(len(txid), topic)
        return head + txid + tail
    return _acked(txid, topic)


_SHORT, _LONG = 8, 64  # bytes of a txid, of which one of \xff is found again; what cars send is shorter than the latter


@lru_cache(1024)
def _around(size: int, topic: bytes) -> tuple[bytes, bytes]:
    """An acknowledgement before and behind its txid, which are alike for all of this length."""
    hole = b"\xff" * size
    head, _, tail = _acked(hole, topic).partition(hole)
    return head, tail


def _acked(txid: bytes, topic: bytes) -> bytes:
    made = _Builder()
    message = made.vector(b"")
    return _envelope(made, txid, topic, ACK, message, b"")


def error(txid: bytes) -> bytes:
    """The reply to what is no record."""
    return record(txid, b"", Stream(payload=WRONG))


def record(txid: bytes, topic: bytes, stream: Stream, message_id: bytes = b"") -> bytes:
    """A record as a car writes it."""
    made = _Builder()
    vectors = {slot: made.vector(part) for slot, part in _parts(stream)}
    table = made.table([(1, 4, vectors[1]), (0, -4, stream.created), *((slot, 4, vectors[slot]) for slot in (2, 3, 4))])
    return _envelope(made, txid, topic, STREAM, table, message_id)


def _parts(stream: Stream) -> tuple[tuple[int, bytes], ...]:
    return ((1, stream.sender), (2, stream.payload), (3, stream.kind), (4, stream.device))


def _envelope(made: "_Builder", txid: bytes, topic: bytes, kind: int, message: int, message_id: bytes) -> bytes:
    named, about, number = made.vector(txid), made.vector(topic), made.vector(message_id)
    return made.finished(made.table([(0, 4, named), (1, 4, about), (2, -1, kind), (3, 4, message), (4, 4, number)]))


def _stream(table: "_Table") -> Stream:
    return Stream(
        created=table.number(0, _U32),
        sender=table.vector(1),
        payload=table.vector(2),
        kind=table.vector(3),
        device=table.vector(4),
        delivered=table.number(5, _U64),
    )


def _at(form: struct.Struct, data: bytes, at: int) -> int:
    if at + form.size > len(data):
        raise Malformed("incomplete")
    return int(form.unpack_from(data, at)[0])


class _Table:
    """A table at a place: its fields by slot, absent ones at their default."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at
        self._fields = at - _at(_I32, data, at)
        if self._fields < 0:
            raise Malformed("bad envelope: a table without fields")
        self._size = _at(_U16, data, self._fields)
        if self._size < 4:
            raise Malformed("bad envelope: a table without fields")  # its own size and the table's come first

    def number(self, slot: int, form: struct.Struct) -> int:
        at = self._place(slot)
        return _at(form, self._data, at) if at else 0

    def byte(self, slot: int) -> int:
        at = self._place(slot)
        if at >= len(self._data):
            raise Malformed("incomplete")
        return self._data[at] if at else 0

    def vector(self, slot: int) -> bytes:
        at = self._target(slot)
        if not at:
            return b""
        size = _at(_U32, self._data, at)
        if size > len(self._data) - at - 4:
            raise Malformed("incomplete")
        return self._data[at + 4 : at + 4 + size]

    def table(self, slot: int) -> "_Table | None":
        at = self._target(slot)
        return _Table(self._data, at) if at else None

    def _target(self, slot: int) -> int:
        at = self._place(slot)
        return at + _at(_U32, self._data, at) if at else 0

    def _place(self, slot: int) -> int:
        at = 4 + 2 * slot
        offset = _at(_U16, self._data, self._fields + at) if at + 2 <= self._size else 0
        return self._at + offset if offset else 0


class _Builder:
    """Writes from the end to the beginning, as FlatBuffers are written; a place is counted from the end."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def vector(self, content: bytes) -> int:
        """Bytes with a null behind them; where they are."""
        self._align(4, len(content) + 1)
        self._put(content + b"\0")
        return self._put(_U32.pack(len(content)))

    def table(self, fields: list[tuple[int, int, int]]) -> int:
        """Fields (slot, size, value), the last one in front; a size of 4 is an offset's, a negative one a number's."""
        begin = self._size
        places: dict[int, int] = {}
        for slot, size, value in fields:
            if size < 0 and not value:
                continue
            self._align(abs(size), 0)
            number = self._size + 4 - value if size > 0 else value
            places[slot] = self._put(number.to_bytes(abs(size), "little"))
        self._align(4, 0)
        at = self._size + 4
        entries = [at - places[slot] if slot in places else 0 for slot in range(max(places) + 1)]
        width = 4 + 2 * len(entries)
        self._put(_I32.pack(width))
        self._put(struct.pack(f"<{len(entries) + 2}H", width, at - begin, *entries))
        return at

    def finished(self, table: int) -> bytes:
        """All that was written, behind the offset of the table that is its root."""
        self._align(4, 4)
        self._put(_U32.pack(self._size + 4 - table))
        return b"".join(reversed(self._parts))

    def _align(self, to: int, ahead: int) -> None:
        if pad := -(self._size + ahead) % to:
            self._put(bytes(pad))

    def _put(self, part: bytes) -> int:
        self._parts.append(part)
        self._size += len(part)
        return self._size
