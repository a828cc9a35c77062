"""What each column of a batch must hold of a frame, as the reference decoder reads it."""

import numpy as np

from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25
from onshore.gate.gb32960 import writing
from onshore.gate.gb32960.layout import EDITION_2025

BATTERY, ONSHORE = "Vehicle.Powertrain.TractionBattery.", "Vehicle.Onshore."
GEARS = {"N": 0, "R": -1, "D": 127, "P": 126}


def number(unit, key, kind=np.uint8):
    """A column that is one field of a unit."""

    def value(data):
        said = data[0][key]
        if said is None or said == "abnormal":
            return None
        if isinstance(said, str):
            fields = (*t.VEHICLE_FIELDS, *t.HYDROGEN_FIELDS, *t.ENGINE_FIELDS, t25.DATUM)
            words = next(f.words for f in fields if f.name == key and said in f.words.values())
            said = next(code for code, word in words.items() if word == said)
        return kind(said)

    return unit, value


def motor(key, kind=np.float32, unit=2):
    def value(data):
        first = data[0][0] if isinstance(data[0], list) and data[0] else {key: None}
        if isinstance(first[key], str) and first[key] != "abnormal":
            words = t.MOTOR_FIELDS[1].words
            return next(code for code, word in words.items() if word == first[key])
        return number(unit, key, kind)[1]([first])

    return unit, value


def odometer(data):
    km = data[0]["odometer_km"]
    return round(km * 1000) if isinstance(km, float) and km < 1_000_000 else None


def gear_2025(data):
    return gear(data) if data[0]["gear"]["valid"] else None


def torque_2025(data):
    """Nothing above the standard's most."""
    first = data[0][0] if isinstance(data[0], list) and data[0] else {"torque_nm": None}
    said = number(2, "torque_nm", np.float32)[1]([first])
    return said if said is not None and first["torque_nm"] <= 20000 else None


def first_of(unit, key, kind=np.float32):
    """A column that is one field of the first of several."""

    def value(data):
        listed = isinstance(data[0], list) and data[0]
        return number(unit, key, kind)[1]([data[0][0]]) if listed else None

    return unit, value


def gear(data):
    position = data[0]["gear"]["position"]
    return GEARS[position] if position in GEARS else int(position)


def gear_flags(data):
    return data[0]["gear"]["braking"] | data[0]["gear"]["driving"] << 1


def coordinate(key, most, unit=5):
    def value(data):
        degrees = data[0][key]
        return degrees if isinstance(degrees, float) and abs(degrees) <= most else None

    return unit, value


def binary(unit, joined):
    """A column that joins what all units of the type (0x08 and 0x09 may repeat) list; null where none lists."""

    def value(data):
        said = [joined(d) for d in data]
        known = [s for s in said if s is not None]
        return b"".join(known) if known else None

    return unit, value


def raw(fields, data):
    return b"".join(writing.value(f, data[f.name]) for f in fields)


def listed(data, item):
    return b"".join(item(d) for d in data) if isinstance(data, list) else None


def count(said, size, code=0):
    """A count as sent: how many, or its code."""
    return (len(said) if isinstance(said, list) else (256**size - (1 if said is None else 2))).to_bytes(size, "big")


def cells(pack):
    return listed(pack["cell_v"], lambda v: writing.value(t.CELL, v)[::-1]) or b""


def degrees(data):
    return listed(data, lambda c: writing.value(t.DEGREES, c))


def faults(key, unit=7):
    return binary(unit, lambda d: listed(d[key], bytes.fromhex))


def level(said):
    bits = {name: bit for bit, name in enumerate(t25.ALARM_BITS)}
    bit = bits.get(said["alarm"])
    return bytes((int(said["alarm"].removeprefix("reserved_")) if bit is None else bit,)) + writing.value(
        t.Field("level", 1), said["level"]
    )


def capacitor(data):
    return raw(t25.CAPACITOR_FIELDS, data) + count(data["cell_v"], 2) + count(data["probe_c"], 2)


def volts(said):
    """Big endian, as sent: only the battery's cells are turned round."""
    return listed(said, lambda v: writing.value(t.CELL, v)) or b""


