"""Records: how batches lie in a journal file, sealed so that none can be moved, swapped or left out."""

import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onshore.vault.arriving import Mark
from onshore.vault.keys import NONCE_BYTES
from onshore.words.errors import Broken
from onshore.words.tally import Sieved, Tally

# mark, bytes that follow the header, number of the record in its file, CRC-32 of the last two and of what
# follows
_HEADER = struct.Struct(">4sIQI")
_MARK = b"\xf7rec"
_SAID = struct.Struct(">I")  # bytes of the JSON before the Arrow stream
_ZSTD = pa.Codec("zstd", 1)
_PLAIN = pa.ipc.IpcWriteOptions(use_threads=False)  # a gate is single-threaded


class _Said(msgspec.Struct, frozen=True):
    """`stream`: bytes of the Arrow stream before it was compressed as one; 0 where there is none, or it was not."""

    pack: str = ""
    rows_in: int = 0
    rows_kept: int = 0
    cells: list[tuple[str, str, str, int]] = []
    end: bool = False
    marks: list[Mark] = []
    heard: bytes = b""
    stream: int = 0


@dataclass(frozen=True)
class Record:
    """One sieved batch as it was appended, and the rule pack (id and version) that it was sieved under."""

    tally: Tally
    pack: str
    batch: pa.RecordBatch | None
    marks: Sequence[Mark] = ()
    heard: bytes = b""


@dataclass(frozen=True)
class JournalName:
    """Which file a record belongs to; bound into each record."""

    site: str
    gate: str
    number: int

    @property
    def id(self) -> str:
        """As papers know it."""
        return f"{self.gate}/{self.number}"


def seal_record(cipher: AESGCM, name: JournalName, number: int, nonce: bytes, payload: bytes) -> bytes:
    """Header, nonce and AES-256-GCM ciphertext of a payload, as one piece to be written."""
    sealed = cipher.encrypt(nonce, payload, _bound(name, number))
    header = _HEADER.pack(_MARK, len(nonce) + len(sealed), number, 0)
    crc = zlib.crc32(sealed, zlib.crc32(nonce, zlib.crc32(header[4:16])))
    return b"".join((header[:16], crc.to_bytes(4, "big"), nonce, sealed))


def payload_of(sieved: Sieved, pack: str, marks: Sequence[Mark] = (), heard: bytes = b"") -> bytes:
    """Tally, marks and digests as JSON, then the kept batch as an Arrow IPC stream, or nothing.

    The stream is compressed as one (zstd level 1): buffer by buffer, as Arrow does it, costs as much again for each of
    them however few rows there are, which is three times as much for a thousand rows of fifty columns.
    """
    tally, stream = sieved.tally, _stream(sieved.kept)
    counts = (tally.rows_in, tally.rows_kept, tally.as_rows())
    said = _Said(pack, *counts, marks=list(marks), heard=heard, stream=len(stream))
    return _payload(said, _ZSTD.compress(stream) if stream else b"")


def end_payload() -> bytes:
    """What a cleanly closed file ends with, so that its last batch cannot be cut off unseen."""
    return _payload(_Said(end=True), b"")


def _payload(said: _Said, stream: bytes | pa.Buffer) -> bytes:
    text = msgspec.json.encode(said)
    return b"".join((_SAID.pack(len(text)), text, stream))


def _stream(batch: pa.RecordBatch | None) -> bytes | pa.Buffer:
    if batch is None:
        return b""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_PLAIN) as stream:
        stream.write_batch(batch)
    return sink.getvalue()


@dataclass
class Survey:
    """What was found in a journal file beside its records; filled in while they are read.

    `read`: records; `ended`: it was closed in order; `torn`: bytes behind its last record, as a crash leaves them;
    `lost`: records (first and last number, inclusive) that cannot be read although later ones can.
    """

    read: int = 0
    ended: bool = False
    torn: int = 0
    lost: list[tuple[int, int]] = field(default_factory=list)

    def damage(self, whole: int | None = None) -> str:
        """What cannot be read, in words; empty where all is well, or as a crash leaves it.

        `whole`: how many records the file had when its gate closed it in order, where papers know.
        """
        says = [f"record {a}" if a == b else f"records {a} to {b}" for a, b in self.lost]
        if not says and whole is not None and (not self.ended or self.read != whole):
            says = [f"what follows the first {self.read} of {whole} records"]
        if self.ended and self.torn:
            says.append(f"{self.torn} bytes behind its end")
        return ", ".join(says)


