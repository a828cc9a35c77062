"""Any batches come back from the journal as they went in, and from segments by the rules; withheld values never."""

import tempfile
from collections import Counter
from pathlib import Path

import pyarrow as pa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.vault.records import JournalName, payload_of, records, seal_record
from onshore.words.tally import Sieved, Tally
from vault_makers import NOON, PACK, PURPOSES, SITE, new_room, sieved

REASONS = st.sampled_from(["consented", "no-consent", "withdrawn", "statutory"])
TALLIES = st.builds(
    Tally,
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.dictionaries(st.tuples(st.text(max_size=5), st.text(max_size=5), REASONS), st.integers(1, 10**12), max_size=6),
)
KINDS = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats(allow_nan=False),
    pa.binary(): st.binary(max_size=40),
    pa.string(): st.text(max_size=10),
    pa.bool_(): st.booleans(),
}


@st.composite
def batches(draw):
    rows = draw(st.integers(1, 20))
    kinds = draw(st.lists(st.sampled_from(list(KINDS)), min_size=1, max_size=6))
    columns = [pa.array(draw(st.lists(st.none() | KINDS[kind], min_size=rows, max_size=rows)), kind) for kind in kinds]
    fields = [pa.field(f"s{i}", kind, metadata={"category": f"c{i}"}) for i, kind in enumerate(kinds)]
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema(fields, metadata={"purposes": "[]"}))


@given(st.lists(st.builds(Sieved, st.none() | batches(), TALLIES), max_size=5), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_any_batches_come_back_and_a_torn_tail_costs_the_last_alone(all_sieved, cut):
    cipher, name = AESGCM(b"k" * 32), JournalName(SITE, "1", 1)
    pieces = [
        seal_record(cipher, name, i, i.to_bytes(12, "big"), payload_of(one, PACK)) for i, one in enumerate(all_sieved)
    ]
    data = b"".join(pieces)
    whole = list(records(data, cipher, name))
    assert [record.tally for record in whole] == [one.tally for one in all_sieved]
    for record, one in zip(whole, all_sieved, strict=True):
        assert (record.batch is None) == (one.kept is None)
        assert one.kept is None or record.batch.equals(one.kept, check_metadata=True)
    if pieces:
        cut = min(cut, len(pieces[-1]) - 1)
        torn = list(records(data[: len(data) - len(pieces[-1]) + cut], cipher, name))
        assert len(torn) == len(pieces) - 1


ROW = st.tuples(st.integers(1, 40), st.integers(0, 3 * 86_400_000))
GROUP = st.tuples(st.lists(ROW, min_size=1, max_size=8), st.integers(0, 7), st.integers(0, 3).map(lambda b: b * 2))


@given(st.lists(GROUP, min_size=1, max_size=3))
@settings(max_examples=10, deadline=None)
def test_drained_rows_are_those_that_each_purpose_may_see(groups):
    with tempfile.TemporaryDirectory() as folder:
        room = new_room(Path(folder))
        for vehicle, purpose in enumerate(PURPOSES[1:], 1):
            room.add_vehicle(vehicle)
            room.consent(vehicle, purpose)
        room.keep(
            *(
                sieved([car for car, _ in rows], [NOON + t for _, t in rows], operation=operation, track=track)
                for rows, operation, track in groups
            )
        )
        for bit, use in enumerate(PURPOSES):
            seen = Counter(
                (category, row["vehicle"], int(row["time"].timestamp() * 1000 + 0.5))
                for category in ("vehicle-operation", "track")
                for table in room.read(use=use, categories=[category])
                for row in table.select(["vehicle", "time"]).to_pylist()
            )
            assert seen == Counter(
                (category, car, NOON + t)
                for rows, operation, track in groups
                for category, bits in (("vehicle-operation", operation), ("track", track))
                for car, t in rows
                if bits >> bit & 1
            )
        room.engine.dispose()


@given(st.floats(1e-3, 1e3), st.floats(1e4, 1e6))
@settings(max_examples=40, deadline=None)
def test_what_was_withheld_is_in_no_opened_byte(latitude, speed):
    batch = sieved([1], [NOON], track=0, operation=1, speeds=[speed]).kept
    index = batch.schema.get_field_index("Vehicle.CurrentLocation.Latitude")
    zeroed = pa.Array.from_buffers(pa.float64(), 1, [pa.py_buffer(b"\x00"), pa.py_buffer(bytes(8))])
    kept = pa.array([latitude])
    withheld, told = (opened(batch.set_column(index, batch.schema.field(index), one)) for one in (zeroed, kept))
    needle = kept.buffers()[1].to_pybytes()[:8]
    assert needle in told, "the control: a value that was kept is found"
    assert needle not in withheld


def opened(batch):
    """Every buffer of a record once decrypted and decompressed: null bitmaps, and what lies under them, too."""
    cipher, name = AESGCM(b"k" * 32), JournalName(SITE, "1", 1)
    record = seal_record(cipher, name, 0, bytes(12), payload_of(Sieved(batch, Tally()), PACK))
    (found,) = records(record, cipher, name)
    return b"".join(b.to_pybytes() for column in found.batch.columns for b in column.buffers() if b is not None)
