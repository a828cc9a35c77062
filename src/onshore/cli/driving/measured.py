"""What a car's sensors say of the state that it is in, in the units and by the names of GB/T 32960."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onshore.cli.driving.cars import CHARGING, DRIVING, Cars, States
from onshore.cli.driving.roads import Floats, Ints

CELLS, PROBES = 96, 16
_SENT_FROM = 15_000.0  # km on a car's odometer at the beginning, and more by its number
_EMPTY_CELL, _RISE = 3.45, 0.007  # volts at 0 %, and more by each per cent
_RATIO = 45.0  # revolutions a minute of the motor for each m/s, by 4 for its gears
GEARS = {"N": 0, "R": 13, "D": 14, "P": 15}
PARKED_GEAR = GEARS["P"]
_PULLS = 1 << 5
"""The gear as its byte has it, and bit 5 while the motor pulls."""

Measured = dict[str, NDArray[Any]]


def measured(cars: Cars, car: Ints, second: Floats) -> Measured:
    """Every value as an array of the shape that `car` and `second` have together; lists of cells have one axis more."""
    car, second = np.broadcast_arrays(car, second)
    state = cars.at(car, second)
    speed = state.speed * 3.6
    volts = _EMPTY_CELL + _RISE * state.charge
    pack = volts * CELLS
    amps = np.clip(state.power / pack, -990, 990)
    turns = state.speed * 4 * _RATIO
    torque = np.clip(state.power / np.maximum(turns * 2 * np.pi / 60, 20), -400, 400) * (state.speed > 0)
    return {
        "speed_kmh": speed,
        "odometer_km": _SENT_FROM + 100 * car + state.driven / 1000,
        "voltage_v": pack,
        "current_a": amps,
        "soc_pct": state.charge,
        "accelerator_pct": np.where(state.gain > 0, 20 + 30 * state.gain, 8.0 * (state.speed > 0)),
        "brake_pct": np.where(state.gain < 0, -30 * state.gain, 0.0),
        "speed_rpm": turns,
        "torque_nm": torque,
        "controller_temp_c": 31 + car % 5 + speed / 20,
        "motor_temp_c": 40 + car % 9 + speed / 15,
        "longitude": state.longitude,
        "latitude": state.latitude,
        "heading": state.heading,
        "gain": state.gain,
        "status": np.where(state.moving, 1.0, 2.0),
        "charging": np.where(state.does == CHARGING, 1.0, 3.0),
        "motor_status": np.where(state.moving, np.where(state.power < 0, 2.0, 1.0), 3.0),
        "gear": _gear(state),
        "cell_mv": np.rint(1000 * volts).astype(np.int16)[..., None] + _pattern(car, CELLS, 9) - np.int16(4),
        "probe_c": np.int16(24) + _pattern(car, PROBES, 6),
    }


def _pattern(car: Ints, many: int, different: int) -> NDArray[np.int16]:
    """How cells or probes of a car differ from one another, always in the same way."""
    known = (np.arange(different)[:, None] + np.arange(many)) % different
    return known.astype(np.int16)[car % different]


def _gear(state: States) -> Floats:
    pulls = np.where(state.speed > 0, GEARS["D"] | _PULLS, GEARS["D"])
    return np.where(state.does == DRIVING, pulls, PARKED_GEAR).astype(float)


def units(said: Measured, place: Any) -> dict[str, Any]:
    """One row as the data units of GB/T 32960 by name, as its encoder takes them and its reference decoder reads."""
    one = {name: float(values[place]) for name, values in said.items() if values.ndim == said["speed_kmh"].ndim}
    gear = {
        "position": "P" if one["gear"] == PARKED_GEAR else "D",
        "braking": False,
        "driving": bool(int(one["gear"]) & _PULLS),
    }
    amps = {"voltage_v": round(one["voltage_v"], 1), "current_a": round(one["current_a"], 1)}
    motor: dict[str, float] = {name: round(one[name]) for name in ("speed_rpm", "controller_temp_c", "motor_temp_c")}
    motor |= {"no": 1, "status": int(one["motor_status"]), "torque_nm": round(one["torque_nm"], 1)}
    motor |= {f"controller_{name}": value for name, value in amps.items()}
    rounded = {name: round(one[name], 1) for name in ("speed_kmh", "odometer_km")}
    whole = {name: round(one[name]) for name in ("soc_pct", "accelerator_pct", "brake_pct")}
    return {
        "vehicle": {
            "status": int(one["status"]),
            "charging": int(one["charging"]),
            "mode": "electric",
            "dcdc": "working",
            "gear": gear,
            "insulation_kohm": 6500,
            **rounded, **whole, **amps,
        },
        "motors": [motor],
        "position": {"valid": True, "longitude": round(one["longitude"], 6), "latitude": round(one["latitude"], 6)},
        "voltages": [
            {
                "subsystem": 1, "cell_total": CELLS, "first_cell": 1, **amps,
                "cell_v": [int(mv) / 1000 for mv in said["cell_mv"][place]],
            }
        ],
        "temperatures": [{"subsystem": 1, "probe_c": said["probe_c"][place].tolist()}],
    }  # fmt: skip
