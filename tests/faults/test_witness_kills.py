"""A witness of its own process, killed with -9 while two heads of a log are handed in: it never cosigns both."""

import os
import random
import signal
import subprocess
import sys
import threading

import pytest

from onshore.ledger import proofs
from onshore.ledger.client import Place, add_checkpoint, checkpoint
from onshore.ledger.log import Log
from onshore.ledger.note import Checkpoint, checkpoint_text, open_note, read_checkpoint, read_keys
from onshore.ledger.signer import Signer
from onshore.ledger.tree import leaf, root
from onshore.ledger.witness import write_request
from waiting import until

ORIGIN, SEED = "example.org/log", b"s" * 32
SHARED, LONGEST = 3, 60


class Head:
    """A history of the log: at every size its checkpoint, and proofs from any other size."""

    def __init__(self, name):
        shared = [leaf(b"shared %d" % n) for n in range(SHARED)]
        self.leaves = [*shared, *(leaf(f"{name} {n}".encode()) for n in range(SHARED, LONGEST))]

    def note(self, size):
        return Signer(ORIGIN, SEED).sign(checkpoint_text(Checkpoint(ORIGIN, size, root(self.leaves[:size]))))

    def proof(self, old, size):
        return proofs.consistency(old, size, lambda _level, _number: self.leaves)


class Served:
    """`onshore witness serve` in a process of its own, which is killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.run("init", "--name", "w.example", "--log", Signer(ORIGIN, SEED).vkey)
        self.keys = read_keys((folder / "vkey").read_text())
        self.start()

    def command(self, name, *arguments):
        main = "from onshore.cli.main import main; main()"
        return [sys.executable, "-c", main, "witness", name, "--dir", str(self.folder), *arguments]

    def run(self, name, *arguments):
        return subprocess.run(self.command(name, *arguments), capture_output=True, text=True, check=True)

    def start(self):
        command = self.command("serve", "--port", "0")
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        said = self.process.stderr.readline()
        assert "listens on" in said, said
        self.place = Place("127.0.0.1", int(said.split(" for ")[0].rpartition(":")[2]), "", False, "CN")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(30)
        self.process.stderr.close()


@pytest.fixture
def served(tmp_path):
    there = Served(tmp_path / "w")
    yield there
    if there.process.poll() is None:
        there.kill()


def handed_in(served, head, size):
    """Hand in a head at a size; the checkpoint that was cosigned, if one was."""
    old = 0
    for _ in range(3):
        answer = add_checkpoint(served.place, write_request(old, head.proof(old, size), head.note(size)), 20)
        if answer.status == 200:
            note = open_note(head.note(size).encode() + answer.body, served.keys)
            assert set(note.signers) == set(served.keys)
            return [read_checkpoint(note.text)]
        if answer.status != 409 or (old := int(answer.body)) > size:
            return []
    return []


def test_two_heads_and_many_kills(served):
    chance, heads = random.Random(6), [Head("one"), Head("other")]
    cosigned: list[Checkpoint] = []
    size = 1
    for _ in range(8):
        killer = threading.Timer(chance.uniform(0.0, 0.15), served.kill)
        killer.start()
        try:
            while served.process.poll() is None:
                for head in chance.sample(heads, 2):
                    cosigned += handed_in(served, head, min(size, LONGEST))
                size += chance.randrange(2)
        except OSError:
            pass
        killer.join()
        until(lambda: served.process.poll() is not None)
        served.start()
    assert cosigned
    shown = checkpoint(served.place, ORIGIN, 20)
    last = read_checkpoint(open_note(shown.body, served.keys).text)
    ours = next(head for head in heads if root(head.leaves[: last.size]) == last.root)
    assert all(point.root == root(ours.leaves[: point.size]) for point in cosigned)
    assert max(point.size for point in cosigned) <= last.size
    if last.size > SHARED:
        (other,) = (head for head in heads if head is not ours)
        assert handed_in(served, other, LONGEST) == []


def test_it_ends_when_told_to(served):
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0
    served.process.stderr.close()


def test_a_second_process_is_refused(served):
    run = subprocess.run(served.command("serve", "--port", "0"), capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "witness-runs" in run.stderr


def test_a_log_that_grows_under_a_real_log(served, tmp_path):
    """The log that `Log` writes, with proofs that it makes, over the wire."""
    served.kill()
    log = Log(tmp_path / "ledger", b"r" * 32, "example.org/real")
    served.run("trust", log.vkey)
    served.start()
    old = 0
    for n in (1, 255, 1, 300):
        log.append([b"%d" % i for i in range(n)])
        answer = add_checkpoint(served.place, write_request(old, log.consistency(old), log.checkpoint), 20)
        assert answer.status == 200
        old = log.size
    shown = served.run("show").stdout.splitlines()
    assert any(line.startswith("example.org/real  557 entries") for line in shown)
