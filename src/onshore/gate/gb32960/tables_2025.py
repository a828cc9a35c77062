"""The 2025 data units, field by field, as the tables of GB/T 32960.3-2025 list them.

What did not change is taken from the tables of 2016. The standard's text was not at hand: the layouts are those on
which public readers of it agree; where they differ the field says so.
"""

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960.tables import Field

VEHICLE, MOTORS, FUEL_CELL, ENGINE, POSITION, ALARMS, VOLTAGES, TEMPERATURES = range(1, 9)
STACKS, CAPACITOR, CAPACITOR_EXTREMES = 0x30, 0x31, 0x32
SIGNATURE = 0xFF  # not a data unit: the signature over all before it, at the end
UNITS = {
    VEHICLE: "vehicle",
    MOTORS: "motors",
    FUEL_CELL: "fuel_cell",
    ENGINE: "engine",
    POSITION: "position",
    ALARMS: "alarms",
    VOLTAGES: "voltages",
    TEMPERATURES: "temperatures",
    STACKS: "fuel_cell_stacks",
    CAPACITOR: "supercapacitor",
    CAPACITOR_EXTREMES: "supercapacitor_extremes",
}
MAY_REPEAT = frozenset((VOLTAGES, TEMPERATURES, CAPACITOR))

COMMANDS = t.COMMANDS | {0x09: "activation", 0x0A: "activation_reply", 0x0B: "key_exchange"}
FLAGS = t.FLAGS | {
    0x04: "vin_unknown",
    0x05: "signature_invalid",
    0x06: "structure_invalid",
    0x07: "decryption_failed",
}
ENCRYPTIONS = t.ENCRYPTIONS | {0x04: "sm2", 0x05: "sm4"}
SIGNATURES = {1: "sm2", 2: "rsa", 3: "ecc"}
RESULTS = {1: "ok", 2: "failed"}

GEAR = Field("gear", 1, codes=False)  # bit 7 says that it is invalid

VEHICLE_FIELDS = (
    *t.VEHICLE_FIELDS[:6],
    Field("current_a", 2, per=10, zero=30000),
    *t.VEHICLE_FIELDS[7:9],
    GEAR,
    Field("insulation_kohm", 2),
)
MOTOR_FIELDS = (
    *t.MOTOR_FIELDS[:3],
    Field("speed_rpm", 2, zero=32000),
    Field("torque_nm", 4, per=10, zero=200000),
    t.MOTOR_FIELDS[5],
)
HYDROGEN_FIELDS = (
    Field("h2_max_temp_c", 2, per=10, zero=400),  # two of four readers take whole degrees
    Field("h2_max_temp_probe", 1),
    Field("h2_max_conc_raw", 2),  # 0.0001 % by volume, say two; mg/kg in 2016
    *t.HYDROGEN_FIELDS[3:],
    Field("h2_remaining_pct", 1),
    Field("hv_dcdc_temp_c", 1, zero=40),
)
ENGINE_FIELDS = (Field("crank_rpm", 2),)
DATUM = Field("datum", 1, words={1: "wgs84", 2: "gcj02", 3: "other"})
ALARM_BITS = (
    *t.ALARM_BITS,
    "motor_over_speed",
    "motor_over_current",
    "supercapacitor_over_temp",
    "supercapacitor_over_pressure",
    "thermal_event",
    "hydrogen_leak",
    "hydrogen_pressure",
    "hydrogen_temp",
    "stack_over_temp",
)
PACK_FIELDS = (*t.PACK_FIELDS[:2], Field("current_a", 2, per=10, zero=30000))
STACK_FIELDS = (
    Field("no", 1),
    Field("voltage_v", 2, per=10),
    Field("current_a", 2, per=10),
    Field("h2_inlet_kpa", 2, per=10, zero=1000),
    Field("air_inlet_kpa", 2, per=10, zero=1000),
    Field("air_inlet_temp_c", 1, zero=40),
)
CAPACITOR_FIELDS = (Field("no", 1), *PACK_FIELDS[1:])
CAPACITOR_EXTREME_FIELDS = (
    Field("max_v_system", 1),
    Field("max_v_cell", 2),
    Field("max_v", 2, per=1000),
    Field("min_v_system", 1),
    Field("min_v_cell", 2),
    Field("min_v", 2, per=1000),
    Field("max_t_system", 1),
    Field("max_t_probe", 2),
    Field("max_t_c", 1, zero=40),
    Field("min_t_system", 1),
    Field("min_t_probe", 2),
    Field("min_t_c", 1, zero=40),
)
