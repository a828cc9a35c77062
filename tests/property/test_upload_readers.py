"""Readers of all formats: any split of the bytes gives the same rows, and any rest can be gone on from."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from upload_files import ANGLE, FORMATS, SPEED, START, mdf_file, mdf_reader, read_all, told

kinds = pytest.mark.parametrize("kind", FORMATS)
WHOLE = {kind: (file(), told(read_all(made(), file()))) for kind, (made, file) in FORMATS.items()}


@kinds
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_split_gives_the_same_rows(kind, data):
    file, rows = WHOLE[kind]
    cuts = data.draw(st.lists(st.integers(0, len(file)), max_size=8))
    assert told(read_all(FORMATS[kind][0](), file, cuts)) == rows


@kinds
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_reader_goes_on_from_any_rest(kind, data):
    """Killed at any yield or at rest, as often as one likes: made again of its state, it yields what is missing."""
    file, rows = WHOLE[kind]
    made = FORMATS[kind][0]
    kept, reader, at = [], made(), 0
    for _ in range(data.draw(st.integers(1, 4))):
        piece = file[at : data.draw(st.integers(at, len(file)))]
        steps = reader.feed(piece)
        for _ in range(data.draw(st.integers(0, 6))):
            kept += next(steps, [])
        state, at = json.loads(json.dumps(reader.state())), reader.boundary
        reader = made(state)
    assert told(kept + read_all(reader, file[at:])) == rows


@kinds
def test_the_rows_are_those_of_the_file(kind):
    rows = WHOLE[kind][1]
    if kind == "csv":
        assert rows == [(START + n, (("Vehicle.Note", f"x{n % 5}"), ("Vehicle.Speed", n / 4))) for n in range(300)]
    elif kind.startswith("mdf4"):
        assert rows == [(START + n, ((ANGLE.name, round((n - 100) / 2)), (SPEED.name, n / 4))) for n in range(300)]
    else:
        assert [at for at, cells in rows if SPEED.name in dict(cells)][:150] == [START + n for n in range(1, 300, 2)]
        assert [at for at, cells in rows if ANGLE.name in dict(cells)] == [START + n for n in range(0, 300, 2)]
    if kind == "mcap":
        assert rows[-1] == (START + 5000, ((SPEED.name, 100.0),))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("parts", [1, 4, 7])
def test_records_may_straddle_blocks_wherever_they_are_told_of(packed, first, parts):
    file = mdf_file(packed=packed, first=first, parts=parts)
    assert told(read_all(mdf_reader(), file, range(0, len(file), 100))) == WHOLE["mdf4"][1]
