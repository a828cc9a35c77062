"""The reference decoder's bodies and data units of the 2025 edition."""

from collections.abc import Callable
from typing import Any

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960.protocol import HEADER, MAX_UNITS
from onshore.gate.gb32960.reading import Data, Reader
from onshore.words.errors import Malformed


def login(read: Reader) -> Data:
    """Per battery management system (BMS) a count of packs, then 24 characters for each pack (table 6)."""
    data = {"time": read.time(), "serial": read.number(2), "iccid": read.text(20)}
    packs = read.several(1, lambda: read.value(t.Field("packs", 1)))
    each = packs if isinstance(packs, list) else []
    codes = [[read.text(24) for _ in range(count)] if isinstance(count, int) else [] for count in each]
    return {**data, "packs_per_bms": packs, "codes": codes}


def realtime(read: Reader) -> Data:
    """Data units, then FF and the signature; nothing follows that."""
    data: Data = {"time": read.time(), "units": [], "signature": None}
    seen: set[int] = set()
    while read.left():
        kind = read.unit()
        if kind == t25.SIGNATURE:
            return {**data, "signature": signature(read)}
        if len(data["units"]) == MAX_UNITS:
            raise Malformed(f"more than {MAX_UNITS} units", where=f"byte {HEADER + read.at - 1}")
        if kind in seen and kind not in t25.MAY_REPEAT:
            raise Malformed(f"unit 0x{kind:02x} twice", where=f"byte {HEADER + read.at}")
        seen.add(kind)
        data["units"].append(_unit(kind, read))
    return data


def signature(read: Reader) -> Data:
    """Algorithm, R and S (table 8); S is empty for RSA."""
    code = read.number(1)
    r, s = (read.take(read.number(2)).hex() for _ in "rs")
    return {"algorithm": t25.SIGNATURES.get(code, code), "r": r, "s": s}


def activation(read: Reader) -> Data:
    """What a security chip says of itself when its car is new (table B.3); the signature follows without FF."""
    data = {"time": read.time(), "chip": read.text(16), "public_key": read.take(read.number(2)).hex()}
    return {**data, "vin": read.text(17), "signature": signature(read)}


def activation_reply(read: Reader) -> Data:
    """`info`: 1 fine, 2 the chip is in use, 3 the VIN is (table B.4)."""
    code = read.number(1)
    return {"result": t25.RESULTS.get(code, code), "info": read.number(1)}


def key_exchange(read: Reader) -> Data:
    """The key of coming data units, encrypted to the platform's key, and from when to when it holds (table 31)."""
    code = read.number(1)
    if code not in t25.ENCRYPTIONS:
        raise Malformed(f"unknown encryption 0x{code:02x}")
    key = read.take(read.number(2)).hex()
    return {"encryption": t25.ENCRYPTIONS[code], "key": key, "start": read.time(), "until": read.time()}


def _unit(kind: int, read: Reader) -> Data:
    if kind in t.CUSTOM:
        return {"type": "custom", "id": kind, "data": read.take(read.number(2)).hex()}
    if kind not in t25.UNITS:
        raise Malformed(f"unknown unit 0x{kind:02x}", where=f"byte {HEADER + read.at}")
    return {"type": t25.UNITS[kind], "id": kind, "data": _UNITS[kind](read)}


def position(read: Reader, datum: tuple[t.Field, ...] = (t25.DATUM,)) -> Data:
    """State bit 0 set is *invalid*, bit 1 south, bit 2 west."""
    state = read.number(1)
    said = read.fields(datum)
    longitude, latitude = read.fields(t.COORDINATES).values()
    return {
        "valid": not state & 1,
        **said,
        "longitude": -longitude if state & 4 and isinstance(longitude, float) else longitude,
        "latitude": -latitude if state & 2 and isinstance(latitude, float) else latitude,
    }


def alarms(read: Reader, bits: tuple[str, ...] = t25.ALARM_BITS) -> Data:
    """The alarms that both editions have; `bits`: what the bits of the flags mean."""
    data = read.fields(t.ALARM_FIELDS)
    flags = data["flags_raw"] if isinstance(data["flags_raw"], int) else 0
    data["flags"] = [_alarm(i, bits) for i in range(32) if flags >> i & 1]
    return {**data, **{name: read.several(1, lambda: read.take(4).hex()) for name in t.FAULTS}}


def _alarm(bit: int, bits: tuple[str, ...] = t25.ALARM_BITS) -> str:
    return bits[bit] if bit < len(bits) else f"reserved_{bit}"


def _levels(read: Reader) -> Data:
    return {"alarm": _alarm(read.number(1)), "level": read.value(t.Field("level", 1))}


def _pack(read: Reader) -> Data:
    return {**read.fields(t25.PACK_FIELDS), "cell_v": read.several(2, lambda: read.value(t.CELL))}


def probes(read: Reader) -> Data:
    """One subsystem's temperatures, alike in both editions."""
    return {**read.fields(t.PROBES), "probe_c": read.several(2, lambda: read.value(t.DEGREES))}


def _stack(read: Reader) -> Data:
    return {**read.fields(t25.STACK_FIELDS), "coolant_temps_c": read.several(2, lambda: read.value(t.DEGREES))}


def _capacitor(read: Reader) -> Data:
    data = read.fields(t25.CAPACITOR_FIELDS)
    cells = read.several(2, lambda: read.value(t.CELL))
    return {**data, "cell_v": cells, "probe_c": read.several(2, lambda: read.value(t.DEGREES))}


_UNITS: dict[int, Callable[[Reader], Any]] = {
    t25.VEHICLE: lambda read: read.fields(t25.VEHICLE_FIELDS),
    t25.MOTORS: lambda read: read.several(1, lambda: read.fields(t25.MOTOR_FIELDS)),
    t25.FUEL_CELL: lambda read: read.fields(t25.HYDROGEN_FIELDS),
    t25.ENGINE: lambda read: read.fields(t25.ENGINE_FIELDS),
    t25.POSITION: position,
    t25.ALARMS: lambda read: {**alarms(read), "levels": read.several(1, lambda: _levels(read))},
    t25.VOLTAGES: lambda read: read.several(1, lambda: _pack(read)),
    t25.TEMPERATURES: lambda read: read.several(1, lambda: probes(read)),
    t25.STACKS: lambda read: read.several(1, lambda: _stack(read)),
    t25.CAPACITOR: _capacitor,
    t25.CAPACITOR_EXTREMES: lambda read: read.fields(t25.CAPACITOR_EXTREME_FIELDS),
}
