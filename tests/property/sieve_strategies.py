"""Batches, consents and questions for the sieve, small enough that every boundary and every reason is met."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from onshore.consent.changes import replaced
from onshore.consent.columns import Consents, compile_consents
from onshore.consent.records import records_of
from onshore.consent.reference import reference_sieve
from onshore.consent.sieve import sieve
from onshore.consent.zones import Zones
from onshore.words.batch import BASE, DOOR, TIME, categories, purposes_column, signals
from onshore.words.consent import Consent
from onshore.words.errors import Malformed
from onshore.words.place import LATITUDE, LONGITUDE, NOWHERE, ROW_DATUM, Zone
from onshore.words.rulebook import Rulebook
from onshore.words.tally import Sieved
from onshore.words.use import Use

PURPOSES = ("statutory-monitoring", "driving-safety", "repair", "insurance")
ANYONE: frozenset[str] = frozenset()

TYPES = {
    "Speed": pa.float32(),
    "Odometer": pa.uint16(),
    "Latitude": pa.float64(),
    "Open": pa.bool_(),
    "Cells": pa.binary(),
    "Route": pa.string(),
    "Gaze": pa.dictionary(pa.int32(), pa.string()),
    "Pulse": pa.uint8(),
    "Secret": pa.int32(),
    LONGITUDE: pa.float64(),
    LATITUDE: pa.float64(),
    ROW_DATUM: pa.uint8(),
    "Goal.Longitude": pa.float64(),
    "Goal.Latitude": pa.float64(),
    "Goal.Name": pa.string(),
}
POOL = {
    "Speed": [1.5, -2.0, 0.0, float("nan"), float("inf")],
    "Odometer": [0, 7, 65535],
    "Latitude": [31.2, -0.0],
    "Open": [True, False],
    "Cells": [b"", b"\x01\x02\x03", b"\xff"],
    "Route": ["", "home", "a longer way"],
    "Gaze": ["left", "right", "ahead"],
    "Pulse": [60, 255],
    "Secret": [42, -1],
    LONGITUDE: [8.1, 8.1, 8.25, 8.26, 9.0, float("nan")],
    LATITUDE: [50.1, 50.1, 50.1, 51.0, 91.0],
    ROW_DATUM: [0, 1, 1, 2, 3, 255],
    "Goal.Longitude": [8.1, 9.0, 9.0, float("inf")],
    "Goal.Latitude": [50.1, 50.1, 51.0],
    "Goal.Name": ["yard", "home"],
}
SQUARE = ((8.0, 50.0), (8.25, 50.0), (8.25, 50.25), (8.0, 50.25), (8.0, 50.0))
ZONE = Zone("yard", "military", "WGS-84", 100, ((SQUARE,),))
LISTED = frozenset({"Speed", "Latitude", "Cells", "Secret", LATITUDE})
BOOK = Rulebook(
    pack="cn/test",
    digest="",
    category={
        "Speed": "vehicle-operation",
        "Odometer": "vehicle-operation",
        "Open": "vehicle-operation",
        "Cells": "vehicle-operation",
        "Latitude": "track",
        "Route": "track",
        LONGITUDE: "track",
        LATITUDE: "track",
        ROW_DATUM: "track",
        "Goal.Longitude": "track",
        "Goal.Latitude": "track",
        "Goal.Name": "track",
        "Gaze": "biometric",
        "Pulse": "biometric",
    },
    statutory={"gb32960": LISTED, "gb32960-2025": LISTED},
    separate=frozenset({"track", "biometric"}),
    only_for={"biometric": frozenset({"driving-safety", "fatigue"})},
    zoned=frozenset({"track", "biometric"}),
    places=dict.fromkeys(("Goal.Longitude", "Goal.Latitude", "Goal.Name"), "goal")
    | {"Latitude": NOWHERE, "Route": "route"},
)
LAST = 9
"""Instants run from 0 to LAST, so that two are often equal."""


class Case(NamedTuple):
    """One question to both sieves."""

    batch: pa.RecordBatch
    consents: list[Consent]
    now: int
    only: Use | None
    book: Rulebook = BOOK
    zones: tuple[Zone, ...] = ()


Row = tuple[int, int, str, dict[str, object]]


def consent(
    vehicle=1, purpose="repair", category="vehicle-operation", start=2, until=None, withdrawn=None, **more
) -> Consent:
    separate, recipients = more.get("separate", False), more.get("recipients", ANYONE)
    return Consent(7, 5, vehicle, purpose, category, start, until, withdrawn, "1", separate, recipients)


def batch_of(rows: list[Row], names: list[str]) -> pa.RecordBatch:
    """Rows of (vehicle, time, door, {signal: value}); `received` numbers the rows."""
    base = [
        pa.array([row[0] for row in rows], pa.int64()),
        pa.array([row[1] for row in rows], pa.int64()).cast(TIME),
        pa.array(range(len(rows)), pa.int64()).cast(TIME),
        pa.array([row[2] for row in rows], pa.string()).dictionary_encode().cast(DOOR),
    ]
    columns = [pa.array([row[3].get(name) for row in rows], TYPES[name]) for name in names]
    schema = pa.schema([*BASE, *(pa.field(name, TYPES[name]) for name in names)])
    return pa.RecordBatch.from_arrays([*base, *columns], schema=schema)


def said_in(batch: pa.RecordBatch, *datum: str) -> pa.RecordBatch:
    """The batch with the datum of its longitudes and latitudes said beside them, unless empty."""
    said = {name: {"datum": one} for name, one in zip((LONGITUDE, LATITUDE), datum, strict=True) if one}
    fields = [f.with_metadata(said[f.name]) if f.name in said else f for f in batch.schema]
    return pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema(fields))


data = st.sampled_from(["WGS-84", "WGS-84", "GCJ-02", "", "else\u00e9"])
instants = st.integers(0, LAST)
maybe = st.one_of(st.none(), instants)
vehicles = st.sampled_from([1, 1, 1, 1, 2, 3, 2**62 + 5])
uses = st.one_of(
    st.none(),
    st.none(),
    st.none(),
    st.builds(Use, st.sampled_from([*PURPOSES[1:], "repair"])),
    st.builds(Use, st.sampled_from(PURPOSES[1:]), st.sampled_from(["Stuttgart", "Detroit", "Nowhere"])),
    st.just(Use("statutory-monitoring")),
    st.just(Use("advertising")),
)


def consents_over(start, until, withdrawn) -> st.SearchStrategy[Consent]:
    return st.builds(
        Consent,
        id=st.just(7),
        person=st.just(5),
        vehicle=st.sampled_from([1, 1, 1, 2, 2**62 + 5]),
        purpose=st.sampled_from(PURPOSES[1:]),
        category=st.sampled_from(["vehicle-operation", "vehicle-operation", "track", "biometric"]),
        start=start,
        until=until,
        withdrawn=withdrawn,
        notice=st.just("1"),
        separate=st.booleans(),
        recipients=st.frozensets(st.sampled_from(["Stuttgart", "Detroit"])),
    )


early, middle = st.integers(0, 2), st.integers(2, 7)
consents = st.one_of(
    consents_over(instants, maybe, maybe),
    consents_over(early, st.none(), st.none()),
    consents_over(early, middle, st.none()),
    consents_over(early, st.none(), middle),
)
doors = st.one_of(
    st.sampled_from(["gb32960", "mqtt", "gb32960-2025"]).map(lambda door: [door]),
    st.just(["gb32960", "gb32960-2025"]),
    st.just(["gb32960", "mqtt"]),
)


@st.composite
def batches(draw: st.DrawFn, least: int = 0) -> pa.RecordBatch:
    """Up to nine rows, often a slice of more, some of one door and some of several."""
    names = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True, min_size=least, max_size=len(TYPES)))
    door = st.sampled_from(draw(doors))
    cells = st.fixed_dictionaries({n: st.one_of(st.none(), st.sampled_from(POOL[n])) for n in names})
    rows = draw(st.lists(st.tuples(vehicles, instants, door, cells), min_size=least, max_size=12))
    batch = said_in(batch_of(rows, names), draw(data), draw(data))
    if draw(st.booleans()):
        batch = batch.slice(draw(st.integers(0, 2)), draw(st.integers(least, 9)))
    return batch


cases = st.tuples(
    st.one_of(batches(), batches(3)),
    st.one_of(st.lists(consents, max_size=8), st.lists(consents, min_size=3, max_size=8)),
    instants,
    uses,
).map(lambda drawn: Case(*drawn))
zoned = st.tuples(cases, st.sampled_from([(), (ZONE,), (ZONE,), (replace(ZONE, datum="GCJ-02"), ZONE)])).map(
    lambda drawn: drawn[0]._replace(zones=drawn[1])
)


def slowly(case: Case) -> Sieved | str:
    """What the reference says, or that it refuses."""
    try:
        return reference_sieve(
            case.batch, case.consents, PURPOSES, case.book, case.now, only=case.only, zones=case.zones
        )
    except Malformed:
        return "refused"


def fast(case: Case, compiling=compile_consents, sieving=sieve) -> Sieved | str:
    """What the sieve says, or that it refuses."""
    try:
        compiled = compiling(case.consents, PURPOSES)
        return sieving(case.batch, compiled, case.book, case.now, only=case.only, zones=Zones(case.zones))
    except Malformed:
        return "refused"


def stepwise(consents, purposes, compiling=compile_consents, replacing=replaced, reading=records_of) -> Consents:
    """Consents that were others at first and were replaced vehicle by vehicle, some twice."""
    vehicles = sorted({c.vehicle for c in consents} | {2, 3, 77})
    others = [consent(v, "repair", c, 0, recipients=ANYONE) for v in vehicles[:-1] for c in ("track", "cabin-audio")]
    before = compiling(others, purposes)
    for vehicle in (*vehicles, *vehicles[:3]):
        own = [c for c in consents if c.vehicle == vehicle]
        before = replacing(before, np.array([vehicle]), reading(own))
    return before


def plain(sieved: Sieved | str) -> object:
    """All that a sieve says, comparable: not-a-number equals itself, dictionaries are spelt out."""
    if isinstance(sieved, str):
        return sieved
    tally = sieved.tally
    said = (tally.rows_in, tally.rows_kept, dict(tally.cells))
    if sieved.kept is None:
        return said
    kept = sieved.kept
    fields = [(f.name, str(f.type), f.nullable, f.metadata) for f in kept.schema]
    values = [c.cast(pa.int64()) if c.type == TIME else c for c in kept.columns]
    left = {n: leftovers(kept.column(n)) for n in signals(kept.schema) if leftovers(kept.column(n))}
    return said, fields, kept.schema.metadata, repr([v.to_pylist() for v in values]), left


def leftovers(column: pa.Array) -> str:
    """What lies in the buffers of a column beside the values that it shows; empty where nothing does."""
    if pa.types.is_dictionary(column.type):
        used = {word for word in column.to_pylist() if word is not None}
        unused = set(column.dictionary.to_pylist()) - used
        return str(unused or "") + leftovers(column.indices) + leftovers(column.dictionary)
    shown = np.array([value is not None for value in column.to_pylist()], bool)
    if pa.types.is_boolean(column.type):
        bits = np.unpackbits(np.frombuffer(column.buffers()[1], np.uint8), bitorder="little")
        return "bits" if bits[len(column) :].any() or bits[: len(column)][~shown].any() else ""
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        ends = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1)
        size = column.buffers()[2].size if column.buffers()[2] else 0
        return "bytes" if ends[0] or ends[-1] != size or np.diff(ends)[~shown].any() else ""
    width = column.type.bit_width // 8
    data = np.frombuffer(column.buffers()[1], np.uint8)
    cells = data[: len(column) * width].reshape(-1, width)
    return "values" if data[len(column) * width :].any() or cells[~shown].any() or column.offset else ""


def purposes_of_cells(kept: pa.RecordBatch | None) -> dict[tuple[int, str], int]:
    """(number of the row, signal) to the purposes that the kept cell may serve, as a reader would find them."""
    if kept is None:
        return {}
    found = {}
    numbers = kept.column("received").cast(pa.int64()).to_pylist()
    bits = {c: kept.column(purposes_column(c)).to_pylist() for c in categories(kept.schema)}
    for name in signals(kept.schema):
        said = kept.schema.field(name).metadata
        mask = ~0 if said[b"statutory"] == b"1" else ~1
        for row, value in enumerate(kept.column(name).to_pylist()):
            if value is not None:
                found[numbers[row], name] = bits[said[b"category"].decode()][row] & mask
    return found
