"""The 2016 data units, field by field, as the tables of GB/T 32960.3-2016 list them.

Reference decoder and encoder read them. The fast decoder has tables of its own, so that the two can be held
against each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

VEHICLE, MOTORS, FUEL_CELL, ENGINE, POSITION, EXTREMES, ALARMS, VOLTAGES, TEMPERATURES = range(1, 10)
UNITS = {
    VEHICLE: "vehicle",
    MOTORS: "motors",
    FUEL_CELL: "fuel_cell",
    ENGINE: "engine",
    POSITION: "position",
    EXTREMES: "extremes",
    ALARMS: "alarms",
    VOLTAGES: "voltages",
    TEMPERATURES: "temperatures",
}
MAY_REPEAT = frozenset((VOLTAGES, TEMPERATURES))  # more than 200 cells may come in several
CUSTOM = range(0x80, 0xFF)  # carry their own length; 0x0A-0x7F carry none, so nothing can be read from there on

COMMANDS = {
    0x01: "login",
    0x02: "realtime",
    0x03: "resend",
    0x04: "logout",
    0x05: "platform_login",
    0x06: "platform_logout",
    0x07: "heartbeat",
    0x08: "time_sync",
    0x80: "parameter_query",
    0x81: "parameter_set",
    0x82: "terminal_control",
}
FLAGS = {0x01: "ok", 0x02: "error", 0x03: "vin_duplicate", 0xFE: "command"}
ENCRYPTIONS = {0x01: "none", 0x02: "rsa", 0x03: "aes128", 0xFE: "abnormal", 0xFF: None}


@dataclass(frozen=True)
class Field:
    """`size` bytes that mean (raw - zero) / per, or one of `words`.

    Where `codes`, the two highest raw values say abnormal and invalid (0xFE and 0xFF, 0xFFFE and 0xFFFF …).
    """

    name: str
    size: int
    per: int = 1
    zero: int = 0
    words: Mapping[int, str] = field(default_factory=dict)
    codes: bool = True


WORKS = {1: "working", 2: "off"}
GEAR = Field("gear", 1, codes=False)

VEHICLE_FIELDS = (
    Field("status", 1, words={1: "started", 2: "off", 3: "other"}),
    Field(
        "charging",
        1,
        words={1: "parked_charging", 2: "driving_charging", 3: "not_charging", 4: "complete"},
    ),
    Field("mode", 1, words={1: "electric", 2: "hybrid", 3: "fuel"}),
    Field("speed_kmh", 2, per=10),
    Field("odometer_km", 4, per=10),
    Field("voltage_v", 2, per=10),
    Field("current_a", 2, per=10, zero=10000),
    Field("soc_pct", 1),
    Field("dcdc", 1, words=WORKS),
    GEAR,
    Field("insulation_kohm", 2, codes=False),
    Field("accelerator_pct", 1),
    Field("brake_pct", 1),  # 101: pressed, where the pedal has no travel value
)
MOTOR_FIELDS = (
    Field("no", 1),
    Field("status", 1, words={1: "consuming", 2: "generating", 3: "off", 4: "ready"}),
    Field("controller_temp_c", 1, zero=40),
    Field("speed_rpm", 2, zero=20000),
    Field("torque_nm", 2, per=10, zero=20000),
    Field("motor_temp_c", 1, zero=40),
    Field("controller_voltage_v", 2, per=10),
    Field("controller_current_a", 2, per=10, zero=10000),
)
FUEL_CELL_FIELDS = (
    Field("voltage_v", 2, per=10),
    Field("current_a", 2, per=10),
    Field("consumption_kg_100km", 2, per=100),
)
HYDROGEN_FIELDS = (
    Field("h2_max_temp_c", 2, per=10, zero=400),
    Field("h2_max_temp_probe", 1),
    Field("h2_max_conc_raw", 2),
    Field("h2_max_conc_sensor", 1),
    Field("h2_max_pressure_mpa", 2, per=10),
    Field("h2_max_pressure_sensor", 1),
    Field("hv_dcdc", 1, words=WORKS),
)
ENGINE_FIELDS = (
    Field("status", 1, words={1: "on", 2: "off"}),
    Field("crank_rpm", 2),
    Field("fuel_rate_l_100km", 2, per=100),
)
COORDINATES = (Field("longitude", 4, per=1_000_000), Field("latitude", 4, per=1_000_000))
EXTREME_FIELDS = (
    Field("max_v_subsystem", 1),
    Field("max_v_cell", 1),
    Field("max_v", 2, per=1000),
    Field("min_v_subsystem", 1),
    Field("min_v_cell", 1),
    Field("min_v", 2, per=1000),
    Field("max_t_subsystem", 1),
    Field("max_t_probe", 1),
    Field("max_t_c", 1, zero=40),
    Field("min_t_subsystem", 1),
    Field("min_t_probe", 1),
    Field("min_t_c", 1, zero=40),
)
ALARM_FIELDS = (Field("max_level", 1), Field("flags_raw", 4))
FAULTS = ("battery_faults", "motor_faults", "engine_faults", "other_faults")
PACK_FIELDS = (
    Field("subsystem", 1),
    Field("voltage_v", 2, per=10),
    Field("current_a", 2, per=10, zero=10000),
    Field("cell_total", 2),
    Field("first_cell", 2),
)
CELL = Field("cell_v", 2, per=1000)
PROBES = (Field("subsystem", 1),)
DEGREES = Field("probe_c", 1, zero=40)

ALARM_BITS = (
    "temp_difference",
    "battery_high_temp",
    "pack_over_voltage",
    "pack_under_voltage",
    "soc_low",
    "cell_over_voltage",
    "cell_under_voltage",
    "soc_high",
    "soc_jump",
    "pack_mismatch",
    "cell_inconsistency",
    "insulation",
    "dcdc_temp",
    "brake",
    "dcdc_status",
    "motor_controller_temp",
    "hv_interlock",
    "motor_temp",
    "pack_overcharge",
)
