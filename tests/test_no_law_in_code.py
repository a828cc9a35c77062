"""Law is data: no figure that a pack states stands in the code of a room that obeys it."""

import ast
from pathlib import Path

import msgspec

from law import packs
from onshore.rules.pack import rules

SOURCE = Path(__file__).parent.parent / "src" / "onshore"
ROOMS = ("rules", "consent", "register", "gate/intake.py", "border", "rights", "site.py")
SMALL = 31
"""Numbers up to a month's days stand for many things; every figure above them that a pack states is looked for."""

NOT_LAW = {
    60: "minutes and seconds",
    63: "bits of a word",
    64: "bits of a word",
    100: "parts of a whole",
    180: "degrees of longitude",
    365: "days",
    1000: "milliseconds of a second",
}


def figures() -> set[int]:
    """Every whole number above SMALL in a rule of a shipped pack."""

    def numbers(value):
        if isinstance(value, bool):
            return
        if isinstance(value, int):
            yield value
        elif isinstance(value, dict):
            for inner in value.values():
                yield from numbers(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                yield from numbers(inner)

    found = {n for pack in packs() for _, rule in rules(pack) for n in numbers(msgspec.to_builtins(rule))}
    return {n for n in found if n > SMALL} - set(NOT_LAW)


def literals(path: Path) -> set[int]:
    tree = ast.parse(path.read_text())
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is int}


def test_no_figure_of_a_pack_stands_in_code():
    law = figures()
    assert {10_000, 100_000, 1_000_000} <= law  # the thresholds of China's cross-border provisions, for one
    files = [f for room in ROOMS for f in ([SOURCE / room] if room.endswith(".py") else (SOURCE / room).rglob("*.py"))]
    assert len(files) > 50
    assert {(f.name, n) for f in files for n in literals(f) & law} == set()
