"""The reference decoder reads what the encoder wrote."""

from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960 import tables as t

CODES = (None, "abnormal")
vins = st.text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", min_size=1, max_size=17)
text = st.text("ABCXYZ0123456789", min_size=1)
hexes = st.binary(max_size=12).map(bytes.hex)
instants = st.integers(946656000, 4102415999).map(lambda s: s * 1000)


def value(field):
    """Any value of a field: a number, a word, a code."""
    top = 256**field.size - (2 if field.codes else 0)
    raw = st.integers(0, top - 1).filter(lambda r: r not in field.words)
    scaled = raw.map(lambda r: (r - field.zero) / field.per if field.per > 1 else r - field.zero)
    some = [scaled, st.sampled_from(tuple(field.words.values()))] if field.words else [scaled]
    return st.one_of(*some, st.sampled_from(CODES)) if field.codes else st.one_of(*some)


def fields(table):
    return st.fixed_dictionaries({f.name: gears if f is t.GEAR else value(f) for f in table})


def several(item, most=4):
    return st.one_of(st.lists(item, max_size=most), st.sampled_from(CODES))


def merged(*parts):
    return st.tuples(*parts).map(lambda dicts: {k: v for d in dicts for k, v in d.items()})


gears = st.fixed_dictionaries(
    {
        "position": st.sampled_from(("N", "R", "D", "P", *map(str, range(1, 13)))),
        "braking": st.booleans(),
        "driving": st.booleans(),
    }
)
degree = value(t.DEGREES)
positions = st.fixed_dictionaries(
    {
        "valid": st.booleans(),
        "longitude": st.one_of(st.integers(-180_000_000, 180_000_000).map(lambda n: n / 1e6), st.sampled_from(CODES)),
        "latitude": st.integers(-90_000_000, 90_000_000).map(lambda n: n / 1e6),
    }
)
alarms = merged(
    st.fixed_dictionaries({"max_level": value(t.ALARM_FIELDS[0])}),
    st.integers(0, 2**32 - 3).map(
        lambda n: {
            "flags_raw": n,
            "flags": [t.ALARM_BITS[i] if i < len(t.ALARM_BITS) else f"reserved_{i}" for i in range(32) if n >> i & 1],
        }
    ),
    st.fixed_dictionaries({f: several(st.binary(min_size=4, max_size=4).map(bytes.hex)) for f in t.FAULTS}),
)
UNITS = {
    "vehicle": fields(t.VEHICLE_FIELDS),
    "motors": several(fields(t.MOTOR_FIELDS)),
    "fuel_cell": merged(
        fields(t.FUEL_CELL_FIELDS),
        st.fixed_dictionaries({"probe_temps_c": several(degree)}),
        fields(t.HYDROGEN_FIELDS),
    ),
    "engine": fields(t.ENGINE_FIELDS),
    "position": positions,
    "extremes": fields(t.EXTREME_FIELDS),
    "alarms": alarms,
    "voltages": several(merged(fields(t.PACK_FIELDS), st.fixed_dictionaries({"cell_v": several(value(t.CELL))}))),
    "temperatures": several(merged(fields(t.PROBES), st.fixed_dictionaries({"probe_c": several(degree)}))),
}


@given(vins, instants, st.data(), st.booleans())
def test_real_time_data(vin, at, data, resend):
    names = data.draw(st.lists(st.sampled_from(sorted(UNITS)), unique=True))
    units = {name: data.draw(UNITS[name]) for name in names}
    said = reference.decode(encode.realtime(vin.encode(), at, units, resend=resend))
    assert (said["command"], said["vin"]) == ("resend" if resend else "realtime", vin)
    assert [(u["type"], u["data"]) for u in said["body"]["units"]] == list(units.items())
    assert encode.encode(said) == encode.realtime(vin.encode(), at, units, resend=resend)


@given(vins, instants, st.integers(0, 65535), text.filter(lambda s: len(s) <= 20), st.data())
def test_login(vin, at, serial, iccid, data):
    length = data.draw(st.integers(1, 50))
    codes = data.draw(st.lists(st.text("AB01", min_size=length, max_size=length), min_size=1, max_size=9))
    body = reference.decode(encode.login(vin.encode(), at, serial, iccid, codes))["body"]
    assert (body["serial"], body["iccid"], body["codes"]) == (serial, iccid, codes)
    assert (body["subsystems"], body["code_length"]) == (len(codes), length)


@given(
    st.sampled_from(sorted(t.COMMANDS.values())),
    vins,
    st.sampled_from(("ok", "error", "vin_duplicate")),
    hexes,
    instants,
)
def test_replies(command, vin, ack, rest, at):
    when = reference.decode(encode.logout(b"X", at, 0))["body"]["time"]
    said = {
        "version": 2016,
        "command": command,
        "ack": ack,
        "vin": vin,
        "encryption": "none",
        "body": {"time": when, "rest": rest},
    }
    assert reference.decode(encode.encode(said)) == said
