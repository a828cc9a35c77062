"""Payloads read plainly: as JSON, as rows, and what is refused."""

import math

import pytest

from onshore.gate.fleet import encode, observed, reference, said, signals
from onshore.gate.fleet.wire import fields, put, put_varint, varint
from onshore.words.errors import Malformed

AT, TIME = 1_767_225_600_123, "2026-01-01T00:00:00.123Z"
TEXTS = {"name": "FleetClient", "tags": {"a": "b"}, "body": "free text", "created_at": TIME}


def of(**values):
    """A payload of fields, each with the one value that is given."""
    data = [{"key": key, "value": {kind: raw}} for key, (kind, raw) in values.items()]
    return encode.payload({"data": data, "created_at": AT})


def test_what_is_written_is_read_back():
    told = {
        "data": [
            {"key": "VehicleSpeed", "value": {"int_value": -3}},
            {"key": "Soc", "value": {"long_value": "9007199254740993"}},
            {"key": "PackVoltage", "value": {"float_value": 0.1}},
            {"key": "Location", "value": {"location_value": {"longitude": 121.5}}},
            {"key": "TpmsHardWarnings", "value": {"tire_location_value": {"rear_left": True}}},
            {"key": "ScheduledDepartureTime", "value": {"time_value": {"hour": 7, "minute": 30}}},
            {"key": "Gear", "value": {"shift_state_value": 99}},
            {"value": {"string_value": "nobody's"}},
            {"key": 9999, "value": {"boolean_value": False}},
            {"key": "Odometer"},
        ],
        "created_at": "2026-01-01T00:00:00Z",
        "vin": "whoever",
        "is_resend": True,
    }
    assert said.payload("V", encode.payload(told)) == told


