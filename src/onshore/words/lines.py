"""Lines: where in a TOML text a key stands, so that an error can name the line."""

import re
from collections.abc import Iterator

_HEADER = re.compile(r"\s*(\[{1,2})([^\]]+)\]{1,2}\s*(#.*)?$")
_KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_STEP = re.compile(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]|[^.\[\]\s]+")
_QUOTES = ('"""', "'''")


def line_of(text: str, path: str, value: str = "") -> int:
    """The line (from 1) of the key at `path`, such as `consent.bundled.kind` or `transfer.route[2].code`.

    A step `[...]` fits any key; of several lines that fit, the one that holds `value` counts. Where the key itself
    is not written, the line of the nearest table around it that is.
    """
    steps = _steps(path)
    known: dict[tuple[str, ...], int] = {}
    for number, key in _keys(text):
        for length in range(len(key), 0, -1):
            known.setdefault(key[:length], number)
    lines = text.splitlines()
    for length in range(len(steps), 0, -1):
        fitting = [line for key, line in known.items() if _fits(key, steps[:length])]
        if fitting:
            return next((line for line in fitting if value and value in lines[line - 1]), fitting[0])
    return 1


def place(where: str, path: str, text: str) -> str:
    """Where an error is, for a person: file, line (where the text is known) and key."""
    return ": ".join(filter(None, (at_line(where, path, text), path)))


def at_line(where: str, path: str, text: str, value: str = "") -> str:
    """The file and line of a key; the file alone where its text is not known."""
    return f"{where}, line {line_of(text, path, value)}" if text else where


def _fits(key: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    return len(key) == len(steps) and all(step in (ours, "[...]") for ours, step in zip(key, steps, strict=True))


def _keys(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every header and key of a text with its line; tables of an array are counted from 0."""
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    quoted = ""
    for number, line in enumerate(text.splitlines(), 1):
        if quoted:
            quoted = "" if quoted in line else quoted
        elif header := _HEADER.match(line):
            table = _table(_steps(header[2]), counts, array=header[1] == "[[")
            yield number, table
        elif key := _KEY.match(line):
            yield number, table + _steps(key[1])
            quoted = next((q for q in _QUOTES if line.count(q) == 1), "")


def _table(steps: tuple[str, ...], counts: dict[tuple[str, ...], int], *, array: bool) -> tuple[str, ...]:
    """A header's full path: what it names of an array is the table begun last, or with `array` a new one."""
    full: tuple[str, ...] = ()
    for number, step in enumerate(steps, 1):
        full = (*full, step)
        if array and number == len(steps):
            counts[full] = counts.get(full, -1) + 1
        if full in counts:
            full = (*full, f"[{counts[full]}]")
    return full


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step.strip("\"'") for step in _STEP.findall(path))
