"""Positions a second against 1,000 polygons: uniform over a jurisdiction, and on drives past the zones themselves."""

import numpy as np
from bench.sieve import best

from onshore.consent.reference_zones import reference_contains
from onshore.consent.zones import Zones
from onshore.consent.zones_grid import METRES
from onshore.words.place import Zone

POLYGONS = 1_000
POINTS = 1_000_000
FEW = 200
WEST, SOUTH, EAST, NORTH = 74.0, 19.0, 134.0, 53.0


def zones(rng: np.random.Generator) -> list[Zone]:
    """Star-shaped, 8 to 80 corners, 0.2 to 20 km across, every fourth with a hole, margins of 0 to 500 m."""
    found = []
    for i in range(POLYGONS):
        centre = rng.uniform((WEST, SOUTH), (EAST, NORTH))
        rings = [ring(rng, centre, 10 ** rng.uniform(-3, -1))]
        if i % 4 == 0:
            rings.append(tuple((x + (a - x) * 0.3, y + (b - y) * 0.3) for a, b in rings[0] for x, y in [centre]))
        found.append(Zone(str(i), "military", "WGS-84", int(rng.integers(0, 6)) * 100, (tuple(rings),)))
    return found


def ring(rng: np.random.Generator, centre: np.ndarray, radius: float) -> tuple[tuple[float, float], ...]:
    turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(8, 81))))
    reach = radius * rng.uniform(0.6, 1, len(turns))
    corners = [tuple(map(float, c)) for c in np.stack([np.cos(turns), np.sin(turns)], 1) * reach[:, None] + centre]
    return (*corners, corners[0])


def uniform(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(WEST, EAST, POINTS), rng.uniform(SOUTH, NORTH, POINTS)


def drives(rng: np.random.Generator, around: list[Zone]) -> tuple[np.ndarray, np.ndarray]:
    """Cars that each go round one zone: many positions in cells where a border runs."""
    centres = np.array([zone.polygons[0][0][0] for zone in around])
    x, y = (centres[rng.integers(0, len(centres), POINTS)] + rng.normal(0, 0.06, (POINTS, 2))).T
    return np.ascontiguousarray(x), np.ascontiguousarray(y)


def copied(x: np.ndarray, y: np.ndarray) -> None:
    """The limit: both columns read once, and whole numbers of them written."""
    x.astype(np.int32)
    y.astype(np.int32)


def by_boxes(given: list[Zone], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The peer: per polygon the positions in its widened box, each against every edge, all in floating point."""
    inside = np.zeros(len(x), bool)
    for zone in given:
        for rings in zone.polygons:
            a = np.concatenate([np.array(ring[:-1]) for ring in rings])
            b = np.concatenate([np.array(ring[1:]) for ring in rings])
            scale = np.array([np.cos(np.radians(np.abs(a[:, 1]).max() + zone.margin / METRES)), 1]) * METRES
            low, high = a.min(axis=0) - (zone.margin + 1) / scale, a.max(axis=0) + (zone.margin + 1) / scale
            here = np.flatnonzero((low[0] <= x) & (x <= high[0]) & (low[1] <= y) & (y <= high[1]))
            p = np.stack([x[here], y[here]], axis=1)[:, None]
            side = (a[:, 1] > p[..., 1]) != (b[:, 1] > p[..., 1])
            with np.errstate(divide="ignore", invalid="ignore"):
                cut = a[:, 0] + (p[..., 1] - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
            odd = (side & (p[..., 0] < cut)).sum(axis=1) % 2 == 1
            way, to = (b - a) * scale, (p - a) * scale
            share = np.clip((to * way).sum(axis=2) / (way * way).sum(axis=1), 0, 1)[..., None]
            near = ((to - share * way) ** 2).sum(axis=2).min(axis=1) <= zone.margin**2
            inside[here[odd | near]] = True
    return inside


def run() -> dict[str, float]:
    """Positions a second with limit and exact test beside, and how often the two disagreed."""
    rng = np.random.default_rng(7)
    given = zones(rng)
    figures: dict[str, float] = {"polygons": POLYGONS}
    figures["polygons compiled a second"] = best(
        lambda: Zones(given).contains(np.zeros(1), np.zeros(1), "WGS-84"), 1000
    )
    compiled = Zones(given)
    for name, (x, y) in {"over a jurisdiction": uniform(rng), "near zones": drives(rng, given)}.items():
        part = x[:10_000], y[:10_000]
        inside = compiled.contains(x, y, "WGS-84")
        some = rng.integers(0, POINTS, FEW)
        slowly = [reference_contains(given, x[i], y[i], "WGS-84") for i in some]
        beside = {
            "positions/s": best(lambda x=x, y=y: compiled.contains(x, y, "WGS-84"), POINTS),
            "in batches of 10,000, positions/s": best(lambda p=part: compiled.contains(*p, "WGS-84"), 10_000),
            "limit: both columns to whole numbers": best(lambda x=x, y=y: copied(x, y), POINTS),
            "peer: boxes, then every edge": best(lambda x=x, y=y: by_boxes(given, x, y), POINTS),
            "exact test in plain Python": best(
                lambda x=x, y=y: [reference_contains(given, x[i], y[i], "WGS-84") for i in range(3)], 3
            ),
            "inside, %": 100 * float(inside.mean()),
            f"differs from the exact test, of {FEW}": float((inside[some] != slowly).sum()),
            f"differs from the peer, of {POINTS:,}": float((inside != by_boxes(given, x, y)).sum()),
        }
        figures |= {f"{name}, {what}": figure for what, figure in beside.items()}
    return figures


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:60} {figure:15,.2f}")