def test_numbers_that_json_has_not():
    for number, text in ((math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")):
        [datum] = said.payload("V", of(Soc=("double_value", number)))["data"]
        assert datum["value"] == {"double_value": text}


def test_alerts_and_errors_and_connectivity():
    alerts = {
        "alerts": [{"name": "a", "audiences": ["Service"], "started_at": TIME, "ended_at": TIME}],
        "created_at": TIME,
    }
    assert said.payload("alerts", encode.alerts(alerts)) == alerts
    errors = {"errors": [TEXTS, {"name": "other"}], "created_at": TIME}
    assert said.payload("errors", encode.errors(errors)) == errors
    came = put(1, "v") + put(2, "c-1") + put(3, 7) + put(4, encode.instant(AT)) + put(5, "wifi") + put(9, 1)
    assert said.payload("connectivity", came) == {
        "vin": "v",
        "connection_id": "c-1",
        "status": 7,
        "created_at": TIME,
        "network_interface": "wifi",
    }
    assert said.payload("V", b"") == said.payload("alerts", b"") == said.payload("errors", b"") == {}
    assert said.payload("connectivity", b"") == {}
    assert said.payload("other", b"\xff") is None


def test_parts_of_alerts_and_errors_that_are_something_else():
    one = put(1, "a") + put(2, 2) + put(2, b"\x01\x63") + put(3, 5) + put(9, 9)
    [alert] = reference.alerts(put(1, one) + put(3, "vin") + put(1, 5) + put(9, b"")).alerts
    assert (alert.name, alert.audiences, alert.started) == ("a", [2, 1, 99], None)
    one = put(3, put(2, "only a value") + put(3, "")) + put(2, 5) + put(9, "")
    [failure] = reference.failures(put(1, one)).failures
    assert (failure.name, failure.tags) == ("", {"": "only a value"})


@pytest.mark.parametrize("times", [(-1, 0), (0, -1), (253_402_300_800, 0), (-62_135_596_801, 0), (0, 1_000_000_000)])
def test_times_that_are_none(times):
    payload = put(2, put(1, times[0]) + put(2, times[1]))
    if times == (-1, 0):
        assert said.payload("V", payload) == {"created_at": "1969-12-31T23:59:59Z"}
        return
    assert said.payload("V", payload) == {"created_at": {"seconds": str(times[0]), "nanos": times[1]}}
    with pytest.raises(Malformed, match="a time beyond the years 1 to 9999"):
        observed.observe("V", payload, 0)


def test_digits_of_a_second():
    for nanos, digits in ((0, ""), (120_000_000, ".120"), (1_000, ".000001"), (1, ".000000001")):
        assert said.payload("V", put(2, put(2, nanos))) == {"created_at": f"1970-01-01T00:00:00{digits}Z"}


def rows(topic, data):
    return observed.observe(topic, data, 77).rows


def test_alerts_as_rows():
    told = {
        "alerts": [
            {"name": "one", "audiences": ["Customer", "Unknown", "Customer"], "started_at": TIME, "ended_at": TIME},
            {"name": "two"},
            {"name": ""},
            {"name": "x" * 257},
        ],
        "created_at": "2026-01-02T00:00:00Z",
    }
    found = observed.observe("alerts", encode.alerts(told), 77)
    first = {signals.ALERT: "one", signals.ALERT_AUDIENCES: "Customer", signals.ALERT_ENDED: TIME}
    assert found.rows == [(AT, first), (1_767_312_000_000, {signals.ALERT: "two"})]
    assert (found.timed, found.unreadable) == (True, 2)
    assert rows("alerts", encode.alerts({"alerts": [{"name": "two"}]})) == [(77, {signals.ALERT: "two"})]


def test_alerts_whose_seconds_are_milliseconds():
    started = put(3, put(1, AT))
    assert rows("alerts", put(1, put(1, "one") + started)) == [(AT, {signals.ALERT: "one"})]


def test_errors_as_rows_without_what_they_say():
    found = observed.observe("errors", encode.errors({"errors": [TEXTS, {"name": ""}], "created_at": TIME}), 77)
    assert found.rows == [(AT, {signals.FAILURE: "FleetClient"})]
    assert (found.timed, found.unknown, found.unreadable) == (True, 2, 1)
    assert not observed.observe("errors", b"", 77).timed


def test_of_connectivity_a_car_has_nothing_to_say():
    assert rows("connectivity", put(3, 1)) == rows("other", b"\xff") == []


def values(**given):
    [(at, found)] = rows("V", of(**given))
    assert at == AT
    return found


@pytest.mark.parametrize(
    ("field", "kind", "raw", "wanted"),
    [
        ("VehicleSpeed", "string_value", "1e1", 16.09344),
        ("VehicleSpeed", "int_value", 10, 16.09344),
        ("CurrentLimitMph", "long_value", "10", 16.09344),
        ("TpmsPressureFl", "float_value", 2.5, 250),
        ("MinutesToArrival", "double_value", 1.5, 90),
        ("Gear", "string_value", "ShiftStateR", -1),
        ("Gear", "shift_state_value", 4, 0),
        ("CruiseFollowDistance", "follow_distance_value", 3, 3),
        ("DriverSeatBelt", "buckle_status_value", 2, True),
        ("DriverSeatBelt", "string_value", "BuckleStatusUnlatched", False),
        ("FdWindow", "window_state_value", 2, True),
        ("DriverSeatOccupied", "boolean_value", True, "OCCUPIED"),
        ("DriverSeatOccupied", "string_value", "FALSE", "EMPTY"),
        ("SentryMode", "sentry_mode_state_value", 3, "Armed"),
        ("ChargeState", "charging_value", 4, "Charging"),
        ("ScheduledDepartureTime", "time_value", {"hour": 7, "minute": 30, "second": 1}, 27_001),
        ("Version", "string_value", "2025.44", "2025.44"),
        ("Locked", "string_value", "true", True),
    ],
)
def test_a_value_in_the_words_of_the_catalogue(field, kind, raw, wanted):
    [found] = values(**{field: (kind, raw)}).values()
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("field", "kind", "raw"),
    [
        ("VehicleSpeed", "string_value", "fast"),
        ("VehicleSpeed", "boolean_value", True),
        ("VehicleSpeed", "double_value", math.nan),
        ("VehicleSpeed", "double_value", 1e39),
        ("TpmsPressureFl", "double_value", 656.0),
        ("TpmsPressureFl", "double_value", -0.006),
        ("TpmsPressureFl", "double_value", math.nan),
        ("PedalPosition", "double_value", 255.5),
        ("Gear", "shift_state_value", 99),
        ("Gear", "shift_state_value", 1),
        ("Gear", "window_state_value", 2),
        ("Gear", "string_value", "upwards"),
        ("DriverSeatBelt", "buckle_status_value", 3),
        ("DriverSeatOccupied", "int_value", 1),
        ("ScheduledDepartureTime", "time_value", {"hour": 24}),
        ("ScheduledDepartureTime", "string_value", "07:30"),
        ("Version", "string_value", "x" * 257),
        ("Version", "string_value", ""),
        ("Version", "int_value", 7),
        ("Locked", "string_value", "perhaps"),
        ("Locked", "int_value", 1),
    ],
)
def test_a_value_that_means_nothing(field, kind, raw):
    found = observed.observe("V", of(**{field: (kind, raw)}), 0)
    assert (found.rows, found.unreadable) == ([], 1)


@pytest.mark.parametrize("place", ["(91.0 N, 0.0 E)", "(0.0 N, 181.0 W)", "(1 N 2 E)", "(1,5 N, 2 E)", "somewhere"])
def test_a_place_that_is_none(place):
    found = observed.observe("V", of(Location=("string_value", place)), 0)
    assert (found.rows, found.unreadable) == ([], 2)
    assert observed.observe("V", of(Location=("boolean_value", True)), 0).unreadable == 2


def test_places_in_all_quarters():
    for text, wanted in (("(1.5 N, 2.5 W)", [1.5, -2.5]), ("(1.5 S, 2.5 E)", [-1.5, 2.5]), ("(-1 N, 2 E)", [-1, 2])):
        assert list(values(OriginLocation=("string_value", text)).values()) == wanted


def test_places_with_types():
    half = put(1, 31.5) + put(3, 7) + put(1, 5) + put(2, 121.5)
    odd = put(1, put(1, 111) + put(9, 1) + put(2, put(7, half) + put(60, 1)) + put(2, 5))
    [(_, found)] = observed.observe("V", odd, 0).rows
    assert list(found.values()) == [31.5, 121.5]
    assert list(values(OriginLocation=("location_value", {"latitude": -1.5})).values()) == [-1.5, 0]
    assert observed.observe("V", of(Location=("location_value", {"latitude": math.nan})), 0).unreadable == 2


def test_doors_and_tires():
    doors = values(DoorState=("string_value", "DriverRear|TrunkFront"))
    assert sum(doors.values()) == 2
    assert doors["Vehicle.Cabin.Door.Row2.DriverSide.IsOpen"]
    for kind, raw in (("string_value", "Roof"), ("int_value", 1)):
        assert observed.observe("V", of(DoorState=(kind, raw)), 0).unreadable == 6
    tires = values(TpmsHardWarnings=("tire_location_value", {"front_left": True}))
    assert [name for name, low in tires.items() if low] == ["Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.IsPressureLow"]
    assert observed.observe("V", of(TpmsHardWarnings=("int_value", 1)), 0).unreadable == 4


def test_the_last_value_counts_and_an_invalid_one_is_none():
    twice = of(Soc=("double_value", 1.0)) + of(Soc=("double_value", 2.0))
    assert rows("V", twice) == [(AT, {"Vehicle.Powertrain.TractionBattery.StateOfCharge.Current": 2.0})]
    assert rows("V", twice + of(Soc=("invalid", True))) == []


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x0a", "incomplete"),
        (b"\x0a\x05", "incomplete"),
        (b"\x0d\0", "incomplete"),
        (b"\x00\x01", "no field has this number"),
        (b"\x0b", "groups are not read"),
        (b"\x20" + b"\xff" * 10 + b"\x01", "a number of more than 10 bytes"),
        (put(3, b"\xff"), "a text is not UTF-8"),
        (put(1, b"") * (reference.MAX_DATA + 1), "too many data"),
    ],
)
def test_what_is_no_payload(data, what):
    with pytest.raises(Malformed) as bad:
        reference.payload(data)
    assert bad.value.what == f"bad protobuf: {what}"


