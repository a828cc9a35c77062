"""The log killed at every step of an append: it verifies, the old one is its beginning, nothing is signed twice."""

import os
import signal
import subprocess
import sys

import pytest

from onshore.ledger.log import Log
from onshore.ledger.note import open_note, read_checkpoint
from onshore.ledger.tree import Growing, leaf

SEED, ORIGIN = b"s" * 32, "example.org/shanghai"


class Killed(BaseException):
    """What a power cut does to a process."""


class Cut:
    """Steps taken until the cut; `torn` files are left half written where they were not synced yet."""

    def __init__(self, folder, at, torn):
        self.folder, self.left, self.torn, self.steps = folder, at, torn, []

    def __call__(self, step):
        self.steps.append(step)
        self.left -= 1
        if self.left == 0:
            if self.torn and step.endswith(": written"):
                for file in self.folder.rglob(step.removesuffix(": written") + ".new"):
                    os.truncate(file, file.stat().st_size // 2)
            raise Killed


def entries(name, n):
    return [f"{name} {i}".encode() for i in range(n)]


def root_of(leaves):
    growing = Growing()
    for e in leaves:
        growing.add(leaf(e))
    return growing.root()


def signed_in(folder):
    """Every whole checkpoint that lies in the folder, in place or beside it."""
    log = Log(folder, SEED, ORIGIN)
    for file in folder.glob("checkpoint*"):
        try:
            yield read_checkpoint(open_note(file.read_bytes(), [log.vkey]).text)
        except ValueError:
            assert file.name == "checkpoint.new"


def steps_of(folder, before, more):
    log = Log(folder, SEED, ORIGIN)
    log.append(before)
    cut = Cut(folder, -1, False)
    Log(folder, SEED, ORIGIN, step=cut).append(more)
    return len(cut.steps)


CASES = [(0, 3, True), (200, 1, False), (200, 1, True), (200, 100, True), (255, 1, False), (256, 300, True)]


@pytest.mark.parametrize(("size", "grow", "torn"), CASES)
def test_a_cut_at_every_step(tmp_path, size, grow, torn):
    before, more, other = entries("old", size), entries("lost", grow), entries("new", grow + 5)
    count = steps_of(tmp_path / "whole", before, more) if size else 25
    met = set()
    for at in range(1, count + 1):
        folder = tmp_path / str(at)
        if size:
            Log(folder, SEED, ORIGIN).append(before)
        cut = Cut(folder, at, torn)
        try:
            Log(folder, SEED, ORIGIN, step=cut).append(more)
        except Killed:
            met.add(at)
        signed = list(signed_in(folder)) if folder.exists() else []
        after = Log(folder, SEED, ORIGIN)
        after.recover()
        held = list(after.entries())
        assert held in (before, before + more)
        first = after.append(other)
        assert first == len(held)
        again = Log(folder, SEED, ORIGIN)
        assert list(again.entries()) == held + other
        assert sum(f.checked for f in again.fsck()) == 4
        for point in signed:
            assert root_of((held + other)[: point.size]) == point.root
        assert not list(folder.glob("checkpoint.new"))
    assert len(met) >= min(count, 10)


def test_a_checkpoint_signed_and_not_in_place_is_finished(tmp_path):
    folder = tmp_path / "ledger"
    Log(folder, SEED, ORIGIN).append(entries("old", 3))

    def cut(step):
        if step == "checkpoint: synced":
            raise Killed

    with pytest.raises(Killed):
        Log(folder, SEED, ORIGIN, step=cut).append(entries("more", 2))
    reader = Log(folder, SEED, ORIGIN)
    assert reader.size == 3
    assert (folder / "checkpoint.new").exists()
    assert reader.recover() == 5
    assert Log(folder, SEED, ORIGIN).size == 5


def test_a_checkpoint_beside_that_disagrees_stops_the_writer(tmp_path):
    from onshore.words.errors import Broken

    folder, other = tmp_path / "ledger", tmp_path / "other"
    Log(folder, SEED, ORIGIN).append(entries("old", 3))
    Log(other, SEED, ORIGIN).append(entries("else", 5))
    for path in other.rglob("*.p/*"):
        target = folder / path.relative_to(other)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (folder / "checkpoint.new").write_bytes((other / "checkpoint").read_bytes())
    with pytest.raises(Broken, match="disagrees"):
        Log(folder, SEED, ORIGIN).append(entries("x", 1))


PROGRAM = """
import os, signal, sys
from pathlib import Path
from onshore.ledger.log import Log

left = int(sys.argv[2])
def step(name):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

log = Log(Path(sys.argv[1]), b"s" * 32, "example.org/shanghai", step=step)
for i in range(20):
    log.append([b"%d" % (log.size + j) for j in range(50)])
"""


@pytest.mark.parametrize("at", [1, 6, 40, 91])
def test_kill_minus_nine(tmp_path, at):
    folder = tmp_path / "ledger"
    run = subprocess.run([sys.executable, "-c", PROGRAM, str(folder), str(at)], check=False)
    assert run.returncode == -signal.SIGKILL
    log = Log(folder, SEED, ORIGIN)
    log.append([b"%d" % log.size] if log.recover() % 50 == 0 else [])
    assert list(log.entries()) == [b"%d" % i for i in range(log.size)]
    assert sum(f.checked for f in log.fsck()) == 4
