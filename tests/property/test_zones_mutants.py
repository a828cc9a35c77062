"""Each step of the test of zones altered: a fixed set of positions and batches catches every one."""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pyarrow as pa
import pytest
from sieve_strategies import BOOK, PURPOSES, ZONE, Case, batch_of, consent, plain, said_in, slowly
from test_zones_reference import EXAMPLES, HUGE, INNER, SQUARE, positions, star

import onshore.consent
from onshore.consent.columns import compile_consents
from onshore.consent.reference_zones import reference_contains
from onshore.words.place import LATITUDE, LONGITUDE, ROW_DATUM, Zone

ROOM = Path(onshore.consent.__file__).parent
MODULES = ("zones_grid", "zones", "plans", "whereabouts", "sieve")

MUTANTS = [
    # which zones, and how far they reach
    ("zones", "zone.margin + OTHER_DATUM *", "zone.margin + 0 *"),
    ("zones", "OTHER_DATUM * (zone.datum != datum)", "OTHER_DATUM"),
    ("zones", "OTHER_DATUM * (zone.datum != datum)", "OTHER_DATUM * (zone.datum == datum)"),
    ("zones", "OTHER_DATUM * (zone.datum != datum)", "OTHER_DATUM * (datum is None)"),
    ("zones", "OTHER_DATUM * (zone.datum != datum)", "OTHER_DATUM * (zone.datum != (datum or 'WGS-84'))"),
    ("zones", "OTHER_DATUM = 1_000", "OTHER_DATUM = 900"),
    # cells
    ("zones", "inside |= ~placed", "pass"),
    ("zones", "np.abs(longitude) <= 180", "np.abs(longitude) <= 360"),
    ("zones", "np.abs(latitude) <= 90", "np.abs(latitude) < 400"),
    ("zones", "(row & _REST) << _SHIFT | column & _REST", "(column & _REST) << _SHIFT | row & _REST"),
    ("zones", "if near.size:", "if False:"),
    ("zones_grid", "_SLACK = 16", "_SLACK = -100_000"),
    ("zones_grid", "cells[INSIDE] = INSIDE", "pass"),
    ("zones_grid", "= BORDER\n", "= INSIDE\n"),
    ("zones_grid", "    _fill(edges, directory, cells, touched)", "    pass"),
    ("zones_grid", "cell = cell[touched[", "cell[touched["),
    ("zones_grid", "directory[place[directory[place] == OUTSIDE]] = INSIDE", "pass"),
    ("zones_grid", "directory[cell // TILE], cell % TILE] = INSIDE", "directory[cell // TILE], cell % TILE] = OUTSIDE"),
    ("zones_grid", "np.lexsort((crossing, row,", "np.lexsort((row, crossing,"),
    ("zones_grid", "np.ceil(column[::2])", "np.ceil(column[::2]) + 2"),
    ("zones_grid", "np.floor(column[1::2])", "np.floor(column[1::2]) + 2"),
    ("zones_grid", "np.ceil(margin / edges.along[edge])", "0"),
    ("zones_grid", "np.ceil(margin / METRES * UNITS).astype(np.int64)", "np.int64(0)"),
    ("zones_grid", "for turn in (0, -2 * EAST, 2 * EAST)", "for turn in (0,)"),
    ("zones_grid", "_at(edges, edge, low + CELL + above, 1)", "_at(edges, edge, low + CELL + above, 0)"),
    ("zones_grid", "np.searchsorted(bands, polygon * ROWS +", "np.searchsorted(bands, 0 * polygon +"),
    # edges
    ("zones", "level & (y < y2)", "level"),
    ("zones", "(y1 <= y) & (y <= y2)", "(y1 < y) & (y <= y2)"),
    ("zones", "& (to < way)", "& (to != 0)"),
    ("zones", "& (to == way)", ""),
    ("zones", "& (clipped == x) & (west <= x) & (x <= east)", ""),
    ("zones", "    hit |= _within", "    _within"),
    ("zones", "% 2 == 1", "> 0"),
    ("zones", "odd |= np.bincount", "odd &= np.bincount"),
    ("zones", "0, 1)\n    found: Mask = (margin > 0)", "0, 9)\n    found: Mask = (margin > 0)"),
    ("zones", "<= margin * margin", "<= margin"),
    ("zones_grid", "np.where(ups, x1, x2),", "x1,"),
    ("zones_grid", "np.abs(latitudes).max(axis=1) / UNITS + margin / METRES", "np.abs(latitudes).min(axis=1) / UNITS"),
    # the sieve
    ("sieve", "if zones and rulebook.zoned", "if False and rulebook.zoned"),
    ("sieve", "if zones and rulebook.zoned", "if zones is not None and rulebook.zoned"),
    ("sieve", "key = id(cell), id(inside)", "key = id(cell), 0"),
    ("sieve", "key = id(cell), id(inside)", "key = 0, id(inside)"),
    ("sieve", "category in rulebook.zoned", "True"),
    ("sieve", "category in rulebook.zoned", "False"),
    ("whereabouts", "len(columns) == 2 else np.False_", "True else np.False_"),
    ("whereabouts", "np.where(whole, values, np.nan)", "values"),
    ("whereabouts", "latitude[rows], datum)", "latitude[rows])"),
    ("whereabouts", "in data_of(batch, pair)", "in data_of(batch, pair)[:1]"),
    ("whereabouts", "in data_of(batch, pair)", "in data_of(batch)"),
    ("whereabouts", "to_bits(inside) & told", "to_bits(inside)"),
    ("whereabouts", "& told, ~told", "& told, none"),
    ("whereabouts", "return none, ~none", "return none, none"),
    ("whereabouts", "HERE: inside | untold", "HERE: inside"),
    ("whereabouts", "NOWHERE: inside", "NOWHERE: inside | untold"),
    ("whereabouts", "NOWHERE: inside", "NOWHERE: inside & ~inside"),
    ("whereabouts", "inside | there | unsaid", "there | unsaid"),
    ("whereabouts", "inside | there | unsaid", "inside | unsaid"),
    ("whereabouts", "inside | there | unsaid", "inside | there"),
    ("whereabouts", "inside | there | unsaid", "inside | untold | there | unsaid"),
    ("whereabouts", "self.places.get(signal, HERE)", "HERE"),
    ("whereabouts", "self.places.get(signal, HERE)", "self.places.get(signal, NOWHERE)"),
    ("whereabouts", "_look(batch, zones, pair)", "_look(batch, zones, (LONGITUDE, LATITUDE))"),
    ("sieve", "withheld if name in statutory else 0", "0"),
    ("sieve", "withheld if name in statutory else 0", "withheld"),
    ("sieve", "made[key] = cell & ~inside", "made[key] = cell"),
    ("plans", "said = _datum(field) | {", "said = {"),
    ("whereabouts", "c.offset * 8) for c in columns", "0) for c in columns"),
    ("whereabouts", "column.type != pa.float64() for", "False for"),
]  # fmt: skip


