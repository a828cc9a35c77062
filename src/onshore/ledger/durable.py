"""Files that survive a power cut: written beside, synced, renamed, their folders synced."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

Step = Callable[[str], None]
"""Told after each step that a crash may follow, by name; tests kill there."""

BESIDE = ".new"
"""Ending of a file that is not in place yet."""


def write_all(folder: Path, files: Mapping[str, bytes], step: Step) -> None:
    """Put files in place under `folder`, each whole or not at all, and on the disk when this returns."""
    targets = [folder / name for name in files]
    made = _make_folders(folder, {t.parent for t in targets})
    for target, data in zip(targets, files.values(), strict=True):
        write_beside(target, data, step)
    for target in targets:
        put_in_place(target, step)
    for touched in sorted({t.parent for t in targets} | made):
        sync_folder(touched)
    step("folders synced")


def write_beside(target: Path, data: bytes, step: Step) -> None:
    """Write what will replace `target`, and sync it."""
    beside = target.with_name(target.name + BESIDE)
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        step(f"{target.name}: written")
        os.fsync(file.fileno())
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


def _make_folders(root: Path, folders: set[Path]) -> set[Path]:
    """Make folders below `root`; returns those whose list of names changed."""
    changed = set()
    for folder in sorted(folders):
        missing = [f for f in (folder, *folder.parents) if f.is_relative_to(root) and not f.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        changed |= {f.parent for f in missing}
    return changed
