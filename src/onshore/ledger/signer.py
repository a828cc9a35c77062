"""Signing of notes: a key's name, its verifier key, and the lines it adds."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onshore.words.errors import Malformed

from .note import ED25519, Key, decoded, signature_line

_SECRET = "PRIVATE+KEY+"  # noqa: S105 (how a signing key begins, as the Go checksum database writes it)


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
        return f"{text}\n{signature_line(self.key, self._private.sign(text.encode()))}"


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