def zone(*rings, margin=0, datum="WGS-84", name="", kind="military") -> Zone:
    return Zone(name, kind, datum, margin, (rings,))


def shifted(by: float) -> tuple:
    return tuple((x + by, y) for x, y in SQUARE)


WIDE = ((8.0, 50.0), (12.5, 50.0), (12.5, 53.5), (8.0, 53.5), (8.0, 50.0))
TWO = zone(SQUARE, INNER, margin=100), zone(shifted(3.0), margin=300, datum="GCJ-02")
SHAPES = [
    *(
        [zone(*rings, margin=margin) for margin, *rings in shapes]
        for shapes, *_ in EXAMPLES
        if HUGE not in [rings for _, *all_rings in shapes for rings in all_rings]
    ),
    TWO,
    [zone(WIDE), *TWO],
    [zone(*star(3, 12, 0.5, (121.47, 31.23), 1), margin=500), zone(*star(4, 9, 0.02, (121.4, 31.2), 1))],
    [zone(*star(5, 9, 0.5, (179.9, -60.0), 0), margin=20_000), zone(*star(6, 9, 0.3, (-179.9, 10.0), 0))],
    [zone(*star(8, 9, 0.5, (20.0, 70.0), 0), margin=20_000)],
    [zone(SQUARE, margin=100, name="a"), zone(shifted(0.005), margin=100, name="a", datum="GCJ-02")],
    [zone(SQUARE, margin=100, name="a"), zone(SQUARE, margin=100, name="a", datum="GCJ-02")],
    [zone(((8.0, 50.0), (9.0, 50.0), (9.0, 70.0), (8.0, 70.0), (8.0, 50.0)), margin=20_000)],
    [zone(SQUARE, margin=100, name="a"), zone(shifted(0.1), margin=100, name="a", datum="GCJ-02")],
    [zone(SQUARE, margin=100, name="a"), zone(shifted(0.005), margin=50, name="a", datum="GCJ-02")],
    [zone(SQUARE, margin=100), zone(shifted(0.005), margin=100, datum="GCJ-02")],
]
SWEEP = np.stack([np.arange(8.9, 10, 0.01), np.full(110, 60.0)], axis=1)
PLACES = np.concatenate([[example[2:4] for example in EXAMPLES], positions([zone(SQUARE, INNER)], 3), SWEEP])
QUESTIONS = [
    (shape, datum, places)
    for shape, places in [
        *((shape, np.concatenate([PLACES, positions(shape[:2], 1)[::2]])) for shape in SHAPES if shape),
    ]
    for datum in ("WGS-84", "GCJ-02", None, "something")
    if datum == "WGS-84" or len(shape) > 1 or shape[0].margin
]


