"""Takes bytes off the front of a data unit, plainly; what both editions have in common when they are read."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960.protocol import BEIJING, HEADER, TIME
from onshore.words.errors import Malformed

Data = dict[str, Any]
GEARS = (t.GEAR, t25.GEAR)


def text(raw: bytes) -> str:
    """ASCII, filled up with zeros."""
    return raw.rstrip(b"\0").decode("ascii", "backslashreplace")


class Reader:
    """Takes bytes off the front of a data unit; Malformed where there are too few."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.at = 0
        self._what = "body cut short"

    def left(self) -> int:
        """How many bytes are left."""
        return len(self._body) - self.at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if self.left() < size:
            raise Malformed(self._what, where=f"byte {HEADER + self.at}")
        self.at += size
        return self._body[self.at - size : self.at]

    def all(self) -> bytes:
        """All that is left."""
        return self.take(self.left())

    def number(self, size: int) -> int:
        """A big-endian integer."""
        return int.from_bytes(self.take(size), "big")

    def text(self, size: int) -> str:
        """ASCII, filled up with zeros."""
        return text(self.take(size))

    def time(self) -> str:
        """Six binary bytes YY MM DD hh mm ss, Beijing time, in ISO 8601."""
        if self.left() < TIME:
            raise Malformed("no time", where=f"byte {HEADER}")
        year, month, day, hour, minute, second = self.take(TIME)
        try:
            at = datetime(2000 + year, month, day, hour, minute, second, tzinfo=BEIJING)
        except ValueError:
            at = None
        if at is None or year > 99:
            raise Malformed("bad time", where=f"byte {HEADER}")
        return at.isoformat()

    def unit(self) -> int:
        """A data unit's type; what is cut short from here on is that unit."""
        kind = self.number(1)
        self._what = f"unit 0x{kind:02x} cut short"
        return kind

    def value(self, field: t.Field) -> Any:
        """One field: a number, a word, null for invalid, "abnormal"."""
        raw, top = self.number(field.size), 256**field.size
        if field.codes and raw >= top - 2:
            return None if raw == top - 1 else "abnormal"
        if field.per > 1:
            return (raw - field.zero) / field.per
        return field.words.get(raw, raw - field.zero)

    def fields(self, fields: Sequence[t.Field]) -> Data:
        """Several fields by name."""
        return {f.name: self._gear(f) if f in GEARS else self.value(f) for f in fields}

    def several(self, size: int, item: Callable[[], Any]) -> Any:
        """A count of `size` bytes and that many items; an invalid or abnormal count has none."""
        count = self.value(t.Field("count", size))
        return [item() for _ in range(count)] if isinstance(count, int) else count

    def _gear(self, field: t.Field) -> Data:
        """Bits 0-3 the gear, bit 4 braking force, bit 5 driving force; in 2025 bit 7: not valid."""
        raw = self.number(1)
        position = {0: "N", 13: "R", 14: "D", 15: "P"}.get(raw & 15, str(raw & 15))
        valid = {"valid": not raw & 0x80} if field is GEARS[1] else {}
        return {"position": position, "braking": bool(raw & 16), "driving": bool(raw & 32), **valid}
