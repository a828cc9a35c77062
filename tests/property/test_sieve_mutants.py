"""Each rule of the sieve inverted and each boundary moved by one: a fixed set of examples catches every one."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from sieve_strategies import BOOK, PURPOSES, TYPES, Case, batch_of, consent, fast, plain, slowly, stepwise

import onshore.consent
from onshore.words.use import Use

ROOM = Path(onshore.consent.__file__).parent
MODULES = ("places", "records", "columns", "changes", "cells", "plans", "terms", "sieve")

MUTANTS = [
    # boundaries in time
    ("terms", "all_of[:, START] <= at.early", "all_of[:, START] <= at.early + 1"),
    ("terms", "at.late < all_of[:, END]", "at.late <= all_of[:, END]"),
    ("terms", "until <= late", "until < late"),
    ("terms", "until <= late", "until <= early"),
    ("terms", "start <= early", "start < early"),
    ("terms", "start <= early", "start <= late"),
    ("terms", "withdrawn <= late", "withdrawn < late"),
    ("terms", "withdrawn <= late", "withdrawn <= early"),
    ("sieve", "np.minimum(time, now)", "time"),
    ("sieve", "np.minimum(time, now)", "np.minimum(time, now) + 1"),
    ("sieve", "np.minimum(time, now)", "np.minimum(time, now) - 1"),
    ("sieve", "np.clip(time, now, FOREVER - 1)", "time"),
    ("sieve", "np.clip(time, now, FOREVER - 1)", "np.full_like(time, now)"),
    ("sieve", "np.clip(time, now, FOREVER - 1)", "np.clip(time, now, FOREVER - 1) + 1"),
    ("sieve", "np.clip(time, now, FOREVER - 1)", "np.clip(time, now, FOREVER - 1) - 1"),
    ("sieve", "np.clip(time, now, FOREVER - 1)", "np.maximum(time, now)"),
    # terms
    ("terms", "all_of[:, UNION] < 0", "all_of[:, UNION] >= 0"),
    ("terms", "np.where(word < 0, rank", "np.where(word >= 0, rank"),
    ("terms", "category in rulebook.separate", "False"),
    ("terms", "category in rulebook.separate", "True"),
    ("terms", "np.where(serves, rank, _FORBIDDEN)", "np.where(serves, _FORBIDDEN, rank)"),
    ("terms", "_ALL_PURPOSES if permitted is None else", "_ALL_PURPOSES if True else"),
    ("terms", "bits.get(purpose, 0) for purpose in permitted", "bits.get(purpose, 2) for purpose in permitted"),
    ("terms", "_ALL_PURPOSES if only is None else", "_ALL_PURPOSES if True else"),
    ("terms", "bits.get(only.purpose, 0)", "bits.get(only.purpose, 2)"),
    ("terms", "1 << i", "2 << i"),
    ("terms", "None if only is None else only.recipient", "None"),
    ("terms", "recipient in who", "recipient not in who"),
    ("terms", "if needs.named is not None:\n        return", "if False:\n        return"),
    ("terms", "np.where(word & needs.asked, rank, _OTHER", "np.where(word & needs.asked, _OTHER_PURPOSE, _OTHER"),
    ("terms", "serves = word & (needs.asked & needs.permitted)", "serves = word & needs.asked"),
    ("terms", "serves = word & (needs.asked & needs.permitted)", "serves = word & needs.permitted"),
    ("terms", "all_of[:, UNION] & needs.asked & needs.permitted", "all_of[:, UNION] & needs.asked"),
    ("terms", "all_of[:, UNION] & needs.asked & needs.permitted", "all_of[:, UNION] & needs.permitted"),
    # many consents of one vehicle
    ("terms", "bits[left] |= found", "bits[left] = found"),
    ("terms", "bits[left] |= found", "bits[left] &= found"),
    ("terms", "np.maximum(best.take(left), rank)", "rank"),
    ("terms", "np.maximum(best.take(left), rank)", "np.minimum(best.take(left), rank)"),
    ("terms", "line.take(on) + 1", "line.take(on)"),
    ("terms", "np.flatnonzero(more)", "np.flatnonzero(more > 1)"),
    ("terms", "np.flatnonzero(line > 0)", "np.flatnonzero(line > 1)"),
    ("terms", "np.int64), at.known.take(rows)", "np.int64), ~at.known.take(rows)"),
    ("terms", "everywhere, at.known", "everywhere, ~at.known"),
    # the order of reasons
    ("terms", '"consent-expired",\n    "consent-withdrawn"', '"consent-withdrawn",\n    "consent-expired"'),
    ("terms", '"biometric-not-for-safety",\n    "not-separate"', '"not-separate",\n    "biometric-not-for-safety"'),
    ("terms", '"purpose-not-consented",\n    "recipient', '"recipient-not-named",\n    "recipient'),
    ("terms", "_WITHDRAWN, rank)\n", "np.minimum(_WITHDRAWN, rank), rank)\n"),
    # grounds, counts and what is handed back
    ("sieve", "only.purpose != STATUTORY", "only.purpose == STATUTORY"),
    ("sieve", "only is not None and only.purpose", "False and only.purpose"),
    ("sieve", "len(listed) > 1", "len(listed) > 2"),
    ("sieve", "cell if name in statutory else narrowed[id(cell)]", "narrowed[id(cell)]"),
    ("sieve", "cell if name in statutory else narrowed[id(cell)]", "cell"),
    ("sieve", ": cell & allowed for", ": cell & ~allowed for"),
    ("sieve", "bits != 0", "bits > 2"),
    ("sieve", "bits * to_mask(anything, len(bits))", "bits"),
    ("sieve", "purposes |= to_mask", "purposes = bits | to_mask"),
    ("sieve", "    if by_law:\n", "    if not by_law:\n        by_law = list(here.values())\n"),
    ("sieve", "    if by_law:\n", "    if False:\n"),
    ("sieve", "_cells(here.values()) -", "_cells(here.values()) +"),
    ("sieve", "if len(ruling.closely):", "if len(ruling.closely) > 1:"),
    ("sieve", "count(cell) * times", "count(cell)"),
    ("sieve", "len(said.dictionary) == 1", "len(said.dictionary) > 0"),
    ("sieve", "for n, b in here.items() if n in statutory)", "for n, b in here.items() if n not in statutory)"),
    ("sieve", '"not-in-catalogue"] += _cells(here.values())', '"not-in-catalogue"] += 1'),
    ("plans", '"1" if name in statutory else "0"', '"0" if name in statutory else "1"'),
    ("sieve", "None if mask.all() else", "None if mask.any() else"),
    ("sieve", "if cell.any()}\n    found", "}\n    found"),
    ("sieve", "rulebook.category.get(name), {}", 'rulebook.category.get(name, "track"), {}'),
    # zeroing
    ("cells", "        np.bitwise_and(values", "        np.add(values, 0) if True else np.bitwise_and(values"),
    ("cells", "(cell, times[key])", "(cell, 1)"),
    ("cells", "every[-1] >>=", "every[-1:] = every[-1:] >> np.uint64(0) *"),
    ("cells", "rows[kept]), boundscheck", "rows), boundscheck"),
    ("cells", "rows is None and shown is None and _bare", "rows is None and _bare"),
    ("cells", "buffers[1].size == rows", "buffers[1].size >= rows"),
    ("cells", "values if shown is None else values & shown.mask", "values"),
    ("cells", "used = np.flatnonzero(", "used = np.arange(len(array.dictionary)) if True else np.flatnonzero("),
    ("cells", "array.offset * width)", "0)"),
    ("cells", "bits[array.offset :]", "bits[: len(array)]"),
    ("cells", "if self.nulls else None", "if False else None"),
    # compiling
    ("columns", "np.maximum.reduceat(table[:, START]", "np.minimum.reduceat(table[:, START]"),
    ("columns", "np.minimum.reduceat(np", "np.maximum.reduceat(np"),
    ("columns", "np.minimum(table[:, UNTIL], table[:, WITHDRAWN])", "table[:, UNTIL]"),
    ("columns", "np.minimum(table[:, UNTIL], table[:, WITHDRAWN])", "table[:, WITHDRAWN]"),
    ("columns", "np.bitwise_and.reduceat", "np.bitwise_or.reduceat"),
    ("columns", "np.where(records.separate.take(those), SEPARATE, 0)", "0"),
    ("columns", "np.where(records.separate.take(those), SEPARATE, 0)", "SEPARATE"),
    ("columns", "np.bitwise_or.reduceat(bits", "np.bitwise_and.reduceat(bits"),
    ("columns", "count[having] - 1", "count[having] - count[having]"),
    ("columns", "begins + 1", "begins"),
    ("columns", "records.recipients.take(those)", "0 * records.recipients.take(those)"),
    ("columns", "np.argsort(records.vehicle)", "np.arange(len(records))"),
    ("columns", "records.until, records.withdrawn, records.separate", "records.until, records.until, records.until"),
    ("records", "FOREVER if value is None else value", "FOREVER"),
    ("records", '_ENDS = ("until", "withdrawn")', '_ENDS = ("until",)'),
    ("records", "1 << i for", "2 << i for"),
    ("records", "| {STATUTORY: 0}", ""),
    ("records", "listed.setdefault(value, len(listed))", "listed.setdefault(value, 0)"),
    ("places", "slot[astray] = (slot[astray] + 1) %", "slot[astray] = (slot[astray] + 2) %"),
    ("places", "(found[:, _ID] != vehicle) & (place != ABSENT)", "(found[:, _ID] != vehicle) & (place == ABSENT)"),
    # changing
    ("changes", "first + here - 1) + 1", "first + here - 1)"),
    ("changes", "np.union1d(vehicles, records.vehicle)", "vehicles[:0]"),
    ("changes", "lines, first, _anew", "lines, first + 1, _anew"),
    ("changes", "named.take(change.named[1:])", "change.named[1:]"),
    ("changes", "+= begin - 1", "+= begin"),
    ("changes", "lines.all_of[first : first + places] = all_of", "pass"),
    ("changes", "lines.more[first : first + places] = change.more[1:]", "pass"),
    ("changes", "before.vehicles[first : first + many] = change.vehicles[1:]", "pass"),
    ("changes", "begin = lines.room.take(many)", "begin = 1"),
    ("changes", "before.moved or room_for", "room_for"),
    ("changes", "== np.arange(len(ids)))[1:]", "!= np.arange(len(ids)))[1:]"),
    ("changes", "lines.more.take(live) + 1", "lines.more.take(live)"),
    ("changes", "lines.named.take(line)", "0 * lines.named.take(line)"),
    ("columns", "np.copyto(place, now - 1, where=now != ABSENT)", "pass"),
    ("columns", "now - 1, where", "now, where"),
]  # fmt: skip

NAMES = sorted(set(TYPES) - {"Secret"})
FULL = {
    "Speed": -2.5,
    "Odometer": 7,
    "Latitude": -31.2,
    "Open": True,
    "Cells": b"\x01\x02",
    "Route": "home",
    "Gaze": "left",
    "Pulse": 60,
}
SAFETY, REPAIR, INSURANCE = PURPOSES[1:]


def asked(*consents, times=(5,), now=5, door="mqtt", cells=FULL, only=None, vehicle=1, names=NAMES, book=BOOK) -> Case:
    rows = [(vehicle, time, door, cells) for time in times]
    return Case(batch_of(rows, list(names)), list(consents), now, only, book)


def for_all(**more):
    return [
        consent(category=c, purpose=SAFETY, separate=True, **more) for c in ("vehicle-operation", "track", "biometric")
    ]


AROUND = (1, 2, 3, 4, 5, 6, 7, 8)
ABROAD = frozenset({"Stuttgart"})
EXAMPLES = [
    *(asked(*for_all(until=6), times=AROUND, now=now) for now in AROUND),
    *(asked(*for_all(withdrawn=6), times=AROUND, now=now) for now in AROUND),
    *(asked(*for_all(until=4, withdrawn=7), times=AROUND, now=now) for now in AROUND),
    *(asked(*for_all(until=4), *for_all(start=5, until=7), times=AROUND, now=now) for now in AROUND),
    *(asked(*for_all(withdrawn=1, start=3), times=AROUND, now=now) for now in (2, 5)),
    asked(*for_all(), times=(2**63 - 1,)),
    asked(consent(vehicle=2)),
    asked(consent(category="track"), cells=FULL, door="gb32960"),
    asked(door="gb32960"),
    asked(door="gb32960", only=Use(PURPOSES[0])),
    asked(*for_all(), door="gb32960", only=Use(PURPOSES[0])),
    asked(*for_all(), door="gb32960", only=Use(REPAIR)),
    asked(*for_all(), door="gb32960", only=Use(SAFETY)),
    asked(consent(purpose=REPAIR), consent(purpose=INSURANCE), door="gb32960"),
    asked(consent(purpose=REPAIR), consent(purpose=INSURANCE), only=Use(INSURANCE)),
    asked(consent(purpose=REPAIR), consent(purpose=INSURANCE, until=4), consent(purpose=SAFETY, start=3)),
    asked(consent(purpose=REPAIR), consent(purpose=INSURANCE, withdrawn=4), only=Use(INSURANCE)),
    asked(consent(purpose=SAFETY, until=4), consent(purpose=INSURANCE, withdrawn=4), consent(start=9)),
    asked(consent(purpose=SAFETY, withdrawn=4), consent(purpose=INSURANCE, until=4), only=None),
    asked(*for_all(), only=Use("advertising")),
    asked(*for_all(recipients=ABROAD), only=Use(SAFETY, "Stuttgart")),
    asked(*for_all(recipients=ABROAD), only=Use(SAFETY, "Detroit")),
    asked(*for_all(recipients=ABROAD), *for_all(start=1), only=Use(SAFETY, "Stuttgart")),
    asked(*for_all(until=4), *for_all(start=3, recipients=ABROAD), only=Use(SAFETY, "Stuttgart")),
    asked(*for_all(), consent(purpose=REPAIR, recipients=ABROAD), only=Use(SAFETY, "Stuttgart")),
    asked(consent(category="track"), consent(category="biometric", purpose=REPAIR, separate=True)),
    asked(consent(category="biometric", purpose=REPAIR), consent(category="biometric", purpose=SAFETY)),
    asked(consent(category="biometric", purpose=SAFETY, separate=True), consent(category="biometric")),
    asked(
        consent(category="biometric", purpose=SAFETY, separate=True),
        consent(category="biometric", purpose=REPAIR, separate=True),
        only=Use(REPAIR),
    ),
    asked(
        consent(category="biometric", purpose=SAFETY, separate=True),
        consent(category="biometric", purpose=REPAIR, separate=True),
    ),
    asked(consent(category="track", separate=True), consent(category="track", start=1)),
    asked(consent(category="track", separate=True), consent(category="track", purpose=INSURANCE)),
    asked(consent(purpose=REPAIR), consent(purpose=INSURANCE, start=6), times=AROUND, now=8),
    Case(batch_of([(1, 5, "gb32960", {"Speed": 1.0}), (1, 5, "gb32960", {"Route": "x"})], NAMES), for_all(), 5, None),
    asked(consent(), names=[*NAMES, "Secret"], cells={**FULL, "Secret": 42}),
    asked(consent(), names=["Secret", "Speed"], cells={"Secret": 42}, times=(1, 2, 3)),
    asked(consent(), names=["Speed", "Odometer"], cells={"Odometer": 7}, door="gb32960"),
    Case(batch_of([(1, 5, "gb32960", FULL), (1, 5, "mqtt", FULL)], NAMES), for_all(), 5, None),
    Case(batch_of([(1, 5, "gb32960", FULL), (1, 5, "mqtt", FULL)], NAMES).slice(1), for_all(), 5, None),
    Case(batch_of([(1, 5, "gb32960", FULL), (2, 5, "gb32960-2025", FULL)], NAMES), for_all(), 5, None),
    Case(
        batch_of(
            [
                (1, 5, "mqtt", FULL),
                (2, 5, "mqtt", {**FULL, "Gaze": "right", "Route": "away"}),
                (1, 1, "mqtt", FULL),
                (1, 6, "mqtt", {"Speed": 1.0}),
                (3, 6, "mqtt", {"Route": "nowhere"}),
                (1, 5, "mqtt", {**FULL, "Speed": None, "Open": None, "Gaze": None}),
            ],
            NAMES,
        ),
        [*for_all(), consent(vehicle=2), consent(vehicle=3, start=1, purpose=INSURANCE)],
        7,
        None,
    ),
    Case(
        batch_of([(1, 1, "mqtt", FULL), (1, 5, "mqtt", {"Open": False}), (1, 6, "mqtt", FULL)], NAMES).slice(1),
        for_all(),
        7,
        None,
    ),
    Case(
        batch_of([(v * v * 977, 5, "mqtt", {"Speed": float(v)}) for v in range(1, 99)], ["Speed"]),
        [consent(vehicle=v * v * 977, start=v % 7) for v in range(1, 99) if v % 3],
        5,
        None,
    ),
    asked(consent(purpose=PURPOSES[0])),
]
TRUTH = [plain(slowly(case)) for case in EXAMPLES]


def load(monkeypatch: pytest.MonkeyPatch, mutated: str = "", old: str = "", new: str = "") -> ModuleType:
    """The sieve's modules compiled anew, one of them altered."""
    for name in MODULES:
        source = (ROOM / f"{name}.py").read_text()
        if name == mutated:
            assert old in source, f"nothing to alter in {name}.py: {old}"
            source = source.replace(old, new)
        whole = f"onshore.consent.{name}"
        module = ModuleType(whole)
        monkeypatch.setitem(sys.modules, whole, module)
        exec(compile(source, f"<{name}, altered>", "exec"), module.__dict__)
        if name == "columns":
            module._LEAST = 3  # spare places, so that few changes use them up
    return module


def disagreements(sieving: ModuleType, *, changed: bool = True) -> int:
    columns, changes, records = (
        importlib.import_module(f"onshore.consent.{name}") for name in ("columns", "changes", "records")
    )

    def in_steps(consents, purposes):
        return stepwise(consents, purposes, columns.compile_consents, changes.replaced, records.records_of)

    found = 0
    for case, truth in zip(EXAMPLES, TRUTH, strict=True):
        for compiling in (columns.compile_consents, in_steps)[: 1 + changed]:
            try:
                found += plain(fast(case, compiling, sieving.sieve)) != truth
            except (ArithmeticError, LookupError, TypeError, ValueError):
                found += 1
    return found


def test_the_sieve_itself_agrees_on_every_example(monkeypatch):
    assert disagreements(load(monkeypatch)) == 0


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m[0]}: {m[1]} -> {m[2]}"[:90])
def test_a_mutant_is_caught(monkeypatch, mutant):
    assert disagreements(load(monkeypatch, *mutant), changed=mutant[0] in {"changes", "columns"}) > 0
