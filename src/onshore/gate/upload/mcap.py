"""Drives in MCAP (mcap.dev, version 0): chunks in zstd, lz4 or plain, checked by their CRC; messages in JSON.

A channel is "/topic.field.field"; the messages of a topic that the manifest lists under `can` are CAN frames,
{"id": 37, "bus": 0, "data": "0014df"}, bit 31 of the id set where it is an extended one. Read from front to back:
the summary, indices, attachments and metadata at the end are passed over.
"""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from struct import Struct, error
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from onshore.gate.upload.can import Track
from onshore.gate.upload.decode import Target, numbers, texts
from onshore.gate.upload.frames import Database, frames_of
from onshore.gate.upload.reading import Limits, Pieces, Reader, Rows
from onshore.words.errors import Malformed

MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _CHANNEL, _MESSAGE, _CHUNK = 0x02, 0x04, 0x05, 0x06
_HEAD, _CHUNK_HEAD, _MESSAGE_HEAD, _TWO, _LONG = (Struct(f) for f in ("<BQ", "<QQQI", "<HIQQ", "<HH", "<Q"))
_LENGTH = Struct("<I")
_PACKED = ("zstd", "lz4")


class _Frame(msgspec.Struct):
    id: int
    data: str
    bus: int = 0


_FRAME = msgspec.json.Decoder(_Frame)
_ANY = msgspec.json.Decoder(dict[str, Any])


