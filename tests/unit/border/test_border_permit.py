from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onshore.border.permits import permit
from onshore.ledger.signer import Signer
from onshore.words.errors import Broken
from onshore.words.permit import Permit

SIGNER = Signer("example/regulator", b"\1" * 32)
PERMIT = Permit(
    id="p1",
    site="s1",
    transfer="t1",
    route="assessment",
    purpose="warranty-analysis",
    categories=("track",),
    recipient="stuttgart",
    recipient_key="age1x",
    persons=5,
    start=date(2026, 1, 1),
    until=date(2026, 12, 31),
    granted_by="regulator",
    request="sha256:00",
    events_from=0,
    events_until=1,
    recipient_jurisdiction="DE",
)


def changed(permit, /, **change):
    """A permit with other words."""
    return replace(permit, **change)


def test_a_permit_is_read_back_as_it_was_signed():
    assert permit.read(permit.signed(PERMIT, SIGNER.sign), SIGNER.vkey) == PERMIT


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_not_believed(where, change):
    note = bytearray(permit.signed(PERMIT, SIGNER.sign).encode())
    note[where % len(note)] ^= change
    with pytest.raises(Broken):
        permit.read(note.decode("utf-8", "replace"), SIGNER.vkey)


@pytest.mark.parametrize(
    "text",
    ["hello\n", "{}\n", '{"onshore":"parcel/1"}\n', "[]\n", permit.text_of(PERMIT).replace('"persons":5,', "")]
    + [permit.text_of(PERMIT).replace('"persons":5', f'"persons":{v}') for v in ('"5"', "[]", "5.5", "null")]
    + [permit.text_of(PERMIT).replace('"p1"', '"p1","more":1'), "[" * 100_000 + "\n"],
)
def test_a_note_with_other_words_is_no_permit(text):
    with pytest.raises(Broken):
        permit.read(SIGNER.sign(text), SIGNER.vkey)


def test_a_permit_is_told_from_other_notes_by_its_shape():
    assert permit.is_one(permit.signed(PERMIT, SIGNER.sign))
    for text in ("hello\n", "[]\n", '{"onshore":"parcel/1"}\n', "[" * 100_000 + "\n"):
        assert not permit.is_one(SIGNER.sign(text))
