"""The grid says what the exact test says, wherever a position lies and whatever a polygon looks like."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from onshore.consent import zones as fast
from onshore.consent import zones_grid
from onshore.consent.reference_zones import _distance, reference_contains
from onshore.consent.zones import Zones
from onshore.words.errors import Malformed
from onshore.words.place import Zone

DATA = (None, "WGS-84", "GCJ-02", "something")
CENTRES = ((121.47, 31.23), (0.0, 0.0), (-0.001, 84.9), (179.999, 10.0), (-179.9999, -60.0), (8.0, 50.0))
WIDE = 1e-6  # metres between a position and the end of a margin, below which rounding may decide


def star(seed: int, corners: int, radius: float, centre: tuple[float, float], holes: int) -> tuple:
    """A ring of random corners, which may cross itself, and rings within it."""
    rng = np.random.default_rng(seed)
    turns = np.sort(rng.uniform(0, 2 * math.pi, corners))
    reach = radius * rng.uniform(0.3, 1, corners)
    rings = []
    for i in range(1 + holes):
        x = np.clip(centre[0] + reach * np.cos(turns) * 0.6**i, -180, 180)
        y = np.clip(centre[1] + reach * np.sin(turns) * 0.6**i, -85, 85)
        points = list(zip(x.tolist(), y.tolist(), strict=True))
        rings.append((*points, points[0]))
    return tuple(rings)


@st.composite
def zones(draw: st.DrawFn) -> Zone:
    centre = draw(st.sampled_from(CENTRES))
    polygons = [
        star(
            draw(st.integers(0, 2**32)),
            draw(st.integers(3, 12)),
            draw(st.sampled_from([1e-8, 1e-6, 0.001, 0.02, 0.5, 20.0])),
            centre,
            draw(st.integers(0, 2)),
        )
        for _ in range(draw(st.integers(1, 2)))
    ]
    name, datum = draw(st.sampled_from(["", "a", "b"])), draw(st.sampled_from(["WGS-84", "GCJ-02"]))
    return Zone(name, "military", datum, draw(st.sampled_from([0, 0, 30, 500, 20_000])), tuple(polygons))


def corners(zone: Zone) -> np.ndarray:
    return np.array([point for polygon in zone.polygons for ring in polygon for point in ring])


def positions(given_zones: list[Zone], seed: int) -> np.ndarray:
    """Near corners and edges at every scale, on both, at the middle, anywhere, and nowhere."""
    rng = np.random.default_rng(seed)
    found = [[(math.nan, 1.0), (math.inf, 1.0), (1.0, -math.inf), (180.1, 1.0), (1.0, 90.1), (1e300, 0.0)]]
    for zone in given_zones:
        at = corners(zone)
        between = (at[:-1] + at[1:]) / 2
        for scale in (1e-7, 1e-5, 0.005, 0.1, 10.0):
            found.append(at + rng.normal(0, scale, at.shape))
            found.append(between + rng.normal(0, scale, between.shape))
        found += [at, between, np.round(between, 6), at.mean(axis=0)[None]]
    found.append(rng.uniform((-180, -90), (180, 90), (20, 2)))
    found.append([(180.0, 10.0), (-180.0, 10.0), (0.0, 90.0), (0.0, -90.0), (-0.0, 0.0)])
    return np.concatenate([np.asarray(some, float) for some in found])


def is_clear(given_zones: list[Zone], x: float, y: float) -> bool:
    """Whether a position is not so near the end of some margin that a rounded cosine decides."""
    if not (abs(x) <= 180 and abs(y) <= 90):
        return True
    for zone in given_zones:
        for margin in {zone.margin, zone.margin + 1000} - {0}:
            for polygon in zone.polygons:
                for ring in polygon:
                    whole = [(round(a * 1e7), round(b * 1e7)) for a, b in ring]
                    for one, two in pairwise(whole):
                        for turn in (0, 3_600_000_000, -3_600_000_000):
                            away = _distance((*one, *two), round(x * 1e7) + turn, round(y * 1e7), margin)
                            if abs(away - margin) < WIDE:
                                return False
    return True


@given(st.lists(zones(), max_size=3), st.sampled_from(DATA), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_grid_says_what_the_exact_test_says(given_zones, datum, seed):
    here = positions(given_zones, seed)
    said = Zones(given_zones).contains(here[:, 0].copy(), here[:, 1].copy(), datum)
    for (x, y), inside in zip(here.tolist(), said.tolist(), strict=True):
        if reference_contains(given_zones, x, y, datum if datum in DATA[1:3] else None) != inside:
            assert not is_clear(given_zones, x, y), (x, y)


SQUARE = ((8.0, 50.0), (8.25, 50.0), (8.25, 50.25), (8.0, 50.25), (8.0, 50.0))
INNER = ((8.1, 50.1), (8.1, 50.2), (8.2, 50.2), (8.2, 50.1), (8.1, 50.1))
BOTH_SIDES = (
    ((179.9, 0.0), (180.0, 0.0), (180.0, 0.1), (179.9, 0.1), (179.9, 0.0)),
    ((-180.0, 0.0), (-179.9, 0.0), (-179.9, 0.1), (-180.0, 0.1), (-180.0, 0.0)),
)
HUGE = tuple((float(x), float(y)) for x, y in ((-180, -85), (-60, -85), (60, -85), (180, -85), (180, 85), (60, 85)))
HUGE = (*HUGE, (-60.0, 85.0), (-180.0, 85.0), (-180.0, -85.0))
EXAMPLES = [
    # zones, datum, longitude, latitude, inside
    ([], None, math.nan, 1.0, False),
    ([(0, SQUARE)], "WGS-84", 8.125, 50.125, True),
    ([(0, SQUARE)], "WGS-84", 8.0, 50.0, True),  # a corner
    ([(0, SQUARE)], "WGS-84", 8.25, 50.25, True),
    ([(0, SQUARE)], "WGS-84", 8.25, 50.1, True),  # an edge
    ([(0, SQUARE)], "WGS-84", 8.1, 50.25, True),
    ([(0, SQUARE)], "WGS-84", 8.2500001, 50.1, False),
    ([(0, SQUARE)], "WGS-84", 8.25000004, 50.1, True),  # rounds to the edge
    ([(0, SQUARE)], "WGS-84", 7.9999999, 50.25, False),
    ([(0, SQUARE, INNER)], "WGS-84", 8.15, 50.15, False),  # in the hole
    ([(0, SQUARE, INNER)], "WGS-84", 8.1, 50.15, True),  # on its edge
    ([(0, SQUARE, INNER)], "WGS-84", 8.05, 50.15, True),
    ([(100, SQUARE)], "WGS-84", 8.2513, 50.1, True),
    ([(100, SQUARE)], "WGS-84", 8.2515, 50.1, False),
    ([(100, SQUARE)], "WGS-84", 8.1, 50.2509, True),
    ([(100, SQUARE)], "WGS-84", 8.1, 50.25091, False),
    ([(100, SQUARE, INNER)], "WGS-84", 8.101, 50.15, True),  # the margin reaches into the hole
    ([(100, SQUARE)], "GCJ-02", 8.2515, 50.1, True),  # another datum: a kilometre further
    ([(100, SQUARE)], None, 8.2515, 50.1, True),
    ([(100, SQUARE)], "GCJ-02", 8.27, 50.1, False),
    ([(0, BOTH_SIDES[0]), (0, BOTH_SIDES[1])], "WGS-84", -180.0, 0.05, True),
    ([(0, BOTH_SIDES[0])], "WGS-84", -180.0, 0.05, True),  # the same meridian
    ([(100, BOTH_SIDES[0])], "WGS-84", -179.9992, 0.05, True),  # the margin reaches across
    ([(100, BOTH_SIDES[1])], "WGS-84", 179.9992, 0.05, True),
    ([(100, BOTH_SIDES[1])], "WGS-84", 179.999, 0.05, False),
    ([(0, HUGE)], "WGS-84", 12.3, 45.6, True),
    ([(0, HUGE)], "WGS-84", 12.3, 85.1, False),
    ([(0, HUGE), (0, SQUARE)], "WGS-84", 8.0, 50.0, True),
    ([(0, HUGE)], "WGS-84", 180.0, 85.0, True),
    ([(0, SQUARE)], "WGS-84", math.nan, 50.0, True),  # given, and no place
    ([(0, SQUARE)], "WGS-84", 8.0, math.inf, True),
    ([(0, SQUARE)], "WGS-84", 200.0, 50.0, True),
]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("shapes", "datum", "x", "y", "inside"), EXAMPLES)
def test_both_say_what_is_meant(exact, shapes, datum, x, y, inside):
    given_zones = [Zone("", "government", "WGS-84", margin, (rings,)) for margin, *rings in shapes]
    given_zones = [Zone(z.name, z.kind, z.datum, z.margin, (tuple(z.polygons[0]),)) for z in given_zones]
    if exact:
        assert reference_contains(given_zones, x, y, datum) == inside
    else:
        said = Zones(given_zones).contains(np.array([x]), np.array([y]), datum)
        assert said.tolist() == [inside]


def inside(given_zones, here, datum) -> np.ndarray:
    """What both say of positions that are clear of every border."""
    said = Zones(given_zones).contains(here[:, 0].copy(), here[:, 1].copy(), datum)
    known = datum if datum in DATA[1:3] else None
    slowly = [reference_contains(given_zones, x, y, known) for x, y in here.tolist()]
    assert all(a == b or not is_clear(given_zones, *at) for a, b, at in zip(said, slowly, here.tolist(), strict=True))
    return said


def square(datum, side=0.008, centre=(116.4, 39.9), margin=0, name="base") -> Zone:
    (x, y), s = centre, side
    ring = ((x - s, y - s), (x + s, y - s), (x + s, y + s), (x - s, y + s), (x - s, y - s))
    return Zone(name, "military", datum, margin, ((ring,),))


@given(st.lists(zones(), min_size=1, max_size=2), st.lists(zones(), min_size=1, max_size=2), st.sampled_from(DATA))
@example([square("WGS-84")], [square("GCJ-02")], "GCJ-02")
@example([square("WGS-84")], [square("GCJ-02")], None)
@example([square("WGS-84")], [square("GCJ-02", side=0.0001)], "GCJ-02")
@example([square("WGS-84")], [square("GCJ-02", centre=(116.4062, 39.9014))], "GCJ-02")
@settings(max_examples=30, deadline=None)
def test_another_zone_never_lets_a_position_go(some, more, datum):
    here = positions([*some, *more], 1)
    assert not (inside(some, here, datum) & ~inside([*some, *more], here, datum)).any()
    assert not (inside(some, here, datum) & ~inside([*more, *some], here, datum)).any()


@given(st.lists(zones(), max_size=2), st.sampled_from(["WGS-84", "GCJ-02"]), st.integers(0, 2**32))
@example([square("GCJ-02", margin=100)], "WGS-84", 1)
@example([square("GCJ-02", side=0.0001, margin=100)], "WGS-84", 1)
@example([square("GCJ-02", centre=(116.4062, 39.9014), margin=100)], "WGS-84", 1)
@settings(max_examples=30, deadline=None)
def test_a_car_in_a_zone_is_found_there_whatever_datum_it_speaks(more, datum, seed):
    """Moved by up to a kilometre, as another datum moves it, and whatever else is on file."""
    rng = np.random.default_rng(seed)
    zone = square(datum, margin=100)
    (x, y), side = (116.4, 39.9), 0.008
    cars = rng.uniform((x - side, y - side), (x + side, y + side), (60, 2))
    cars[:4] = np.array(zone.polygons[0][0][:4])
    turn, metres = rng.uniform(0, 2 * math.pi, 60), rng.uniform(300, 990, 60)
    shift = np.stack([np.cos(turn) / math.cos(math.radians(y)), np.sin(turn)], axis=1) * metres[:, None] / 111_700
    for said in {"WGS-84", "GCJ-02"} - {datum}, {None, "something"}:
        for one in said:
            assert inside([zone, *more], cars + shift, one).all()


@pytest.mark.parametrize("datum", DATA)
def test_a_zone_that_is_there_in_both_data_reaches_further_in_each(datum):
    pair = [square("WGS-84", margin=100), square("GCJ-02", margin=100)]
    up = np.arange(39.908, 39.93, 0.0001)
    found = up[inside(pair, np.stack([np.full(len(up), 116.4), up], axis=1), datum)]
    assert abs((found.max() - 39.908) * 110_574 - 1100) < 15


@given(st.integers(0, 2**32), st.integers(1, 300))
@settings(max_examples=10, deadline=None)
def test_blocks_and_bounds_of_pairs_change_nothing(seed, size):
    rng = np.random.default_rng(seed)
    given_zones = [Zone("", "military", "WGS-84", 30, (star(seed, 40, 0.02, CENTRES[0], 1),)) for seed in range(3)]
    x, y = rng.normal(121.47, 0.02, 500), rng.normal(31.23, 0.02, 500)
    at_once = Zones(given_zones).contains(x, y, "WGS-84")
    assume(at_once.any())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "_BLOCK", size)
        patch.setattr(fast, "_PAIRS", size)
        patch.setattr(zones_grid, "_RUNS", size)
        assert (Zones(given_zones).contains(x, y, "WGS-84") == at_once).all()


def test_borders_that_are_too_long_to_be_held_are_refused(monkeypatch):
    long = Zone("", "military", "WGS-84", 0, ((HUGE,),))
    Zones([long]).compile()
    Zones([]).compile()
    for limit in ("_MOST", "_MOST_TILES"):
        with monkeypatch.context() as patch:
            patch.setattr(zones_grid, limit, 100)
            with pytest.raises(Malformed, match="too long"):
                Zones([long]).compile()