class McapReader(Reader):
    """Rows of messages, a chunk at a time; topics that nobody asked for are never decoded."""

    def __init__(
        self,
        targets: Mapping[str, Target],
        database: Database,
        can: Collection[str],
        limits: Limits,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(limits)
        self._targets, self._can = targets, frozenset(can)
        self._topics: dict[int, str] = {int(k): v for k, v in state["topics"].items()} if state else {}
        self.boundary = int(state["at"]) if state else 0
        self._skip = int(state["skip"]) if state else 0
        self._stage = str(state["stage"]) if state else "magic"
        self._done = int(state["done"]) if state else 0
        self._track = Track(database, state["track"] if state else None)
        self._seen = self._track.others
        self._pieces = Pieces(self.boundary)
        self._loose: list[bytes] = []
        self._fields = {
            topic: list(
                {  # by signal: of two fields for one the last counts, and no more are looked at than there are signals
                    target.signal.name: (name[len(topic) + 1 :].split("."), target)
                    for name, target in targets.items()
                    if _of(name, topic)
                }.values()
            )
            for topic in {topic for name in targets for topic in _topics(name)} - self._can
        }

    def feed(self, data: bytes) -> Iterator[list[Rows]]:
        """Rows of the chunks, and of the messages outside of chunks, that are whole."""
        self._pieces.add(data)
        while self._stage != "over":
            if self._skip:
                self._skip -= self._pieces.drop(self._skip)
            elif self._stage == "magic":
                self._read_magic()
            elif (head := self._whole()) is not None:
                yield from self._read(*head)
                continue
            else:
                break
            if self._skip or self._stage == "magic":
                break
        if self._stage == "over":
            self._pieces.drop(len(self._pieces))
        self._rest()

    def _read_magic(self) -> None:
        if len(self._pieces) >= len(MAGIC):
            if self._pieces.take(len(MAGIC)) != MAGIC:
                raise Malformed("not an MCAP file of version 0", where="byte 0")
            self._stage = "records"

    def _whole(self) -> tuple[int, int] | None:
        """Kind and length of the next record, once all of it is there that is read."""
        head = self._pieces.peek(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        kind, length = _HEAD.unpack(head)
        if kind not in (_CHANNEL, _MESSAGE, _CHUNK):
            return kind, length
        if length > self.limits.unit:
            raise Malformed(f"a record of more than {self.limits.unit} bytes", where=f"byte {self._pieces.at}")
        return (kind, length) if len(self._pieces) >= _HEAD.size + length else None

    def _read(self, kind: int, length: int) -> Iterator[list[Rows]]:
        self._rest()
        if kind in (_CHANNEL, _MESSAGE, _CHUNK):
            yield from self._record(kind, length)
        else:
            self._pieces.drop(_HEAD.size)
            self._skip = length
            self._stage = "over" if kind == _FOOTER else self._stage

    def finish(self) -> Iterator[list[Rows]]:
        """What the last frames turn out to be."""
        if self._stage != "over":
            raise Malformed("the file breaks off before its footer", where=f"byte {self._pieces.at}")
        rows = self._track.finish()
        self._rest()
        yield rows

    def state(self) -> dict[str, Any]:
        """Which topics the wanted channels have, and how far messages were read."""
        return {
            "at": self.boundary,
            "stage": self._stage if self.boundary == self._pieces.at or self._stage == "magic" else "records",
            "skip": self._skip if self.boundary == self._pieces.at else 0,
            "topics": {str(number): topic for number, topic in self._topics.items()},
            "done": self._done,
            "track": self._track.state(),
        }

    def _rest(self) -> None:
        self.boundary = self._track.boundary(self._pieces.at, self._seen)
        self.counts["frames with a vehicle's number"] = self._track.dropped

    def _record(self, kind: int, length: int) -> Iterator[list[Rows]]:
        at = self._pieces.at
        self._track.begin(at, self._seen)
        self._pieces.drop(_HEAD.size)
        content = self._pieces.take(length)
        try:
            if kind == _CHUNK:
                yield from self._chunk(content)
            elif kind == _CHANNEL:
                self._channel(content)
            else:
                yield self._messages([content])
        except (error, IndexError, UnicodeDecodeError):
            raise Malformed("a record that does not hold what it must", where=f"byte {at}") from None
        self._rest()

    def _channel(self, content: bytes) -> None:
        number, _schema = _TWO.unpack_from(content)
        topic, at = _text(content, _TWO.size)
        encoding, _ = _text(content, at)
        if topic not in self._can and topic not in self._fields:
            return
        if encoding != "json":
            raise Malformed("a channel that was asked for is not in JSON; no other messages are read", where="MCAP")
        if len(self._topics) >= self.limits.names:
            raise Malformed(f"more than {self.limits.names} channels", where="MCAP")
        self._topics[number] = topic

    def _chunk(self, content: bytes) -> Iterator[list[Rows]]:
        _, _, size, crc = _CHUNK_HEAD.unpack_from(content)
        packing, at = _text(content, _CHUNK_HEAD.size)
        (length,) = _LONG.unpack_from(content, at)
        packed = content[at + _LONG.size :]
        if len(packed) != length or size > self.limits.unit:
            raise Malformed(f"a chunk that lies about its length, or unpacks to more than {self.limits.unit} bytes")
        self.unpacked += max(0, size - length)
        records = _unpacked(packed, packing, size)
        if crc and zlib.crc32(records) != crc:
            raise Malformed("a chunk whose CRC is wrong: it was damaged")
        waiting: list[bytes] = []
        for count, (kind, record) in enumerate(_split(records), 1):
            if not count % (self.limits.step * 4):
                yield []  # a few bytes unpack to millions of records that are none of ours
            if kind == _CHANNEL:
                yield self._messages(waiting)  # messages of a number before it is given away again
                waiting = []
                self._channel(record)
            elif kind == _MESSAGE:
                waiting.append(record)
                if len(waiting) >= self.limits.step:
                    rows, waiting = self._messages(waiting), []
                    self.boundary = self._track.boundary()
                    yield rows
        rows = self._messages(waiting)
        self.boundary = self._track.boundary()
        yield rows

    def _messages(self, contents: Sequence[bytes]) -> list[Rows]:
        """Rows of messages; those that were taken in before a crash are passed over."""
        frames: list[tuple[int, _Frame]] = []
        plain: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        try:
            for content in contents:
                number, _, logged, _ = _MESSAGE_HEAD.unpack_from(content)
                topic = self._topics.get(number)
                if topic is None:
                    self.counts["dropped messages"] += 1
                elif topic in self._can:
                    frames.append((logged // 1_000_000, _FRAME.decode(content[_MESSAGE_HEAD.size :])))
                else:
                    self._seen += 1
                    if self._seen > self._done:
                        said = _ANY.decode(content[_MESSAGE_HEAD.size :])
                        plain.setdefault(topic, []).append((logged // 1_000_000, said))
            self._done = max(self._done, self._seen)
            traffic = frames_of(
                [at for at, _ in frames],
                [frame.bus for _, frame in frames],
                [frame.id for _, frame in frames],
                [frame.data for _, frame in frames],
            )
            rows = self._track.rows(traffic) if frames else []
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            raise Malformed("a message that is no JSON object, or no CAN frame", where="MCAP message") from None
        return rows + [self._plain(topic, messages) for topic, messages in plain.items()]

    def _plain(self, topic: str, messages: list[tuple[int, dict[str, Any]]]) -> Rows:
        columns = {
            target.signal.name: _column(target, [_at(said, path) for _, said in messages])
            for path, target in self._fields[topic]
        }
        return Rows(np.array([min(at, 1 << 62) for at, _ in messages], np.int64), columns)


def _of(name: str, topic: str) -> bool:
    return name.startswith(topic + ".")


def _topics(name: str) -> Iterator[str]:
    """The topics whose field a name may be: each part of it that ends before a dot."""
    return (name[:at] for at, letter in enumerate(name) if letter == ".")


def _text(content: bytes, at: int) -> tuple[str, int]:
    (length,) = _LENGTH.unpack_from(content, at)
    end = at + _LENGTH.size + length
    if end > len(content):
        raise IndexError
    return content[at + _LENGTH.size : end].decode(), end


def _unpacked(packed: bytes, packing: str, size: int) -> bytes:
    if not packing:
        found = packed
    elif packing not in _PACKED:
        raise Malformed("a chunk that is packed otherwise than in zstd or lz4")
    else:
        try:
            with pa.CompressedInputStream(pa.BufferReader(packed), packing) as stream:
                found = stream.read(size + 1)
        except (OSError, pa.ArrowInvalid):
            raise Malformed("a chunk that does not unpack") from None
    if len(found) != size:
        raise Malformed("a chunk that unpacks to another size than it says")
    return found


def _split(records: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(records):
        kind, length = _HEAD.unpack_from(records, at)
        at += _HEAD.size + length
        if at > len(records):
            raise IndexError
        yield kind, records[at - length : at]


def _at(said: Any, path: Sequence[str]) -> Any:
    for part in path:
        said = said.get(part) if isinstance(said, dict) else None
    return said


def _column(target: Target, found: list[Any]) -> pa.Array:
    if any(isinstance(value, str) for value in found) or target.values:
        return texts(target, [None if v is None or isinstance(v, dict | list) else str(v) for v in found])
    plain = [float(v) if isinstance(v, int | float) and abs(v) < 1 << 1000 else np.nan for v in found]
    return numbers(target, np.array(plain, np.float64))
