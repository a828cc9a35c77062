"""Encrypted data units: opened with the right key, and with nothing else."""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from onshore.gate.gb32960 import encode
from onshore.gate.gb32960.cipher import Secret, in_the_clear, sealed
from onshore.gate.gb32960.protocol import Encryption, frame, header
from onshore.gate.gb32960.reference import decode
from onshore.words.errors import Malformed

VIN = b"LTEST000000000025"
NOW = 1_768_437_059_000
KEY, OTHER, VECTOR = b"k" * 16, b"o" * 16, bytes(range(16))
PLAIN = encode.realtime(VIN, NOW, {"engine": {"crank_rpm": 2100}}, edition=2025)
BOTH = Secret(aes128=KEY, sm4=KEY)
CHAINED = Secret(aes128=KEY, sm4=KEY, mode="cbc")


@pytest.mark.parametrize("algorithm", [Encryption.AES128, Encryption.SM4])
@pytest.mark.parametrize(("secret", "vector"), [(BOTH, b""), (CHAINED, VECTOR)])
def test_what_was_sealed_opens(algorithm, secret, vector):
    closed = sealed(PLAIN, secret, algorithm, vector)
    assert header(closed).encryption == algorithm
    assert decode(closed)["body"] == {"ciphertext": closed[24:-1].hex()}
    assert in_the_clear(closed, secret) == PLAIN


def test_frames_of_2016_stay_what_they_are():
    plain = encode.logout(VIN, NOW, 3)
    assert in_the_clear(sealed(plain, BOTH, Encryption.AES128), BOTH) == plain


def test_ecb_with_pkcs7_is_what_is_meant():
    padded = PLAIN[24:-1] + bytes((16 - len(PLAIN[24:-1]) % 16,)) * (16 - len(PLAIN[24:-1]) % 16)
    context = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor()
    assert sealed(PLAIN, BOTH, Encryption.AES128)[24:-1] == context.update(padded)


def test_the_block_cipher_is_sm4():
    """GB/T 32907-2016, annex A.1."""
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")
    closed = sealed(frame(2, 0xFE, VIN, key, start=b"$$"), Secret(sm4=key), Encryption.SM4)
    assert closed[24:40].hex() == "681edf34d206965e86b3e94f536e4246"


def test_what_is_in_the_clear_or_empty_comes_back():
    assert in_the_clear(PLAIN, None) is PLAIN
    empty = frame(7, 0xFE, VIN, start=b"$$", encryption=3)
    assert in_the_clear(empty, None) is empty


@pytest.mark.parametrize(
    ("closed", "secret"),
    [
        (sealed(PLAIN, BOTH, Encryption.AES128), None),
        (sealed(PLAIN, BOTH, Encryption.AES128), Secret(sm4=KEY)),
        (sealed(PLAIN, BOTH, Encryption.SM4), Secret(aes128=KEY)),
        (sealed(PLAIN, BOTH, Encryption.AES128), Secret(aes128=OTHER)),
        (sealed(PLAIN, CHAINED, Encryption.SM4, VECTOR), BOTH),
        (frame(2, 0xFE, VIN, bytes(15), encryption=3), BOTH),
        (frame(2, 0xFE, VIN, bytes(15), encryption=3), CHAINED),
        (frame(2, 0xFE, VIN, bytes(16), encryption=3), CHAINED),
        (frame(2, 0xFE, VIN, bytes(40), encryption=3), CHAINED),
        (frame(2, 0xFE, VIN, bytes(16), encryption=2), BOTH),
        (frame(2, 0xFE, VIN, bytes(16), encryption=4, start=b"$$"), BOTH),
        (frame(2, 0xFE, VIN, bytes(16), encryption=0xFE), BOTH),
    ],
)
def test_what_does_not_open(closed, secret):
    with pytest.raises(Malformed, match="not decryptable"):
        in_the_clear(closed, secret)


def test_nothing_is_sealed_without_its_key():
    with pytest.raises(Malformed, match="no key for this encryption"):
        sealed(PLAIN, Secret(aes128=KEY), Encryption.SM4)


@pytest.mark.parametrize("keys", [{"aes128": b"short"}, {"sm4": bytes(32)}])
def test_a_key_has_16_bytes(keys):
    with pytest.raises(Malformed, match="16 bytes"):
        Secret(**keys)
