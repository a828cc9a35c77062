"""Root in a file: 32 random bytes that only the site's account can read."""

import contextlib
import os
import stat
from pathlib import Path

from onshore.vault.disk import make_folder, sync_folder, write_new
from onshore.vault.keys import KEY_BYTES, Randomness, mac, open_sealed, seal
from onshore.words.errors import Broken, Refusal

PREFIX = "file:"


class FileRoot:
    """A root key that was read into memory. Whoever holds it and the papers reads the site."""

    __slots__ = ("_randomness", "_secret")

    def __init__(self, secret: bytes, randomness: Randomness) -> None:
        self._secret = secret
        self._randomness = randomness

    @property
    def fingerprint(self) -> str:
        """What tells it from others: half of an HMAC-SHA256 under it, from which nobody learns the key."""
        return PREFIX + mac(self._secret, b"onshore root key")[:16].hex()

    def wrap(self, key: bytes, context: str) -> bytes:
        """Seal a key so that it opens where it belongs alone: `context` is its use, as "segment/<id>"."""
        return seal(self._secret, key, context, self._randomness)

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """The key again; Broken for another context, another root key, or altered bytes."""
        return open_sealed(self._secret, wrapped, context)


class NewFile:
    """A root key that is chosen and not written yet; `make` writes it."""

    def __init__(self, path: Path, randomness: Randomness) -> None:
        self._path, self._randomness = path, randomness
        self._secret = randomness(KEY_BYTES)
        self.fingerprint = FileRoot(self._secret, randomness).fingerprint

    def make(self) -> FileRoot:
        """Write its file; refuses (`root-key-exists`) where one lies."""
        return _written(self._path, self._secret, self._randomness)


def make_root_key(path: Path, randomness: Randomness) -> FileRoot:
    """Make the root key's file, 32 random bytes, mode 600; refused (`root-key-exists`) where one lies."""
    return _written(path, randomness(KEY_BYTES), randomness)


def _written(path: Path, secret: bytes, randomness: Randomness) -> FileRoot:
    make_folder(path.parent)
    try:
        write_new(path, secret)
    except FileExistsError as there:
        raise Refusal(
            "root-key-exists",
            f"{path} exists already, and what it wraps would be lost without it",
            remedy="make the site in another folder, or move the old key to a safe place first",
        ) from there
    return FileRoot(secret, randomness)


def read_root_key(path: Path, randomness: Randomness) -> FileRoot:
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
    return FileRoot(secret, randomness)


def destroy(path: Path, randomness: Randomness) -> None:
    """Overwrite a root key's file, then remove it; a disk that writes elsewhere may hold the old bytes on."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            file.write(randomness(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        sync_folder(path.parent)
