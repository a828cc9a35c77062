"""The part of the sieve that decides: per row and category which purposes may be served, and if none, why."""

import time

import numpy as np
from bench.consents import CATEGORIES, NOW, PURPOSES, consents

from onshore.consent.columns import compile_consents
from onshore.consent.terms import Moments, rule, terms
from onshore.ledger.law import read_pack
from onshore.ledger.packs import release_key
from onshore.rules.acts import Facts, TransferAsked
from onshore.rules.judge import judge
from onshore.words.rulebook import Rulebook

ROWS = 1_000_000
VEHICLES = 10_000
BOOK = Rulebook("cn/bench", "", {}, {}, frozenset({"track"}), {"biometric": frozenset({"driving-safety"})})


def run() -> dict[str, float]:
    """Milliseconds of CPU time for a million rows, best of five."""
    rng = np.random.default_rng(1)
    vehicles = rng.integers(1, 2**62, VEHICLES)
    columns = compile_consents(consents(rng, vehicles.tolist()), PURPOSES)
    vehicle = rng.choice(vehicles, ROWS)
    moment = np.full(ROWS, NOW)
    found = {"finding the vehicles": [], **{category: [] for category in CATEGORIES}}
    for _ in range(5):
        start = time.process_time()
        place = columns.places(vehicle)
        at = Moments(place, place != columns.unknown, moment, moment)
        found["finding the vehicles"].append(time.process_time() - start)
        for category in CATEGORIES:
            start = time.process_time()
            rule(columns, category, at, terms(columns, category, BOOK, None))
            found[category].append(time.process_time() - start)
    best = {name: 1000 * min(some) for name, some in found.items()}
    figures = {f"{name}, a million rows, ms": figure for name, figure in best.items()}
    return figures | {"one act judged, transfer of tracks, us": 1e6 * _judged()}


def _judged(times: int = 2000) -> float:
    """Seconds of CPU time that one transfer takes to be judged under mainland China's newest pack."""
    pack, _ = read_pack("cn/2026-02", [release_key()])
    act = TransferAsked(to="DE", purpose="warranty-analysis", categories=("track",), new_persons=9_999)
    facts = Facts(at=NOW, papers=frozenset({"standard-contract", "impact-assessment", "export-notice"}))
    start = time.process_time()
    for _ in range(times):
        judge(act, facts, pack)
    return (time.process_time() - start) / times


if __name__ == "__main__":
    for name, figure in run().items():
        print(f"{name:60} {figure:15,.1f}")
