"""Names and numbers of the stream: its fields, the kinds of a value and the names of what is counted out.

As of firmware 2025.44 (teslamotors/fleet-telemetry at 4767414, protos/*.proto); facts, not code. A number is the place
of its name in the list.
"""

_FIELDS = """
    Unknown DriveRail ChargeState BmsFullchargecomplete VehicleSpeed Odometer PackVoltage PackCurrent Soc DCDCEnable
    Gear IsolationResistance PedalPosition BrakePedal DiStateR DiHeatsinkTR DiAxleSpeedR DiTorquemotor DiStatorTempR
    DiVBatR DiMotorCurrentR Location GpsState GpsHeading NumBrickVoltageMax BrickVoltageMax NumBrickVoltageMin
    BrickVoltageMin NumModuleTempMax ModuleTempMax NumModuleTempMin ModuleTempMin RatedRange Hvil DCChargingEnergyIn
    DCChargingPower ACChargingEnergyIn ACChargingPower ChargeLimitSoc FastChargerPresent EstBatteryRange
    IdealBatteryRange BatteryLevel TimeToFullCharge ScheduledChargingStartTime ScheduledChargingPending
    ScheduledDepartureTime PreconditioningEnabled ScheduledChargingMode ChargeAmps ChargeEnableRequest ChargerPhases
    ChargePortColdWeatherMode ChargeCurrentRequest ChargeCurrentRequestMax BatteryHeaterOn NotEnoughPowerToHeat
    SuperchargerSessionTripPlanner DoorState Locked FdWindow FpWindow RdWindow RpWindow VehicleName SentryMode
    SpeedLimitMode CurrentLimitMph Version TpmsPressureFl TpmsPressureFr TpmsPressureRl TpmsPressureRr
    SemitruckTpmsPressureRe1L0 SemitruckTpmsPressureRe1L1 SemitruckTpmsPressureRe1R0 SemitruckTpmsPressureRe1R1
    SemitruckTpmsPressureRe2L0 SemitruckTpmsPressureRe2L1 SemitruckTpmsPressureRe2R0 SemitruckTpmsPressureRe2R1
    TpmsLastSeenPressureTimeFl TpmsLastSeenPressureTimeFr TpmsLastSeenPressureTimeRl TpmsLastSeenPressureTimeRr
    InsideTemp OutsideTemp SeatHeaterLeft SeatHeaterRight SeatHeaterRearLeft SeatHeaterRearRight SeatHeaterRearCenter
    AutoSeatClimateLeft AutoSeatClimateRight DriverSeatBelt PassengerSeatBelt DriverSeatOccupied
    SemitruckPassengerSeatFoldPosition LateralAcceleration LongitudinalAcceleration Deprecated_2 CruiseSetSpeed
    LifetimeEnergyUsed LifetimeEnergyUsedDrive SemitruckTractorParkBrakeStatus SemitruckTrailerParkBrakeStatus
    BrakePedalPos RouteLastUpdated RouteLine MilesToArrival MinutesToArrival OriginLocation DestinationLocation
    CarType Trim ExteriorColor RoofColor ChargePort ChargePortLatch Experimental_1 Experimental_2 Experimental_3
    Experimental_4 GuestModeEnabled PinToDriveEnabled PairedPhoneKeyAndKeyFobQty CruiseFollowDistance
    AutomaticBlindSpotCamera BlindSpotCollisionWarningChime SpeedLimitWarning ForwardCollisionWarning
    LaneDepartureAvoidance EmergencyLaneDepartureAvoidance AutomaticEmergencyBrakingOff LifetimeEnergyGainedRegen
    DiStateF DiStateREL DiStateRER DiHeatsinkTF DiHeatsinkTREL DiHeatsinkTRER DiAxleSpeedF DiAxleSpeedREL
    DiAxleSpeedRER DiSlaveTorqueCmd DiTorqueActualR DiTorqueActualF DiTorqueActualREL DiTorqueActualRER DiStatorTempF
    DiStatorTempREL DiStatorTempRER DiVBatF DiVBatREL DiVBatRER DiMotorCurrentF DiMotorCurrentREL DiMotorCurrentRER
    EnergyRemaining ServiceMode BMSState GuestModeMobileAccessState Deprecated_1 DestinationName DiInverterTR
    DiInverterTF DiInverterTREL DiInverterTRER Experimental_5 Experimental_6 Experimental_7 Experimental_8
    Experimental_9 Experimental_10 Experimental_11 Experimental_12 Experimental_13 Experimental_14 Experimental_15
    DetailedChargeState CabinOverheatProtectionMode CabinOverheatProtectionTemperatureLimit CenterDisplay
    ChargePortDoorOpen ChargerVoltage ChargingCableType ClimateKeeperMode DefrostForPreconditioning DefrostMode
    EfficiencyPackage EstimatedHoursToChargeTermination EuropeVehicle ExpectedEnergyPercentAtTripArrival
    FastChargerType HomelinkDeviceCount HomelinkNearby HvacACEnabled HvacAutoMode HvacFanSpeed HvacFanStatus
    HvacLeftTemperatureRequest HvacPower HvacRightTemperatureRequest HvacSteeringWheelHeatAuto
    HvacSteeringWheelHeatLevel OffroadLightbarPresent PowershareHoursLeft PowershareInstantaneousPowerKW
    PowershareStatus PowershareStopReason PowershareType RearDisplayHvacEnabled RearSeatHeaters RemoteStartEnabled
    RightHandDrive RouteTrafficMinutesDelay SoftwareUpdateDownloadPercentComplete
    SoftwareUpdateExpectedDurationMinutes SoftwareUpdateInstallationPercentComplete SoftwareUpdateScheduledStartTime
    SoftwareUpdateVersion TonneauOpenPercent TonneauPosition TonneauTentMode TpmsHardWarnings TpmsSoftWarnings
    ValetModeEnabled WheelType WiperHeatEnabled LocatedAtHome LocatedAtWork LocatedAtFavorite SettingDistanceUnit
    SettingTemperatureUnit Setting24HourTime SettingTirePressureUnit SettingChargeUnit ClimateSeatCoolingFrontLeft
    ClimateSeatCoolingFrontRight LightsHazardsActive LightsTurnSignal LightsHighBeams MediaPlaybackStatus
    MediaPlaybackSource MediaAudioVolume MediaNowPlayingDuration MediaNowPlayingElapsed MediaNowPlayingArtist
    MediaNowPlayingTitle MediaNowPlayingAlbum MediaNowPlayingStation MediaAudioVolumeIncrement MediaAudioVolumeMax
    SunroofInstalled SeatVentEnabled RearDefrostEnabled ChargeRateMilePerHour Deprecated_3 MilesSinceReset
    SelfDrivingMilesSinceReset
"""

