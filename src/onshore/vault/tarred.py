"""Tar as it flows: one member after another, so that nothing of it ever lies on a disk in the clear."""

import tarfile
from collections.abc import Iterator

Bytes = bytes | memoryview

END = bytes(2 * tarfile.BLOCKSIZE)
"""What a tar ends with."""


def member(name: str, *body: Bytes) -> Iterator[Bytes]:
    """One file of a tar (POSIX.1-1988 ustar): its head, its bytes in pieces, and zeros up to the next block."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = sum(map(len, body)), 0o600
    yield info.tobuf(tarfile.USTAR_FORMAT)
    yield from body
    yield bytes(-info.size % tarfile.BLOCKSIZE)