def test_too_many_alerts():
    with pytest.raises(Malformed, match="too many data"):
        reference.alerts(put(1, b"") * (reference.MAX_DATA + 1))


def test_numbers_of_variable_length():
    for number in (0, 1, 127, 128, 1 << 32, (1 << 64) - 1):
        assert varint(put_varint(number), 0) == (number, len(put_varint(number)))
    assert varint(b"\xff" * 9 + b"\x7f", 0) == ((1 << 64) - 1, 10)


PARTS = 2000
SHORT = put(1, 5)
IN_PARTS = {
    "when": ("V", put(2, SHORT) * PARTS),
    "a value": ("V", put(1, put(1, 21) + put(2, put(1, "x")) * PARTS)),
    "a place": ("V", put(1, put(1, 21) + put(2, put(7, put(1, 1.0)) * PARTS))),
    "doors": ("V", put(1, put(1, 57) + put(2, put(21, SHORT) * PARTS))),
    "alerts' when": ("alerts", put(2, SHORT) * PARTS),
    "began": ("alerts", put(1, put(1, "a") + put(3, SHORT) * PARTS)),
    "ended": ("alerts", put(1, put(1, "a") + put(4, SHORT) * PARTS)),
    "failed": ("errors", put(1, put(2, "a") + put(1, SHORT) * PARTS)),
    "came": ("connectivity", put(4, SHORT) * PARTS),
}