def records(data: bytes, cipher: AESGCM, name: JournalName, survey: Survey | None = None) -> Iterator[Record]:
    """The records of one file.

    A last record that is incomplete or fails its CRC was torn by a crash, hence never acknowledged: it is left out,
    and with it what else the crash left behind it: any blocks of it in any order, copies of earlier ones, zeros.
    Broken where a later record follows a damaged one, where one is missing, out of turn, or whole and does not open:
    no crash does that. With a `survey` it is not: what is lost is noted there, and what follows is read.
    """
    seen = Survey() if survey is None else survey
    at = number = 0
    while at < len(data):
        found = _next(data, at, cipher, name, number)
        if survey is None and found is not None:
            _refuse(data, at, name, number, found, ended=seen.ended)
        if found is None or found.payload is None:
            seen.torn = len(data) - at
            seen.lost += [] if found is None else [(number, number)]
            return
        if found.number > number:
            seen.lost.append((number, found.number - 1))
        at, number = found.end, found.number + 1
        stream = _SAID.size + _SAID.unpack_from(found.payload)[0]
        said = msgspec.json.decode(found.payload[_SAID.size : stream], type=_Said)
        seen.ended = said.end
        if not said.end:
            seen.read += 1
            yield _record(said, found.payload[stream:])


@dataclass(frozen=True)
class _Found:
    """A whole record with its number; `payload` None where it does not open."""

    start: int
    end: int
    number: int
    payload: memoryview | None


def _next(data: bytes, at: int, cipher: AESGCM, name: JournalName, least: int) -> _Found | None:
    """The first whole record from `at` on, of number `least` or later, that opens; else the first that does not."""
    closed: _Found | None = None
    while at >= 0:
        end = _whole(data, at)
        number = _HEADER.unpack_from(data, at)[2] if end is not None else -1
        if end is not None and number >= least:  # an earlier one is a copy, and tells nothing
            found = _Found(at, end, number, _open(data[at:end], cipher, name, number))
            if found.payload is not None:
                return found
            closed = closed or found
        at = data.find(_MARK, at + 1)
    return closed


def _whole(data: bytes, at: int) -> int | None:
    """Where the record at `at` ends, if it is all there and its CRC is right."""
    if len(data) - at < _HEADER.size:
        return None
    mark, length, _number, crc = _HEADER.unpack_from(data, at)
    body, end = at + _HEADER.size, at + _HEADER.size + length
    if mark != _MARK or end > len(data) or length < NONCE_BYTES:
        return None
    said = memoryview(data)
    return end if crc == zlib.crc32(said[body:end], zlib.crc32(said[at + 4 : at + 16])) else None


def _refuse(data: bytes, at: int, name: JournalName, number: int, found: _Found, *, ended: bool) -> None:
    """Broken unless the record found is the one that is due."""
    if found.payload is not None and found.start == at and found.number == number and not ended:
        return
    if _whole(data, at) is not None and not ended:
        raise Broken(
            f"journal {name.id}: record {number} is whole but does not open; it was altered or moved: "
            "keep the file, and restore it from a backup"
        )
    raise Broken(
        f"journal {name.id}: whole records follow record {number}, which is damaged or an end; "
        "the file was altered: keep it, and restore it from a backup"
    )


def _open(record: bytes, cipher: AESGCM, name: JournalName, number: int) -> memoryview | None:
    body = memoryview(record)[_HEADER.size :]
    try:
        opened = cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _bound(name, number))
    except InvalidTag:
        return None
    return memoryview(opened)


def _record(said: _Said, rest: memoryview) -> Record:
    stream = pa.py_buffer(_ZSTD.decompress(rest, said.stream) if said.stream else rest)
    batch = pa.ipc.open_stream(stream).read_next_batch() if len(stream) else None
    return Record(Tally.from_rows(said.rows_in, said.rows_kept, said.cells), said.pack, batch, said.marks, said.heard)


def _bound(name: JournalName, number: int) -> bytes:
    return json.dumps(["onshore journal 1", name.site, name.gate, name.number, number]).encode()
