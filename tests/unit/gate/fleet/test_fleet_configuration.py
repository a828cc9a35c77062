"""A policy as Tesla's cloud takes it: nothing is asked for that gives more than may be sent."""

from onshore.gate.fleet.configuration import configuration
from onshore.gate.fleet.signals import ALERT, ALERT_AUDIENCES, ALERT_ENDED, TARGETS

LATITUDE, LONGITUDE = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"


def line(signals, period=1000, **more):
    return {"ground": "consent", "purpose": "p", "category": "c", "period_ms": period, "signals": signals} | more


def made(*lines):
    return configuration({"collect": list(lines), "until": 90_500}, "gate.example", 8443, "PEM")


def test_a_field_is_asked_for_as_often_and_as_finely_as_the_policy_has_it():
    said = made(line({"Vehicle.Speed": "8 km/h"}, 2500), line({"Vehicle.Speed": "0.1 km/h"}, 60_000))
    assert said["fields"] == {"VehicleSpeed": {"interval_seconds": 3, "minimum_delta": 8 / 1.609344}}
    assert (said["hostname"], said["port"], said["ca"], said["exp"]) == ("gate.example", 8443, "PEM", 90)
    assert said["prefer_typed"] is True
    assert said["alert_types"] == []


def test_a_field_that_gives_more_than_may_be_sent_is_not_asked_for():
    assert made(line({LATITUDE: ""}))["fields"] == {}
    assert set(made(line({LATITUDE: "", LONGITUDE: ""}))["fields"]) == {"Location"}


def test_what_the_law_has_sent_by_another_door_is_not_asked_for():
    assert made(line({"Vehicle.Speed": ""}, door="gb32960"))["fields"] == {}
    assert made(line({"Vehicle.Speed": ""}, door="fleet"))["fields"] == {"VehicleSpeed": {"interval_seconds": 1}}


def test_alerts_come_where_all_that_they_say_may():
    assert made(line({ALERT: "", ALERT_AUDIENCES: ""}))["alert_types"] == []
    assert made(line({ALERT: "", ALERT_AUDIENCES: "", ALERT_ENDED: ""}))["alert_types"] == [
        "customer",
        "service",
        "service_fix",
    ]


def test_a_policy_without_lines_asks_for_nothing():
    assert made()["fields"] == {}
    every = {target.signal: "" for targets in TARGETS.values() for target in targets}
    assert len(made(line(every))["fields"]) == len(TARGETS)
