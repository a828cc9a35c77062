"""Signed notes and checkpoints: read in their one form, believed by known keys alone."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onshore.ledger import note as note_module
from onshore.ledger.note import (
    COSIGNATURE,
    MLDSA44,
    Checkpoint,
    Key,
    Unreadable,
    Wrong,
    checkpoint_text,
    decimal,
    decoded,
    open_note,
    read_checkpoint,
    read_key,
    read_keys,
    signature_line,
    subtree,
)
from onshore.ledger.signer import Cosigner, Signer
from onshore.ledger.verify import Finding, Trust, checkpoint

SIGNER = Signer("example.org/log", b"1" * 32)
OTHER = Signer("example.org/other", b"2" * 32)
TEXT = "first\n\nsecond\n"


class Witness:
    def __init__(self, name, seed):
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, COSIGNATURE, self._private.public_key().public_bytes_raw())

    def line(self, text, at=1_700_000_000):
        signature = self._private.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return signature_line(self.key, at.to_bytes(8, "big") + signature)


WITNESS = Witness("example.org/w1", b"3" * 32)


def test_a_note_is_opened_by_its_key():
    note = open_note(SIGNER.sign(TEXT), [SIGNER.vkey])
    assert note.text == TEXT
    assert note.signers == (SIGNER.key,)
    assert note.others == ()


def test_unknown_signatures_are_ignored_and_named():
    whole = SIGNER.sign(TEXT) + OTHER.sign(TEXT).split("\n")[-2] + "\n"
    note = open_note(whole.encode(), [SIGNER.key])
    assert note.signers == (SIGNER.key,)
    assert note.others == ("example.org/other",)


def test_a_known_signature_that_fails_rejects_the_note():
    wrong = signature_line(OTHER.key, bytes(64))
    with pytest.raises(Wrong, match="does not hold"):
        open_note(SIGNER.sign(TEXT) + wrong, [SIGNER.key, OTHER.key])
    assert open_note(SIGNER.sign(TEXT) + wrong, [SIGNER.key]).text == TEXT


def test_a_note_that_nobody_known_signed_is_rejected():
    with pytest.raises(Wrong, match="no key that you trust"):
        open_note(SIGNER.sign(TEXT), [OTHER.key])


def test_a_key_of_the_same_name_is_another_key():
    with pytest.raises(Wrong, match="no key that you trust"):
        open_note(SIGNER.sign(TEXT), [Signer("example.org/log", b"9" * 32).key])


def test_cosignatures_cover_their_time():
    text = "example.org/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
    note = open_note(SIGNER.sign(text) + WITNESS.line(text), [SIGNER.key, WITNESS.key])
    assert note.signers == (SIGNER.key, WITNESS.key)
    late = WITNESS.line(text, 1 << 63)
    with pytest.raises(Wrong):
        open_note(SIGNER.sign(text) + late, [SIGNER.key, WITNESS.key])
    raw = bytearray(base64.b64decode(WITNESS.line(text).split(" ")[2]))
    raw[11] ^= 1
    moved = signature_line(WITNESS.key, bytes(raw[4:]))
    with pytest.raises(Wrong):
        open_note(SIGNER.sign(text) + moved, [SIGNER.key, WITNESS.key])


POINT = Checkpoint("example.org/log", 7, bytes(range(32)))
KINDS = pytest.mark.parametrize("kind", [COSIGNATURE, MLDSA44])


@KINDS
def test_timed_signatures_are_over_the_checkpoint_the_name_and_the_time(kind):
    text = checkpoint_text(POINT)
    cosigner, other = Cosigner("example.org/w", b"4" * 32, kind), Cosigner("example.org/x", b"4" * 32, kind)
    line = cosigner.line(text, 1_700_000_000)
    note = open_note(SIGNER.sign(text) + line, [SIGNER.key, read_key(str(cosigner.key))])
    assert note.signers == (SIGNER.key, cosigner.key)
    assert note.times == {cosigner.key: 1_700_000_000}
    raw = base64.b64decode(line.split(" ")[2])[4:]
    bigger = checkpoint_text(Checkpoint(POINT.origin, 8, POINT.root))
    later = (1_700_000_001).to_bytes(8, "big") + raw[8:]
    for key, signature, over in (
        (cosigner.key, raw, bigger),
        (cosigner.key, raw, checkpoint_text(Checkpoint("example.org/else", 7, POINT.root))),
        (cosigner.key, raw, checkpoint_text(Checkpoint(POINT.origin, 7, bytes(32)))),
        (cosigner.key, later, text),
        (cosigner.key, b"\xff" + raw[1:], text),
        (cosigner.key, raw[:-1], text),
        (cosigner.key, raw[:4], text),
        (cosigner.key, raw, TEXT),
        *([(other.key, raw, text)] if kind == MLDSA44 else []),
    ):
        with pytest.raises(Wrong, match="does not hold"):
            open_note(SIGNER.sign(over) + signature_line(key, signature), [SIGNER.key, key])


@KINDS
def test_a_signature_that_is_said_many_times_is_checked_once(kind, monkeypatch):
    """Anybody may say a public signature 250 times to a witness, who would check nothing else for seconds."""
    asked = []
    name = "mldsa44" if kind == MLDSA44 else "ed25519"
    real = getattr(note_module, name)
    monkeypatch.setattr(note_module, name, lambda *said: asked.append(said) or real(*said))
    text = checkpoint_text(POINT)
    cosigner = Cosigner("example.org/w", b"4" * 32, kind)
    line = cosigner.line(text, 1_700_000_000)
    assert open_note(f"{text}\n{line * 250}", [cosigner.key]).signers == (cosigner.key,)
    assert len(asked) == 1


def test_what_ml_dsa_signs_is_laid_out_as_the_specification_says():
    signed = subtree("w", 5, POINT)
    head = b"subtree/v1\n\0" + b"\x01w" + bytes(7) + b"\x05" + b"\x0fexample.org/log" + bytes(8)
    assert signed == head + bytes(7) + b"\x07" + POINT.root


def test_a_name_too_long_to_be_signed_has_no_signature():
    text = checkpoint_text(Checkpoint("o" * 256, 7, bytes(32)))
    line = signature_line(Cosigner("w", b"4" * 32).key, bytes(2428))
    with pytest.raises(Wrong, match="does not hold"):
        open_note(SIGNER.sign(text) + line, [SIGNER.key, Cosigner("w", b"4" * 32).key])


SIGNED = SIGNER.sign(TEXT)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        SIGNED[:-1],
        SIGNED + "\n",
        SIGNED.replace("first", "fir\tst"),
        SIGNED.replace("\u2014 ", "- "),
        SIGNED.replace("example.org/log ", ""),
        SIGNED.replace("example.org/log", "example.org+log"),
        SIGNED.replace("example.org/log", "example.org\u00a0log"),
        SIGNED.replace("=", ""),
        SIGNED + "\u2014 short AAAA\n",
        SIGNED + "\u2014 other AAAAAAB=\n",
        SIGNED + signature_line(OTHER.key, b"x") * 256,
        "x" * (1 << 20) + SIGNED,
        b"\xff" + SIGNED.encode(),
        "\ud800" + SIGNED,
    ],
)
def test_malformed_notes_are_rejected(note):
    with pytest.raises(Wrong):
        open_note(note, [SIGNER.key])


def test_sixteen_signatures_are_accepted():
    assert open_note(SIGNED + signature_line(OTHER.key, b"x") * 16, [SIGNER.key]).signers == (SIGNER.key,)


def test_keys_are_read_as_they_are_written():
    assert read_key(SIGNER.vkey + "\n") == SIGNER.key
    assert read_key(str(WITNESS.key)) == WITNESS.key
    assert read_keys(f"{SIGNER.vkey}\n\n{OTHER.vkey}\n") == (SIGNER.key, OTHER.key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+!",
        "+" + SIGNER.vkey.partition("+")[2],
        "\ud800" + SIGNER.vkey,
        SIGNER.vkey.replace("log+", "lot+"),
        str(Key("a", 6, bytes(32))),
        str(Key("a", 1, bytes(31))),
        str(Key("a", 4, bytes(1312))),
        str(Key("a", 2, bytes(32))),
        f"a+{SIGNER.key.id.hex()}+",
    ],
)
def test_what_is_no_key_is_unreadable(text):
    with pytest.raises(Unreadable):
        read_keys(text)


def test_checkpoints_are_read_as_they_are_written():
    point = Checkpoint("example.org/log", 12, bytes(32))
    assert read_checkpoint(checkpoint_text(point)) == point
    assert read_checkpoint(checkpoint_text(point) + "extension\n") == point


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        "a\n1\n",
        f"\n1\n{ROOT}\n",
        f"a\n01\n{ROOT}\n",
        f"a\n-1\n{ROOT}\n",
        f"a\n\u0661\n{ROOT}\n",
        f"a\n1\n{ROOT}\n\n",
        f"a\n1\n{ROOT[:-1]}\n",
        "a\n1\nAAAA\n",
    ],
)
def test_malformed_checkpoints_are_wrong(text):
    with pytest.raises(Wrong):
        read_checkpoint(text)


def test_base64_and_decimals_have_one_spelling():
    assert decoded("AAA=") == b"\0\0"
    for text in ("AAB=", "AAA", "AA A=", "AA\u00e4=", "AA-="):
        assert decoded(text) is None
    assert [decimal(t) for t in ("0", "10", "01", "+1", "", "9" * 20)] == [0, 10, None, None, None, None]


def test_what_is_told_of_others_words_steers_no_terminal():
    """Names and entries are the sender's: one that takes the line back would have the reader see another verdict."""
    hidden = "x\x9b1A\x9b2K\u202everified\nverified\x1b[2J"
    for told in (str(Finding(False, hidden)), Finding(True, hidden).says, str(Wrong(hidden, hidden))):
        assert told.isprintable()
    wrong = Wrong(hidden, hidden)
    assert wrong.where == wrong.what == "x?1A?2K?verified?verified?[2J"
    text = checkpoint_text(POINT)
    name = "other\x9b2K"
    note = SIGNER.sign(text) + signature_line(Key(name, 1, bytes(32)), bytes(64))
    _, said = checkpoint(note.encode(), Trust((SIGNER.key,)))
    assert [str(one) for one in said][-1] == "not checked: witnesses: no policy was given; signatures by other?2K"