F4 = np.float32
EXPECTED = {
    ONSHORE + "VehicleStatus": number(1, "status"),
    ONSHORE + "ChargingStatus": number(1, "charging"),
    ONSHORE + "RunningMode": number(1, "mode"),
    "Vehicle.Speed": number(1, "speed_kmh", F4),
    "Vehicle.TraveledDistance": (1, odometer),
    BATTERY + "CurrentVoltage": number(1, "voltage_v", F4),
    BATTERY + "CurrentCurrent": number(1, "current_a", F4),
    BATTERY + "StateOfCharge.Current": number(1, "soc_pct", F4),
    ONSHORE + "DcDcStatus": number(1, "dcdc"),
    "Vehicle.Powertrain.Transmission.CurrentGear": (1, gear),
    ONSHORE + "GearFlags": (1, gear_flags),
    ONSHORE + "InsulationResistance": number(1, "insulation_kohm", np.uint16),
    "Vehicle.Chassis.Accelerator.PedalPosition": number(1, "accelerator_pct"),
    "Vehicle.Chassis.Brake.PedalPosition": number(1, "brake_pct"),
    "Vehicle.Powertrain.ElectricMotor.Speed": motor("speed_rpm"),
    "Vehicle.Powertrain.ElectricMotor.Torque": motor("torque_nm"),
    "Vehicle.Powertrain.ElectricMotor.Temperature": motor("motor_temp_c"),
    ONSHORE + "ElectricMotor.Status": motor("status", np.uint8),
    ONSHORE + "ElectricMotor.ControllerTemperature": motor("controller_temp_c", np.int16),
    ONSHORE + "ElectricMotor.ControllerVoltage": motor("controller_voltage_v"),
    ONSHORE + "ElectricMotor.ControllerCurrent": motor("controller_current_a"),
    ONSHORE + "ElectricMotor.Records": binary(2, lambda d: listed(d, lambda m: raw(t.MOTOR_FIELDS, m))),
    ONSHORE + "FuelCell.Voltage": number(3, "voltage_v", F4),
    ONSHORE + "FuelCell.Current": number(3, "current_a", F4),
    ONSHORE + "FuelCell.Consumption": number(3, "consumption_kg_100km", F4),
    ONSHORE + "FuelCell.HydrogenMaxTemperature": number(3, "h2_max_temp_c", F4),
    ONSHORE + "FuelCell.HydrogenMaxTemperatureProbe": number(3, "h2_max_temp_probe"),
    ONSHORE + "FuelCell.HydrogenMaxConcentration": number(3, "h2_max_conc_raw", np.uint16),
    ONSHORE + "FuelCell.HydrogenMaxConcentrationSensor": number(3, "h2_max_conc_sensor"),
    ONSHORE + "FuelCell.HydrogenMaxPressure": number(3, "h2_max_pressure_mpa", F4),
    ONSHORE + "FuelCell.HydrogenMaxPressureSensor": number(3, "h2_max_pressure_sensor"),
    ONSHORE + "FuelCell.HighVoltageDcDcStatus": number(3, "hv_dcdc"),
    ONSHORE + "FuelCell.ProbeTemperatures": binary(3, lambda d: degrees(d["probe_temps_c"])),
    ONSHORE + "CombustionEngine.State": number(4, "status"),
    "Vehicle.Powertrain.CombustionEngine.Speed": number(4, "crank_rpm", F4),
    "Vehicle.Powertrain.FuelSystem.InstantConsumption": number(4, "fuel_rate_l_100km", F4),
    "Vehicle.CurrentLocation.Longitude": coordinate("longitude", 180),
    "Vehicle.CurrentLocation.Latitude": coordinate("latitude", 90),
    ONSHORE + "PositionValid": (5, lambda data: data[0]["valid"]),
    ONSHORE + "TractionBattery.MaxVoltageSubsystem": number(6, "max_v_subsystem"),
    BATTERY + "CellVoltage.IdMax": number(6, "max_v_cell", np.uint16),
    BATTERY + "CellVoltage.Max": number(6, "max_v", F4),
    ONSHORE + "TractionBattery.MinVoltageSubsystem": number(6, "min_v_subsystem"),
    BATTERY + "CellVoltage.IdMin": number(6, "min_v_cell", np.uint16),
    BATTERY + "CellVoltage.Min": number(6, "min_v", F4),
    ONSHORE + "TractionBattery.MaxTemperatureSubsystem": number(6, "max_t_subsystem"),
    ONSHORE + "TractionBattery.MaxTemperatureProbe": number(6, "max_t_probe"),
    BATTERY + "Temperature.Max": number(6, "max_t_c", F4),
    ONSHORE + "TractionBattery.MinTemperatureSubsystem": number(6, "min_t_subsystem"),
    ONSHORE + "TractionBattery.MinTemperatureProbe": number(6, "min_t_probe"),
    BATTERY + "Temperature.Min": number(6, "min_t_c", F4),
    ONSHORE + "Alarm.Level": number(7, "max_level"),
    ONSHORE + "Alarm.Flags": number(7, "flags_raw", np.uint32),
    ONSHORE + "Alarm.BatteryFaults": faults("battery_faults"),
    ONSHORE + "Alarm.MotorFaults": faults("motor_faults"),
    ONSHORE + "Alarm.EngineFaults": faults("engine_faults"),
    ONSHORE + "Alarm.OtherFaults": faults("other_faults"),
    BATTERY + "CellVoltage.CellVoltages": binary(8, lambda d: listed(d, cells)),
    ONSHORE + "TractionBattery.VoltageSubsystems": binary(
        8, lambda d: listed(d, lambda p: raw(t.PACK_FIELDS, p) + count(p["cell_v"], 1))
    ),
    BATTERY + "Temperature.CellTemperature": binary(9, lambda d: listed(d, lambda p: degrees(p["probe_c"]) or b"")),
    ONSHORE + "TractionBattery.TemperatureSubsystems": binary(
        9, lambda d: listed(d, lambda p: raw(t.PROBES, p) + count(p["probe_c"], 2))
    ),
}

