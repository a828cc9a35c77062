"""Drives in ASAM MDF 4 (4.00 to 4.20, sorted): records in plain or packed (deflate) blocks, read as they come.

What tells about records (HD, DG, CG, CN, CC, TX, DL) may lie before or behind them. Where it comes first, records are
decoded as they arrive; where it comes last, as some writers have it, the data blocks wait in memory as they came,
packed ones packed, up to `limits.held`; larger files must be written the other way round. After a crash of the gate a
file is sent again from its beginning, for its links lead everywhere; rows that were taken in are passed over.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from struct import error
from typing import Any

from onshore.gate.upload.decode import Target
from onshore.gate.upload.mdf4_blocks import HEAD, Block, Group, Tree, unpacked
from onshore.gate.upload.reading import Limits, Pieces, Reader, Rows
from onshore.words.errors import Malformed

_TELLING = frozenset(b"##" + kind for kind in (b"HD", b"DG", b"CG", b"CN", b"CC", b"TX", b"DL", b"HL"))
_RECORDS = (b"##DT", b"##DV", b"##DZ")
_STREAM = 128 << 10
_MOST_TEXT = 4096
_COST = 256  # what a block costs in memory beside its bytes


class Mdf4Reader(Reader):
    """Rows of the wanted channels, group by group."""

    def __init__(self, targets: Mapping[str, Target], limits: Limits, state: Mapping[str, Any] | None = None) -> None:
        super().__init__(limits)
        self._targets = targets
        self._done: list[int] = list(state["done"]) if state else []
        self._pieces = Pieces(0)
        self._tree = Tree()
        self._groups: list[Group] | None = None
        self._tried = self._telling = self._waiting = self._carried = 0
        self._held: dict[int, tuple[bytes, bytes]] = {}
        self._skip = 0
        self._fresh = False
        self._open: tuple[Group, int] | None = None
        self._lists = self._ordered = 0
        self._order: dict[int, tuple[Group, int]] = {}

    def feed(self, data: bytes) -> Iterator[list[Rows]]:
        """Rows of what is whole, where it is known what it is."""
        self._pieces.add(data)
        try:
            while (steps := self._step()) is not None:
                yield from steps
        except (error, IndexError, ValueError):
            raise Malformed("a block that does not hold what it must", where=f"byte {self._pieces.at}") from None

    def _step(self) -> Iterable[list[Rows]] | None:
        """What can be done with the bytes that are there; None: nothing."""
        if self._open is not None:
            return [self._stream(*self._open)] if len(self._pieces) else None
        if self._skip:
            self._skip -= self._pieces.drop(self._skip)
            return None if self._skip else []
        if not self._pieces.at:
            return [] if self._identified() else None
        if self._fresh and self._held:
            self._fresh = False
            return chain.from_iterable(map(self._release, self._groups or []))
        return self._block()

    def finish(self) -> Iterator[list[Rows]]:
        """What waited for the last blocks."""
        if self._open is not None or self._skip or len(self._pieces) >= HEAD.size:
            raise Malformed("the file breaks off inside a block", where=f"byte {self._pieces.at}")
        try:
            self._resolve(last=True)
            self._listed(self._groups or [])
            for group in self._groups or []:
                yield from self._release(group)
                if group.wanted and group.index < len(list(self._tree.lists(group.first))):
                    raise Malformed("a data block that is told of is missing", where="MDF")
        except (error, IndexError, ValueError):
            raise Malformed("a block that does not hold what it must", where="MDF") from None

    def state(self) -> dict[str, Any]:
        """How many records of each group were taken in."""
        return {"done": [group.done for group in self._groups] if self._groups is not None else self._done}

    def _identified(self) -> bool:
        if len(self._pieces) < 64:
            return False
        head = self._pieces.take(64)
        if head[:8] != b"MDF     " or head[8:9] != b"4":
            raise Malformed("not a finished MDF file of version 4", where="byte 0")
        return True

    def _block(self) -> Iterable[list[Rows]] | None:
        """One block; None while it is not there."""
        at = self._pieces.at
        head = self._pieces.peek(HEAD.size)
        if len(head) < HEAD.size:
            return None
        if not head[:1].strip(b"\0"):
            self._pieces.drop(8 - at % 8)  # what lies between blocks to align them
            return []
        kind, length, links = HEAD.unpack(head)
        if kind[:2] != b"##" or length < HEAD.size + 8 * links:
            raise Malformed("not a block where one must be", where=f"byte {at}")
        if kind in _RECORDS:
            return self._records(at, kind, length)
        if kind not in _TELLING or (kind == b"##TX" and length > _MOST_TEXT):
            self._skip = length
            return []
        if length > self.limits.unit:
            raise Malformed(f"a block of more than {self.limits.unit} bytes", where=f"byte {at}")
        if len(self._pieces) < length:
            return None
        self._tell(at, kind, links, self._pieces.take(length))
        return []

    def _tell(self, at: int, kind: bytes, links: int, content: bytes) -> None:
        self._telling += len(content) + _COST
        if len(self._tree.blocks) >= self.limits.names * 8 or self._telling > self.limits.held:
            raise Malformed("more blocks that tell about others than are read", where=f"byte {at}")
        self._lists += kind in (b"##DL", b"##HL")
        said = memoryview(content)[HEAD.size : HEAD.size + 8 * links].cast("Q").tolist()
        self._tree.blocks[at] = Block(kind, tuple(said), content[HEAD.size + 8 * links :])

    def _records(self, at: int, kind: bytes, length: int) -> Iterable[list[Rows]] | None:
        """A data block: passed over, decoded as it comes, or held until it is known what it is."""
        self._resolve()
        owner = self._owner(at)
        if owner is not None and not owner.wanted:
            self._skip = length
            return []
        if owner is not None and kind != b"##DZ":
            self._pieces.drop(HEAD.size)
            self._open = (owner, length - HEAD.size)
            owner.index += 1
            return []
        if length + _COST > self.limits.held - self._waiting or (kind == b"##DZ" and length > self.limits.unit):
            raise Malformed(
                "records come before what tells what they are, more than are held in memory: write the file with its "
                "metadata first, or as MCAP",
                where=f"byte {at}",
            )
        if len(self._pieces) < length:
            return None
        content = self._pieces.take(length)[HEAD.size :]
        if owner is not None:
            owner.index += 1
            return self._pushed(owner, self._undone(content))
        self._held[at] = (kind, content)
        self._waiting += len(content) + _COST
        return []

    def _stream(self, group: Group, left: int) -> list[Rows]:
        data = self._pieces.take(min(left, self._stride(group)))
        self._open = (group, left - len(data)) if left > len(data) else None
        return self._push(group, data)

    def _stride(self, group: Group) -> int:
        """Bytes that are decoded at a time: the shorter its records are, the fewer."""
        return max(1, min(_STREAM, group.record * self.limits.step))

    def _pushed(self, group: Group, data: bytes) -> Iterator[list[Rows]]:
        stride = self._stride(group)
        for begin in range(0, len(data), stride):
            yield self._push(group, data[begin : begin + stride])

    def _undone(self, content: bytes) -> bytes:
        found = unpacked(content, self.limits.unit)
        self.unpacked += max(0, len(found) - len(content))
        return found

    def _push(self, group: Group, data: bytes) -> list[Rows]:
        before = group.carried
        rows = group.push(data)
        self._carried += group.carried - before
        if self._carried > self.limits.held:
            raise Malformed("more records begin than are held in memory until they end", where="MDF")
        return [] if rows is None else [rows]

    def _resolve(self, *, last: bool = False) -> None:
        """See whether all is there that tells about records; looked at again when there is a quarter more of it."""
        count = len(self._tree.blocks)
        if self._groups is not None or (not last and count * 4 <= self._tried * 5):
            return
        self._tried = count
        try:
            groups = self._tree.groups(self._targets)
        except KeyError:
            if last:
                raise Malformed("a block that is told of is missing", where="MDF") from None
            return
        for group, done in zip(groups, self._done, strict=False):
            group.done = done
        if any(group.wanted and group.record > self.limits.unit for group in groups):
            raise Malformed(f"records of more than {self.limits.unit} bytes", where="MDF")
        self._groups = groups
        self._fresh = True

    def _owner(self, at: int) -> Group | None:
        """The group whose next data block this is, if nothing before it is held or missing."""
        if self._groups and (not self._order or self._lists * 4 > self._ordered * 5):
            self._ordered, self._fresh = self._lists, True
            self._order = self._listed(self._groups)
        group, number = self._order.get(at, (None, 0))
        return group if group is not None and group.index == number else None

    def _listed(self, groups: Iterable[Group]) -> dict[int, tuple[Group, int]]:
        """Whose each data block is, and the how-manieth; no more are listed than a file may have."""
        every = ((at, (group, n)) for group in groups for n, at in enumerate(self._tree.lists(group.first)))
        found = list(islice(every, self.limits.names * 8 + 1))
        if len(found) > self.limits.names * 8:
            raise Malformed("lists tell of more data blocks than are read", where="MDF")
        return dict(found)

    def _release(self, group: Group) -> Iterator[list[Rows]]:
        for at in list(self._tree.lists(group.first))[group.index :]:
            if at not in self._held:
                return
            kind, content = self._held.pop(at)
            group.index += 1
            data = self._undone(content) if kind == b"##DZ" else content
            yield from self._pushed(group, data)
