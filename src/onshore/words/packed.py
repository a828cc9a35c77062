"""Packed: how a list of numbers lies in a binary column, and how it is read as numbers again."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from onshore.words.catalogue import Signal

_BATTERY, _ONSHORE = "Vehicle.Powertrain.TractionBattery.", "Vehicle.Onshore."
_MOST_FLOAT = 3.4028234e38


@dataclass(frozen=True, slots=True)
class Packed:
    """Numbers from `low` to `high`, each kept as `dtype` (numpy's name): value * per + zero.

    `invalid`: what stands for a number that the car could not tell; without one, each is a number.
    """

    dtype: str
    low: float
    high: float
    per: int = 1
    zero: int = 0
    invalid: float | None = None

    @property
    def arrow(self) -> pa.DataType:
        """The type as which such a list is read: whole numbers as they are, all others as doubles."""
        return pa.list_(pa.uint32() if self.invalid is None else pa.float64())

    def lists(self, column: pa.Array) -> pa.ListArray:
        """A binary column as lists of numbers; a code above `high`, or NaN, is null, and so are bytes of odd length."""
        width = np.dtype(self.dtype).itemsize
        ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
        there = column.is_valid().to_numpy(zero_copy_only=False)
        if ((np.diff(ends) % width != 0) | (~there & (np.diff(ends) != 0))).any():
            whole = [v if v is not None and len(v) % width == 0 else None for v in column.to_pylist()]
            return self.lists(pa.array(whole, column.type))
        held = (int(ends[-1]) - int(ends[0])) // width
        data = column.buffers()[2]
        codes = np.frombuffer(data, self.dtype, held, int(ends[0])) if held else np.zeros(0, self.dtype)
        starts = pa.array((ends - ends[0]) // width, pa.int32())
        return pa.ListArray.from_arrays(starts, self._numbers(codes), self.arrow, mask=pa.array(~there))

    def _numbers(self, codes: "np.ndarray[tuple[int], np.dtype[np.generic]]") -> pa.Array:
        if self.invalid is None:
            return pa.array(codes.astype(np.uint32))
        numbers = (codes.astype(np.float64) - self.zero) / self.per
        return pa.array(numbers, mask=~((numbers >= self.low) & (numbers <= self.high)))


_CELSIUS = Packed("u1", -40, 213, zero=40, invalid=0xFF)
_AS_GB = {
    _BATTERY + "CellVoltage.CellVoltages": Packed("<u2", 0, 65.533, per=1000, invalid=0xFFFF),
    _ONSHORE + "Supercapacitor.CellVoltages": Packed(">u2", 0, 65.533, per=1000, invalid=0xFFFF),
    _BATTERY + "Temperature.CellTemperature": _CELSIUS,
    _ONSHORE + "FuelCell.ProbeTemperatures": _CELSIUS,
    _ONSHORE + "FuelCell.CoolantTemperatures": _CELSIUS,
    _ONSHORE + "Supercapacitor.ProbeTemperatures": _CELSIUS,
}
"""As GB/T 32960.3 sends them, whichever door they came by: one column has one meaning."""

_BY_TYPE = {
    "uint32[]": Packed(">u4", 0, 0xFFFFFFFF),
    "float[]": Packed("<f4", -_MOST_FLOAT, _MOST_FLOAT, invalid=float("nan")),
    "double[]": Packed("<f8", -1.7e308, 1.7e308, invalid=float("nan")),
}


def packed(signal: Signal) -> Packed | None:
    """How the lists of a signal are packed; None for one that is no list of numbers: bytes, texts, single values."""
    return _AS_GB.get(signal.name) or _BY_TYPE.get(signal.type)
