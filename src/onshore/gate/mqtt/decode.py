"""Many messages at once: JSON with VSS names becomes one columnar batch; and a car's word about its policy.

A message is an object, or a list of at most 1,000: {"time": …, "Vehicle.Speed": 42.1, …}. `time` is milliseconds UTC or
RFC 3339 with an offset; null is absent; of a name that is given twice the last value counts. Names that no catalogue
has are dropped and counted. A value of the wrong type or out of its range rejects the message, in words of ours that
repeat nothing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa

from onshore.gate.mqtt.groups import Group, Loose
from onshore.gate.mqtt.lists import ERRORS
from onshore.gate.mqtt.shapes import ABSENT, Shape, Shapes
from onshore.words.batch import BASE, DOOR
from onshore.words.batch import TIME as TIMESTAMP
from onshore.words.errors import Malformed

NOT_A_MESSAGE = "no JSON object with a time, or a value is not of its signal's type and range"


@dataclass(frozen=True)
class Decoded:
    """`batch`: the rows of the accepted messages; `rejected`: (index of the message, why), by index.

    `unknown`: how many values were dropped whose names no catalogue has.
    """

    batch: pa.RecordBatch
    rejected: list[tuple[int, str]]
    unknown: int


def decode(
    payloads: Sequence[bytes], vehicles: Sequence[int], received: int, shapes: Shapes, door: str = "mqtt"
) -> Decoded:
    """Columns (VSS names, VSS units) of messages, a vehicle's id for each; `received`: ms UTC.

    A column is there when a row of the batch has it; rows of one shape stand together, and so do those of a message.
    A row without any signal of the catalogue may be left out. Nothing is raised: a message that cannot be read whole is
    rejected and harms no other.
    """
    groups: dict[Shape, Group] = {}
    loose = Loose(shapes)
    rejected: dict[int, str] = {}
    unknown = 0
    for message, (payload, vehicle) in enumerate(zip(payloads, vehicles, strict=True)):
        shape = shapes.of(vehicle)
        rows = None if shape is None else _read(shape, payload)
        try:
            if shape is None or rows is None:
                unknown += loose.read(message, payload, vehicle)
                continue
        except (*ERRORS, Malformed):
            rejected[message] = NOT_A_MESSAGE
            continue
        group = groups.get(shape)
        if group is None:
            group = groups[shape] = Group(shape)
        if not group.add(message, rows):
            rejected[message] = NOT_A_MESSAGE
        elif shape.unknown:
            unknown += sum(getattr(row, name) is not ABSENT for row in rows for name in shape.unknown)
    return Decoded(
        _batch([loose, *groups.values()], vehicles, received, shapes, door, rejected), _listed(rejected), unknown
    )


def _read(shape: Shape, payload: bytes) -> list[Any] | None:
    try:
        return shape.rows(payload)
    except ERRORS:
        return None


def _listed(rejected: dict[int, str]) -> list[tuple[int, str]]:
    return sorted(rejected.items())


def _batch(
    groups: Sequence[Group],
    vehicles: Sequence[int],
    received: int,
    shapes: Shapes,
    door: str,
    rejected: dict[int, str],
) -> pa.RecordBatch:
    columns = [(group, group.columns(shapes, rejected)) for group in groups if group.rows]
    filled = [(group, found) for group, found in columns if found]
    ids = [vehicles[message] for group, _ in filled for message in group.messages]
    times = np.array([time for group, _ in filled for time in group.times], np.int64)
    count = len(times)
    base = [
        pa.array(ids, pa.int64()),
        _stamps(times),
        _stamps(np.full(count, received, np.int64)),
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int8)), pa.array([door], DOOR.value_type)),
    ]
    found = _joined([pa.table(found) for _, found in filled])
    fields = [pa.field(name, column.type) for name, column in found.items()]
    return pa.RecordBatch.from_arrays([*base, *found.values()], schema=pa.schema([*BASE, *fields]))


def _stamps(times: Any) -> pa.Array:
    return pa.Array.from_buffers(TIMESTAMP, len(times), [None, pa.py_buffer(times)])


def _joined(tables: Sequence[pa.Table]) -> dict[str, pa.Array]:
    """The columns of all, null where one lacks them."""
    if not tables:
        return {}
    whole = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="default")
    return {name: whole.column(name).combine_chunks() for name in whole.column_names}


class CheckIn(msgspec.Struct, frozen=True):
    """A car says which version of its policy it obeys."""

    policy: Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


_CHECK_IN = msgspec.json.Decoder(CheckIn)


def check_in(payload: bytes) -> CheckIn:
    """Read a check-in, {"policy": version}; other names in it are not looked at. Malformed where it is none."""
    try:
        return _CHECK_IN.decode(payload)
    except ERRORS:
        raise Malformed("no JSON object with the version of a policy", where="check-in") from None
