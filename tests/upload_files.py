"""Small drives in each format, written here, and readers that read them."""

import json
import struct
import zlib
from itertools import pairwise

import pyarrow as pa

from onshore.gate.upload.candump import CandumpReader
from onshore.gate.upload.dbc import parse
from onshore.gate.upload.decode import Target, batch
from onshore.gate.upload.delimited import DelimitedReader
from onshore.gate.upload.frames import Database
from onshore.gate.upload.manifest import Instant
from onshore.gate.upload.mcap import MAGIC, McapReader
from onshore.gate.upload.mdf4 import Mdf4Reader
from onshore.gate.upload.reading import Limits
from onshore.words.catalogue import Signal

START = 1_780_000_000_000
DBC = """
BO_ 180 SPEED: 8 XXX
 SG_ SPEED : 47|16@0+ (0.01,0) [0|250] "km/h" XXX
BO_ 37 STEER: 8 XXX
 SG_ ANGLE : 3|12@0- (1.5,0) [-500|500] "deg" XXX
"""


def signal(name, storage="float32", category="driving-behaviour"):
    return Signal(name, None, "float", storage, category, "raw", "", own=False, gb32960=None)


SPEED, ANGLE, NOTE = signal("Vehicle.Speed"), signal("Vehicle.Angle", "int16"), signal("Vehicle.Note", "string")
CAN = {"SPEED.SPEED": Target(SPEED), "STEER.ANGLE": Target(ANGLE)}
CSV = {"speed": Target(SPEED), "note": Target(NOTE)}
MCAP = {**CAN, "/gnss.speed": Target(signal("Vehicle.Gnss")), "/gnss.at.note": Target(NOTE)}
MDF = {"speed": Target(SPEED), "angle": Target(ANGLE)}


def database(buses=(0,)):
    return Database(parse(DBC), buses, CAN)


def csv_reader(state=None, limits=None):
    return DelimitedReader(CSV, Instant(columns=["t"], format="ms"), limits or Limits(), state)


def candump_reader(state=None, limits=None):
    return CandumpReader(database(), limits or Limits(), state)


def mcap_reader(state=None, limits=None):
    return McapReader(MCAP, database(), ["/can"], limits or Limits(), state)


def mdf_reader(state=None, limits=None):
    return Mdf4Reader(MDF, limits or Limits(), state)


def csv_file(rows=300):
    lines = [f'{START + n},{n / 4},x{n % 5},"a, b"' for n in range(rows)]
    return ("t,speed,note,other\n" + "\n".join(lines)).encode()


def can_frames(count):
    """(ms, id, hex): two messages, a text that begins like a vehicle's number, and now and then a whole one."""
    for n in range(count):
        yield START + n, 180 if n % 2 else 37, f"{n % 1000:04X}000000{n % 200:04X}00"[:16]
        if n % 17 == 0:
            yield START + n, 0x3F0, ("00575657" + f"{n % 9:02X}" + "415A3132")[:16]
        if n % 50 == 0:
            for part in (b"LTEST00", b"0000000", b"017abcd"):
                yield START + n, 0x3F1, "00" + part.hex()


def candump_file(count=300):
    return "".join(f"({at / 1000:.6f}) can0 {id_:03X}#{data}\n" for at, id_, data in can_frames(count)).encode()


def record(kind, content):
    return struct.pack("<BQ", kind, len(content)) + content


def text(said):
    return struct.pack("<I", len(said)) + said.encode()


def mcap_channel(number, topic, encoding="json"):
    return record(4, struct.pack("<HH", number, 0) + text(topic) + text(encoding) + struct.pack("<I", 0))


def mcap_message(number, at, said):
    return record(5, struct.pack("<HIQQ", number, 0, at * 1_000_000, at * 1_000_000) + json.dumps(said).encode())


def mcap_chunk(records, packing="zstd", size=None, crc=None):
    packed = records
    if packing in ("zstd", "lz4"):
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, packing) as stream:
            stream.write(records)
        packed = sink.getvalue().to_pybytes()
    head = struct.pack(
        "<QQQI", 0, 0, len(records) if size is None else size, zlib.crc32(records) if crc is None else crc
    )
    return record(6, head + text(packing) + struct.pack("<Q", len(packed)) + packed)


def mcap_file(count=300, packing=("zstd", "lz4", "")):
    channels = mcap_channel(1, "/can") + mcap_channel(2, "/gnss") + mcap_channel(3, "/lidar", "cdr")
    messages = []
    for n, (at, id_, data) in enumerate(can_frames(count)):
        messages.append(mcap_message(1, at, {"id": id_, "bus": 0, "data": data}))
        if n % 7 == 0:
            messages.append(mcap_message(2, at, {"speed": n / 8, "at": {"note": f"x{n % 3}"}}))
        if n % 31 == 0:
            messages.append(mcap_message(3, at, "raw"))
    third = len(messages) // 3
    parts = [messages[:third], messages[third : 2 * third], messages[2 * third :]]
    body = b"".join(
        mcap_chunk((channels if not n else b"") + b"".join(part), pack)
        for n, (part, pack) in enumerate(zip(parts, packing, strict=True))
    )
    loose = mcap_message(1, START + 5000, {"id": 180, "bus": 0, "data": "0000000000271000"})
    attachment = record(9, b"\7" * 500)
    end = record(15, b"\0" * 4) + record(2, b"\0" * 20)
    return MAGIC + record(1, text("") + text("")) + attachment + body + loose + end + MAGIC


