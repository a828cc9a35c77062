"""Signatures of the 2025 edition: found in a frame, held against the key that a car is known by."""

from base64 import b64decode
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from onshore.gate.gb32960 import sm2
from onshore.gate.gb32960.layout import walk
from onshore.gate.gb32960.protocol import HEADER, START_2025, TIME, Command, Encryption, Flag, header
from onshore.words.errors import Malformed

MIN_RSA_BITS = 2048
_P256_BYTES = 32
_SPKI_SM2 = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")
"""What stands before the 65 bytes of an SM2 key in a SubjectPublicKeyInfo (RFC 5480, curve 1.2.156.10197.1.301)."""


class State(IntEnum):
    """What is known of a frame's signature; recorded with each frame of the 2025 edition."""

    VALID = 1
    INVALID = 2
    NOT_VERIFIABLE = 3


class Algorithm(IntEnum):
    """Codes of table 8."""

    SM2 = 1
    RSA = 2
    ECC = 3


@dataclass(frozen=True)
class Key:
    """A car's public key, and the algorithm that it is for."""

    algorithm: Algorithm
    public: rsa.RSAPublicKey | ec.EllipticCurvePublicKey | sm2.Point


class Signature(NamedTuple):
    """Where a signature stands in a frame: over `signed`, by `algorithm` (a code), `r` and `s`."""

    signed: bytes
    algorithm: int
    r: bytes
    s: bytes


def key(data: bytes, algorithm: Algorithm | None = None) -> Key:
    """A public key: SubjectPublicKeyInfo in PEM or DER, or a bare point of 64 or 65 bytes.

    Of a bare point nothing says which curve it is of: `algorithm` does, or else the one curve that it lies on.

    Malformed for anything else: a point that lies on no curve, another curve than P-256 and SM2's, an RSA key of
    fewer than 2048 bits.
    """
    if data.lstrip().startswith(b"-----"):
        data = _from_pem(data)
    if data.startswith(_SPKI_SM2) and len(data) == len(_SPKI_SM2) + 65:
        data, algorithm = data[len(_SPKI_SM2) :], Algorithm.SM2
    if len(data) in {64, 65}:
        return _point(data[-64:], algorithm)
    try:
        public = load_der_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("no public key that is known here: give RSA, ECC P-256 or SM2, in PEM or DER") from None
    if isinstance(public, rsa.RSAPublicKey) and public.key_size >= MIN_RSA_BITS:
        return Key(Algorithm.RSA, public)
    if isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, ec.SECP256R1):
        return Key(Algorithm.ECC, public)
    raise Malformed(f"a public key of another kind: give RSA of {MIN_RSA_BITS} bits or more, ECC P-256 or SM2")


def _from_pem(text: bytes) -> bytes:
    lines = [line.strip() for line in text.strip().splitlines()]
    try:
        return b64decode(b"".join(lines[1:-1]), validate=True)
    except ValueError:
        raise Malformed("a public key that is not PEM") from None


def _point(raw: bytes, algorithm: Algorithm | None) -> Key:
    x, y = (int.from_bytes(raw[i : i + 32], "big") for i in (0, 32))
    if algorithm in {Algorithm.SM2, None} and sm2.on_curve(sm2.Point(x, y)):
        return Key(Algorithm.SM2, sm2.Point(x, y))
    if algorithm in {Algorithm.ECC, None}:
        try:
            return Key(Algorithm.ECC, ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key())
        except ValueError:
            pass
    raise Malformed("a public key that is no point of its curve")


def verify(frame: bytes, known: Key | None, *, name: bytes = sm2.DEFAULT_ID) -> State | None:
    """What the signature of a frame in the clear is worth; None where the edition has no signature there.

    Without a key nothing is verifiable. With one, a frame that has no signature, or one of another algorithm than
    the key's, is as invalid as one whose signature is wrong: else leaving it out would be a way round it. `name`: the
    signer's, for SM2. A frame that cannot be walked is None too: the decoder rejects it, and says why.
    """
    if not _is_signed(frame):
        return None
    if known is None:
        return State.NOT_VERIFIABLE
    try:
        found = find(frame)
    except Malformed:
        return None
    good = found is not None and found.algorithm == known.algorithm and _holds(found, known, name)
    return State.VALID if good else State.INVALID


def _is_signed(frame: bytes) -> bool:
    if frame[:2] != START_2025 or len(frame) <= HEADER + TIME:
        return False
    head = header(frame)
    commands = {Command.REALTIME, Command.RESEND, Command.ACTIVATION}
    return head.command in commands and head.flag == Flag.COMMAND and head.encryption == Encryption.NONE


def find(frame: bytes) -> Signature | None:
    """The signature of real-time data or an activation in the clear; Malformed where the way to it is not legible."""
    if frame[2] == Command.ACTIVATION:
        length = HEADER + TIME + 16
        at = length + 2 + int.from_bytes(frame[length : length + 2], "big") + 17
        mark = at
    else:
        found = walk(frame).signature
        if found is None:
            return None
        mark, at = found, found + 1  # FF comes before it
    r = at + 3
    s = r + 2 + int.from_bytes(frame[at + 1 : r], "big")
    end = s + int.from_bytes(frame[s - 2 : s], "big")
    if end != len(frame) - 1:
        raise Malformed("signature cut short", where=f"byte {at}")
    return Signature(frame[HEADER:mark], frame[at], frame[r : s - 2], frame[s:end])


def _holds(found: Signature, known: Key, name: bytes) -> bool:
    public = known.public
    if isinstance(public, sm2.Point):
        return _short(found) and sm2.verify(public, found.signed, _number(found.r), _number(found.s), name)
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(found.r, found.signed, padding.PKCS1v15(), SHA256())
            return not found.s
        pair = encode_dss_signature(_number(found.r), _number(found.s))
        public.verify(pair, found.signed, ec.ECDSA(SHA256()))
        return _short(found)
    except InvalidSignature:
        return False


def _short(found: Signature) -> bool:
    return max(len(found.r), len(found.s)) <= _P256_BYTES


def _number(raw: bytes) -> int:
    return int.from_bytes(raw[:_P256_BYTES], "big")
