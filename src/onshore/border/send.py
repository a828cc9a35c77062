"""The only way out: a sealed parcel moves from the staging folder to the outbox, its proof before it."""

import os
from pathlib import Path


def send(sealed: Path, proof: str, outbox: Path) -> Path:
    """Put the proof, then the sealed file, into the outbox; both are durable when this returns."""
    outbox.mkdir(parents=True, exist_ok=True)
    written = outbox / f"{sealed.stem}.tlog-proof"
    with written.open("w", encoding="utf-8") as file:
        file.write(proof)
        file.flush()
        os.fsync(file.fileno())
    gone = outbox / sealed.name
    sealed.replace(gone)
    for folder in (outbox, sealed.parent):
        _sync(folder)
    return gone


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
