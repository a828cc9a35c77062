"""Act at a site's border in any order, with crashes, many times over: tests/border_machine.py at length.

`python tests/soak_border.py [--examples N] [--steps N] [--seed N] [--seconds N]`. Ends with 1 where what left was not
permitted and consented to, or ledger, meter and parcels do not agree, and prints the shortest way there. With
`--seconds`, so many examples by one seed after another, until that time is over.
"""

import argparse
import random
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "src")]


def main() -> int:
    """Run it, and say what came of it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--examples", type=int, default=1000)
    asked.add_argument("--steps", type=int, default=60)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--seconds", type=float, default=0)
    said = asked.parse_args()
    from hypothesis import HealthCheck, seed, settings
    from hypothesis.stateful import run_state_machine_as_test

    import border_machine

    how = settings(
        max_examples=said.examples,
        stateful_step_count=said.steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    begun, number, over = time.monotonic(), said.seed, False
    with TemporaryDirectory() as folder:
        machine = border_machine.of(Path(folder))
        while not over:
            random.seed(number)
            try:
                run_state_machine_as_test(seed(number)(machine), settings=how)
            except AssertionError as why:
                sys.stdout.write(f"WRONG: {why}\n" + "\n".join(getattr(why, "__notes__", ())) + "\n")
                return 1
            number += 1
            over = time.monotonic() - begun >= said.seconds
    told = ", ".join(f"{what} {count}" for what, count in sorted(machine.seen.items()))
    examples = said.examples * (number - said.seed)
    sys.stdout.write(f"{examples} examples of {said.steps} steps in {time.monotonic() - begun:.0f} s: {told}\n")
    return 0


if __name__ == "__main__":
    warnings.simplefilter("ignore", ResourceWarning)
    sys.exit(main())
