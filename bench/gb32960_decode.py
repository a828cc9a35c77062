"""Frames decoded per second and core: reference, fast decoder, and the limit, a copy of the same bytes.

346-byte frames of GB/T 32960.3-2016 in batches of 1,000, four layouts mixed, every field decoded, checksums
verified. Beside them the worst that a sender can do: frames of as many units as may be, no two of one layout.
"""

import random
import time
from collections.abc import Callable

import numpy as np

from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960.decode import decode
from onshore.gate.gb32960.protocol import MAX_UNITS, Command, Flag, frame

BATCH, SIZE = 1000, 346
SHAPES = ((1, 0, 96, 36), (2, 0, 90, 36), (1, 1, 94, 36), (1, 2, 92, 36))  # motors, faults, cells, probes


def frames(count: int, seed: int = 32960) -> list[bytes]:
    """Real-time frames of cars on the road: all but fuel cell and engine."""
    dice = random.Random(seed)
    made = [_frame(dice, i, *SHAPES[dice.randrange(len(SHAPES))]) for i in range(count)]
    assert {len(f) for f in made} == {SIZE}
    return made


def run() -> dict[str, float]:
    """Frames per second by name, the best of several rounds each."""
    batches = [frames(BATCH, seed) for seed in range(10)]
    vehicles = np.arange(1, BATCH + 1, dtype=np.int64)
    joined = [np.frombuffer(b"".join(batch), np.uint8) for batch in batches]
    for batch in batches:
        assert not decode(batch, vehicles, 0).rejected
    count = BATCH * len(batches)
    unlike = _unlike(BATCH)
    assert not decode(unlike, vehicles, 0).rejected
    return {
        "gb32960 reference decoder": count / 10 / _best(lambda: [reference.decode(f) for f in batches[0]], 3),
        "gb32960 fast decoder": count / _best(lambda: [decode(b, vehicles, 0) for b in batches], 10),
        "gb32960 reference decoder, no two alike": BATCH / _best(lambda: [reference.decode(f) for f in unlike], 3),
        "gb32960 fast decoder, no two alike": BATCH / _best(lambda: decode(unlike, vehicles, 0), 3),
        "gb32960 limit: copy of the bytes": count / _best(lambda: [j.copy() for j in joined], 30),
    }


def _best(act: Callable[[], object], rounds: int) -> float:
    def once() -> float:
        start = time.process_time()
        act()
        return time.process_time() - start

    return min(once() for _ in range(rounds))


def _unlike(count: int, seed: int = 32960) -> list[bytes]:
    """Frames of one size, each of MAX_UNITS units of the carmaker's of sizes of its own."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        ends = sorted(dice.choices(range(100), k=MAX_UNITS - 1))
        sizes = [b - a for a, b in zip([0, *ends], [*ends, 100], strict=True)]
        units = b"".join(bytes((0x80 + i, 0, size, *bytes(size))) for i, size in enumerate(sizes))
        made.append(frame(Command.REALTIME, Flag.COMMAND, b"LTEST000000000001", bytes((26, 1, 15, 8, 30, 59)) + units))
    return made


def _frame(dice: random.Random, i: int, motors: int, faults: int, cells: int, probes: int) -> bytes:
    volts = [round(dice.uniform(3.2, 4.1), 3) for _ in range(cells)]
    units = {
        "vehicle": {
            "status": "started", "charging": "not_charging", "mode": "electric",
            "speed_kmh": dice.randrange(1300) / 10, "odometer_km": 15591.0 + i, "voltage_v": 358.0,
            "current_a": dice.randrange(-500, 2000) / 10, "soc_pct": dice.randrange(101), "dcdc": "working",
            "gear": {"position": "D", "braking": False, "driving": True}, "insulation_kohm": 6553,
            "accelerator_pct": dice.randrange(101), "brake_pct": 0,
        },
        "motors": [
            {
                "no": n + 1, "status": "consuming", "controller_temp_c": 31,
                "speed_rpm": dice.randrange(9000),
                "torque_nm": dice.randrange(2000) / 10, "motor_temp_c": 35, "controller_voltage_v": 357.9,
                "controller_current_a": 20.0,
            }
            for n in range(motors)
        ],
        "position": {
            "valid": True, "longitude": dice.uniform(121, 122), "latitude": dice.uniform(31, 32),
        },
        "extremes": {
            "max_v_subsystem": 1, "max_v_cell": 12, "max_v": max(volts), "min_v_subsystem": 1,
            "min_v_cell": 55, "min_v": min(volts), "max_t_subsystem": 1, "max_t_probe": 3,
            "max_t_c": 28, "min_t_subsystem": 1, "min_t_probe": 7, "min_t_c": 24,
        },
        "alarms": {
            "max_level": 0, "flags_raw": 0, "battery_faults": ["00000101"] * faults, "motor_faults": [],
            "engine_faults": [], "other_faults": [],
        },
        "voltages": [
            {
                "subsystem": 1, "voltage_v": 358.0, "current_a": 12.5, "cell_total": cells, "first_cell": 1,
                "cell_v": volts,
            }
        ],
        "temperatures": [{"subsystem": 1, "probe_c": [dice.randrange(20, 35) for _ in range(probes)]}],
    }  # fmt: skip
    return encode.realtime(f"LTEST{i:012}".encode(), 1_768_437_059_000 + 1000 * i, units)


if __name__ == "__main__":
    for name, rate in run().items():
        print(f"{name:42} {rate:12,.0f} frames/s")
