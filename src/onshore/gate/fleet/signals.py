"""Which signal of the catalogue each field of the stream is; what stands here nowhere is dropped and counted.

A line: field, signal, type of VSS, reading, factor to the signal's unit. Cars send miles, miles an hour, hours, bar,
kWh and degrees Celsius, whatever they show their drivers (developer.tesla.com, Fleet Telemetry, Available Data).
Readings:

    number             a number, typed or as text
    flag               true or false
    text               a text of up to 256 characters
    label              a name or two that the maker gave, not free text, and without a VIN
    named:KINDS        the name of a state of these enumerations (numbers of tables)
    among:KINDS:Y:N    whether it is one of the names Y and not of N; of others nothing is said
    code:KINDS:NAME=N  a number for a name
    latitude, longitude, door:NAME, tire:NAME, clock, occupied

Not here: fields whose unit nobody documents (accelerations, said to be g and seen to be m/s2; insulation; pressure of
the brake), what people listen to, settings of the screen, and what a field is experimental, deprecated or of trucks.
"""

from dataclasses import dataclass

from onshore.gate.fleet import tables
from onshore.gate.fleet.values import Reader, reader

_B = "Vehicle.Powertrain.TractionBattery"
_M = "Vehicle.Powertrain.ElectricMotor"
_O = "Vehicle.Onshore"
_LINES = """
VehicleSpeed Vehicle.Speed float number 1.609344
Odometer Vehicle.TraveledDistance uint32 number 1609.344
PackVoltage B.CurrentVoltage float number
PackCurrent B.CurrentCurrent float number
Soc B.StateOfCharge.Current float number
BatteryLevel B.StateOfCharge.Displayed float number
EnergyRemaining B.StateOfCharge.CurrentEnergy float number
RatedRange B.Range uint32 number 1609.344
EstBatteryRange O.TractionBattery.EstimatedRange uint32 number 1609.344
IdealBatteryRange O.TractionBattery.IdealRange uint32 number 1609.344
LifetimeEnergyUsed B.AccumulatedConsumedEnergy float number
LifetimeEnergyGainedRegen Vehicle.Powertrain.AccumulatedBrakingEnergy float number
BrickVoltageMax B.CellVoltage.Max float number
BrickVoltageMin B.CellVoltage.Min float number
NumBrickVoltageMax B.CellVoltage.IdMax uint16 number
NumBrickVoltageMin B.CellVoltage.IdMin uint16 number
ModuleTempMax B.Temperature.Max float number
ModuleTempMin B.Temperature.Min float number
NumModuleTempMax O.TractionBattery.MaxTemperatureProbe uint8 number
NumModuleTempMin O.TractionBattery.MinTemperatureProbe uint8 number
BMSState O.TractionBattery.State string named:15
BmsFullchargecomplete O.TractionBattery.IsFull boolean flag
BatteryHeaterOn O.TractionBattery.IsHeating boolean flag
NotEnoughPowerToHeat O.TractionBattery.LacksPowerToHeat boolean flag
Hvil O.HighVoltageInterlock string named:23
DCDCEnable O.IsDcDcEnabled boolean flag
DriveRail O.IsDriveRailOn boolean flag
ChargeState O.Charging.State string named:32|8
DetailedChargeState O.Charging.State string named:32|8
DetailedChargeState B.Charging.IsCharging boolean among:32|8:Charging:Disconnected|NoPower|Starting|Complete|Stopped
ChargeLimitSoc B.Charging.ChargeLimit uint8 number
TimeToFullCharge B.Charging.TimeToComplete uint32 number 3600
EstimatedHoursToChargeTermination O.Charging.TimeToTermination uint32 number 3600
ChargeAmps B.Charging.ChargeCurrent.Phase1 float number
ChargerVoltage B.Charging.ChargeVoltage.Phase1 float number
ChargeCurrentRequestMax B.Charging.MaximumChargingCurrent.Phase1 float number
ChargeCurrentRequest O.Charging.RequestedCurrent float number
ChargerPhases O.Charging.Phases uint8 number
ChargeRateMilePerHour B.Charging.ChargeRate float number 1.609344
ACChargingPower O.Charging.AcPower float number
DCChargingPower O.Charging.DcPower float number
ACChargingEnergyIn O.Charging.AcEnergy float number
DCChargingEnergyIn O.Charging.DcEnergy float number
ChargeEnableRequest O.Charging.IsEnabled boolean flag
ChargePortDoorOpen B.Charging.ChargingPort.AnyPosition.IsFlapOpen boolean flag
ChargePortLatch O.Charging.PortLatch string named:19
ChargePort O.Charging.PortKind string named:18
ChargePortColdWeatherMode O.Charging.IsColdWeatherMode boolean flag
ChargingCableType O.Charging.Cable string named:41
FastChargerPresent O.ChargingStation.IsFastCharger boolean flag
FastChargerType O.ChargingStation.FastChargerKind string named:40
SuperchargerSessionTripPlanner O.ChargingStation.IsOnRoute boolean flag
ScheduledChargingMode O.Charging.ScheduleMode string named:12
ScheduledChargingPending O.Charging.IsScheduled boolean flag
ScheduledChargingStartTime O.Charging.ScheduledStart uint32 clock
ScheduledDepartureTime O.ScheduledDeparture uint32 clock
PreconditioningEnabled O.Cabin.IsPreconditioning boolean flag
PowershareStatus O.Powershare.State string named:45
PowershareInstantaneousPowerKW O.Powershare.Power float number
Gear Vehicle.Powertrain.Transmission.SelectedGear int8 code:9:P=126|R=-1|N=0|D=127
PedalPosition Vehicle.Chassis.Accelerator.PedalPosition uint8 number
BrakePedal O.IsBrakePedalPressed boolean flag
CruiseSetSpeed Vehicle.ADAS.CruiseControl.SpeedSet float number 1.609344
CruiseFollowDistance Vehicle.ADAS.CruiseControl.AdaptiveIntervalSet uint8 code:27:1=1|2=2|3=3|4=4|5=5|6=6|7=7
CurrentLimitMph O.SpeedLimit.Set float number 1.609344
SpeedLimitMode O.SpeedLimit.IsActive boolean flag
MilesSinceReset O.TripMeter.Distance uint32 number 1609.344
SelfDrivingMilesSinceReset O.TripMeter.SelfDrivingDistance uint32 number 1609.344
DriverSeatBelt Vehicle.Cabin.Seat.Row1.DriverSide.IsBelted boolean among:16:Latched:Unlatched
PassengerSeatBelt Vehicle.Cabin.Seat.Row1.PassengerSide.IsBelted boolean among:16:Latched:Unlatched
DriverSeatOccupied Vehicle.Cabin.Seat.Row1.DriverSide.OccupancyStatus string occupied
LightsTurnSignal Vehicle.Body.Lights.DirectionIndicator.Left.IsSignaling boolean among:52:Left|Both:Off|Right
LightsTurnSignal Vehicle.Body.Lights.DirectionIndicator.Right.IsSignaling boolean among:52:Right|Both:Off|Left
LightsHazardsActive Vehicle.Body.Lights.Hazard.IsSignaling boolean flag
LightsHighBeams Vehicle.Body.Lights.Beam.High.IsOn boolean flag
DiStateR O.ElectricMotor.State string named:22
DiStateF O.ElectricMotor.Front.State string named:22
DiAxleSpeedR M.Speed float number
DiAxleSpeedF O.ElectricMotor.Front.Speed float number
DiTorqueActualR M.Torque float number
DiTorqueActualF O.ElectricMotor.Front.Torque float number
DiStatorTempR M.Temperature float number
DiStatorTempF O.ElectricMotor.Front.Temperature float number
DiVBatR O.ElectricMotor.ControllerVoltage float number
DiVBatF O.ElectricMotor.Front.ControllerVoltage float number
DiMotorCurrentR O.ElectricMotor.PhaseCurrent float number
DiMotorCurrentF O.ElectricMotor.Front.PhaseCurrent float number
DiInverterTR O.ElectricMotor.InverterTemperature float number
DiInverterTF O.ElectricMotor.Front.InverterTemperature float number
DiHeatsinkTR O.ElectricMotor.HeatsinkTemperature float number
DiHeatsinkTF O.ElectricMotor.Front.HeatsinkTemperature float number
TpmsPressureFl Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure uint16 number 100
TpmsPressureFr Vehicle.Chassis.Axle.Row1.Wheel.Right.Tire.Pressure uint16 number 100
TpmsPressureRl Vehicle.Chassis.Axle.Row2.Wheel.Left.Tire.Pressure uint16 number 100
TpmsPressureRr Vehicle.Chassis.Axle.Row2.Wheel.Right.Tire.Pressure uint16 number 100
TpmsHardWarnings Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.IsPressureLow boolean tire:front_left
TpmsHardWarnings Vehicle.Chassis.Axle.Row1.Wheel.Right.Tire.IsPressureLow boolean tire:front_right
TpmsHardWarnings Vehicle.Chassis.Axle.Row2.Wheel.Left.Tire.IsPressureLow boolean tire:rear_left
TpmsHardWarnings Vehicle.Chassis.Axle.Row2.Wheel.Right.Tire.IsPressureLow boolean tire:rear_right
InsideTemp Vehicle.Cabin.HVAC.AmbientAirTemperature float number
OutsideTemp Vehicle.Exterior.AirTemperature float number
HvacPower O.Cabin.ClimatePower string named:38
HvacACEnabled Vehicle.Cabin.HVAC.IsAirConditioningActive boolean flag
HvacAutoMode O.Cabin.ClimateAuto string named:33
HvacLeftTemperatureRequest O.Cabin.LeftTemperatureSet float number
HvacRightTemperatureRequest O.Cabin.RightTemperatureSet float number
DefrostMode O.Cabin.DefrostMode string named:36
RearDefrostEnabled Vehicle.Cabin.HVAC.IsRearDefrosterActive boolean flag
ClimateKeeperMode O.Cabin.ClimateKeeper string named:37
CabinOverheatProtectionMode O.Cabin.OverheatProtection string named:34
SeatHeaterLeft O.Cabin.LeftSeatHeating uint8 number
SeatHeaterRight O.Cabin.RightSeatHeating uint8 number
DoorState Vehicle.Cabin.Door.Row1.DriverSide.IsOpen boolean door:DriverFront
DoorState Vehicle.Cabin.Door.Row2.DriverSide.IsOpen boolean door:DriverRear
DoorState Vehicle.Cabin.Door.Row1.PassengerSide.IsOpen boolean door:PassengerFront
DoorState Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen boolean door:PassengerRear
DoorState Vehicle.Body.Trunk.Front.IsOpen boolean door:TrunkFront
DoorState Vehicle.Body.Trunk.Rear.IsOpen boolean door:TrunkRear
FdWindow Vehicle.Cabin.Door.Row1.DriverSide.Window.IsOpen boolean among:24:PartiallyOpen|Opened:Closed
FpWindow Vehicle.Cabin.Door.Row1.PassengerSide.Window.IsOpen boolean among:24:PartiallyOpen|Opened:Closed
RdWindow Vehicle.Cabin.Door.Row2.DriverSide.Window.IsOpen boolean among:24:PartiallyOpen|Opened:Closed
RpWindow Vehicle.Cabin.Door.Row2.PassengerSide.Window.IsOpen boolean among:24:PartiallyOpen|Opened:Closed
Locked O.IsLocked boolean flag
SentryMode O.SentryMode string named:13
ValetModeEnabled O.IsValetMode boolean flag
GuestModeEnabled O.IsGuestMode boolean flag
ServiceMode O.IsServiceMode boolean flag
Version O.Software.Version string label
SoftwareUpdateVersion O.Software.UpdateVersion string label
SoftwareUpdateInstallationPercentComplete O.Software.UpdateProgress uint8 number
CarType Vehicle.VehicleIdentification.Model string named:17
Trim Vehicle.VehicleIdentification.VehicleConfiguration string label
ExteriorColor Vehicle.VehicleIdentification.VehicleExteriorColor string label
VehicleName O.VehicleName string text
Location Vehicle.CurrentLocation.Latitude double latitude
Location Vehicle.CurrentLocation.Longitude double longitude
GpsHeading Vehicle.CurrentLocation.Heading double number
GpsState O.PositionValid boolean flag
OriginLocation O.Navigation.Origin.Latitude double latitude
OriginLocation O.Navigation.Origin.Longitude double longitude
DestinationLocation Vehicle.Cabin.Infotainment.Navigation.DestinationSet.Latitude double latitude
DestinationLocation Vehicle.Cabin.Infotainment.Navigation.DestinationSet.Longitude double longitude
DestinationName O.Navigation.DestinationName string text
MilesToArrival O.Navigation.DistanceToArrival uint32 number 1609.344
MinutesToArrival O.Navigation.TimeToArrival uint32 number 60
LocatedAtHome O.Navigation.IsAtHome boolean flag
LocatedAtWork O.Navigation.IsAtWork boolean flag
LocatedAtFavorite O.Navigation.IsAtFavourite boolean flag
"""


