"""Batch: what the columns are called and what the purpose bits mean."""

import pyarrow as pa

from onshore.words.batch import BASE, categories, purposes_column, purposes_of, signals, with_purposes

KEPT = pa.schema([*BASE, pa.field("Vehicle.Speed", pa.float32()), pa.field(purposes_column("track"), pa.int64())])


def test_signal_columns_are_all_but_base_and_purposes() -> None:
    assert signals(KEPT.append(pa.field("purposes", pa.int64()))) == ["Vehicle.Speed"]


def test_categories_of_a_kept_batch() -> None:
    assert categories(KEPT) == ["track"]


def test_purpose_bits_are_said_in_the_schema() -> None:
    assert purposes_of(with_purposes(KEPT, ("statutory-monitoring", "repair"))) == (
        "statutory-monitoring",
        "repair",
    )
    assert purposes_of(KEPT) == ()
