"""Files that survive a power cut: written beside, synced, renamed, their folders synced."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_AT_ONCE = 8

Step = Callable[[str], None]
"""Told after each step that a crash may follow, by name; tests kill there."""

BESIDE = ".new"
"""Ending of a file that is not in place yet."""


def write_all(folder: Path, files: Mapping[str, bytes], step: Step) -> None:
    """Put files in place under `folder`, each whole or not at all, and on the disk when this returns."""
    targets = [folder / name for name in files]
    made = _make_folders(folder, {t.parent for t in targets})
    for target, data in zip(targets, files.values(), strict=True):
        _write(target, data, step)
    # Synced at the same time: a file system with a journal commits them together, in one wait for the disk, not ten.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for target, _ in zip(targets, pool.map(_sync, targets), strict=True):
            step(f"{target.name}: synced")
        for target in targets:
            put_in_place(target, step)
        list(pool.map(sync_folder, sorted({t.parent for t in targets} | made)))
    step("folders synced")


def write_beside(target: Path, data: bytes, step: Step) -> None:
    """Write what will replace `target`, and sync it."""
    _write(target, data, step)
    _sync(target)
    step(f"{target.name}: synced")


def put_in_place(target: Path, step: Step) -> None:
    """Rename what was written beside over `target`; atomic."""
    target.with_name(target.name + BESIDE).rename(target)
    step(f"{target.name}: in place")


def sync_folder(folder: Path) -> None:
    """Sync a folder's list of names."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(target: Path, data: bytes, step: Step) -> None:
    with target.with_name(target.name + BESIDE).open("wb") as file:
        file.write(data)
    step(f"{target.name}: written")


def _sync(target: Path) -> None:
    with target.with_name(target.name + BESIDE).open("rb") as file:
        os.fsync(file.fileno())


def _make_folders(root: Path, folders: set[Path]) -> set[Path]:
    """Make folders below `root`; returns those whose list of names changed."""
    changed = set()
    for folder in sorted(folders):
        missing = [f for f in (folder, *folder.parents) if f.is_relative_to(root) and not f.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        changed |= {f.parent for f in missing}
    return changed
