"""Signing of notes: a key's name, its verifier key, and the lines it adds."""

import base64
import hmac
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from onshore.words.errors import Malformed

from .note import (
    COSIGNATURE,
    ED25519,
    MLDSA44,
    Checkpoint,
    Key,
    checkpoint_text,
    cosigned_text,
    decoded,
    read_checkpoint,
    signature_line,
    subtree,
)

_SECRET = "PRIVATE+KEY+"  # noqa: S105 (how a signing key begins, as the Go checksum database writes it)
_PRIVATE: Mapping[int, Callable[[bytes], Ed25519PrivateKey | MLDSA44PrivateKey]] = {
    COSIGNATURE: Ed25519PrivateKey.from_private_bytes,
    MLDSA44: MLDSA44PrivateKey.from_seed_bytes,
}
_SECOND = b"onshore.ledger ML-DSA-44"


class Signer:
    """An Ed25519 key that signs notes under a name (C2SP signed-note); `seed`: 32 secret bytes (RFC 8032)."""

    def __init__(self, name: str, seed: bytes) -> None:
        self.seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, ED25519, self._private.public_key().public_bytes_raw())

    @property
    def vkey(self) -> str:
        """The verifier key, as others are given it."""
        return str(self.key)

    @property
    def skey(self) -> str:
        """The signing key with its name, as nobody else is given it."""
        material = base64.b64encode(bytes([ED25519]) + self.seed).decode()
        return f"{_SECRET}{self.key.name}+{self.key.id.hex()}+{material}"

    def sign(self, text: str) -> str:
        """The text, which ends in a newline, as a signed note."""
        return f"{text}\n{self.line(text)}"

    def line(self, text: str) -> str:
        """The line alone that signing a text adds to its note."""
        return signature_line(self.key, self._private.sign(text.encode()))


class Cosigner:
    """A key that signs checkpoints with a time (C2SP tlog-cosignature); `kind`: COSIGNATURE (Ed25519) or MLDSA44.

    `seed`: 32 secret bytes (RFC 8032; FIPS 204 §5.1, xi).
    """

    def __init__(self, name: str, seed: bytes, kind: int = MLDSA44) -> None:
        self._private = _PRIVATE[kind](seed)
        self.key = Key(name, kind, self._private.public_key().public_bytes_raw())

    def line(self, text: str, at: int) -> str:
        """The line that it adds to a checkpoint of this text; `at`: seconds since 1970, not 0 for a witness.

        Wrong where the text states no checkpoint; ValueError where a name takes more than 255 bytes.
        """
        point = read_checkpoint(text)
        message = cosigned_text(text, at) if self.key.kind == COSIGNATURE else subtree(self.key.name, at, point)
        return signature_line(self.key, at.to_bytes(8, "big") + self._private.sign(message))


class LogSigner:
    """Both keys of a log: its checkpoints carry a signature by each, and whoever knows both is shown both.

    `seed`: 32 secret bytes, Ed25519's own. ML-DSA-44's is derived from them: a quantum computer that finds the private
    scalar behind an Ed25519 key does not find the seed, which SHA-512 stands before (RFC 8032 §5.1.5).
    """

    def __init__(self, origin: str, seed: bytes) -> None:
        self.origin, self.seed = origin, seed
        self._first = Signer(origin, seed)
        self._second = Cosigner(origin, hmac.digest(seed, _SECOND, "sha256"))

    @property
    def keys(self) -> tuple[Key, Key]:
        """The verifier keys, Ed25519 first."""
        return self._first.key, self._second.key

    @property
    def vkeys(self) -> str:
        """What the log's file `vkey` holds: the verifier keys, one a line."""
        return "".join(f"{key}\n" for key in self.keys)

    def sign(self, point: Checkpoint, at: int) -> str:
        """The checkpoint as a signed note; `at`: milliseconds UTC, 0 where the second signature states no time."""
        text = checkpoint_text(point)
        return self._first.sign(text) + self._second.line(text, at // 1000)


def read_signer(text: str, where: str) -> Signer:
    """The signer behind a signing key as `Signer.skey` writes it; Malformed, without the secret, where it is none."""
    name, _, rest = text.strip().removeprefix(_SECRET).partition("+")
    key_id, _, material = rest.partition("+")
    raw = decoded(material)
    if not text.startswith(_SECRET) or raw is None or len(raw) != 33 or raw[0] != ED25519:
        raise Malformed("this is no signing key; 'onshore rules key' makes one", where=where)
    signer = Signer(name, raw[1:])
    if signer.key.id.hex() != key_id:
        raise Malformed("the signing key does not fit its id; take it again from where it is kept", where=where)
    return signer
