"""Whatever bytes come as a file, a manifest, a database or a header: documented refusals only."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onshore.gate.upload import protocol
from onshore.gate.upload.dbc import parse
from onshore.gate.upload.manifest import read
from onshore.gate.upload.reading import Limits
from onshore.words.errors import Malformed
from upload_files import FORMATS, read_all

SMALL = Limits(line=500, unit=1 << 16, held=1 << 18, names=200, step=50)
FILES = {kind: (made, file()) for kind, (made, file) in FORMATS.items()}


@st.composite
def damaged(draw, data):
    """A file with some of its bytes overwritten, left out or put in."""
    found = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(found)))
        gone = draw(st.integers(0, 12))
        found[at : at + gone] = draw(st.one_of(st.binary(max_size=12), st.just(b"\xff" * 8), st.just(b"\0" * 8)))
    return bytes(found[: draw(st.integers(1, len(found) or 1)) if draw(st.booleans()) else len(found)])


@pytest.mark.parametrize("kind", FILES)
@settings(deadline=None)
@given(data=st.data())
def test_a_reader_reads_or_says_malformed(kind, data):
    made, file = FILES[kind]
    said = data.draw(st.one_of(damaged(file), st.binary(max_size=300)))
    with contextlib.suppress(Malformed):
        read_all(made(limits=SMALL), said, [len(said) // 2])


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_a_manifest_is_read_or_malformed(data):
    with contextlib.suppress(Malformed):
        read(data)


@given(
    st.lists(
        st.sampled_from(["BO_ 1 M: 8 X", " SG_ S : 7|8@0+ (1,0)", "SIG_VALTYPE_ 1 S : 1;", "0", "m1", "M"]), max_size=6
    )
)
def test_a_database_is_read_or_malformed(lines):
    with contextlib.suppress(Malformed):
        parse("\n".join(lines))


@given(st.dictionaries(st.sampled_from(["upload-metadata", "upload-checksum", "upload-offset"]), st.text(max_size=40)))
def test_headers_are_read_or_malformed(headers):
    for read_one in (protocol.metadata, protocol.checksum, lambda h: protocol.whole_number(h, "Upload-Offset")):
        with contextlib.suppress(Malformed):
            read_one(headers)
