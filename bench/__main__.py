"""Measure: run every module of this folder that has `run()`, and print one Markdown table of all figures."""

import importlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa

HERE = Path(__file__).parent
Figure = tuple[str, str, float]


def names() -> list[str]:
    """The modules that measure something, in the order of their names."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith("_"))


def figures(asked: Iterable[str]) -> Iterator[Figure]:
    """Module, what was measured (with its unit), figure."""
    for name in asked:
        for what, figure in importlib.import_module(f"bench.{name}").run().items():
            yield name, what, figure


def machine() -> str:
    """What the figures depend on, without naming the machine."""
    try:
        info = Path("/proc/cpuinfo").read_text("ascii", "replace")
    except OSError:
        info = ""
    model = next((line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")), "")
    return ", ".join(
        [
            f"{os.cpu_count()} cores",
            model or platform.machine(),
            f"{platform.system()} {platform.release().partition('-')[0]}",
            f"Python {platform.python_version()}",
            f"numpy {np.__version__}",
            f"pyarrow {pa.__version__}",
        ]
    )


def commit() -> str:
    """Which state of the source the figures are of, as far as git can tell."""
    asked = ["git", "-C", str(HERE), "describe", "--always", "--dirty=, with changes", "--exclude=*"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        said = ""
    return said or "unknown"


def table(rows: Iterable[Figure], day: date, where: str) -> Iterator[str]:
    """Lines of Markdown; `where`: the machine, the commit, and the command that makes them."""
    yield f"Measured on {day.isoformat()}: {where}."
    yield ""
    yield "| bench | what | figure |"
    yield "|---|---|--:|"
    for module, what, figure in rows:
        yield f"| {module} | {what} | {_readable(figure)} |"


def _readable(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def main(asked: list[str]) -> int:
    """Print the table of all benches, or of those that are named."""
    if unknown := sorted(set(asked) - set(names())):
        print(f"no bench is called {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    how = f"commit {commit()}; `{' '.join(['python -m bench', *asked])}`"
    for line in table(figures(asked or names()), datetime.now(UTC).date(), f"{machine()}; {how}"):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