def exactly(shape, datum, places) -> list[bool]:
    known = datum if datum in {"WGS-84", "GCJ-02"} else None
    return [reference_contains(shape, x, y, known) for x, y in places.tolist()]


@pytest.fixture(scope="module")
def truth() -> list[list[bool]]:
    return [exactly(*question) for question in QUESTIONS]


NAMES = [LONGITUDE, LATITUDE, "Gaze", "Speed", "Secret"]
IN, OUT = {LONGITUDE: 8.1, LATITUDE: 50.1}, {LONGITUDE: 9.1, LATITUDE: 50.1}
CELLS = {"Gaze": "left", "Speed": 1.0, "Secret": 3}
NEAR = {LONGITUDE: 8.26, LATITUDE: 50.1}


def batch(*places, door="mqtt", names=NAMES, datum="WGS-84"):
    return said_in(batch_of([(1, 5, door, CELLS | place) for place in places], names), datum, datum)


def rows_in(*data):
    """One place near the zone, in the datum that each row says."""
    said = batch(*[NEAR] * len(data))
    return said.append_column(ROW_DATUM, pa.array(data, pa.uint8()))


def goal_at(x) -> dict:
    return {"Goal.Longitude": x, "Goal.Latitude": 50.1}


def said_of_goal(one, datum):
    fields = [f.with_metadata({"datum": datum}) if f.name.startswith("Goal.L") else f for f in one.schema]
    return pa.RecordBatch.from_arrays(one.columns, schema=pa.schema(fields))


