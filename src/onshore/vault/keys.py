"""Keys: each is random, wrapped by the one above it, and destroyed alone; the root wraps itself in nothing."""

import hmac
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, insert, select

from onshore.vault.papers import reading, site_keys, writing
from onshore.words.errors import Broken

Randomness = Callable[[int], bytes]
"""So many bytes that nobody can guess: `os.urandom` outside tests."""

KEY_BYTES = 32  # AES-256
NONCE_BYTES = 12  # NIST SP 800-38D, 8.2.2: random nonces serve 2^32 messages under one key


def seal(key: bytes, plaintext: bytes, context: str, randomness: Randomness) -> bytes:
    """AES-256-GCM: a fresh nonce, then the ciphertext with its tag. It opens under the same context alone."""
    nonce = randomness(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def open_sealed(key: bytes, sealed: bytes, context: str) -> bytes:
    """The reverse of `seal`; Broken where the bytes, the key or the context are not those that sealed it."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (InvalidTag, ValueError) as wrong:
        raise Broken(
            f"{context} does not open: it was altered, moved, or sealed under another key; restore a backup"
        ) from wrong


def mac(key: bytes, data: bytes) -> bytes:
    """HMAC-SHA256, 32 bytes: what a sealed column is looked up by."""
    return hmac.digest(key, data, "sha256")


class RootKey(Protocol):
    """Whoever wraps keys: the root key itself, or a site's keyring, which puts a wrapping key in between."""

    def wrap(self, key: bytes, context: str, /) -> bytes:
        """Seal a key so that it opens where it belongs alone: `context` is its use, as "segment/<id>"."""
        ...

    def unwrap(self, wrapped: bytes, context: str, /) -> bytes:
        """The key again; Broken for another context, another root key, or altered bytes."""
        ...


def site_key(engine: Engine, root: RootKey, name: str, randomness: Randomness) -> bytes:
    """The site's 32-byte key of that name ("lookup", "column", "commitment", "ledger"), made on first use."""
    context = f"site-key/{name}"
    asked = select(site_keys.c.wrapped).where(site_keys.c.name == name)
    with reading(engine) as conn:
        wrapped = conn.execute(asked).scalar()
    if wrapped is not None:
        return root.unwrap(wrapped, context)
    with writing(engine) as conn:  # another process may have been quicker: look again under the write lock
        wrapped = conn.execute(asked).scalar()
        if wrapped is None:
            wrapped = root.wrap(randomness(KEY_BYTES), context)
            conn.execute(insert(site_keys).values(name=name, wrapped=wrapped))
    return root.unwrap(wrapped, context)
