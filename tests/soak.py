"""Feed every decoder of the gate with a million hostile inputs: with atheris where it is installed, else by mutation.

`python tests/soak.py [--runs N] [--seed N] [NAME…]`. Ends with 1 at the first input that is not refused as documented,
which it prints in hex. atheris sees which branches an input reaches; the mutation does not, and says so.
"""

import argparse
import random
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "src")]

ODD = (
    b"\0",
    b"\xff",
    b"\xfe",
    b"\x7f",
    b"\x80",
    b"\xff\xff",
    b"\xff\xff\xff\xff",
    b"##",
    b"$$",
    b"{",
    b"[",
    b'"',
    b"1e999",
)


def mutations(seeds: tuple[bytes, ...], dice: random.Random) -> Iterator[bytes]:
    """Good bytes with a few changes: overwritten, cut out, doubled, put in, of two joined; without end."""
    while True:
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randint(1, 6)):
            at, length = dice.randrange(len(data) + 1), dice.choice((1, 1, 2, 4, dice.randint(1, 64)))
            match dice.randrange(6):
                case 0:
                    data[at : at + 1] = bytes((dice.randrange(256),))
                case 1:
                    del data[at : at + length]
                case 2:
                    data[at:at] = data[at : at + length]
                case 3:
                    data[at : at + length] = dice.randbytes(length)
                case 4:
                    data[at:at] = dice.choice(ODD)
                case _:
                    other = dice.choice(seeds)
                    data[at:] = other[dice.randrange(len(other) + 1) :]
        yield bytes(data[:8192])


def mutated(name: str, runs: int, seed: int) -> bytes | None:
    """So many mutations of a harness's seeds; the first that is not refused as documented, None where all are well."""
    from hostile import REFUSALS, harnesses

    harness = harnesses()[name]
    warnings.simplefilter("error")  # one would reach a log
    for data, _ in zip(mutations(harness.seeds, random.Random(f"{name} {seed}")), range(runs)):  # noqa: B905
        try:
            harness.feed(data)
        except REFUSALS:
            continue
        except Exception as why:  # noqa: BLE001 - that is what is looked for
            sys.stderr.write(f"{name}: {type(why).__name__}: {why}\n")
            return data
    return None


def guided(name: str, runs: int, seed: int) -> None:
    """Let atheris find inputs by the branches that they reach; ends the process."""
    import tempfile

    import atheris

    with atheris.instrument_imports(include=["onshore.gate"]):
        from hostile import REFUSALS, harnesses

    harness = harnesses()[name]
    warnings.simplefilter("error")

    def one(data: bytes) -> None:
        try:
            harness.feed(data)
        except REFUSALS:
            return

    with tempfile.TemporaryDirectory() as corpus:
        for number, good in enumerate(harness.seeds):
            (Path(corpus) / str(number)).write_bytes(good)
        atheris.Setup(
            [
                name,
                f"-runs={runs}",
                f"-seed={seed}",
                "-max_len=8192",
                "-verbosity=0",
                f"-artifact_prefix={corpus}/",
                corpus,
            ],
            one,
        )
        atheris.Fuzz()


def main() -> int:
    """Each harness in a process of its own; a line for each."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--runs", type=int, default=1_000_000)
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    ask.add_argument("names", nargs="*")
    said = ask.parse_args()
    has = find_spec("atheris") is not None
    if said.inside and has:
        guided(said.names[0], said.runs, said.seed)
        return 0
    if said.inside:
        bad = mutated(said.names[0], said.runs, said.seed)
        sys.stdout.write(bad.hex() if bad is not None else "")
        return int(bad is not None)
    from hostile import harnesses

    _tell("guided by branches, with atheris" if has else "mutated blindly: atheris is not installed")
    return max(_soaked(name, said.runs, said.seed) for name in said.names or harnesses())


def _soaked(name: str, runs: int, seed: int) -> int:
    begun = time.monotonic()
    command = [sys.executable, __file__, "--inside", "--runs", str(runs), "--seed", str(seed), name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    what = "documented refusals only" if done.returncode == 0 else f"BAD\n{done.stdout}\n{done.stderr}"
    _tell(f"{name:32} {runs:>9,} inputs in {time.monotonic() - begun:6.0f} s: {what}")
    return done.returncode and 1


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
