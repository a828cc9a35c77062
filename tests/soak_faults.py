"""Strike at every write step of every act that tests/fault_acts.py knows: kill -9, and a full disk.

`python tests/soak_faults.py [--seconds N] [--seed N] [--full] [--out FILE] [ACT…]`. Steps are counted by tracing each
act once, then struck at in random order, kills first (`--full`: full disks alone), until all are done or the time is
out. Prints a line for each act and one for all, writes the same as JSON, and ends with 1 if anything was wrong
afterwards.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "src")]


def main() -> int:
    """Strike, and say what came of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("acts", nargs="*")
    asked.add_argument("--seconds", type=float, default=7200)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--out", type=Path)
    asked.add_argument("--full", action="store_true")
    said = asked.parse_args()
    import fault_steps

    if fault_steps.STRACE is None:
        say("strace is not installed: run tools/servers")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        told = soak(said.acts, said.seconds, random.Random(said.seed), Path(folder), full=said.full)
    if said.out:
        said.out.write_text(json.dumps(told, indent=1) + "\n")
    return 1 if told["wrong"] else 0


def soak(
    names: list[str], seconds: float, dice: random.Random, folder: Path, *, full: bool = False
) -> dict[str, object]:
    """Figures by act: steps found, kills and full disks struck (`full`: these alone), and what was wrong."""
    import fault_acts
    import fault_steps

    end, todo, figures = time.monotonic() + seconds, [], {}
    fault_acts.make(folder / "common")
    (folder / "run").mkdir()
    for name in names or sorted(fault_acts.ACTS):
        act = fault_acts.ACTS[name]
        (folder / name).mkdir()
        before = fault_acts.prepared(act, folder / "common", folder / name / "site")
        steps = fault_steps.traced(act.do, before.copy(folder / "run" / "site"), folder / "log")
        figures[name] = Counter(steps=sum(steps.values()))
        todo += [(name, act, before, strike) for strike in fault_acts.strikes_of(steps)]
    dice.shuffle(todo)
    todo = [one for one in todo if one[3].error is not None or not full]
    todo.sort(key=lambda one: one[3].error is None)  # taken from the end: kills first
    wrong: list[str] = []
    planned = len(todo)
    while todo and time.monotonic() < end:
        name, act, before, strike = todo.pop()
        came, found = fault_acts.came_through(act, before, folder / "run", strike)
        kind = "full" if strike.error else "killed" if came.killed else "missed"
        figures[name][kind] += 1
        if strike.error and came.failed:
            figures[name]["told"] += 1
        if found:
            wrong.append(f"{name} {strike}: {'; '.join(found)}")
            say(f"WRONG {wrong[-1]}")
    for name, figure in figures.items():
        said = (f"{what} {figure[what]}" for what in ("steps", "killed", "full", "told", "missed"))
        say(f"{name:8}{'  '.join(said)}")
    total: Counter[str] = sum(figures.values(), Counter())
    say(
        f"{total['killed']} kills and {total['full']} full disks of {planned} strikes; "
        f"{len(wrong)} left something wrong"
    )
    return {"acts": {name: dict(figure) for name, figure in figures.items()}, "planned": planned, "wrong": wrong}


def say(text: str) -> None:
    """To whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    warnings.simplefilter("ignore", ResourceWarning)
    sys.exit(main())
