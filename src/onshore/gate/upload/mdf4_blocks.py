"""Blocks of ASAM MDF 4: how they are laid out, and what a file's groups and channels are once all are there."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from struct import Struct

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from onshore.gate.upload.dbc import Layout
from onshore.gate.upload.decode import Target, numbers
from onshore.gate.upload.frames import values
from onshore.gate.upload.reading import Rows
from onshore.words.errors import Malformed

HEAD = Struct("<4s4xQQ")
_HD, _DG, _CG, _CN, _CC, _DZ = (Struct(f) for f in ("<QhhB", "<B", "<QQHHIII", "<BBBBIIII", "<BBHHH", "<2sBxIQQ"))
_TIME, _MASTERS = 1, (2, 3)
_CHANNELS = 65_536


@dataclass(frozen=True)
class Block:
    """A block that tells about others: `links` are bytes of the file, 0 for none."""

    kind: bytes
    links: tuple[int, ...]
    data: bytes


@dataclass(frozen=True)
class Channel:
    """Where a channel lies in a record, and what it takes to make it a value: polynomials above and below a line."""

    name: str
    layout: Layout
    above: tuple[float, float, float] = (0.0, 1.0, 0.0)
    below: tuple[float, float, float] = (0.0, 0.0, 1.0)
    invalid: int | None = None  # bit behind the record's data bytes

    def read(self, records: NDArray[np.uint8], data_bytes: int) -> NDArray[np.float64]:
        """Its values, NaN where the record calls them invalid."""
        raw = values(records, self.layout)
        with np.errstate(all="ignore"):  # a file's factors may be of any size, or no number: what they make is dropped
            found = np.polyval(self.above, raw)
            if self.below != (0.0, 0.0, 1.0):
                found = found / np.polyval(self.below, raw)
        if self.invalid is not None:
            byte = records[:, data_bytes + self.invalid // 8]
            found = np.where(byte >> np.uint8(self.invalid % 8) & 1, np.nan, found)
        return np.asarray(found, np.float64)


class Group:
    """The records of one group, in the order of its list of data blocks; `seen` of them came, `done` are known."""

    def __init__(self, start: int, first: int, sizes: tuple[int, int, int], channels: list[Channel]) -> None:
        self.first, self._start = first, start
        self._prefix, self._data_bytes, invalid = sizes
        self.record = sum(sizes)
        self._invalid = invalid
        self._master = next((c for c in channels if c.name == ""), None)
        self._channels = [c for c in channels if c.name]
        self.wanted: list[tuple[Channel, Target]] = []
        self.index = self.seen = self.done = 0
        self._carry = b""

    def want(self, targets: Mapping[str, Target]) -> None:
        """Decode these channels alone."""
        named = [(channel, targets[channel.name]) for channel in self._channels if channel.name in targets]
        self.wanted = list({target.signal.name: (channel, target) for channel, target in named}.values())
        if self.wanted and (self._master is None or not self.record):
            raise Malformed("a group of channels without a time channel", where="MDF")

    @property
    def carried(self) -> int:
        """Bytes of a record that has begun."""
        return len(self._carry)

    def push(self, data: bytes) -> Rows | None:
        """Rows of the records that are whole now."""
        if not self.wanted:
            return None
        data = self._carry + data
        count = len(data) // self.record
        self._carry = data[count * self.record :]
        skip = min(max(self.done - self.seen, 0), count)
        self.seen += count
        self.done = max(self.done, self.seen)
        records = np.frombuffer(data, np.uint8, count * self.record).reshape(count, self.record)[skip:, self._prefix :]
        if not len(records) or self._master is None:
            return None
        seconds = self._master.read(records, self._data_bytes)
        late = ~(np.abs(seconds) < 1e12)
        times = self._start // 1_000_000 + np.floor(np.where(late, -1e15, seconds) * 1000 + 1e-6).astype(np.int64)
        columns: dict[str, pa.Array] = {
            target.signal.name: numbers(target, channel.read(records, self._data_bytes))
            for channel, target in self.wanted
        }
        return Rows(times, columns)


def unpacked(content: bytes, most: int) -> bytes:
    """The data of a DZ block (deflate, transposed or not), if it may be records."""
    kind, packing, columns, size, length = _DZ.unpack_from(content)
    packed = content[_DZ.size : _DZ.size + length]
    if kind not in (b"DT", b"DV") or packing > 1 or size > most or len(packed) != length:
        raise Malformed(f"a packed block of another kind, or of more than {most} bytes", where="MDF")
    undo = zlib.decompressobj()
    try:
        found = undo.decompress(packed, size + 1)
    except zlib.error:
        raise Malformed("a packed block that does not unpack", where="MDF") from None
    if len(found) != size:
        raise Malformed("a packed block that unpacks to another size than it says", where="MDF")
    if packing == 0 or not columns:
        return found
    whole = size // columns * columns
    matrix = np.frombuffer(found, np.uint8, whole).reshape(columns, whole // columns)
    return matrix.T.tobytes() + found[whole:]


class Tree:
    """The blocks that tell about others, by where they lie."""

    def __init__(self) -> None:
        self.blocks: dict[int, Block] = {}
        self._met: set[int] = set()

    def groups(self, targets: Mapping[str, Target]) -> list[Group]:
        """The groups of the file. Raises KeyError while a block is missing, Malformed where they cannot be read so."""
        header = self.blocks[64]
        self._met = set()
        start, _, _, flags = _HD.unpack_from(header.data)
        if flags & 1:
            raise Malformed("the start is given in local time, nobody knows where", where="MDF")
        found = []
        for group in self._chain(header.links[0], b"##DG", 0):
            made = self._group(group, start)
            made.want(targets)
            found.append(made)
        return found

    def lists(self, first: int) -> Iterator[int]:
        """The data blocks of a list, as far as they are known; KeyError where the list goes on in what is missing."""
        seen = set()
        while first:
            block = self.blocks.get(first)
            if block is None:
                yield first
                return
            if first in seen:
                raise Malformed("a list of data blocks that bites its tail", where="MDF")
            seen.add(first)
            if block.kind == b"##HL":
                first = block.links[0]
            else:
                yield from block.links[1:]
                first = block.links[0]

    def _group(self, block: Block, start: int) -> Group:
        (prefix,) = _DG.unpack_from(block.data)
        chains = list(self._chain(block.links[1], b"##CG", 0))
        if len(chains) != 1:
            raise Malformed("records of several groups lie mixed; sort the file first", where="MDF")
        _, _, flags, _, _, size, invalid = _CG.unpack_from(chains[0].data)
        if flags & 1:
            raise Malformed("a group of values of variable length; its kind is not read", where="MDF")
        channels = [
            made for cn in self._chain(chains[0].links[1], b"##CN", 0) if (made := self._channel(cn, size + invalid))
        ]
        return Group(start, block.links[2], (prefix, size, invalid), channels)

    def _channel(self, block: Block, size: int) -> Channel | None:
        """A channel that can be read; a master of time has no name. None for others, such as texts."""
        kind, sync, data_type, bit, byte, bits, flags, invalid = _CN.unpack_from(block.data)
        master = kind in _MASTERS
        if (master and sync != _TIME) or kind not in (0, 2) or block.links[1] or data_type > 5 or flags & 1:
            return None
        name = "" if master else self._text(block.links[2])
        little, float_ = data_type in (0, 2, 4), data_type >= 4
        whole = not bit and not bits % 8
        if not 1 <= bits <= 64 or (not little and not whole) or (float_ and bits not in (32, 64)):
            return None
        first = byte * 8 + (bit if little else 7)
        layout = Layout(first, bits, little, data_type in (2, 3), 1.0, 0.0, "float" if float_ else "int")
        if layout.end > size:
            raise Malformed("a channel that lies outside of its record", where="MDF")
        above, below = self._conversion(block.links[4])
        return Channel(name, layout, above, below, invalid if flags & 2 else None)

    def _conversion(self, at: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Linear and rational ones; of tables of text the plain number is taken, which the manifest may name."""
        same = ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        if not at:
            return same
        block = self.blocks[at]
        kind, _, _, _, count = _CC.unpack_from(block.data)
        said = np.frombuffer(block.data, "<f8", count, _CC.size + 16).tolist()
        if kind == 1 and len(said) >= 2:
            return (0.0, said[1], said[0]), same[1]
        if kind == 2 and len(said) >= 6:
            return (said[0], said[1], said[2]), (said[3], said[4], said[5])
        if kind in (0, 7, 8):
            return same
        raise Malformed("a channel is converted by a formula or table, which is not read", where="MDF")

    def _text(self, at: int) -> str:
        return self.blocks[at].data.partition(b"\0")[0].decode("utf-8", "replace")

    def _chain(self, at: int, kind: bytes, next_: int) -> Iterator[Block]:
        while at:
            block = self.blocks[at]
            if block.kind != kind or at in self._met or len(self._met) > _CHANNELS:
                raise Malformed("a block that is not what leads to it says, or comes twice, or too many", where="MDF")
            self._met.add(at)
            yield block
            at = block.links[next_]


def names_in(data: bytes) -> list[str]:
    """The names that texts (TX) of a file give, in its order, channels' among them."""
    found, at = [], data.find(b"##TX")
    while at >= 0:
        _, length, _ = HEAD.unpack_from(data.ljust(at + HEAD.size, b"\0"), at)
        text = data[at + HEAD.size : at + min(length, 4096)].partition(b"\0")[0]
        found.append(text.decode("utf-8", "replace"))
        at = data.find(b"##TX", at + HEAD.size)
    return list(dict.fromkeys(found))
