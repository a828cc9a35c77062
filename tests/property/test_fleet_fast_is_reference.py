"""The fast decoder finds exactly what the plain one says, on any mix of payloads, and refuses in its words."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_makers import CREATED, NOW, payloads
from onshore.gate.fleet import signals
from onshore.gate.fleet.decode import Record, decode
from onshore.gate.fleet.observed import observe
from onshore.gate.fleet.reference import MAX_DATA
from onshore.gate.fleet.walk import MOST
from onshore.gate.fleet.wire import put
from onshore.words.batch import BASE_NAMES
from onshore.words.errors import Malformed

SINGLE = {name for name, kind in signals.TYPES.items() if kind == "float"}


def plainly(record):
    try:
        return observe(record.topic, record.payload, record.created)
    except Malformed as bad:
        return bad.what


def check(records):
    decoded = decode(records, list(range(100, 100 + len(records))), NOW)
    decoded.batch.validate(full=True)
    said = [plainly(record) for record in records]
    assert decoded.rejected == [(i, one) for i, one in enumerate(said) if isinstance(one, str)]
    read = [(i, one) for i, one in enumerate(said) if not isinstance(one, str)]
    rows = [(i, at, values) for i, one in read for at, values in one.rows]
    assert decoded.origin.tolist() == [i for i, _, _ in rows]
    assert [bool(decoded.timed[i]) for i, _ in read] == [one.timed for _, one in read]
    batch = decoded.batch
    assert batch.column("vehicle").to_pylist() == [100 + i for i, _, _ in rows]
    assert batch.column("time").cast(pa.int64()).to_pylist() == [at for _, at, _ in rows]
    for row, (_, _, values) in zip(batch.drop_columns(list(BASE_NAMES)).to_pylist(), rows, strict=True):
        found = {name: value for name, value in row.items() if value is not None}
        wanted = {name: float(np.float32(x)) if name in SINGLE else x for name, x in values.items()}
        assert found == wanted
        assert {name: type(x) for name, x in found.items()} == {name: type(x) for name, x in wanted.items()}
    counts = {name: sum(getattr(one, name) for _, one in read) for name in ("unknown", "unreadable")}
    assert {name: n for name, n in counts.items() if n} == dict(decoded.counts)


def of(payload, topic="V"):
    return Record(topic, payload, 1_700_000_000_000)


@settings(max_examples=400)
@given(st.lists(payloads(), max_size=8))
def test_any_mix(sent):
    check([of(payload) for payload in sent])


@given(st.lists(st.tuples(st.sampled_from(("V", "alerts", "errors", "connectivity", "")), payloads()), max_size=6))
def test_other_topics_between_them(sent):
    check([of(payload, topic) for topic, payload in sent])


def test_very_many_data():
    one = put(1, put(1, 4) + put(2, put(5, 10.0)))
    sizes = (1, MOST - 2, MOST - 1, MOST, MOST + 1, MAX_DATA, MAX_DATA + 1, 3 * MAX_DATA)
    check([of(one * n + CREATED) for n in sizes])


def test_nothing_at_all():
    check([])
    check([of(b""), of(b"", "alerts")])


def test_nothing_lies_under_a_null():
    fields = [put(1, put(1, key) + put(2, put(5, 10.0))) + CREATED for key in (4, 8)]
    batch = decode([of(one) for one in fields], [1, 2], NOW).batch
    for name in ("Vehicle.Speed", "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"):
        column = batch.column(name)
        assert column.null_count == 1
        values = np.frombuffer(column.buffers()[1], np.float32)[:2]
        assert min(values.tolist()) == 0
