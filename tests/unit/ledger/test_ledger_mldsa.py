"""ML-DSA-44 in plain Python, held to NIST's ACVP vectors and, both ways, to the library that signs."""

import json
import random
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from onshore.ledger.mldsa import PUBLIC, SIGNATURE, holds, mldsa44

ACVP = json.loads((Path(__file__).parents[2] / "vectors" / "acvp_mldsa44_sigver.json").read_text())
PRIVATE = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
KEY = PRIVATE.public_key().public_bytes_raw()
HINTS = SIGNATURE - 84
"""Where the hints begin: 80 places, then the end of each of four rows (FIPS 204 algorithm 20)."""


def library_says(public, message, signature, context=b""):
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message, context)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("case", ACVP["tests"], ids=lambda case: f"{case['tcId']} {case['reason']}")
def test_vectors_of_nist(case):
    public, message, signature = (bytes.fromhex(x) for x in (ACVP["publicKey"], case["message"], case["signature"]))
    assert holds(public, message, signature) is case["testPassed"]


def test_it_says_what_the_library_says():
    seeded = random.Random(204)
    for size in range(24):
        private = MLDSA44PrivateKey.from_seed_bytes(seeded.randbytes(32))
        public, message = private.public_key().public_bytes_raw(), seeded.randbytes(size * 9)
        context = seeded.randbytes(size * 11)
        signature = private.sign(message, context)
        assert mldsa44(public, message, signature, context)
        assert not mldsa44(public, message + b"\0", signature, context)
        assert not mldsa44(public, message, signature, context + b"\0")
        for part in (slice(0, 32), slice(32, HINTS), slice(HINTS, SIGNATURE)):
            flipped = bytearray(signature)
            flipped[seeded.randrange(part.start, part.stop)] ^= 1 << seeded.randrange(8)
            said = mldsa44(public, message, bytes(flipped), context)
            assert said is library_says(public, message, bytes(flipped), context) is False
        other = bytearray(public)
        other[seeded.randrange(PUBLIC)] ^= 1 << seeded.randrange(8)
        assert mldsa44(bytes(other), message, signature, context) is False


def with_hints(signature, rows, rest=0):
    """That signature with these rows of hints, one after the other; `rest`: what stands behind them."""
    places = bytes(p for row in rows for p in row)
    ends = bytes(sum(map(len, rows[: n + 1])) for n in range(4))
    return signature[:HINTS] + places + bytes([rest]) * (80 - len(places)) + ends


def hints_of(signature):
    ends = signature[-4:]
    return [list(signature[HINTS + start : HINTS + end]) for start, end in zip(b"\0" + ends[:3], ends, strict=True)]


def test_hints_have_one_spelling():
    signature = PRIVATE.sign(b"m")
    rows = hints_of(signature)
    row = next(n for n, places in enumerate(rows) if len(places) > 1)
    assert with_hints(signature, rows) == signature
    swapped = [places[::-1] if n == row else places for n, places in enumerate(rows)]
    twice = [[places[0], *places] if n == row else places for n, places in enumerate(rows)]
    back = signature[:-4] + bytes([signature[-4], signature[-4] - 1 if signature[-4] else 0, *signature[-2:]])
    many = signature[:-1] + bytes([81])
    for wrong in (
        with_hints(signature, swapped),
        with_hints(signature, twice),
        with_hints(signature, rows, 1),
        back,
        many,
    ):
        assert mldsa44(KEY, b"m", wrong) is library_says(KEY, b"m", wrong) is False


def test_lengths_are_fixed():
    signature = PRIVATE.sign(b"m")
    assert mldsa44(KEY, b"m", signature)
    for public, said, context in (
        (KEY[:-1], signature, b""),
        (KEY + b"\0", signature, b""),
        (KEY, signature[:-1], b""),
        (KEY, signature + b"\0", b""),
        (KEY, b"", b""),
        (KEY, signature, bytes(256)),
    ):
        assert mldsa44(public, b"m", said, context) is False


def test_a_response_at_the_bound_is_refused():
    """Every coefficient is gamma1, the largest there is: beyond gamma1 - beta (FIPS 204 algorithm 8, line 13)."""
    signature = PRIVATE.sign(b"m")
    assert not mldsa44(KEY, b"m", signature[:32] + bytes(HINTS - 32) + signature[HINTS:])
