"""Records cannot be moved, swapped, cut out or altered unseen; only a torn tail is forgiven."""

import msgspec
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onshore.vault.records import JournalName, end_payload, payload_of, records, seal_record
from onshore.words.errors import Broken
from vault_makers import NOON, PACK, WITHHELD, sieved

CIPHER = AESGCM(b"k" * 32)
NAME = JournalName("shanghai", "1", 7)
BATCHES = [sieved([1, 2], [NOON, NOON + i]) for i in range(3)] + [WITHHELD]


def sealed(payloads, name=NAME, first=0):
    return [seal_record(CIPHER, name, i, i.to_bytes(12, "big"), payload) for i, payload in enumerate(payloads, first)]


PIECES = sealed([payload_of(one, PACK) for one in BATCHES])
END = sealed([end_payload()], first=len(PIECES))[0]


def read(data, name=NAME):
    return list(records(data, CIPHER, name))


def same(found, wanted):
    return [(r.tally, r.pack) for r in found] == [(s.tally, PACK) for s in wanted] and all(
        (r.batch is None and s.kept is None) or r.batch.equals(s.kept, check_metadata=True)
        for r, s in zip(found, wanted, strict=True)
    )


@pytest.mark.parametrize("end", [b"", END])
def test_round_trip(end):
    assert same(read(b"".join(PIECES) + end), BATCHES)
    assert read(end) == [] if not end else True


def test_every_torn_tail_is_cut_and_nothing_before_it():
    data, last = b"".join(PIECES[:3]), PIECES[2]
    whole = len(data) - len(last)
    for cut in range(whole, len(data)):
        assert same(read(data[:cut]), BATCHES[:2]), cut


def test_every_damaged_byte_of_the_last_record_is_cut():
    data, last = b"".join(PIECES[:2]), PIECES[1]
    for i in range(len(last)):
        torn = bytearray(data)
        torn[-1 - i] ^= 0x55
        assert same(read(bytes(torn)), BATCHES[:1]), i


def test_zeros_after_the_last_record_are_cut():
    assert same(read(b"".join(PIECES[:2]) + bytes(4096)), BATCHES[:2])


def test_every_damaged_byte_before_a_whole_record_is_broken():
    first, later = PIECES[3], sealed([payload_of(WITHHELD, PACK)], first=1)[0]
    moved = sealed([payload_of(WITHHELD, PACK)])[0]
    assert len(first) == len(moved)
    for i in range(len(moved)):
        altered = bytearray(moved + later)
        altered[i] ^= 0x55
        with pytest.raises(Broken, match="damaged"):
            read(bytes(altered))


def test_a_damaged_record_before_a_clean_end_is_broken():
    altered = bytearray(b"".join(PIECES) + END)
    altered[len(altered) - len(END) - 1] ^= 1
    with pytest.raises(Broken, match="damaged or an end"):
        read(bytes(altered))


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2], [0, 0, 1], [1, 2]], ids=["swapped", "cut", "doubled", "headless"])
def test_records_out_of_turn_are_broken(order):
    with pytest.raises(Broken, match="does not open"):
        read(b"".join(PIECES[i] for i in order))


@pytest.mark.parametrize(
    "name", [JournalName("paris", "1", 7), JournalName("shanghai", "2", 7), JournalName("shanghai", "1", 8)]
)
def test_a_file_under_another_name_opens_nothing(name):
    with pytest.raises(Broken, match="altered or moved"):
        read(PIECES[0], name)


def test_records_after_the_end_are_broken():
    extra = sealed([payload_of(WITHHELD, PACK)], first=len(PIECES) + 1)[0]
    with pytest.raises(Broken, match="an end"):
        read(b"".join(PIECES) + END + extra)


def test_a_mark_inside_the_torn_tail_is_no_record():
    torn = b"\xf7rec" * 20
    assert same(read(PIECES[0] + torn), BATCHES[:1])


def test_kept_batch_is_compressed():
    many = sieved([1] * 5000, [NOON] * 5000)
    assert len(payload_of(many, PACK)) < many.kept.nbytes / 10


def test_a_batch_whose_buffers_were_compressed_one_by_one_is_still_read():
    one, sink = BATCHES[0], pa.BufferOutputStream()
    said = msgspec.json.encode({"pack": PACK, "rows_in": one.tally.rows_in, "rows_kept": one.tally.rows_kept})
    said += b" " * (-(4 + len(said)) % 8)
    sink.write(len(said).to_bytes(4, "big") + said)
    with pa.ipc.new_stream(sink, one.kept.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_batch(one.kept)
    [record] = read(sealed([sink.getvalue().to_pybytes()])[0])
    assert record.batch.equals(one.kept)
