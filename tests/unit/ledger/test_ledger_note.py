"""Signed notes, checkpoints and policies: read in their one form, believed by known keys alone."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onshore.ledger.note import (
    COSIGNATURE,
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
    read_policy,
    signature_line,
)
from onshore.ledger.signer import Signer

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


W = [Witness(f"example.org/w{i}", bytes([i]) * 32) for i in range(1, 6)]
POLICY = f"""# two of three, and any of two
log {SIGNER.vkey} https://example.org/log
witness a {W[0].key}
witness b {W[1].key} https://b.example
\twitness c {W[2].key}
witness d {W[3].key}
witness \u00e9 {W[4].key}
group two 2 a b c
group any any d \u00e9
group both all two any
quorum both
"""


@pytest.mark.parametrize(
    ("signers", "met"), [("abd", True), ("bce", True), ("abc", False), ("ade", False), ("", False), ("abcde", True)]
)
def test_a_quorum_of_groups(signers, met):
    policy = read_policy(POLICY.encode())
    assert policy.logs == (SIGNER.key,)
    assert policy.met_by([W["abcde".index(s)].key for s in signers]) is met


def test_a_quorum_of_one_or_none():
    assert read_policy(b"quorum none\n").met_by([])
    policy = read_policy(f"witness a {W[0].key}\nquorum a".encode())
    assert policy.met_by([W[0].key])
    assert not policy.met_by([W[1].key])


def test_names_are_octets():
    with pytest.raises(Unreadable, match=r"line 2: .*udcff"):
        read_policy(b"witness \xfe " + str(W[0].key).encode() + b"\ngroup g all \xff\nquorum g")
    assert "\udcfe" in read_policy(b"witness \xfe " + str(W[0].key).encode() + b"\nquorum none").witnesses


A, B = f"witness a {W[0].key}\n", f"witness b {W[1].key}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        A,
        "quorum a",
        "quorum none\nquorum none",
        A + "quorum none extra",
        "colour blue\nquorum none",
        "quorum none\r",
        "# \x7f\nquorum none",
        A + A.replace("witness a", "witness b") + "quorum none",
        A + B.replace("witness b", "witness a") + "quorum none",
        f"witness none {W[0].key}\nquorum none",
        f"witness a {SIGNER.vkey}\nquorum none",
        f"log {W[0].key}\nquorum none",
        f"log {SIGNER.vkey}\nlog {SIGNER.vkey}\nquorum none",
        "log nonsense\nquorum none",
        A + "group g any\nquorum none",
        A + "group g any none\nquorum none",
        A + "group g any b\n" + B + "quorum none",
        A + "group g any a a\nquorum none",
        A + "group g any a\ngroup h any a\nquorum none",
        A + "group g 0 a\nquorum none",
        A + "group g 2 a\nquorum none",
        A + "group g some a\nquorum none",
        A + "group a any a\nquorum none",
    ],
)
def test_policies_that_break_a_rule_are_unreadable(text):
    with pytest.raises(Unreadable, match="policy"):
        read_policy(text.encode())