FIELDS = tuple(_FIELDS.split())
"""The name of a datum's key by its number."""

STRING, INT, LONG, FLOAT, DOUBLE, BOOLEAN, LOCATION, INVALID, DOORS, TIME, TIRES = 1, 2, 3, 4, 5, 6, 7, 10, 21, 31, 39
"""Kinds of a value that are not enumerations, by the number of the value's one field."""

PLAIN = {
    1: "string_value",
    2: "int_value",
    3: "long_value",
    4: "float_value",
    5: "double_value",
    6: "boolean_value",
    7: "location_value",
    10: "invalid",
    21: "door_value",
    31: "time_value",
    39: "tire_location_value",
}
"""Their names in JSON."""

_ENUMS = {
    8: ("charging_value", "ChargeState", "Unknown Disconnected NoPower Starting Charging Complete Stopped"),
    9: ("shift_state_value", "ShiftState", "Unknown Invalid P R N D SNA"),
    11: ("lane_assist_level_value", "LaneAssistLevel", "Unknown None Warning Assist"),
    12: ("scheduled_charging_mode_value", "ScheduledChargingMode", "Unknown Off StartAt DepartBy"),
    13: ("sentry_mode_state_value", "SentryModeState", "Unknown Off Idle Armed Aware Panic Quiet"),
    14: ("speed_assist_level_value", "SpeedAssistLevel", "Unknown None Display Chime"),
    15: ("bms_state_value", "BMSState", "Unknown Standby Drive Support Charge FEIM ClearFault Fault Weld Test SNA"),
    16: ("buckle_status_value", "BuckleStatus", "Unknown Unlatched Latched Faulted"),
    17: ("car_type_value", "CarType", "Unknown ModelS ModelX Model3 ModelY SemiTruck Cybertruck"),
    18: ("charge_port_value", "ChargePort", "Unknown US EU GB CCS"),
    19: ("charge_port_latch_value", "ChargePortLatch", "Unknown SNA Disengaged Engaged Blocking"),
    22: ("drive_inverter_state_value", "DriveInverterState", "Unknown Unavailable Standby Fault Abort Enable"),
    23: ("hvil_status_value", "HvilStatus", "Unknown Fault OK"),
    24: ("window_state_value", "WindowState", "Unknown Closed PartiallyOpen Opened"),
    25: ("seat_fold_position_value", "SeatFoldPosition", "Unknown SNA Faulted NotConfigured Folded Unfolded"),
    26: (
        "tractor_air_status_value",
        "TractorAirStatus",
        "Unknown NotAvailable Error Charged BuildingPressureIntermediate ExhaustingPressureIntermediate Exhausted",
    ),
    27: ("follow_distance_value", "FollowDistance", "Unknown 1 2 3 4 5 6 7"),
    28: ("forward_collision_sensitivity_value", "ForwardCollisionSensitivity", "Unknown Off Late Average Early"),
    29: (
        "guest_mode_mobile_access_value",
        "GuestModeMobileAccess",
        (
            "Unknown Init NotAuthenticated Authenticated AbortedDriving AbortedUsingRemoteStart AbortedUsingBLEKeys "
            "AbortedValetMode AbortedGuestModeOff AbortedDriveAuthTimeExceeded AbortedNoDataReceived "
            "RequestingFromMothership RequestingFromAuthD AbortedFetchFailed AbortedBadDataReceived ShowingQRCode "
            "SwipedAway DismissedQRCodeExpired SucceededPairedNewBLEKey"
        ),
    ),
    30: (
        "trailer_air_status_value",
        "TrailerAirStatus",
        "Unknown SNA Invalid BobtailMode Charged BuildingPressureIntermediate ExhaustingPressureIntermediate Exhausted",
    ),
    32: (
        "detailed_charge_state_value",
        "DetailedChargeState",
        "Unknown Disconnected NoPower Starting Charging Complete Stopped",
    ),
    33: ("hvac_auto_mode_value", "HvacAutoModeState", "Unknown On Override"),
    34: ("cabin_overheat_protection_mode_value", "CabinOverheatProtectionModeState", "Unknown Off On FanOnly"),
    35: (
        "cabin_overheat_protection_temperature_limit_value",
        "ClimateOverheatProtectionTempLimit",
        "Unknown High Medium Low",
    ),
    36: ("defrost_mode_value", "DefrostModeState", "Unknown Off Normal Max AutoDefog"),
    37: ("climate_keeper_mode_value", "ClimateKeeperModeState", "Unknown Off On Dog Party"),
    38: ("hvac_power_value", "HvacPowerState", "Unknown Off On Precondition OverheatProtect"),
    40: (
        "fast_charger_value",
        "FastCharger",
        "Unknown Supercharger CHAdeMO GB ACSingleWireCAN Combo MCSingleWireCAN Other SNA",
    ),
    41: ("cable_type_value", "CableType", "Unknown IEC SAE GB_AC GB_DC SNA"),
    42: ("tonneau_tent_mode_value", "TonneauTentModeState", "Unknown Inactive Moving Failed Active"),
    43: ("tonneau_position_value", "TonneauPositionState", "Unknown Invalid Closed PartiallyOpen FullyOpen"),
    44: ("powershare_type_value", "PowershareTypeStatus", "Unknown None Load Home"),
    45: (
        "powershare_state_value",
        "PowershareState",
        "Unknown Inactive Handshaking Init Enabled EnabledReconnectingSoon Stopped",
    ),
    46: (
        "powershare_stop_reason_value",
        "PowershareStopReasonStatus",
        "Unknown None SOCTooLow Retry Fault User Reconnecting Authentication",
    ),
    47: (
        "display_state_value",
        "DisplayState",
        "Unknown Off Dim Accessory On Driving Charging Lock Sentry Dog Entertainment",
    ),
    48: ("distance_unit_value", "DistanceUnit", "Unknown Miles Kilometers"),
    49: ("temperature_unit_value", "TemperatureUnit", "Unknown Fahrenheit Celsius"),
    50: ("pressure_unit_value", "PressureUnit", "Unknown Psi Bar"),
    51: ("charge_unit_preference_value", "ChargeUnit", "Unknown Distance Percent"),
    52: ("turn_signal_state_value", "TurnSignalState", "Unknown Off Left Right Both"),
    53: ("media_status_value", "MediaStatus", "Unknown Stopped Playing Paused"),
    54: ("sunroof_installed_state_value", "SunroofInstalledState", "Unknown NotInstalled Gen1Installed Gen2Installed"),
}

ENUM_FIELDS = {number: name for number, (name, _, _) in _ENUMS.items()}
"""The name in JSON of each kind of value that is an enumeration."""

ENUMS = {number: tuple(names.split()) for number, (_, _, names) in _ENUMS.items()}
"""What the enumeration of a kind counts out, without the prefix that all of its names share."""

PREFIXES = {number: prefix for number, (_, prefix, _) in _ENUMS.items()}
"""That prefix: what JSON puts before each of the names."""

DOOR_NAMES = ("DriverFront", "DriverRear", "PassengerFront", "PassengerRear", "TrunkFront", "TrunkRear")
TIME_NAMES = ("hour", "minute", "second")
TIRE_NAMES = (
    "front_left",
    "front_right",
    "rear_left",
    "rear_right",
    "semi_middle_axle_left_2",
    "semi_middle_axle_right_2",
    "semi_rear_axle_left",
    "semi_rear_axle_right",
    "semi_rear_axle_left_2",
    "semi_rear_axle_right_2",
)
"""Fields of the three small messages that a value may be, in the order of their numbers from 1."""

AUDIENCES = ("Unknown", "Customer", "Service", "ServiceFix")
CONNECTIVITY = ("UNKNOWN", "CONNECTED", "DISCONNECTED")
