"""CAN frames, many at once, and what their bits say."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from onshore.gate.upload.dbc import Layout, Message
from onshore.gate.upload.decode import Target, numbers
from onshore.gate.upload.reading import Rows

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Frames:
    """Frames in their order.

    `time`: ms UTC; `bus`; `id`: bit 31 set where it is an extended one; `data`: (frames, 8 or 64) bytes, of which
    the first `length` are the frame's, the others 0.
    """

    time: Ints
    bus: Ints
    id: Ints
    length: Ints
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time)

    def where(self, rows: Bools | Ints) -> "Frames":
        """Those of the rows."""
        return Frames(self.time[rows], self.bus[rows], self.id[rows], self.length[rows], self.data[rows])


def frames_of(time: Sequence[int], bus: Sequence[int], id_: Sequence[int], hexed: Sequence[str]) -> Frames:
    """Frames of lists; the bytes in hex, 64 of them at most. Raises ValueError where they are no hex digits."""
    lengths = [len(one) for one in hexed]
    width = 16 if max(lengths, default=0) <= 16 else 128
    if any(length > width or length % 2 for length in lengths):
        raise ValueError
    raw = bytes.fromhex("".join([one.ljust(width, "0") for one in hexed]))
    if len(raw) != width // 2 * len(lengths):  # fromhex passes over blanks
        raise ValueError
    data = np.frombuffer(raw, np.uint8).reshape(-1, width // 2)
    return Frames(
        np.array(time, np.int64),
        np.array(bus, np.int64),
        np.array(id_, np.int64),
        np.array(lengths, np.int64) // 2,
        data,
    )


def joined(parts: Sequence[Frames]) -> Frames:
    """All frames, one part after the other."""
    wide = max(part.data.shape[1] for part in parts) if parts else 8
    data = [np.pad(part.data, ((0, 0), (0, wide - part.data.shape[1]))) for part in parts]
    names = ("time", "bus", "id", "length")
    columns = {n: np.concatenate([getattr(p, n) for p in parts] or [np.zeros(0, np.int64)]) for n in names}
    return Frames(**columns, data=np.concatenate(data or [np.zeros((0, wide), np.uint8)]))


def raw_bits(data: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint64]:
    """The bits of a signal in each frame, right-aligned."""
    first = layout.start // 8
    window = np.zeros((len(data), 9), np.uint8)
    there = data[:, first : first + 9]
    window[:, : there.shape[1]] = there
    if layout.little:
        shift = layout.start % 8
        low = np.ascontiguousarray(window[:, :8]).view("<u8").ravel().astype(np.uint64)
        raw = low >> np.uint64(shift)
        if shift + layout.length > 64:
            raw |= window[:, 8].astype(np.uint64) << np.uint64(64 - shift)
    else:
        past = 7 - layout.start % 8  # bits before the highest one
        high = np.ascontiguousarray(window[:, :8]).view(">u8").ravel().astype(np.uint64)
        raw = high << np.uint64(past)
        if past:
            raw |= window[:, 8].astype(np.uint64) >> np.uint64(8 - past)
        raw >>= np.uint64(64 - layout.length)
    return raw & np.uint64((1 << layout.length) - 1)


def values(data: NDArray[np.uint8], layout: Layout) -> NDArray[np.float64]:
    """The physical values of a signal in each frame."""
    raw = raw_bits(data, layout)
    plain: NDArray[Any]
    if layout.kind == "float":
        plain = raw.astype(np.uint32).view(np.float32) if layout.length == 32 else raw.view(np.float64)
    elif layout.signed:
        lift = 64 - layout.length
        plain = (raw << np.uint64(lift)).view(np.int64) >> np.int64(lift)
    else:
        plain = raw
    with np.errstate(invalid="ignore", over="ignore"):  # a float of a file may be any bits, signalling NaN too
        return np.asarray(plain.astype(np.float64) * layout.scale + layout.offset, np.float64)


class Database:
    """What of the frames of some buses is wanted: channels "Message.Signal" with their targets."""

    def __init__(self, messages: Mapping[int, Message], buses: Sequence[int], targets: Mapping[str, Target]) -> None:
        self._buses = np.array(sorted(buses), np.int64)
        self._messages = messages
        self._wanted: dict[int, list[tuple[Layout, Target]]] = {}
        for id_, message in messages.items():
            found = [
                (layout, targets[f"{message.name}.{name}"])
                for name, layout in message.signals.items()
                if f"{message.name}.{name}" in targets
            ]
            if found:
                self._wanted[id_] = found
        self._ids = np.array(sorted(self._wanted), np.int64)

    @property
    def channels(self) -> int:
        """How many of the wanted channels the database knows."""
        return sum(map(len, self._wanted.values()))

    def rows(self, frames: Frames) -> Iterator[Rows]:
        """Rows of each wanted message: its signals at the times of its frames."""
        here = np.isin(frames.id, self._ids) & np.isin(frames.bus, self._buses)
        kept = frames.where(here)
        for id_ in np.unique(kept.id).tolist():
            yield self._message(id_, kept.where(kept.id == id_))

    def _message(self, id_: int, frames: Frames) -> Rows:
        switch = self._messages[id_].multiplexor
        chosen = raw_bits(frames.data, switch).astype(np.int64) if switch else None
        columns: dict[str, pa.Array] = {}
        for layout, target in self._wanted[id_]:
            found = values(frames.data, layout)
            absent = frames.length < layout.end
            if layout.when is not None and chosen is not None:
                absent |= chosen != layout.when
            found[absent] = np.nan
            columns[target.signal.name] = numbers(target, found)
        return Rows(frames.time, columns)
