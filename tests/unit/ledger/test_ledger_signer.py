"""What a signer signs, the verifier believes."""

import pytest

from onshore.ledger.note import Wrong, open_note, read_key
from onshore.ledger.signer import Signer


def test_it_signs_notes_that_its_key_opens():
    signer = Signer("shanghai/regulator", bytes(range(32)))
    assert signer.seed == bytes(range(32))
    assert read_key(signer.vkey) == signer.key
    note = signer.sign("granted\n")
    assert open_note(note, [signer.vkey]).text == "granted\n"
    with pytest.raises(Wrong):
        open_note(note.replace("granted", "refused"), [signer.vkey])
