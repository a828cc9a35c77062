"""Whatever bytes come: the reader ends with a Fault at worst, and the decoder takes or rejects each message."""

from hypothesis import given
from hypothesis import strategies as st

from onshore.gate.mqtt.decode import check_in, decode
from onshore.gate.mqtt.packets import Connect, Publish
from onshore.gate.mqtt.protocol import V3, V5, Fault, Reader, encode
from onshore.gate.mqtt.shapes import Shapes
from onshore.site import read_catalogue
from onshore.words.batch import BASE_NAMES
from onshore.words.errors import Malformed

CATALOGUE = read_catalogue()
SIGNALS = sorted(CATALOGUE)
hostile = st.sampled_from(
    [b"[" * 4000, b'{"a":' * 4000, b'{"time":1e999}', b'{"time":NaN}', b'{"time":1,"Vehicle.Speed":1e300}',
     b'{"time":1,"time":2}', b'"\\ud800"', b'{"time":1,"\\ud800":1}', b"\xff\xfe", b'{"time":1' + b"0" * 5000 + b"}"]
)  # fmt: skip
numbers = st.one_of(st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=6)), lambda v: st.lists(v, max_size=4), max_leaves=6
)
times = st.one_of(st.integers(-1, 10**18), st.just("2026-03-01T10:00:00+08:00"), st.text(max_size=4))
names = st.one_of(st.sampled_from(SIGNALS), st.text(max_size=4))
objects = st.builds(lambda time, more: {"time": time} | more, times, st.dictionaries(names, values, max_size=4))


def written(value):
    import json

    return json.dumps(value).encode()


payloads = st.one_of(
    hostile,
    st.binary(max_size=40),
    objects.map(written),
    st.lists(objects, max_size=3).map(written),
    values.map(written),
)


@given(st.lists(st.tuples(payloads, st.integers(1, 3)), max_size=8))
def test_decoder_takes_or_rejects_each(sent):
    shapes = Shapes(CATALOGUE)
    for _ in range(2):  # strangers first, then as their shapes were learnt
        decoded = decode([payload for payload, _ in sent], [vehicle for _, vehicle in sent], 0, shapes)
        decoded.batch.validate(full=True)
        assert all(0 <= place < len(sent) and why for place, why in decoded.rejected)
        assert decoded.unknown >= 0


@given(st.lists(st.tuples(payloads, st.integers(1, 3)), max_size=6))
def test_learning_changes_nothing(sent):
    shapes = Shapes(CATALOGUE)
    payloads, vehicles = [payload for payload, _ in sent], [vehicle for _, vehicle in sent]
    first, again = (decode(payloads, vehicles, 0, shapes) for _ in range(2))
    alone = [decode([p], [v], 0, Shapes(CATALOGUE)) for p, v in sent]
    assert [place for place, _ in first.rejected] == [place for place, _ in again.rejected]
    assert [place for place, _ in first.rejected] == [i for i, one in enumerate(alone) if one.rejected]
    assert first.unknown == again.unknown == sum(one.unknown for one in alone)
    rows = [rows_of(decoded.batch) for decoded in (first, again)]
    assert rows[0] == rows[1] == sorted(row for one in alone for row in rows_of(one.batch))


def rows_of(batch):
    """Rows with what they have, if that is any signal, in an order of their own."""
    rows = [{k: v for k, v in row.items() if v is not None} for row in batch.to_pylist()]
    return sorted(repr(sorted(row.items())) for row in rows if row.keys() - BASE_NAMES)


@given(payloads)
def test_a_check_in_is_read_or_malformed(payload):
    try:
        assert check_in(payload).policy >= 0
    except Malformed:
        return


packets = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda first, body: bytes((first, len(body))) + body, st.integers(0, 255), st.binary(max_size=60)),
    st.just(encode(Connect(V5, "car"), V5)),
    st.just(encode(Connect(V3, "car"), V3)),
    st.builds(lambda body: encode(Publish("v1/0/t", body, 1, 1), V5), st.binary(max_size=300)),
)


@given(st.lists(packets, max_size=6), st.sampled_from((None, V3, V5)), st.integers(2, 400))
def test_reader_says_packets_or_one_fault(reads, version, most):
    reader = Reader(most, aliases=2, version=version)
    events = [event for read in reads for event in reader.feed(read)]
    faults = [event for event in events if isinstance(event, Fault)]
    assert all(fault.says for fault in faults)
    assert len(faults) <= 1
    assert not faults or events[-1] == faults[0]
    assert sum(len(piece) for piece in reader._pieces) <= most + 60
