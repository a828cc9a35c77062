"""Encrypted data units: AES-128 and SM4 opened where the site holds the key, and sealed for those who send.

The standard's text was not at hand, and no public reader that was found opens a frame: how the block cipher is
used is therefore a setting. ECB with PKCS #7 padding is what the length field and the lack of a place for an
initialisation vector suggest; CBC takes its first 16 bytes as the vector. RSA and SM2 carry keys (0B) and are
not for data units of any size: they stay closed.
"""

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm, Cipher, CipherContext, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES128, SM4
from cryptography.hazmat.primitives.padding import PKCS7

from onshore.gate.gb32960.protocol import HEADER, NOT_DECRYPTABLE, Encryption, frame, header
from onshore.words.errors import Malformed

BLOCK = 16


@dataclass(frozen=True)
class Secret:
    """The keys of data units that a site holds of a car, 16 bytes each, None where it holds none."""

    aes128: bytes | None = None
    sm4: bytes | None = None
    mode: Literal["ecb", "cbc"] = "ecb"

    def __post_init__(self) -> None:
        """Malformed unless each key has 16 bytes."""
        if any(key is not None and len(key) != BLOCK for key in (self.aes128, self.sm4)):
            raise Malformed("a key of data units has 16 bytes")


def in_the_clear(sent: bytes, secret: Secret | None) -> bytes:
    """The same frame with its data unit decrypted, marked as not encrypted, with length and checksum of its own.

    A frame that is in the clear, or empty, comes back as it is. Malformed ("not decryptable") where there is no
    key for it, where it does not open, and for RSA, SM2 and the codes that mean abnormal and invalid.
    """
    head = header(sent)
    if head.encryption == Encryption.NONE or not head.length:
        return sent
    if secret is None or (cipher := _cipher(secret, head.encryption)) is None:
        raise Malformed(NOT_DECRYPTABLE)
    body, unpadding = sent[HEADER:-1], PKCS7(8 * BLOCK).unpadder()
    try:
        if secret.mode == "cbc":
            padded = _run(Cipher(cipher, modes.CBC(body[:BLOCK])).decryptor(), body[BLOCK:])
        else:
            padded = _run(Cipher(cipher, modes.ECB()).decryptor(), body)  # noqa: S305 - the sender's choice, not ours
        plain = unpadding.update(padded) + unpadding.finalize()
    except ValueError:
        raise Malformed(NOT_DECRYPTABLE) from None
    return frame(head.command, head.flag, head.vin, plain, start=head.start)


def sealed(plain: bytes, secret: Secret, algorithm: Encryption, vector: bytes = b"") -> bytes:
    """The same frame with its data unit encrypted; `vector`: 16 random bytes, for CBC. Malformed without the key."""
    head = header(plain)
    cipher = _cipher(secret, algorithm)
    if cipher is None:
        raise Malformed("no key for this encryption")
    padding = PKCS7(8 * BLOCK).padder()
    padded = padding.update(plain[HEADER:-1]) + padding.finalize()
    if secret.mode == "cbc":
        body = vector + _run(Cipher(cipher, modes.CBC(vector)).encryptor(), padded)
    else:
        body = _run(Cipher(cipher, modes.ECB()).encryptor(), padded)  # noqa: S305 - what the platform is set to
    return frame(head.command, head.flag, head.vin, body, encryption=algorithm, start=head.start)


def _run(context: CipherContext, data: bytes) -> bytes:
    return context.update(data) + context.finalize()


def _cipher(secret: Secret, algorithm: int) -> BlockCipherAlgorithm | None:
    if algorithm == Encryption.AES128 and secret.aes128:
        return AES128(secret.aes128)
    if algorithm == Encryption.SM4 and secret.sm4:
        return SM4(secret.sm4)
    return None
