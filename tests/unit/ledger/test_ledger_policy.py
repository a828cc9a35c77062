"""Trust policies: read by their rules, quorums of witnesses counted, each witness once."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onshore.ledger.note import COSIGNATURE, ED25519, Key, Unreadable
from onshore.ledger.policy import read_policy
from onshore.ledger.signer import Signer

SIGNER = Signer("example.org/log", b"1" * 32)


class Witness:
    def __init__(self, name, seed):
        private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, COSIGNATURE, private.public_key().public_bytes_raw())


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


def test_a_key_serves_one_log_or_one_witness():
    as_log = Key("example.org/else", ED25519, W[0].key.public)
    for text in (
        f"log {as_log}\nwitness a {W[0].key}\nquorum none",
        f"witness a {W[0].key}\nlog {as_log}\nquorum none",
    ):
        with pytest.raises(Unreadable, match=r"line 2: the same key serves"):
            read_policy(text.encode())


def test_where_witnesses_are_asked():
    assert read_policy(POLICY.encode()).urls == {"b": "https://b.example"}


def test_a_loop_of_groups_cannot_be_written():
    with pytest.raises(Unreadable, match=r"line 2: the member 'h' is not defined above"):
        read_policy((A + "group g any h\ngroup h any g a\nquorum g").encode())
