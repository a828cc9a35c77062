"""Signing of notes: a key's name, its verifier key, and the lines it adds."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .note import ED25519, Key, signature_line


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

    def sign(self, text: str) -> str:
        """The text, which ends in a newline, as a signed note."""
        return f"{text}\n{signature_line(self.key, self._private.sign(text.encode()))}"
