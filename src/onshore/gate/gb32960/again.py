"""Frames again, from rows that were kept: what goes on to another platform, each in the edition in which it came.

The reverse of `decode`, by the same tables: a frame made here is decoded to the same columns. What a row lacks carries
the invalid code, or its unit is not there; a car's own signature, units of its maker and what was abnormal are not
kept, so they do not come back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from onshore.gate.gb32960 import layout
from onshore.gate.gb32960.columns import SIGNATURE_STATE
from onshore.gate.gb32960.layout import PARTS
from onshore.gate.gb32960.protocol import START_2016, START_2025, Command, Flag, frame, time6
from onshore.gate.gb32960.sources import NUMBERS
from onshore.words.place import LATITUDE, LONGITUDE, ROW_DATUM

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Lists = Mapping[str, Sequence[bytes | None]]

_GEARS = {0: 0, **{n: n for n in range(1, 13)}, -1: 13, 127: 14, 126: 15}
_FACTOR = 100  # metres in the 0.1 km of the odometer
_OLD = {n.name for n in NUMBERS if "2025" not in n.part and n.part not in {"stack", "capacitor", "capacitor extremes"}}
_2025 = (
    ROW_DATUM,
    SIGNATURE_STATE,
    layout.MOTOR_RECORDS_2025,
    layout.CELL_HEADERS_2025,
    layout.LEVELS,
    layout.STACKS,
    layout.CAPACITORS,
    *(n.name for n in NUMBERS if n.part in {"hydrogen 2025", "capacitor extremes"} and n.name not in _OLD),
)
"""Columns that no frame of 2016 fills."""


class Rows:
    """Rows as columns: values where there are any."""

    def __init__(self, table: pa.Table) -> None:
        self.size = table.num_rows
        self._table = table
        self._found: dict[str, tuple[npt.NDArray[Any], Mask]] = {}

    def has(self, name: str) -> Mask:
        """Which rows have a value of a signal."""
        return self.values(name)[1]

    def values(self, name: str) -> tuple[npt.NDArray[Any], Mask]:
        """Values of a signal, zero where there is none, and where there is one."""
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def lists(self, name: str) -> list[bytes | None]:
        """Values of a binary column."""
        if name not in self._table.column_names:
            return [None] * self.size
        found: list[bytes | None] = self._table.column(name).to_pylist()
        return found

    def _read(self, name: str) -> tuple[npt.NDArray[Any], Mask]:
        if name not in self._table.column_names:
            return np.zeros(self.size), np.zeros(self.size, np.bool_)
        column = self._table.column(name).combine_chunks()
        there = column.is_valid().to_numpy(zero_copy_only=False)
        if column.type in {pa.binary(), pa.string()}:
            return np.zeros(self.size), there
        zero = False if column.type == pa.bool_() else 0
        return column.fill_null(zero).to_numpy(zero_copy_only=False), there


def frames_of(table: pa.Table, vins: Mapping[int, bytes], *, resend: Sequence[bool]) -> list[bytes]:
    """One frame per row, in order; empty where the vehicle has no VIN here or nothing of its row is left.

    `table`: columns vehicle and time, and signals as `decode` names them. `vins`: by vehicle. `resend`: per row whether
    it is said to be sent again (0x03) or for the first time (0x02).
    """
    rows = Rows(table)
    later = np.logical_or.reduce([rows.has(name) for name in dict.fromkeys(_2025)])
    units = {edition: _units(rows, edition) for edition in (2016, 2025) if _any(later, edition)}
    vehicles = table.column("vehicle").to_pylist()
    times = table.column("time").cast(pa.int64()).to_pylist()
    made = []
    for row, (vehicle, at) in enumerate(zip(vehicles, times, strict=True)):
        edition = 2025 if later[row] else 2016
        body = b"".join([unit(row) for unit in units[edition]])
        vin = vins.get(vehicle)
        if vin is None or not body:
            made.append(b"")
            continue
        command = Command.RESEND if resend[row] else Command.REALTIME
        start = START_2025 if later[row] else START_2016
        made.append(frame(command, Flag.COMMAND, vin, time6(at) + body, start=start))
    return made


def _any(later: Mask, edition: int) -> bool:
    return bool(later.any() if edition == 2025 else not later.all())


Unit = Callable[[int], bytes]
"""From the number of a row to its unit, type byte first; empty where it has none."""


def _units(rows: Rows, edition: int) -> list[Unit]:
    """The units of an edition, in the order of their types."""
    if edition == 2016:
        return [
            _fixed(1, "vehicle", rows, _vehicle),
            _records(2, layout.MOTOR_RECORDS, "motor", rows),
            _fuel_cell(rows),
            _fixed(4, "engine", rows),
            _fixed(5, "position", rows, _position),
            _fixed(6, "extremes", rows),
            _alarms(7, rows, layout.FAULTS),
            _subsystems(8, layout.CELL_HEADERS, layout.CELLS, rows, (10, 1, 2)),
            _subsystems(9, layout.TEMPERATURE_HEADERS, layout.TEMPERATURES, rows, (3, 2, 1)),
        ]
    return [
        _fixed(1, "vehicle 2025", rows, _vehicle_2025),
        _records(2, layout.MOTOR_RECORDS_2025, "motor 2025", rows),
        _fixed(3, "hydrogen 2025", rows),
        _fixed(4, "engine 2025", rows),
        _fixed(5, "position 2025", rows, _position_2025),
        _alarms(6, rows, (*layout.FAULTS, layout.LEVELS)),
        _subsystems(7, layout.CELL_HEADERS_2025, layout.CELLS, rows, (7, 2, 2)),
        _subsystems(8, layout.TEMPERATURE_HEADERS, layout.TEMPERATURES, rows, (3, 2, 1)),
        _subsystems(0x30, layout.STACKS, layout.COOLANT, rows, (12, 2, 1)),
        _capacitors(rows),
        _fixed(0x32, "capacitor extremes", rows),
    ]


Fill = Callable[[Bytes, Rows], Mask]
"""Fills in what of a part are no plain numbers; which rows have any of it."""


def _part(part: str, rows: Rows, fill: Fill | None = None) -> tuple[Bytes, Mask]:
    """The bytes of a part per row, and which rows have anything of it."""
    out = np.full((rows.size, PARTS[part]), 0xFF, np.uint8)
    there = np.zeros(rows.size, np.bool_)
    for number in NUMBERS:
        if number.part != part:
            continue
        values, has = rows.values(number.name)
        raw = np.rint(values.astype(np.float64) * number.per).astype(np.int64) + number.zero
        raw = np.where(has, raw, 256**number.size - 1)
        for place in range(number.size):
            out[:, number.at + place] = raw >> 8 * (number.size - 1 - place) & 0xFF
        there |= has
    return out, there | fill(out, rows) if fill else there


def _fixed(kind: int, part: str, rows: Rows, fill: Fill | None = None) -> Unit:
    out, there = _part(part, rows, fill)
    head = bytes((kind,))
    return lambda row: head + out[row].tobytes() if there[row] else b""


def _put(out: Bytes, at: int, raw: npt.NDArray[np.int64], has: Mask) -> None:
    """Four bytes, all ones where there is no value."""
    for place in range(4):
        out[:, at + place] = np.where(has, raw >> 8 * (3 - place) & 0xFF, 0xFF)


def _vehicle(out: Bytes, rows: Rows) -> Mask:
    metres, driven = rows.values("Vehicle.TraveledDistance")
    _put(out, 5, metres.astype(np.int64) // _FACTOR, driven)
    gears, geared = rows.values("Vehicle.Powertrain.Transmission.CurrentGear")
    flags, flagged = rows.values("Vehicle.Onshore.GearFlags")
    codes = np.array([_GEARS.get(int(gear), 0) for gear in gears], np.int64)
    out[:, 15] = codes | flags.astype(np.int64) << 4
    return driven | geared | flagged


def _vehicle_2025(out: Bytes, rows: Rows) -> Mask:
    there = _vehicle(out, rows)
    geared = rows.has("Vehicle.Powertrain.Transmission.CurrentGear")
    out[:, 15] |= np.where(geared, 0, 0x80).astype(np.uint8)
    return there


def _position(out: Bytes, rows: Rows, at: int = 1) -> Mask:
    """State bit 0 set is invalid, bit 1 south, bit 2 west."""
    valid, stated = rows.values("Vehicle.Onshore.PositionValid")
    state = np.where(stated & valid.astype(np.bool_), 0, 1)
    there = stated
    for name, place, bit in ((LONGITUDE, at, 4), (LATITUDE, at + 4, 2)):
        degrees, has = rows.values(name)
        _put(out, place, np.rint(np.abs(degrees) * 1e6).astype(np.int64), has)
        state = np.where(degrees < 0, state | bit, state)
        there = there | has
    out[:, 0] = state
    return there


def _position_2025(out: Bytes, rows: Rows) -> Mask:
    return _position(out, rows, 2)


def _records(kind: int, name: str, part: str, rows: Rows) -> Unit:
    """A count, and that many records that were kept as they came."""
    size, records = PARTS[part], rows.lists(name)

    def unit(row: int) -> bytes:
        said = records[row]
        return b"" if said is None else bytes((kind, len(said) // size)) + said

    return unit


def _fuel_cell(rows: Rows) -> Unit:
    cell, has_cell = _part("fuel cell", rows)
    hydrogen, has_hydrogen = _part("hydrogen", rows)
    probes = rows.lists(layout.PROBES)
    there = has_cell | has_hydrogen | rows.has(layout.PROBES)

    def unit(row: int) -> bytes:
        said = probes[row]
        listed = b"\xff\xff" if said is None else len(said).to_bytes(2, "big") + said
        return b"\x03" + cell[row].tobytes() + listed + hydrogen[row].tobytes() if there[row] else b""

    return unit


def _alarms(kind: int, rows: Rows, names: Sequence[str]) -> Unit:
    out, there = _part("alarm", rows)
    flags, flagged = rows.values("Vehicle.Onshore.Alarm.Flags")
    _put(out, 1, flags.astype(np.int64), flagged)
    listed = [(rows.lists(name), 2 if name == layout.LEVELS else 4) for name in names]
    there = np.logical_or.reduce([there, flagged, *(rows.has(name) for name in names)])

    def unit(row: int) -> bytes:
        if not there[row]:
            return b""
        fixed: bytes = out[row].tobytes()
        return bytes((kind,)) + fixed + b"".join(_counted(of[row], size) for of, size in listed)

    return unit


def _counted(said: bytes | None, size: int) -> bytes:
    return b"\xff" if said is None else bytes((len(said) // size,)) + said


def _subsystems(kind: int, headers: str, values: str, rows: Rows, sizes: tuple[int, int, int]) -> Unit:
    """Per subsystem its header, which ends in a count of `sizes[1]` bytes, and that many values of `sizes[2]` bytes."""
    header, count, width = sizes
    heads, all_values = rows.lists(headers), rows.lists(values)

    def unit(row: int) -> bytes:
        said = heads[row]
        if said is None:
            return b""
        listed, out = _in_order(values, all_values[row] or b""), [bytes((kind, len(said) // header))]
        for at in range(0, len(said), header):
            one = said[at : at + header]
            taken = width * _number(one[-count:])
            out += [one, listed[:taken]]
            listed = listed[taken:]
        return b"".join(out)

    return unit


def _capacitors(rows: Rows) -> Unit:
    """Each supercapacitor is a unit of its own; what is kept of it are two counts, each behind what precedes it."""
    heads, cells, probes = (
        rows.lists(name) for name in (layout.CAPACITORS, layout.CAPACITOR_CELLS, layout.CAPACITOR_PROBES)
    )

    def unit(row: int) -> bytes:
        said, volts, degrees = heads[row] or b"", cells[row] or b"", probes[row] or b""
        out = []
        for at in range(0, len(said), 9):
            first, second = said[at : at + 7], said[at + 7 : at + 9]
            m, k = 2 * _number(first[5:]), _number(second)
            out += [b"\x31", first, volts[:m], second, degrees[:k]]
            volts, degrees = volts[m:], degrees[k:]
        return b"".join(out)

    return unit


def _number(raw: bytes) -> int:
    """A count; one that is invalid or abnormal counts nothing."""
    count = int.from_bytes(raw, "big")
    return count if count < (1 << 8 * len(raw)) - 2 else 0


def _in_order(name: str, said: bytes) -> bytes:
    """Values as a frame has them: cell voltages are kept with their low byte first."""
    if name != layout.CELLS:
        return said
    turned: bytes = np.frombuffer(said, np.uint16).byteswap().tobytes()
    return turned
