"""Ed25519 in plain Python, held to RFC 8032's vectors and to the library that signs."""

import random

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from onshore.ledger.signatures import ORDER, P, ed25519

# RFC 8032 §7.1: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]


def library_says(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_vectors_of_rfc_8032(public, message, signature):
    assert ed25519(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))


def test_it_says_what_the_library_says():
    seeded = random.Random(8032)
    for size in range(40):
        private = Ed25519PrivateKey.from_private_bytes(seeded.randbytes(32))
        public, message = private.public_key().public_bytes_raw(), seeded.randbytes(size)
        signature = private.sign(message)
        assert ed25519(public, message, signature)
        assert not ed25519(public, message + b"\0", signature)
        flipped = bytearray(signature)
        flipped[seeded.randrange(64)] ^= 1 << seeded.randrange(8)
        assert ed25519(public, message, bytes(flipped)) is library_says(public, message, bytes(flipped)) is False
        other = bytearray(public)
        other[seeded.randrange(32)] ^= 1 << seeded.randrange(8)
        assert not ed25519(bytes(other), message, signature)


def test_lengths_are_fixed():
    public, message, signature = (bytes.fromhex(x) for x in RFC_8032[0])
    assert not ed25519(public[:31], message, signature)
    assert not ed25519(public, message, signature + b"\0")


def test_s_has_one_spelling():
    public, message, signature = (bytes.fromhex(x) for x in RFC_8032[1])
    s = int.from_bytes(signature[32:], "little") + ORDER
    assert not ed25519(public, message, signature[:32] + s.to_bytes(32, "little"))


def spelled(y):
    return y.to_bytes(32, "little")


def test_points_have_one_spelling():
    # The neutral point as a key signs everything with S = 0 and R itself: whoever reads it otherwise is found out.
    signature = spelled(1) + bytes(32)
    assert ed25519(spelled(1), b"m", signature)
    assert not ed25519(spelled(P + 1), b"m", signature)
    assert not ed25519(spelled(1 | 1 << 255), b"m", signature)
    assert not ed25519(spelled(2), b"m", signature)  # no point has y = 2
    for m in range(32):
        for r in (spelled(0), spelled(1 << 255), spelled(1), spelled(P - 1)):
            assert not ed25519(spelled(P), bytes([m]), r + bytes(32))


def test_a_key_of_order_four_is_read_as_the_library_reads_it():
    # y = 0 and x a root of -1. With S = 0, R = k * -A holds: one of four points, for some messages.
    public = bytes(32)
    rs = [bytes(32), (1 << 255).to_bytes(32, "little"), (1).to_bytes(32, "little"), (P - 1).to_bytes(32, "little")]
    held = [[ed25519(public, bytes([m]), r + bytes(32)) for r in rs] for m in range(16)]
    assert held == [[library_says(public, bytes([m]), r + bytes(32)) for r in rs] for m in range(16)]
    assert any(map(any, held))
