"""Seal: what files of a site that nothing else vouches for were like when nobody was writing, so that rot is seen.

A file that somebody writes has another time of change afterwards; one that a disk, a cable or a memory bit has changed
has not. So a file is damaged where its time of change and its size are those of the seal and its bytes are not.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from onshore.vault.disk import sync_folder
from onshore.vault.forgetting import forget_freed_pages
from onshore.vault.transactions import writing

NAME = "seal"
PAPERS = "papers.sqlite"


def write_seal(engine: Engine, key: bytes, folder: Path, files: Iterable[str], at: int) -> bool:
    """Seal the papers, where they lie in a file, and other `files` of a site's folder at an instant (ms UTC).

    False, with nothing changed, where somebody else is at the papers: ask again. `key`: the site's, so that nobody who
    has not got it can write another seal.
    """
    named = sorted(files)
    if engine.dialect.name == "sqlite":
        if not forget_freed_pages(engine):
            return False
        with writing(engine):  # nobody else writes meanwhile, and nothing waits in the write-ahead log
            if _waiting(folder):
                return False
            found = _looks(folder, [*named, PAPERS])
    else:
        found = _looks(folder, named)
    text = json.dumps({"at": at, "files": found}, sort_keys=True)
    beside = folder / f"{NAME}.new"
    with beside.open("w") as file:
        file.write(f"{text}\n{hmac.digest(key, text.encode(), 'sha256').hex()}\n")
    beside.rename(folder / NAME)
    sync_folder(folder)
    return True


def broken(folder: Path, key: bytes | None) -> Iterator[tuple[str, str]]:
    """Files that are not what was sealed although nobody wrote them, and what is wrong with each.

    Without `key` (the site does not open) the seal itself is believed. Nothing where there is none yet.
    """
    try:
        text, _, mac = (folder / NAME).read_bytes().decode("ascii").rstrip("\n").partition("\n")
        said: dict[str, Any] = json.loads(text)
        files: dict[str, Any] = said["files"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        yield NAME, "it cannot be read"
        return
    if key is not None and not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), mac):
        yield NAME, "it is not one that this site has written"
        return
    for name, (size, changed, digest) in files.items():
        if name == PAPERS and _waiting(folder):
            continue
        path = folder / name
        if not path.is_file():
            yield name, "it is missing"
            continue
        found = path.stat()
        if (found.st_size, found.st_mtime_ns) == (size, changed) and _digest(path) != digest:
            yield name, "its bytes are not what was sealed, although nobody has written it since"


def covers(folder: Path, name: str) -> bool:
    """Whether a file was sealed; False where there is no seal that can be read."""
    try:
        text = (folder / NAME).read_bytes().decode("ascii").partition("\n")[0]
        return name in json.loads(text)["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _waiting(folder: Path) -> bool:
    """Whether commits wait in SQLite's write-ahead log."""
    log = folder / f"{PAPERS}-wal"
    return log.exists() and log.stat().st_size > 0


def _looks(folder: Path, names: Iterable[str]) -> dict[str, tuple[int, int, str]]:
    found = {}
    for name in names:
        if (path := folder / name).is_file():
            stat = path.stat()
            found[name] = stat.st_size, stat.st_mtime_ns, _digest(path)
    return found


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