N = EDITION_2025
BY_VOLUME = ONSHORE + "FuelCell.HydrogenMaxConcentrationByVolume"
CAPACITOR = ONSHORE + "Supercapacitor."
EXPECTED_2025 = {
    ONSHORE + "VehicleStatus": number(N + 1, "status"),
    ONSHORE + "ChargingStatus": number(N + 1, "charging"),
    ONSHORE + "RunningMode": number(N + 1, "mode"),
    "Vehicle.Speed": number(N + 1, "speed_kmh", F4),
    "Vehicle.TraveledDistance": (N + 1, odometer),
    BATTERY + "CurrentVoltage": number(N + 1, "voltage_v", F4),
    BATTERY + "CurrentCurrent": number(N + 1, "current_a", F4),
    BATTERY + "StateOfCharge.Current": number(N + 1, "soc_pct", F4),
    ONSHORE + "DcDcStatus": number(N + 1, "dcdc"),
    "Vehicle.Powertrain.Transmission.CurrentGear": (N + 1, gear_2025),
    ONSHORE + "GearFlags": (N + 1, gear_flags),
    ONSHORE + "InsulationResistance": number(N + 1, "insulation_kohm", np.uint16),
    "Vehicle.Powertrain.ElectricMotor.Speed": motor("speed_rpm", unit=N + 2),
    "Vehicle.Powertrain.ElectricMotor.Torque": (N + 2, torque_2025),
    "Vehicle.Powertrain.ElectricMotor.Temperature": motor("motor_temp_c", unit=N + 2),
    ONSHORE + "ElectricMotor.Status": motor("status", np.uint8, N + 2),
    ONSHORE + "ElectricMotor.ControllerTemperature": motor("controller_temp_c", np.int16, N + 2),
    ONSHORE + "ElectricMotor.Records2025": binary(N + 2, lambda d: listed(d, lambda m: raw(t25.MOTOR_FIELDS, m))),
    ONSHORE + "FuelCell.HydrogenMaxTemperature": number(N + 3, "h2_max_temp_c", F4),
    ONSHORE + "FuelCell.HydrogenMaxTemperatureProbe": number(N + 3, "h2_max_temp_probe"),
    BY_VOLUME: number(N + 3, "h2_max_conc_raw", np.uint16),
    ONSHORE + "FuelCell.HydrogenMaxConcentrationSensor": number(N + 3, "h2_max_conc_sensor"),
    ONSHORE + "FuelCell.HydrogenMaxPressure": number(N + 3, "h2_max_pressure_mpa", F4),
    ONSHORE + "FuelCell.HydrogenMaxPressureSensor": number(N + 3, "h2_max_pressure_sensor"),
    ONSHORE + "FuelCell.HighVoltageDcDcStatus": number(N + 3, "hv_dcdc"),
    ONSHORE + "FuelCell.HydrogenRemaining": number(N + 3, "h2_remaining_pct"),
    ONSHORE + "FuelCell.HighVoltageDcDcTemperature": number(N + 3, "hv_dcdc_temp_c", np.int16),
    "Vehicle.Powertrain.CombustionEngine.Speed": number(N + 4, "crank_rpm", F4),
    "Vehicle.CurrentLocation.Longitude": coordinate("longitude", 180, N + 5),
    "Vehicle.CurrentLocation.Latitude": coordinate("latitude", 90, N + 5),
    ONSHORE + "PositionValid": (N + 5, lambda data: data[0]["valid"]),
    ONSHORE + "Datum": number(N + 5, "datum"),
    ONSHORE + "Alarm.Level": number(N + 6, "max_level"),
    ONSHORE + "Alarm.Flags": number(N + 6, "flags_raw", np.uint32),
    ONSHORE + "Alarm.BatteryFaults": faults("battery_faults", N + 6),
    ONSHORE + "Alarm.MotorFaults": faults("motor_faults", N + 6),
    ONSHORE + "Alarm.EngineFaults": faults("engine_faults", N + 6),
    ONSHORE + "Alarm.OtherFaults": faults("other_faults", N + 6),
    ONSHORE + "Alarm.Levels": binary(N + 6, lambda d: listed(d["levels"], level)),
    BATTERY + "CellVoltage.CellVoltages": binary(N + 7, lambda d: listed(d, cells)),
    ONSHORE + "TractionBattery.VoltageSubsystems2025": binary(
        N + 7, lambda d: listed(d, lambda p: raw(t25.PACK_FIELDS, p) + count(p["cell_v"], 2))
    ),
    BATTERY + "Temperature.CellTemperature": binary(N + 8, lambda d: listed(d, lambda p: degrees(p["probe_c"]) or b"")),
    ONSHORE + "TractionBattery.TemperatureSubsystems": binary(
        N + 8, lambda d: listed(d, lambda p: raw(t.PROBES, p) + count(p["probe_c"], 2))
    ),
    ONSHORE + "FuelCell.StackVoltage": first_of(N + 0x30, "voltage_v"),
    ONSHORE + "FuelCell.StackCurrent": first_of(N + 0x30, "current_a"),
    ONSHORE + "FuelCell.HydrogenInletPressure": first_of(N + 0x30, "h2_inlet_kpa"),
    ONSHORE + "FuelCell.AirInletPressure": first_of(N + 0x30, "air_inlet_kpa"),
    ONSHORE + "FuelCell.AirInletTemperature": first_of(N + 0x30, "air_inlet_temp_c", np.int16),
    ONSHORE + "FuelCell.Stacks": binary(
        N + 0x30, lambda d: listed(d, lambda s: raw(t25.STACK_FIELDS, s) + count(s["coolant_temps_c"], 2))
    ),
    ONSHORE + "FuelCell.CoolantTemperatures": binary(
        N + 0x30, lambda d: listed(d, lambda s: degrees(s["coolant_temps_c"]) or b"")
    ),
    CAPACITOR + "Voltage": number(N + 0x31, "voltage_v", F4),
    CAPACITOR + "Current": number(N + 0x31, "current_a", F4),
    CAPACITOR + "Systems": binary(N + 0x31, capacitor),
    CAPACITOR + "CellVoltages": binary(N + 0x31, lambda d: volts(d["cell_v"])),
    CAPACITOR + "ProbeTemperatures": binary(N + 0x31, lambda d: degrees(d["probe_c"]) or b""),
    **{
        f"{CAPACITOR}{most}{what}": number(N + 0x32, f"{most.lower()}_{key}", kind)
        for most in ("Max", "Min")
        for what, key, kind in (
            ("VoltageSystem", "v_system", np.uint8),
            ("VoltageCell", "v_cell", np.uint16),
            ("Voltage", "v", F4),
            ("TemperatureSystem", "t_system", np.uint8),
            ("TemperatureProbe", "t_probe", np.uint16),
            ("Temperature", "t_c", F4),
        )
    },
}