ALL = [*NAMES, "Goal.Longitude", "Goal.Latitude", "Goal.Name", "Route", "Latitude"]
TOLD = {"Goal.Name": "yard", "Route": "away", "Latitude": 1.0}
GOALS = [goal_at(9.1), goal_at(8.1), goal_at(None), goal_at(9.1) | {"Goal.Latitude": None}, goal_at(float("nan"))]
ALLOWED = [consent(category=c, separate=True) for c in ("track", "biometric", "vehicle-operation")]
NOWHERE = {LONGITUDE: None, LATITUDE: None}
BATCHES = [
    batch(IN, OUT, IN, NOWHERE, IN | {LONGITUDE: None}, OUT | {LATITUDE: None}),
    batch(IN, OUT, OUT).slice(1),
    batch(IN, OUT, door="gb32960"),
    batch(IN, OUT, names=[LONGITUDE, "Speed"]),
    batch(IN, OUT, names=[LATITUDE, "Speed"]),
    batch(NOWHERE, NOWHERE),
    batch(NEAR, datum="GCJ-02"),
    batch(NEAR),
    rows_in(1, 2, 3, 1, None),
    *(
        batch(*(car | goal | TOLD for car in (OUT, IN, NOWHERE) for goal in GOALS), names=names, door=door)
        for names in (ALL, [n for n in ALL if n != LONGITUDE], [n for n in ALL if n != "Goal.Latitude"])
        for door in ("mqtt", "gb32960")
    ),
    said_of_goal(batch(OUT | goal_at(8.26) | TOLD, names=ALL), "GCJ-02"),
    said_of_goal(batch(OUT | goal_at(8.26) | TOLD, names=ALL), "WGS-84"),
    batch(OUT | TOLD, names=["Goal.Name", LONGITUDE, LATITUDE, "Gaze", "Latitude"]),
    batch(OUT | {"Pulse": 60}, OUT, names=[*NAMES, "Pulse"]),
    batch(NOWHERE | TOLD, names=["Goal.Name", "Route", "Gaze", "Latitude"]),
    batch(OUT | {LONGITUDE: float("nan")}),
    batch_of([(1, 5, "mqtt", CELLS)], NAMES).set_column(4, LONGITUDE, pa.array([8.1], pa.float32())),
]
CASES = [Case(one, ALLOWED, 5, None, BOOK, (ZONE,)) for one in BATCHES]
CASES += [Case(batch(IN | TOLD, NOWHERE | TOLD, names=ALL), ALLOWED, 5, None, BOOK, ())]


@pytest.fixture(scope="module")
def sieved() -> list[object]:
    return [plain(slowly(case)) for case in CASES]


def load(monkeypatch: pytest.MonkeyPatch, mutated: str = "", old: str = "", new: str = "") -> dict[str, ModuleType]:
    """The modules compiled anew, one of them altered."""
    found = {}
    for name in MODULES:
        source = (ROOM / f"{name}.py").read_text()
        if name == mutated:
            assert old in source, f"nothing to alter in {name}.py: {old}"
            source = source.replace(old, new)
        whole = f"onshore.consent.{name}"
        found[name] = ModuleType(whole)
        monkeypatch.setitem(sys.modules, whole, found[name])
        exec(compile(source, f"<{name}, altered>", "exec"), found[name].__dict__)
    return found


def agrees(modules: dict[str, ModuleType], mutated: str, truth, sieved) -> bool:
    """Whether nothing tells the altered modules from the reference; an error tells."""
    from onshore.words.errors import Malformed

    try:
        if mutated not in {"sieve", "whereabouts"}:
            for (shape, datum, places), exact in zip(QUESTIONS, truth, strict=True):
                compiled = modules["zones"].Zones(shape)
                if compiled.contains(places[:, 0].copy(), places[:, 1].copy(), datum).tolist() != exact:
                    return False
        allowed = compile_consents(ALLOWED, PURPOSES)
        for case, exact in zip(CASES, sieved, strict=True):
            zones = modules["zones"].Zones(case.zones)
            try:
                said = modules["sieve"].sieve(case.batch, allowed, case.book, case.now, zones=zones)
            except Malformed:
                said = "refused"
            if plain(said) != exact:
                return False
    except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeWarning):
        return False
    return True


def test_the_modules_themselves_agree_on_everything(monkeypatch, truth, sieved):
    assert agrees(load(monkeypatch), "", truth, sieved)
    assert "refused" in sieved
    for question, exact in zip(QUESTIONS, truth, strict=True):
        assert any(exact), question


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m[0]}: {m[1]} -> {m[2]}"[:90])
def test_a_mutant_is_caught(monkeypatch, truth, sieved, mutant):
    assert not agrees(load(monkeypatch, *mutant), mutant[0], truth, sieved)
