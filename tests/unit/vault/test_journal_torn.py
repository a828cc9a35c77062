"""What a crash may leave of the blocks that were not synced costs nothing; damage costs what it hit, and is told."""

import random

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onshore.vault.records import JournalName, Survey, end_payload, payload_of, records, seal_record
from vault_makers import NOON, PACK, WITHHELD, sieved

BLOCK = 4096
CIPHER = AESGCM(b"k" * 32)
NAME = JournalName("shanghai", "1", 7)


def batch(i, rows):
    dice = random.Random(i)
    speeds = [dice.random() for _ in range(rows)]  # so that zstd leaves some of it
    return sieved(range(1, rows + 1), [NOON + i] * rows, speeds=speeds)


def sealed(payload, number):
    return seal_record(CIPHER, NAME, number, number.to_bytes(12, "big"), payload)


SYNCED = [sealed(payload_of(batch(i, rows), PACK), i) for i, rows in enumerate((10, 900, 3, 700))]
TAIL = sealed(payload_of(batch(4, 1500), PACK), 4)
END = sealed(end_payload(), 4)


def read(data):
    survey = Survey()
    times = [record.tally.rows_kept for record in records(bytes(data), CIPHER, NAME, survey)]
    return times, survey


def crashed(synced, data, dice, *, copies=False):
    """What is there after a crash of `data`, of which the first `synced` bytes are on the disk for good."""
    size = dice.randrange(synced, len(data) + BLOCK) if dice.random() < 0.5 else len(data)
    found = bytearray(data[:synced] + bytes(max(0, size - synced)))[: max(size, synced)]
    blocks = list(range(synced // BLOCK, -(-size // BLOCK)))
    for block in dice.sample(blocks, dice.randint(0, max(0, len(blocks) - 1))):
        start, end = max(block * BLOCK, synced), min((block + 1) * BLOCK, len(found), len(data))
        if start < end:
            found[start:end] = data[start:end]
    if copies and len(blocks) > 1:
        at = dice.choice(blocks[1:]) * BLOCK
        source = dice.randrange(0, synced // BLOCK) * BLOCK
        found[at : at + BLOCK] = data[source : source + BLOCK][: max(0, len(found) - at)]
    return bytes(found)


def test_the_tail_is_worth_the_name():
    assert len(TAIL) > 4 * BLOCK
    assert sum(map(len, SYNCED)) > 4 * BLOCK


@pytest.mark.parametrize("copies", [False, True], ids=["subset", "copies"])
def test_any_blocks_of_the_tail_in_any_order_cost_nothing_acknowledged(copies):
    synced, dice = b"".join(SYNCED), random.Random(5)
    whole = 0
    for _ in range(300):
        rows, survey = read(crashed(len(synced), synced + TAIL, dice, copies=copies))
        assert rows[:4] == [10, 900, 3, 700]
        assert survey.damage() == ""
        assert not survey.ended
        whole += len(rows) == 5
    assert whole < 300


def test_every_prefix_is_read_up_to_its_last_whole_record():
    data, ends = b"".join(SYNCED[:1] + [sealed(payload_of(WITHHELD, PACK), n) for n in (1, 2)]), [0]
    for piece in (len(SYNCED[0]), (len(data) - len(SYNCED[0])) // 2, (len(data) - len(SYNCED[0])) // 2):
        ends.append(ends[-1] + piece)
    for cut in range(len(data) + 1):
        rows, survey = read(data[:cut])
        whole = sum(end <= cut for end in ends[1:])
        assert (len(rows), survey.torn, survey.damage()) == (whole, cut - ends[whole], "")


@pytest.mark.parametrize("end", [b"", END], ids=["crashed", "closed"])
def test_damage_costs_the_record_that_it_hit_and_is_told(end):
    dice = random.Random(6)
    data = b"".join(SYNCED) + end
    starts = [sum(map(len, SYNCED[:n])) for n in range(5)]
    for _ in range(60):
        hit = dice.randrange(3 if not end else 4)
        at = dice.randrange(starts[hit], starts[hit + 1])
        altered = bytearray(data)
        altered[at] ^= 1 << dice.randrange(8)
        rows, survey = read(altered)
        assert rows == [n for i, n in enumerate((10, 900, 3, 700)) if i != hit]
        assert survey.damage() == f"record {hit}"
        assert survey.ended == bool(end)


def test_a_block_of_zeros_in_the_middle_costs_what_lay_there():
    data = bytearray(b"".join(SYNCED) + END)
    at = len(SYNCED[0]) + BLOCK
    data[at : at + BLOCK] = bytes(BLOCK)
    rows, survey = read(data)
    assert rows == [10, 3, 700]
    assert (survey.damage(), survey.ended) == ("record 1", True)


def test_what_is_left_out_between_two_records_is_told():
    rows, survey = read(SYNCED[0] + SYNCED[3] + END)
    assert rows == [10, 700]
    assert survey.damage() == "records 1 to 2"


def test_a_whole_record_that_does_not_open_is_damage_wherever_it_stands():
    other = seal_record(AESGCM(b"o" * 32), NAME, 1, bytes(12), payload_of(WITHHELD, PACK))
    assert read(SYNCED[0] + other)[1].damage() == "record 1"
    rows, survey = read(SYNCED[0] + other + SYNCED[2])
    assert (rows, survey.damage()) == ([10, 3], "record 1")


def test_a_file_cut_after_it_was_closed_is_told_where_papers_know_its_records():
    _, survey = read(SYNCED[0] + SYNCED[1])
    assert survey.damage() == survey.damage(2)[:0]
    assert survey.damage(4) == "what follows the first 2 of 4 records"
    assert read(b"".join(SYNCED) + END)[1].damage(4) == ""


def test_bytes_behind_the_end_are_told():
    rows, survey = read(b"".join(SYNCED) + END + b"more")
    assert (len(rows), survey.damage(4)) == (4, "4 bytes behind its end")