def block(kind, links, data):
    data += b"\0" * (-len(data) % 8)
    return (
        struct.pack("<4s4xQQ", b"##" + kind, 24 + 8 * len(links) + len(data), len(links))
        + b"".join(struct.pack("<Q", link) for link in links)
        + data
    )


def dz(records, columns=0):
    plain = records
    if columns:
        whole = len(records) // columns * columns
        rows = [records[n : n + columns] for n in range(0, whole, columns)]
        plain = bytes(row[c] for c in range(columns) for row in rows) + records[whole:]
    packed = zlib.compress(plain)
    return block(
        b"DZ", [], struct.pack("<2sBxIQQ", b"DT", int(bool(columns)), columns, len(records), len(packed)) + packed
    )


def mdf_records(count=300):
    return b"".join(struct.pack("<dhf", n / 1000, n - 100, n / 4) for n in range(count))


def mdf_file(count=300, *, packed=False, first=True, parts=3, records=None):
    """A time, an angle (int16, 0.5 each) and a speed; what tells about the records lies before or behind them."""
    records = mdf_records(count) if records is None else records
    cut = -(-len(records) // parts)
    pieces = [records[n * cut : (n + 1) * cut] for n in range(parts)]
    data = [
        dz(piece, 14 if n % 2 else 0) if packed else block(b"DT", [], b"")[:16] + struct.pack("<Q", 0)
        for n, piece in enumerate(pieces)
    ]
    if not packed:
        data = [struct.pack("<4s4xQQ", b"##DT", 24 + len(p), 0) + p + b"\0" * (-len(p) % 8) for p in pieces]
    places = [0] * 32
    for _ in range(2):  # once to know where all lies
        told_ = mdf_told(places, parts)
        order = [told_[0], *(told_[1:] + data if first else data + told_[1:])]
        found = [64 + sum(map(len, order[:n])) for n in range(len(order))]
        places = found if first else [found[0], *found[1 + parts :], *found[1 : 1 + parts]]
    return b"MDF     4.10    onshore " + b"\0" * 40 + b"".join(order)


def mdf_told(at, parts):
    """HD, DG, CG, three CN, two TX, CC, DL; `at`: where they and the data blocks lie."""
    _, dg, cg, time, angle, speed, name1, name2, conversion, dl = at[:10]
    data = at[10 : 10 + parts]

    def cn(next_, name, kind, type_, byte, bits, cc=0):
        links = [next_, 0, name, 0, cc, 0, 0, 0]
        return block(
            b"CN", links, struct.pack("<BBBBIIII", kind, int(kind == 2), type_, 0, byte, bits, 0, 0) + b"\0" * 56
        )

    return [
        block(b"HD", [dg, 0, 0, 0, 0, 0], struct.pack("<QhhBBBB", START * 1_000_000, 0, 0, 2, 0, 0, 0) + b"\0" * 16),
        block(b"DG", [0, cg, dl, 0], b"\0" * 8),
        block(b"CG", [0, time, 0, 0, 0, 0], struct.pack("<QQHHIII", 0, 0, 0, 0, 0, 14, 0)),
        cn(angle, 0, 2, 4, 0, 64),
        cn(speed, name1, 0, 2, 8, 16, conversion),
        cn(0, name2, 0, 4, 10, 32),
        block(b"TX", [], b"angle\0"),
        block(b"TX", [], b"speed\0"),
        block(b"CC", [0, 0, 0, 0], struct.pack("<BBHHHdddd", 1, 0, 0, 0, 2, 0, 0, 0, 0.5)),
        block(b"DL", [0, *(data or [0] * parts)], b"\0" * 8),
    ]


FORMATS = {
    "csv": (csv_reader, csv_file),
    "candump": (candump_reader, candump_file),
    "mcap": (mcap_reader, mcap_file),
    "mdf4": (mdf_reader, mdf_file),
    "mdf4-packed-last": (mdf_reader, lambda: mdf_file(packed=True, first=False)),
}


def told(rows):
    """Rows as a sorted list of (ms, values), whatever they came in."""
    whole = batch(1, 0, rows)
    names = whole.schema.names[4:]
    times = whole.column("time").cast("int64").to_pylist()
    values = [whole.column(name).to_pylist() for name in names]
    cells = [
        tuple((n, column[at]) for n, column in zip(names, values, strict=True) if column[at] is not None)
        for at in range(len(times))
    ]
    return sorted(zip(times, (tuple(sorted(c)) for c in cells), strict=True))


def read_all(reader, data, cuts=()):
    rows = []
    edges = [0, *sorted(cuts), len(data)]
    for begin, end in pairwise(edges):
        for step in reader.feed(data[begin:end]):
            rows += step
    for step in reader.finish():
        rows += step
    return rows
