"""Signatures of the 2025 edition: three algorithms, three states, keys in and out of shape."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from onshore.gate.gb32960 import encode, sm2
from onshore.gate.gb32960.protocol import checksum, frame
from onshore.gate.gb32960.signatures import Algorithm, State, find, key, verify
from onshore.words.errors import Malformed

VIN = b"LTEST000000000025"
NOW = 1_768_437_059_000
UNITS = {"engine": {"crank_rpm": 2100}}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ECC = ec.derive_private_key(12345, ec.SECP256R1())
SM2_KEY = sm2.Point(
    0x09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020,
    0xCCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13,
)
SM2_PRIVATE = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
NONCE_TIMES_G_X = sm2.G.x  # a nonce of one: good for a test, and for nothing else


def spki(private, kind=Encoding.PEM):
    return private.public_key().public_bytes(kind, PublicFormat.SubjectPublicKeyInfo)


def by_rsa(signed):
    return 2, RSA.sign(signed, padding.PKCS1v15(), SHA256()), b""


def by_ecc(signed):
    r, s = decode_dss_signature(ECC.sign(signed, ec.ECDSA(SHA256())))
    return 3, r.to_bytes(32, "big"), s.to_bytes(32, "big")


def by_sm2(signed):
    r = (int.from_bytes(sm2.digest(SM2_KEY, signed), "big") + NONCE_TIMES_G_X) % sm2.N
    s = pow(1 + SM2_PRIVATE, -1, sm2.N) * (1 - r * SM2_PRIVATE) % sm2.N
    return 1, r.to_bytes(32, "big"), s.to_bytes(32, "big")


RAW_SM2 = SM2_KEY.x.to_bytes(32, "big") + SM2_KEY.y.to_bytes(32, "big")
RAW_ECC = ECC.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
SIGNERS = {"rsa": (by_rsa, key(spki(RSA))), "ecc": (by_ecc, key(spki(ECC))), "sm2": (by_sm2, key(RAW_SM2))}


@pytest.fixture(params=SIGNERS)
def signer(request):
    return SIGNERS[request.param]


def sent(sign=None, **more):
    return encode.realtime(VIN, NOW, UNITS, edition=2025, sign=sign, **more)


def altered(whole, at):
    body = bytearray(whole)
    body[at] ^= 1
    body[-1] = checksum(body[2:-1])
    return bytes(body)


def test_a_signature_is_valid_and_is_not_where_any_byte_of_it_is_altered(signer):
    sign, known = signer
    whole = sent(sign)
    assert verify(whole, known) is State.VALID
    for at in (24, 31, 32, len(whole) - 5):
        assert verify(altered(whole, at), known) is State.INVALID


def test_a_resent_frame_is_signed_too(signer):
    sign, known = signer
    assert verify(sent(sign, resend=True), known) is State.VALID


def test_an_activation_is_signed_up_to_the_vin_and_without_a_mark(signer):
    sign, known = signer
    whole = encode.activation(VIN, NOW, "CHIP", b"public key", sign)
    assert verify(whole, known) is State.VALID
    assert verify(altered(whole, 40), known) is State.INVALID


def test_without_a_key_nothing_is_verifiable(signer):
    assert verify(sent(signer[0]), None) is State.NOT_VERIFIABLE
    assert verify(sent(), None) is State.NOT_VERIFIABLE


def test_another_key_does_not_do():
    other = key(spki(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    assert verify(sent(by_rsa), other) is State.INVALID


def test_with_a_key_no_signature_and_another_algorithm_are_no_way_round(signer):
    _, known = signer
    assert verify(sent(), known) is State.INVALID
    for code in {1, 2, 3, 9} - {known.algorithm}:
        assert verify(sent(lambda _, code=code: (code, bytes(32), bytes(32))), known) is State.INVALID


@pytest.mark.parametrize(
    ("r", "s"), [(b"", b""), (bytes(32), bytes(32)), (b"\xff" * 32, b"\xff" * 32), (bytes(300), b"\1")]
)
def test_numbers_that_are_no_signature(signer, r, s):
    known = signer[1]
    assert verify(sent(lambda _: (int(known.algorithm), r, s)), known) is State.INVALID


def test_a_longer_number_with_the_right_end_or_beginning_does_not_do():
    for sign, name in ((by_ecc, "ecc"), (by_sm2, "sm2")):
        known = SIGNERS[name][1]
        for longer in (lambda r, s: (r + b"\0", s), lambda r, s: (r, s + b"\0"), lambda r, s: (r, b"\0" + s)):
            assert verify(sent(lambda m, sign=sign, f=longer: (sign(m)[0], *f(*sign(m)[1:]))), known) is State.INVALID
    padded = sent(lambda m: (*by_rsa(m)[:2], b"\0"))
    assert verify(padded, SIGNERS["rsa"][1]) is State.INVALID


def test_what_the_edition_does_not_sign_has_no_state(signer):
    known = signer[1]
    frames = [
        encode.realtime(VIN, NOW, UNITS),
        encode.heartbeat(VIN, edition=2025),
        encode.logout(VIN, NOW, 1, edition=2025),
        frame(2, 1, VIN, bytes(6), start=b"$$"),
        frame(2, 0xFE, VIN, bytes(32), start=b"$$", encryption=3),
        frame(2, 0xFE, VIN, bytes(5), start=b"$$"),
        b"",
    ]
    assert {verify(one, known) for one in frames} == {None}


@pytest.mark.parametrize("body", [b"\x0a", b"\x04\0", b"\xff\1\0", b"\xff\1\0\0\0\0x"])
def test_what_cannot_be_walked_is_the_decoders_to_reject(signer, body):
    assert verify(frame(2, 0xFE, VIN, bytes((26, 1, 15, 8, 30, 59)) + body, start=b"$$"), signer[1]) is None


@pytest.mark.parametrize("cut", [1, 5, 20, 40])
def test_an_activation_that_is_cut_short(cut):
    whole = encode.activation(VIN, NOW, "CHIP", b"key", lambda _: (2, b"r", b""))
    short = frame(9, 0xFE, VIN, whole[24:-1][:-cut], start=b"$$")
    assert verify(short, SIGNERS["rsa"][1]) is None
    with pytest.raises(Malformed, match="signature cut short"):
        find(short)


def test_the_signers_name_counts_for_sm2():
    assert verify(sent(by_sm2), SIGNERS["sm2"][1], name=b"LTEST") is State.INVALID


def test_keys_in_every_shape():
    prefix = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
    der = prefix + b"\4" + RAW_SM2
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
    assert {key(k).public for k in (RAW_SM2, b"\4" + RAW_SM2, der, pem)} == {SM2_KEY}
    assert {key(k).algorithm for k in (RAW_SM2, der, pem)} == {Algorithm.SM2}
    for known in (key(spki(ECC)), key(spki(ECC, Encoding.DER)), key(RAW_ECC), key(RAW_ECC[1:], Algorithm.ECC)):
        assert (known.algorithm, known.public) == (Algorithm.ECC, ECC.public_key())
    assert key(spki(RSA, Encoding.DER)).algorithm == Algorithm.RSA


@pytest.mark.parametrize(
    ("data", "algorithm", "says"),
    [
        (b"", Algorithm.RSA, "no public key"),
        (b"nonsense", Algorithm.RSA, "no public key"),
        (b"-----BEGIN PUBLIC KEY-----\n?\n-----END PUBLIC KEY-----\n", Algorithm.RSA, "not PEM"),
        (bytes(64), Algorithm.SM2, "no point"),
        (bytes(64), Algorithm.ECC, "no point"),
        (RAW_SM2, Algorithm.RSA, "no point"),
        (RAW_ECC, Algorithm.SM2, "no point"),
        (spki(ec.derive_private_key(5, ec.SECP384R1())), Algorithm.ECC, "another kind"),
        (spki(rsa.generate_private_key(public_exponent=65537, key_size=1024)), Algorithm.RSA, "another kind"),
    ],
)  # fmt: skip
def test_keys_that_are_none(data, algorithm, says):
    with pytest.raises(Malformed, match=says):
        key(data, algorithm)
