"""The reference decoder reads what the encoder wrote."""

from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.gb32960 import encode, reference
from onshore.gate.gb32960 import tables as t
from onshore.gate.gb32960 import tables_2025 as t25

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
    kinds = {id(t.GEAR): gears, id(t25.GEAR): gears_2025}
    return st.fixed_dictionaries({f.name: kinds[id(f)] if id(f) in kinds else value(f) for f in table})


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
gears_2025 = merged(gears, st.fixed_dictionaries({"valid": st.booleans()}))
degree = value(t.DEGREES)
positions = st.fixed_dictionaries(
    {
        "valid": st.booleans(),
        "longitude": st.one_of(st.integers(-180_000_000, 180_000_000).map(lambda n: n / 1e6), st.sampled_from(CODES)),
        "latitude": st.integers(-90_000_000, 90_000_000).map(lambda n: n / 1e6),
    }
)


def named(bit, bits):
    return bits[bit] if bit < len(bits) else f"reserved_{bit}"


def alarms_of(bits):
    return merged(
        st.fixed_dictionaries({"max_level": value(t.ALARM_FIELDS[0])}),
        st.integers(0, 2**32 - 3).map(
            lambda n: {"flags_raw": n, "flags": [named(i, bits) for i in range(32) if n >> i & 1]}
        ),
        st.fixed_dictionaries({f: several(st.binary(min_size=4, max_size=4).map(bytes.hex)) for f in t.FAULTS}),
    )


alarms = alarms_of(t.ALARM_BITS)
levels = st.fixed_dictionaries(
    {"alarm": st.integers(0, 255).map(lambda bit: named(bit, t25.ALARM_BITS)), "level": value(t.Field("level", 1))}
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


cells, probes = several(value(t.CELL)), several(degree)
UNITS_2025 = {
    "vehicle": fields(t25.VEHICLE_FIELDS),
    "motors": several(fields(t25.MOTOR_FIELDS)),
    "fuel_cell": fields(t25.HYDROGEN_FIELDS),
    "engine": fields(t25.ENGINE_FIELDS),
    "position": merged(positions, fields((t25.DATUM,))),
    "alarms": merged(alarms_of(t25.ALARM_BITS), st.fixed_dictionaries({"levels": several(levels)})),
    "voltages": several(merged(fields(t25.PACK_FIELDS), st.fixed_dictionaries({"cell_v": cells}))),
    "temperatures": UNITS["temperatures"],
    "fuel_cell_stacks": several(merged(fields(t25.STACK_FIELDS), st.fixed_dictionaries({"coolant_temps_c": probes}))),
    "supercapacitor": merged(fields(t25.CAPACITOR_FIELDS), st.fixed_dictionaries({"cell_v": cells, "probe_c": probes})),
    "supercapacitor_extremes": fields(t25.CAPACITOR_EXTREME_FIELDS),
}
signed = st.one_of(st.none(), st.tuples(st.integers(1, 3), st.binary(max_size=40), st.binary(max_size=40)))


@given(vins, instants, st.data(), signed)
def test_real_time_data_of_2025(vin, at, data, signature):
    names = data.draw(st.lists(st.sampled_from(sorted(UNITS_2025)), unique=True))
    units = {name: data.draw(UNITS_2025[name]) for name in names}
    sign = None if signature is None else lambda _: signature
    sent = encode.realtime(vin.encode(), at, units, edition=2025, sign=sign)
    said = reference.decode(sent)
    assert (said["version"], said["vin"]) == (2025, vin)
    assert [(u["type"], u["data"]) for u in said["body"]["units"]] == list(units.items())
    found = said["body"]["signature"]
    assert (found is None) == (signature is None)
    assert found is None or (found["r"], found["s"]) == (signature[1].hex(), signature[2].hex())
    assert encode.encode(said) == sent


@given(
    vins,
    instants,
    st.sampled_from((3, 5)),
    st.binary(max_size=40),
    st.lists(st.lists(text.filter(lambda s: len(s) <= 24), max_size=3), max_size=3),
)
def test_small_bodies_of_2025(vin, at, encryption, key, packs):
    when = reference.decode(encode.logout(b"X", at, 0))["body"]["time"]
    login = reference.decode(encode.login_2025(vin.encode(), at, 7, "89860", packs))
    assert (login["body"]["codes"], login["body"]["packs_per_bms"]) == (packs, [len(p) for p in packs])
    assert reference.decode(encode.encode(login)) == login
    exchange = {"encryption": t25.ENCRYPTIONS[encryption], "key": key.hex(), "start": when, "until": when}
    said = {**login, "command": "key_exchange", "body": exchange}
    assert reference.decode(encode.encode(said)) == said


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
