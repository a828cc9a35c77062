"""Rows are sieved again in batches of a size that is worth it, whatever files they lie in, with what stands by then."""

import pyarrow as pa
import pytest

from onshore.register import again, consents
from onshore.register.again import Again
from onshore.words.use import Use

PURPOSE, CATEGORY = "warranty-analysis", "vehicle-operation"
CARS = (1, 2, 3)


@pytest.fixture
def driven(hands):
    """Three cars and two drives: a file of each drive in every bucket that has one of them."""
    for number in CARS:
        hands.allow(number)
    for _ in range(2):
        hands.drive(*CARS)
        hands.now += 60_000
    return hands


def batches(hands, **more):
    found = Again(hands.site, Use(PURPOSE, "stuttgart")).rows(CATEGORY, start=0, until=1 << 50, **more)
    return (sieved.kept for sieved in found)


def rows(some):
    return sorted(
        (row["vehicle"], row["time"], row["door"])
        for batch in some
        if batch is not None
        for row in batch.select(["vehicle", "time", "door"]).to_pylist()
    )


@pytest.mark.parametrize("in_order", [True, False])
def test_small_pieces_are_sieved_together_and_no_row_is_lost(driven, monkeypatch, in_order):
    """In order, a table is a batch at least: a look at what stands lies before each."""
    places = len({driven.car(number).id % driven.site.settings.site.buckets for number in CARS})
    together = list(batches(driven, in_order=in_order))
    assert len(together) == (places if in_order else 1)
    monkeypatch.setattr(again, "_ROWS", 1)
    alone = list(batches(driven, in_order=in_order))
    assert len(alone) >= (places if in_order else places * 2)  # two files each, put in order or as they are
    assert rows(together) == rows(alone)
    assert len(rows(together)) == len(CARS) * 2 * 20


def test_a_batch_that_was_put_together_holds_nothing_beside_its_rows(driven):
    """Of columns that are parts of larger arrays the sieve would copy every cell, and IPC would write the rest."""
    (batch,) = batches(driven, in_order=False)
    for column in batch.columns:
        if not pa.types.is_dictionary(column.type) and not pa.types.is_boolean(column.type):
            assert column.offset == 0
            assert column.get_total_buffer_size() <= column.nbytes + len(column) // 8 + 64


def test_what_is_withdrawn_between_two_batches_counts_at_the_second(driven, monkeypatch):
    monkeypatch.setattr(again, "_ROWS", 1)
    running = batches(driven)
    first = {vehicle for vehicle, _, _ in rows([next(running)])}
    for number in CARS:
        if (car := driven.car(number)).id not in first:
            consents.withdraw(driven.site, car)
    assert {vehicle for vehicle, _, _ in rows(running)} <= first
