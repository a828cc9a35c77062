"""Age: files sealed to a recipient's X25519 key, in the format of age-encryption.org/v1."""

import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyrage

from onshore.vault.disk import sync_folder
from onshore.vault.tarred import Bytes
from onshore.words.errors import Malformed

T = TypeVar("T")
Pour = Callable[[Any, Any], None]
_AHEAD = 1 << 18  # bytes taken from a stream at once: pyrage asks for 8 KiB, and each time Python would be asked


class Target(Protocol):
    """A file that is written to."""

    def write(self, data: bytes, /) -> int:
        """Write all of it; how many bytes that were."""

    def flush(self) -> None:
        """Hand what was written to the operating system."""

    def fileno(self) -> int:
        """The file's descriptor."""


def new_identity() -> str:
    """A fresh secret key, `AGE-SECRET-KEY-1…`; age takes its randomness from the operating system itself."""
    return str(pyrage.x25519.Identity.generate())


def recipient_of(identity: str) -> str:
    """The public key, `age1…`, of a secret one; Malformed where it is none."""
    return str(_identity(identity).to_public())


def check_recipient(recipient: str) -> str:
    """The recipient as given, once it is known to be an X25519 public key; Malformed otherwise."""
    _recipient(recipient)
    return recipient


def seal_file(source: Path, target: Path, recipient: str) -> None:
    """Seal a file of any size to a recipient; `target` must not exist yet, and is synced."""
    to = _recipient(recipient)
    _stream(source, target, lambda plain, sealed: pyrage.encrypt_io(plain, sealed, [to]))


def seal_stream(chunks: Iterable[Bytes], target: Target, recipient: str) -> None:
    """Seal bytes as they come to a recipient, so that their plaintext never lies on a disk; synced at the end."""
    to = _recipient(recipient)
    _pour(
        _Flow(chunks),
        _Watched(target),
        lambda plain, sealed: pyrage.encrypt_io(io.BufferedReader(plain, _AHEAD), sealed, [to]),
        "stream",
    )
    target.flush()
    os.fsync(target.fileno())


class _Flow(io.RawIOBase):
    """An iterator of bytes, read as a file."""

    def __init__(self, chunks: Iterable[Bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")
        self.failed: BaseException | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        try:
            while not self._left:
                self._left = memoryview(next(self._chunks))
        except StopIteration:
            return 0
        except BaseException as failed:
            self.failed = failed
            raise
        size = min(len(into), len(self._left))
        into[:size], self._left = self._left[:size], self._left[size:]
        return size


def open_sealed_file(source: Path, target: Path, identity: str) -> None:
    """Open a sealed file; Malformed (and no `target`) where it is damaged or meant for somebody else."""
    who = _identity(identity)
    _stream(source, target, lambda sealed, plain: pyrage.decrypt_io(sealed, plain, [who]))


def _recipient(text: str) -> Any:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as wrong:
        raise Malformed("not an age X25519 public key; one starts with age1", where="recipient") from wrong


def _identity(text: str) -> Any:
    keys = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    try:
        return pyrage.x25519.Identity.from_str("".join(keys))
    except pyrage.IdentityError as wrong:
        raise Malformed("not one age X25519 secret key; it starts with AGE-SECRET-KEY-1", where="identity") from wrong


class _Watched:
    """A file that remembers its failure: pyrage loses what its last write meets, and renames what a read meets."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.failed: OSError | None = None

    def read(self, size: int) -> bytes:
        found: bytes = self._watch(lambda: self._file.read(size))
        return found

    def write(self, data: bytes) -> int:
        written: int = self._watch(lambda: self._file.write(data))
        return written

    def flush(self) -> None:
        self._watch(self._file.flush)

    def _watch(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except OSError as failed:
            self.failed = failed
            raise


def _stream(source: Path, target: Path, pour: Pour) -> None:
    created = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(created, "wb") as out, source.open("rb") as inside:
            _pour(_Watched(inside), _Watched(out), pour, source.name)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        target.unlink()  # half a file would look like a whole one
        raise
    sync_folder(target.parent)


def _pour(inside: "_Watched | _Flow", out: _Watched, pour: Pour, name: str) -> None:
    wrong: Exception | None = None
    try:
        pour(inside, out)
    except (pyrage.DecryptError, pyrage.EncryptError, OSError) as met:
        wrong = met
    if failed := inside.failed or out.failed:
        raise failed
    if wrong:
        raise Malformed("it does not open: damaged, or sealed to another key", where=name) from wrong
