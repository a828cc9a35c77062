"""The table of fields and signals agrees with the catalogue, and with the names of the stream."""

import pytest

from law import catalogue
from onshore.gate.fleet import signals, tables
from onshore.gate.fleet.columns import ARROW
from onshore.gate.fleet.values import LIMITS

TRACK = ("Location", "OriginLocation", "DestinationLocation", "DestinationName", "LocatedAtHome", "GpsHeading")
DRIVING = ("VehicleSpeed", "PedalPosition", "BrakePedal", "Gear", "CruiseSetSpeed", "DriverSeatBelt")


def test_every_signal_is_in_the_catalogue_with_its_type():
    known = catalogue()
    assert [name for name in signals.TYPES if name not in known] == []
    assert {n: t for n, t in signals.TYPES.items() if ARROW[t] != known[n].arrow} == {}


def test_numbers_fit_their_types():
    for targets in signals.TARGETS.values():
        for target in targets:
            assert not target.plain or target.type in LIMITS


def test_names_and_numbers():
    assert len(tables.FIELDS) == 260
    at = {"Unknown": 0, "VehicleSpeed": 4, "Location": 21, "Semitruck": None, "SelfDrivingMilesSinceReset": 259}
    assert {name: tables.FIELDS.index(name) if name in tables.FIELDS else None for name in at} == at
    assert len(set(tables.FIELDS)) == 260
    assert len(tables.ENUMS) == 42
    assert not set(tables.ENUMS) & set(tables.PLAIN)


@pytest.mark.parametrize(("fields", "category"), [(TRACK, "track"), (DRIVING, "driving-behaviour")])
def test_what_fields_count_as(fields, category):
    known = catalogue()
    given = [target.signal for field in fields for target in signals.TARGETS[tables.FIELDS.index(field)]]
    assert {known[name].category for name in given} == {category}
    assert known["Vehicle.Onshore.VehicleName"].category == "identity"


def test_the_fields_that_give_a_signal():
    assert signals.fields_of("Vehicle.Speed") == ("VehicleSpeed",)
    assert signals.fields_of("Vehicle.Onshore.Charging.State") == ("ChargeState", "DetailedChargeState")
    assert signals.fields_of("Vehicle.CurrentLocation.Latitude") == ("Location",)
    assert signals.fields_of("Vehicle.Driver.HeartRate") == ()


def test_what_people_listen_to_is_in_no_signal():
    given = {tables.FIELDS[number] for number in signals.TARGETS}
    assert not {name for name in given if name.startswith(("Media", "Setting", "Experimental", "Deprecated"))}
