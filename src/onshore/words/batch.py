"""Batch: one row per vehicle and instant, one column per signal, null where absent."""

import json
from collections.abc import Sequence

import pyarrow as pa

TIME = pa.timestamp("ms", "UTC")
DOOR = pa.dictionary(pa.int8(), pa.string())

BASE = (
    pa.field("vehicle", pa.int64(), nullable=False),
    pa.field("time", TIME, nullable=False),
    pa.field("received", TIME, nullable=False),
    pa.field("door", DOOR, nullable=False),
)
"""vehicle: random id of the register (never a VIN); time: of the event; received: at the gate; door: its name."""

BASE_NAMES = frozenset(f.name for f in BASE)
PURPOSES = "purposes"
EXCEPTION = "exception"
_PREFIX = PURPOSES + ":"


def signals(schema: pa.Schema) -> list[str]:
    """Names of the signal columns: all but the base and the purposes columns."""
    return [n for n in schema.names if n not in BASE_NAMES and n != PURPOSES and not n.startswith(_PREFIX)]


def purposes_column(category: str) -> str:
    """Name of the int64 column of a kept batch whose bits say what a row's cells of `category` may serve."""
    return _PREFIX + category


def categories(schema: pa.Schema) -> list[str]:
    """Categories for which a kept batch carries a purposes column."""
    return [n.removeprefix(_PREFIX) for n in schema.names if n.startswith(_PREFIX)]


def with_purposes(schema: pa.Schema, purposes: Sequence[str]) -> pa.Schema:
    """The schema with the meaning of its purpose bits written beside it: bit i is `purposes[i]`."""
    return schema.with_metadata({PURPOSES: json.dumps(list(purposes))})


def purposes_of(schema: pa.Schema) -> tuple[str, ...]:
    """What the purpose bits of a kept batch or segment mean, lowest bit first; empty where nothing is said."""
    said = (schema.metadata or {}).get(PURPOSES.encode())
    return tuple(json.loads(said)) if said else ()


def exception_of(schema: pa.Schema) -> str:
    """The exception from the longest time of keeping that a batch was tagged with when it was taken in; empty: none."""
    said: bytes = (schema.metadata or {}).get(EXCEPTION.encode(), b"")
    return said.decode()


def with_exception(batch: pa.RecordBatch, exception: str) -> pa.RecordBatch:
    """The batch, tagged; as it is where there is nothing to tag it with."""
    if not exception:
        return batch
    return batch.replace_schema_metadata({**(batch.schema.metadata or {}), EXCEPTION: exception})
