"""Keys: one root key in a file; every other key is random, wrapped by it, and destroyed alone."""

import hmac
import os
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, insert, select

from onshore.vault.disk import make_folder, write_new
from onshore.vault.papers import reading, site_keys, writing
from onshore.words.errors import Broken, Refusal

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


class RootKey:
    """The key that wraps keys. Whoever holds it and the papers reads the site; it never leaves its file."""

    __slots__ = ("_randomness", "_secret")

    def __init__(self, secret: bytes, randomness: Randomness) -> None:
        self._secret = secret
        self._randomness = randomness

    def wrap(self, key: bytes, context: str) -> bytes:
        """Seal a key so that it opens where it belongs alone: `context` is its use, as "segment/<id>"."""
        return seal(self._secret, key, context, self._randomness)

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """The key again; Broken for another context, another root key, or altered bytes."""
        return open_sealed(self._secret, wrapped, context)


def make_root_key(path: Path, randomness: Randomness) -> RootKey:
    """Make the root key's file, 32 random bytes, mode 600; refused (`root-key-exists`) where one lies."""
    make_folder(path.parent)
    secret = randomness(KEY_BYTES)
    try:
        write_new(path, secret)
    except FileExistsError as there:
        raise Refusal(
            "root-key-exists",
            f"{path} exists already, and what it wraps would be lost without it",
            remedy="make the site in another folder, or move the old key to a safe place first",
        ) from there
    return RootKey(secret, randomness)


def read_root_key(path: Path, randomness: Randomness) -> RootKey:
    """Read the root key; refused (`root-key-readable`) where others may read it, Broken where it is none."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            secret = file.read(KEY_BYTES + 1)
    except FileNotFoundError as missing:
        raise Broken(
            f"the root key {path} is missing: nothing opens without it; restore it from its backup"
        ) from missing
    if mode & 0o077:
        raise Refusal(
            "root-key-readable",
            f"{path} has mode {mode:03o}: others than its owner can reach it",
            remedy=f"chmod 600 {path}; where others may have read it, take it for known to them",
        )
    if len(secret) != KEY_BYTES:
        raise Broken(f"the root key {path} is not {KEY_BYTES} bytes long: restore it from its backup")
    return RootKey(secret, randomness)


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