@dataclass(frozen=True, slots=True)
class Target:
    """A signal that a field gives: its name, the datatype of VSS, the factor to its unit, and how a value is read.

    `plain`: a number times the factor, and nothing else. `place`: 0 the latitude of a place, 1 its longitude.
    """

    signal: str
    type: str
    factor: float
    plain: bool
    place: int | None
    read: Reader


_PLACES = {"latitude": 0, "longitude": 1}


def _targets() -> dict[int, tuple[Target, ...]]:
    found: dict[int, tuple[Target, ...]] = {}
    short = {"B": _B, "M": _M, "O": _O}
    for line in _LINES.split("\n"):
        field, name, kind, reading, *rest = line.split() or [""] * 4
        if not field:
            continue
        first, dot, last = name.partition(".")
        factor = float(rest[0]) if rest else 1.0
        full = short.get(first, first) + dot + last
        target = Target(full, kind, factor, reading == "number", _PLACES.get(reading), reader(reading, kind, factor))
        number = tables.FIELDS.index(field)
        found[number] = (*found.get(number, ()), target)
    return found


TARGETS = _targets()
"""What each field gives, by its number."""

ALERT = f"{_O}.Alert.Name"
ALERT_AUDIENCES = f"{_O}.Alert.Audiences"
ALERT_ENDED = f"{_O}.Alert.Ended"
FAILURE = f"{_O}.Client.Error"
CONNECTED = f"{_O}.Client.IsConnected"
INTERFACE = f"{_O}.Client.NetworkInterface"

OTHERS = {
    ALERT: "string",
    ALERT_AUDIENCES: "string",
    ALERT_ENDED: "string",
    FAILURE: "string",
    CONNECTED: "boolean",
    INTERFACE: "string",
}
"""Signals that alerts, errors and connectivity give, with their types."""

TYPES = {target.signal: target.type for targets in TARGETS.values() for target in targets} | OTHERS
"""Every signal that comes by this door, with its datatype of VSS."""


def fields_of(signal: str) -> tuple[str, ...]:
    """The names of the fields that a car must send for a signal; none where no field gives it."""
    given = [number for number, targets in TARGETS.items() if any(target.signal == signal for target in targets)]
    return tuple(tables.FIELDS[number] for number in sorted(given))