@pytest.mark.parametrize(("topic", "data"), IN_PARTS.values(), ids=IN_PARTS)
def test_a_message_in_many_parts_costs_no_more_than_its_bytes(topic, data, monkeypatch):
    read = []

    def counted(part):
        read.append(len(part))
        return fields(part)

    monkeypatch.setattr(reference, "fields", counted)
    said.payload(topic, data)
    assert sum(read) <= 4 * len(data)


def test_parts_of_a_message_are_merged():
    halves = put(2, put(7, put(1, 31.5)) + put(7, put(2, 121.5)))
    apart = put(2, put(7, put(1, 31.5))) + put(2, put(7, put(2, 121.5)))
    other = put(2, put(7, put(1, 31.5)) + put(1, "x") + put(7, put(2, 121.5)))
    assert [reference.datum(put(1, 21) + one)[2] for one in (halves, apart, other)] == [(31.5, 121.5)] * 2 + [
        (0, 121.5)
    ]
    times = put(2, put(31, put(1, 7)) + put(31, put(3, 9)))
    assert reference.datum(times)[2] == (7, 0, 9)
    assert reference.payload(put(2, put(1, 5)) + put(2, put(2, 7_000_000))).created == (5, 7_000_000)


@pytest.mark.parametrize("text", ["of Anna Ying", "LTEST000000000017", "x-ltest000000000017", "上海", "a\nb", "x" * 65])
def test_free_text_where_a_name_should_be_is_not_kept(text):
    for topic, data in (
        ("alerts", encode.alerts({"alerts": [{"name": text}]})),
        ("errors", encode.errors({"errors": [{"name": text}]})),
    ):
        found = observed.observe(topic, data, 0)
        assert (found.rows, found.unreadable) == ([], 1)
    for field in ("Version", "SoftwareUpdateVersion", "Trim", "ExteriorColor"):
        assert rows("V", of(**{field: ("string_value", f"1 {text}")})) == []


def test_names_that_makers_give():
    names = ("VCFRONT_a180", "UI_a137_homelinkUnavailable", "FleetClient", "dns:lookup/failed")
    assert [row[1][signals.ALERT] for one in names for row in rows("alerts", put(1, put(1, one)))] == list(names)
    assert list(values(Version=("string_value", "2025.44.25.3 0a1b2c3d4e5f")).values()) == ["2025.44.25.3 0a1b2c3d4e5f"]
    assert rows("V", of(Version=("float_value", 2025.44))) == []
