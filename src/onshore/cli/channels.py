"""What recorded drives usually call the catalogue's signals, for `onshore replay` where nobody says it."""

import re
from collections.abc import Iterable

from onshore.gate.upload.manifest import Channel

_POSITION = "Vehicle.CurrentLocation"
_USUAL: tuple[tuple[str, Channel], ...] = (
    (r"(VEHICLE_?)?SPEED(_KM_?H)?", Channel(signal="Vehicle.Speed")),
    (r"SOC(_PCT)?|STATE_?OF_?CHARGE", Channel(signal="Vehicle.Powertrain.TractionBattery.StateOfCharge.Current")),
    (r"LAT(ITUDE)?", Channel(signal=f"{_POSITION}.Latitude")),
    (r"LON(G|GITUDE)?", Channel(signal=f"{_POSITION}.Longitude")),
    (r"ALT(ITUDE)?", Channel(signal=f"{_POSITION}.Altitude")),
    (r"HEADING|BEARING", Channel(signal=f"{_POSITION}.Heading")),
    (r"STEER(ING)?_?(WHEEL_)?ANGLE", Channel(signal="Vehicle.Chassis.SteeringWheel.Angle")),
    (r"YAW_?RATE", Channel(signal="Vehicle.AngularVelocity.Yaw")),
    (r"ACCELERATOR(_?PEDAL)?", Channel(signal="Vehicle.Chassis.Accelerator.PedalPosition")),
    (r"(ENGINE_?)?RPM|ENGINE_?SPEED", Channel(signal="Vehicle.Powertrain.CombustionEngine.Speed")),
    (r"(OUTSIDE|AMBIENT|AIR)?_?TEMPERATURE", Channel(signal="Vehicle.Exterior.AirTemperature")),
)


def usual(names: Iterable[str]) -> dict[str, Channel]:
    """The channels among `names` whose last part has a usual name; of several for one signal the first one counts."""
    found: dict[str, Channel] = {}
    for name in names:
        last = re.split(r"[./]", name)[-1]
        for pattern, channel in _USUAL:
            if re.fullmatch(pattern, last, re.IGNORECASE) and channel not in found.values():
                found[name] = channel
    return found


def said(pairs: Iterable[str]) -> dict[str, Channel]:
    """Channels as `NAME=SIGNAL`, each on its own."""
    found = {}
    for pair in pairs:
        name, _, signal = pair.rpartition("=")
        found[name] = Channel(signal=signal)
    return found
