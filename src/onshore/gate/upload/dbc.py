"""CAN databases (DBC): messages and their signals, as far as decoding needs them."""

import re
from dataclasses import dataclass, replace

from onshore.words.errors import Malformed

MOST = 4 << 20  # bytes of a database
EXTENDED = 1 << 31
_MESSAGE = re.compile(r"^BO_\s+(\d+)\s+(\w+)\s*:\s*(\d+)")
_SIGNAL = re.compile(
    r"^\s*SG_\s+(\w+)\s*(M|m\d+M?)?\s*:\s*(\d+)\|(\d+)@([01])([+-])\s*"
    r"\(\s*([-+.\deE]+)\s*,\s*([-+.\deE]+)\s*\)"
)
_FLOAT = re.compile(r"^SIG_VALTYPE_\s+(\d+)\s+(\w+)\s*:?\s*([12])\s*;")


@dataclass(frozen=True)
class Layout:
    """A signal in a frame: value = raw * scale + offset; bit b is bit b % 8 of byte b // 8, as a DBC numbers them.

    `start`: the lowest bit of a little-endian signal, the highest of a big-endian one. `kind`: "int", "float" (32 or
    64 bits) or "multiplexor"; `when`: the multiplexor's value for which the signal is there, None for always.
    """

    start: int
    length: int
    little: bool
    signed: bool
    scale: float
    offset: float
    kind: str = "int"
    when: int | None = None

    @property
    def end(self) -> int:
        """Bytes that a frame must have to carry it."""
        if self.little:
            return (self.start + self.length + 7) // 8
        return self.start // 8 + (7 - self.start % 8 + self.length + 7) // 8


@dataclass(frozen=True)
class Message:
    """A message: its signals by name."""

    name: str
    signals: dict[str, Layout]

    @property
    def multiplexor(self) -> Layout | None:
        """The signal whose value says which others are there."""
        return next((one for one in self.signals.values() if one.kind == "multiplexor"), None)


def parse(text: str) -> dict[int, Message]:
    """Read a database: CAN identifier (bit 31 set where it is an extended one) to message.

    Comments, attributes, nodes and value tables are passed over; so are signals that only an extended multiplexor
    (SG_MUL_VAL_) selects. Malformed, with the line, where a message or signal cannot be read or cannot be in a frame.
    """
    if len(text) > MOST:
        raise Malformed(f"a CAN database has {MOST} bytes at most", where="DBC")
    found: dict[int, Message] = {}
    signals: dict[str, Layout] = {}
    for number, line in enumerate(text.splitlines(), 1):
        head = line.lstrip()[:4]
        if head == "BO_ ":
            said = _matched(_MESSAGE, line, number)
            signals = {}
            found[int(said[1])] = Message(said[2], signals)
        elif head == "SG_ ":
            said = _matched(_SIGNAL, line, number)
            if not (said[2] or "").endswith("M") or said[2] == "M":
                signals[said[1]] = _layout(said, number)
        elif line.startswith("SIG_VALTYPE_ ") and (said_float := _FLOAT.match(line)):
            _mark_float(found, said_float)
    return found


def _matched(pattern: re.Pattern[str], line: str, number: int) -> re.Match[str]:
    said = pattern.match(line)
    if said is None:
        raise Malformed("a message or signal that cannot be read", where=f"DBC, line {number}")
    return said


def _layout(said: re.Match[str], number: int) -> Layout:
    switch = said[2] or ""
    try:
        layout = Layout(
            start=int(said[3]),
            length=int(said[4]),
            little=said[5] == "1",
            signed=said[6] == "-",
            scale=float(said[7]),
            offset=float(said[8]),
            kind="multiplexor" if switch == "M" else "int",
            when=int(switch[1:]) if switch[:1] == "m" else None,
        )
    except ValueError:
        raise Malformed("a signal's scale or offset is no number", where=f"DBC, line {number}") from None
    if not 1 <= layout.length <= 64 or layout.start >= 512 or layout.end > 64:
        raise Malformed("a signal that fits in no frame", where=f"DBC, line {number}")
    return layout


def _mark_float(found: dict[int, Message], said: re.Match[str]) -> None:
    message = found.get(int(said[1]))
    layout = message.signals.get(said[2]) if message else None
    if message and layout and layout.length == (32 if said[3] == "1" else 64):
        message.signals[said[2]] = replace(layout, kind="float")
