"""Files that lie: refused in a person's words, at little cost, whatever their makers had in mind."""

import contextlib
import struct
import zlib

import pytest

from onshore.gate.upload import manifest
from onshore.gate.upload.can import Track
from onshore.gate.upload.dbc import parse
from onshore.gate.upload.decode import Target
from onshore.gate.upload.delimited import DelimitedReader
from onshore.gate.upload.manifest import Instant
from onshore.gate.upload.mcap import McapReader
from onshore.gate.upload.mdf4_blocks import Block, Channel, Group, Layout, Tree
from onshore.gate.upload.reading import Limits
from onshore.words.errors import Malformed
from upload_files import (
    CSV,
    FORMATS,
    MAGIC,
    SPEED,
    block,
    candump_reader,
    csv_reader,
    database,
    dz,
    mcap_channel,
    mcap_chunk,
    mcap_file,
    mcap_message,
    mcap_reader,
    mdf_file,
    mdf_reader,
    read_all,
    record,
    told,
)

TINY = Limits(line=200, unit=4096, held=8192, names=100, step=10)
BOMB = mcap_chunk(b"\0" * (1 << 22), size=64)
HEAD = b"MDF     4.10    " + b"\0" * 48
SIZES = struct.pack("<III", 0, 14, 0)

HOSTILE = {
    "an endless line of CSV": (csv_reader, b"t,speed" + b"x" * 10_000),
    "a CSV without a time": (csv_reader, b"when,speed\n1,2\n"),
    "a CSV with no header": (csv_reader, b""),
    "a CSV with too many columns": (csv_reader, b",".join(b"c" for _ in range(101)) + b"\n"),
    "a CSV that is no text": (csv_reader, b"t,speed,note\n\xff\xfe,1,2\n"),
    "a CSV with an open quote": (csv_reader, b't,speed,note\n1,2,"open\n'),
    "a CSV with a short row": (csv_reader, b"t,speed,note\n1,2\n"),
    "a CSV of another time": (csv_reader, b"t,speed,note\n1e400,1,2\n"),
    "an endless line of candump": (candump_reader, b"(1.000000) can0 " + b"1" * 10_000),
    "a candump with a long interface": (candump_reader, b"(1.000000) " + b"a" * 150 + b" 123#00\n"),
    "a CSV whose time says a thing twice": (
        lambda limits: DelimitedReader(CSV, Instant(columns=["t"], format="%d %d"), limits),
        b"t,speed\n1 1,2\n",
    ),
    "a long line behind short ones": (
        csv_reader,
        b"t,speed,note\n" + b"1,2,n\n" * 12_000 + b"1,2," + b"x" * 300 + b"\n",
    ),
    "no candump": (candump_reader, b"can0 123 [8] 00\n"),
    "a candump with half a byte": (candump_reader, b"(1.000000) can0 123#0\n"),
    "a candump with a long frame": (candump_reader, b"(1.000000) can0 123#" + b"00" * 65 + b"\n"),
    "no MCAP": (mcap_reader, b"MCAP" * 4),
    "an MCAP that breaks off": (mcap_reader, mcap_file()[:3000]),
    "an MCAP with a huge record": (mcap_reader, MAGIC + struct.pack("<BQ", 6, 1 << 60)),
    "an MCAP bomb": (mcap_reader, MAGIC + BOMB),
    "an MCAP bomb that says so": (mcap_reader, MAGIC + mcap_chunk(b"\0" * (1 << 22))),
    "an MCAP chunk that is too short": (mcap_reader, MAGIC + mcap_chunk(b"\5", size=2)),
    "an MCAP chunk with a wrong CRC": (mcap_reader, MAGIC + mcap_chunk(b"", crc=7, packing="zstd") + b""),
    "an MCAP chunk in another packing": (mcap_reader, MAGIC + mcap_chunk(b"", packing="xz")),
    "an MCAP chunk that does not unpack": (
        mcap_reader,
        MAGIC + record(6, b"\0" * 28 + b"\4\0\0\0zstd" + struct.pack("<Q", 3) + b"abc"),
    ),
    "an MCAP chunk whose record lies": (mcap_reader, MAGIC + mcap_chunk(struct.pack("<BQ", 5, 99))),
    "an MCAP channel that breaks off": (mcap_reader, MAGIC + record(4, b"\0" * 7)),
    "an MCAP topic longer than its channel": (mcap_reader, MAGIC + record(4, b"\0" * 4 + b"\xff\0\0\0/can")),
    "an MCAP channel that is not in JSON": (mcap_reader, MAGIC + mcap_channel(1, "/can", "cdr")),
    "an MCAP with many channels": (mcap_reader, MAGIC + b"".join(mcap_channel(n, "/can") for n in range(200))),
    "an MCAP frame without bytes": (mcap_reader, MAGIC + mcap_channel(1, "/can") + mcap_message(1, 1, {"id": 1})),
    "an MCAP frame of letters": (
        mcap_reader,
        MAGIC + mcap_channel(1, "/can") + mcap_message(1, 1, {"id": 1, "data": "zz"}),
    ),
    "an MCAP frame of a huge bus": (
        mcap_reader,
        MAGIC + mcap_channel(1, "/can") + mcap_message(1, 1, {"id": 1 << 70, "data": ""}),
    ),
    "no MDF": (mdf_reader, b"UnFinMF 4.10    " + b"\0" * 60),
    "an MDF without blocks": (mdf_reader, HEAD),
    "an MDF that is no block": (mdf_reader, HEAD + b"@" * 30),
    "an MDF block that lies": (mdf_reader, HEAD + struct.pack("<4s4xQQ", b"##HD", 24, 9)),
    "an MDF block that is huge": (mdf_reader, HEAD + struct.pack("<4s4xQQ", b"##HD", 1 << 60, 0)),
    "an MDF that breaks off": (mdf_reader, mdf_file()[:900]),
    "an MDF whose records come first": (mdf_reader, HEAD + struct.pack("<4s4xQQ", b"##DT", 1 << 40, 0)),
    "an MDF bomb": (mdf_reader, mdf_file(packed=True, parts=1, records=b"\0" * (1 << 20))),
    "an MDF of texts alone": (mdf_reader, HEAD + block(b"TX", [], b"x" * 1000) * 50),
    "an MDF of records that never end": (mdf_reader, mdf_file().replace(SIZES, struct.pack("<III", 0, 1 << 30, 0))),
    "an MDF block that does not unpack": (
        mdf_reader,
        mdf_file(packed=True, parts=1).replace(b"\x78\x9c", b"\x79\x9c", 1),
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_that_lies_is_refused(name):
    made, data = HOSTILE[name]
    with pytest.raises(Malformed):
        read_all(made(limits=TINY), data, range(0, min(len(data), 5000), 64))


def test_a_chunk_with_a_wrong_checksum_is_refused():
    with pytest.raises(Malformed, match="CRC"):
        read_all(mcap_reader(), MAGIC + mcap_chunk(mcap_channel(1, "/can"), crc=7))


def test_a_bomb_is_not_unpacked_beyond_what_it_says():
    packed = dz(b"\0" * (1 << 24))
    assert len(packed) < 1 << 16
    lying = packed.replace(struct.pack("<Q", 1 << 24), struct.pack("<Q", 14))
    file = mdf_file(packed=True, parts=1).replace(dz(b"".join([])), lying)
    assert told(read_all(mdf_reader(), file))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_is_cut_anywhere_is_refused_or_short(kind):
    made, file = FORMATS[kind]
    whole = told(read_all(made(), file()))
    data = file()
    for at in range(0, len(data), max(1, len(data) // 60)):
        try:
            rows = told(read_all(made(), data[:at]))
        except Malformed:
            continue
        assert len(rows) <= len(whole)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_bit_that_fell_over_is_refused_or_read(kind):
    made, file = FORMATS[kind]
    data = file()
    for at in range(0, len(data), max(1, len(data) // 150)):
        damaged = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        with contextlib.suppress(Malformed):
            read_all(made(limits=Limits(unit=1 << 16, held=1 << 20)), damaged)


DATABASES = [
    "BO_ x",
    "BO_ 1 M: 8 X\n SG_ S : 1|8@2+ (1,0)",
    "BO_ 1 M: 8 X\n SG_ S : 0|65@1+ (1,0)",
    "BO_ 1 M: 8 X\n SG_ S : 511|9@1+ (1,0)",
    "BO_ 1 M: 8 X\n SG_ S : 0|8@1+ (1..2,0)",
    "x" * (5 << 20),
]


@pytest.mark.parametrize("text", DATABASES, ids=lambda t: t[-20:])
def test_a_database_that_cannot_be_is_refused(text):
    with pytest.raises(Malformed, match="DBC"):
        parse(text)


def test_a_deflated_block_is_what_its_kind_says():
    assert zlib.decompress(dz(b"abc")[48:]) == b"abc"


def test_two_channels_of_one_signal_cost_what_one_does():
    speed = Channel("speed", Layout(64, 8, True, False, 1.0, 0.0))
    group = Group(0, 0, (0, 9, 0), [Channel("", Layout(0, 64, True, False, 1.0, 0.0, "float")), *[speed] * 1000])
    group.want({"speed": Target(SPEED)})
    assert len(group.wanted) == 1
    fields = {f"/a.{n}": Target(SPEED) for n in range(1000)}
    assert [len(f) for f in McapReader(fields, database(), [], Limits())._fields.values()] == [1]


def test_what_is_no_frame_adds_nothing_to_what_waits_for_one():
    track = Track(database())
    for at in range(1000):
        track.begin(at, at)
    assert len(track._units) <= 2


def test_millions_of_records_that_are_none_of_ours_let_others_have_their_turn():
    chunk = mcap_chunk(struct.pack("<BQ", 1, 0) * 1000)
    assert len(list(mcap_reader(limits=TINY).feed(MAGIC + mcap_chunk(b"")))) == 1
    assert len(list(mcap_reader(limits=Limits(step=10)).feed(MAGIC + chunk))) > 20


def test_a_packed_block_is_decoded_in_steps():
    reader = mdf_reader(limits=Limits(step=10))
    assert max(len(rows.times) for rows in read_all(reader, mdf_file(packed=True, parts=1))) == 10


def test_a_refusal_repeats_no_key_of_a_manifest():
    for key in ("x - at LTEST000000000017", "x - at `$.LTEST000000000017"):
        with pytest.raises(Malformed) as said:
            manifest.read(b'{"format": "csv", "channels": {"a": "b"}, "%b": 1}' % key.encode())
        assert "LTEST" not in str(said.value)
    with pytest.raises(Malformed, match=r"at \$\.time\.offset"):
        manifest.read(b'{"format": "csv", "channels": {"a": "b"}, "time": {"columns": ["t"], "offset": 9999}}')


@pytest.mark.parametrize("kind", [b"DT", b"TX"])
def test_empty_blocks_cost_what_they_take_in_memory(kind):
    with pytest.raises(Malformed, match=r"before what tells|more blocks that tell"):
        list(mdf_reader(limits=TINY).feed(HEAD + block(kind, [], b"") * 50))


def test_a_block_that_two_lead_to_is_refused():
    tree = Tree()
    tree.blocks = {
        64: Block(b"##HD", (1, 0, 0, 0, 0, 0), b"\0" * 32),
        1: Block(b"##DG", (2, 3, 0, 0), b"\0" * 8),
        2: Block(b"##DG", (0, 3, 0, 0), b"\0" * 8),
        3: Block(b"##CG", (0, 0, 0, 0, 0, 0), struct.pack("<QQHHIII", 0, 0, 0, 0, 0, 14, 0)),
    }
    with pytest.raises(Malformed, match="twice"):
        tree.groups({})


def test_lists_that_never_end_are_refused():
    links = block(b"DL", [0, *[7] * 900], b"\0" * 8)
    file = mdf_file()
    where = file.index(b"##DL")
    pointed = file.replace(struct.pack("<Q", where), struct.pack("<Q", len(file))) + links
    with pytest.raises(Malformed, match="lists tell of more"):
        read_all(mdf_reader(limits=Limits(names=100)), pointed)


@pytest.mark.parametrize("factor", [float("inf"), float("nan"), 1e308])
def test_a_factor_that_makes_no_numbers_leaves_cells_out_and_warns_nobody(factor):
    half = struct.pack("<dd", 0, 0.5)
    data = mdf_file()
    assert data.count(half) == 1
    rows = told(read_all(mdf_reader(), data.replace(half, struct.pack("<dd", -factor, factor))))
    assert len(rows) == 300
    assert sum(len(values) == 1 for _, values in rows) >= 298  # the other channel alone
