"""What files say of their signals: CAN databases with floats and multiplexors, MDF's conversions and invalid bits."""

import struct

import numpy as np
import pytest

from onshore.gate.upload.dbc import parse
from onshore.gate.upload.decode import Target
from onshore.gate.upload.frames import Database, frames_of
from onshore.gate.upload.manifest import read
from onshore.gate.upload.mdf4_blocks import Block, Channel, Tree, names_in, unpacked
from onshore.gate.upload.readers import reader
from onshore.gate.upload.reading import Limits
from onshore.words.errors import Malformed
from upload_files import block, mdf_reader, signal

DBC = """
BO_ 100 MIX: 8 X
 SG_ WHICH M : 0|8@1+ (1,0) [0|0] "" X
 SG_ ONE m1 : 8|8@1+ (2,1) [0|0] "" X
 SG_ TWO m2 : 8|8@1+ (1,0) [0|0] "" X
 SG_ NESTED m2M : 16|8@1+ (1,0) [0|0] "" X
BO_ 101 REAL: 8 X
 SG_ F : 0|32@1- (1,0) [0|0] "" X
 SG_ D : 0|64@1- (1,0) [0|0] "" X
 SG_ I : 0|32@1- (1,0) [0|0] "" X
SIG_VALTYPE_ 101 F : 1;
SIG_VALTYPE_ 101 D : 2;
SIG_VALTYPE_ 101 I : 2;
SIG_VALTYPE_ 999 I : 2;
SIG_VALTYPE_ oddly
"""


def decoded(wanted, *frames):
    targets = {f"{name}": Target(signal(name, "float64")) for name in wanted}
    database = Database(parse(DBC), [0], targets)
    made = frames_of([1] * len(frames), [0] * len(frames), [i for i, _ in frames], [d for _, d in frames])
    assert database.channels == len(wanted)
    return {name: column.to_pylist() for rows in database.rows(made) for name, column in rows.columns.items()}


def test_a_multiplexor_says_which_signals_are_there():
    assert "NESTED" not in parse(DBC)[100].signals
    said = decoded(["MIX.ONE", "MIX.TWO", "MIX.WHICH"], (100, "0103" + "00" * 6), (100, "0204" + "00" * 6), (100, "01"))
    assert said == {"MIX.WHICH": [1, 2, 1], "MIX.ONE": [7, None, None], "MIX.TWO": [None, 4, None]}


def test_floats():
    assert decoded(["REAL.F"], (101, struct.pack("<fI", -1.5, 0).hex())) == {"REAL.F": [-1.5]}
    assert decoded(["REAL.D"], (101, struct.pack("<d", 0.1).hex())) == {"REAL.D": [0.1]}
    assert decoded(["REAL.I"], (101, struct.pack("<ii", -2, 0).hex())) == {"REAL.I": [-2]}


def cc(kind, *said):
    values = struct.pack(f"<{len(said)}d", *said)
    return Block(b"##CC", (), struct.pack("<BBHHHdd", kind, 0, 0, 0, len(said), 0, 0) + values)


def linked(cc=0, **change):
    """A CN block: 8 bits at byte 0, unless it says otherwise."""
    fields = {"kind": 0, "sync": 0, "type": 0, "bit": 0, "byte": 0, "bits": 8, "flags": 0, "invalid": 0} | change
    return Block(b"##CN", (0, 0, 8, 0, cc, 0, 0, 0), struct.pack("<BBBBIIII", *fields.values()))


def channel(block_, *conversion):
    tree = Tree()
    tree.blocks = {8: Block(b"##TX", (), b"name\0\0"), **({99: cc(*conversion)} if conversion else {})}
    return tree._channel(block_, 8)


RECORDS = np.array([[4, 0, 0, 0, 0, 0, 0, 0b10], [8, 0, 0, 0, 0, 0, 0, 0]], np.uint8)


def test_conversions():
    assert channel(linked()).read(RECORDS, 7).tolist() == [4, 8]
    assert channel(linked(cc=99), 1, 0.5, 2.0).read(RECORDS, 7).tolist() == [8.5, 16.5]
    assert channel(linked(cc=99), 2, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0).read(RECORDS, 7).tolist() == [0.25, 0.125]
    assert channel(linked(cc=99), 7, 1.0).read(RECORDS, 7).tolist() == [4, 8]
    with pytest.raises(Malformed):
        channel(linked(cc=99), 4, 1.0)


def test_a_value_that_the_record_calls_invalid_is_absent():
    made = channel(linked(flags=2, invalid=1))
    assert isinstance(made, Channel)
    assert np.isnan(made.read(RECORDS, 7)).tolist() == [True, False]


@pytest.mark.parametrize(
    "change",
    [{"type": 6}, {"kind": 1}, {"kind": 2, "sync": 2}, {"flags": 1}, {"bits": 65}, {"type": 1, "bit": 3}, {"type": 4}],
)
def test_channels_that_are_not_read(change):
    assert channel(linked(**change)) is None


def test_a_channel_outside_of_its_record_is_malformed():
    with pytest.raises(Malformed):
        channel(linked(byte=8))


def test_lists_that_bite_their_tail_and_chains_that_lie():
    tree = Tree()
    tree.blocks = {8: Block(b"##DL", (8, 100), b""), 16: Block(b"##HL", (24,), b"")}
    with pytest.raises(Malformed, match="tail"):
        list(tree.lists(8))
    assert list(tree.lists(16)) == [24]
    with pytest.raises(Malformed):
        list(tree._chain(8, b"##DG", 0))


def test_local_time_and_mixed_groups_are_refused():
    tree = Tree()
    tree.blocks = {64: Block(b"##HD", (0,), struct.pack("<QhhB", 0, 0, 0, 1))}
    with pytest.raises(Malformed, match="local time"):
        tree.groups({})
    tree.blocks = {8: Block(b"##CG", (8, 0), b"")}
    with pytest.raises(Malformed, match="mixed"):
        tree._group(Block(b"##DG", (0, 0, 0, 0), b"\0"), 0)


def test_a_packed_block_of_another_kind():
    with pytest.raises(Malformed, match="another kind"):
        unpacked(struct.pack("<2sBxIQQ", b"SD", 0, 0, 1, 0), 10)


def test_names_in_a_file():
    assert names_in(block(b"TX", [], b"speed\0") + b"x" * 8 + block(b"TX", [], b"angle\0") + b"##TX") == [
        "speed",
        "angle",
        "",
    ]


def test_each_format_has_its_reader_and_a_database_that_is_known():
    said = read(b'{"format": "mcap", "channels": {"M.S": "S"}, "dbc": "none", "can": ["/c"]}')
    with pytest.raises(Malformed, match="no CAN database"):
        reader(said, {}, lambda _: None, Limits())
    for kind in ("mcap", "mdf4"):
        said = read(b'{"format": "%b", "channels": {"M.S": "S"}}' % kind.encode())
        assert type(reader(said, {}, lambda _: None, Limits())).__name__.lower() == f"{kind}reader"
    assert mdf_reader().state() == {"done": []}
