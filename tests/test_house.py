"""The habits of the house that a test can hold: sizes, captions, names, decision records, no stray paths."""

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "onshore"
FILES = sorted(SOURCE.rglob("*.py"))
RECORDS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
Function = ast.FunctionDef | ast.AsyncFunctionDef

SINGULAR = ("manager", "service", "handler", "helper", "util", "engine", "processor")
FORBIDDEN = {*SINGULAR, *(f"{word}s" for word in SINGULAR)}
VIN = re.compile(r"(?<![A-Z0-9])(?=[A-Z0-9]*[0-9])(?=[A-Z0-9]*[A-Z])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])")
MACHINE_PATH = re.compile(r"(?<![\w./:~-])/(?:work|root|home/\w+|Users/\w+|farm|mnt/\w+)(?:/|\b)")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def functions() -> Iterator[tuple[str, Function]]:
    for path in FILES:
        for node in ast.walk(tree(path)):
            if isinstance(node, Function):
                yield f"{path.relative_to(SOURCE)}:{node.lineno} {node.name}", node


def length(function: Function) -> int:
    """Lines from `def` to the end, without decorators and without the docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def tracked() -> list[Path]:
    """What git keeps, or would keep after the next `git add`; without git, what is not made by a build."""
    asked = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    if said.returncode == 0:
        return [p for name in set(said.stdout.split("\0")) if name and (p := ROOT / name).is_file()]
    made = {".venv", "build", "dist", "site", "__pycache__"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not made & set(p.relative_to(ROOT).parts)]


def test_files_are_short() -> None:
    sizes = {str(path.relative_to(SOURCE)): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: n for name, n in sizes.items() if n > 400} == {}
    assert statistics.median(sizes.values()) < 130


def test_functions_are_short() -> None:
    sizes = {name: length(node) for name, node in functions()}
    assert {name: n for name, n in sizes.items() if n > 50} == {}
    assert statistics.median(sizes.values()) < 10


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_module_starts_with_one_caption_line(path: Path) -> None:
    caption = (ast.get_docstring(tree(path)) or "").split("\n\n")[0]
    assert caption
    assert "\n" not in caption


def names() -> Iterator[tuple[str, str]]:
    """Every name that we give: folders, modules, classes, functions, and where they stand."""
    for path in FILES:
        place = path.relative_to(SOURCE)
        yield from ((str(place), part) for part in place.with_suffix("").parts)
        for node in ast.walk(tree(path)):
            if isinstance(node, Function | ast.ClassDef):
                yield f"{place}:{node.lineno}", node.name


def words(name: str) -> set[str]:
    """The words in a name: snake_case and CamelCase taken apart."""
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def test_names_are_nouns_of_the_statute_or_the_car() -> None:
    assert [(place, name) for place, name in names() if words(name) & FORBIDDEN] == []


@pytest.mark.parametrize("name", ["KeyManager", "util", "open_engine", "FrameHandler", "batch_processor"])
def test_the_search_for_names_finds(name: str) -> None:
    assert words(name) & FORBIDDEN


def test_we_say_jurisdiction() -> None:
    said = re.compile("countr(y|ies)", re.IGNORECASE)
    sources = [p for p in SOURCE.rglob("*") if p.is_file() and p.suffix in {".py", ".toml"}]
    assert [str(p) for p in sources if said.search(p.read_text("utf-8"))] == []


def test_nothing_is_left_for_later() -> None:
    marker = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    assert [str(p) for p in FILES if marker.search(p.read_text("utf-8"))] == []


def test_no_vehicle_is_named_in_the_source() -> None:
    sources = [p for p in SOURCE.rglob("*") if p.is_file() and p.suffix in {".py", ".toml"}]
    found = [(p.name, vin) for p in sources for vin in VIN.findall(p.read_text("utf-8"))]
    assert [(name, vin) for name, vin in found if not vin.startswith("LTEST")] == []  # a code no maker has


def test_the_search_for_vehicles_finds() -> None:
    assert VIN.findall("vin = 'LTEST000000000001'") == ["LTEST000000000001"]
    assert VIN.findall("LSVFAKE0000000017,") == ["LSVFAKE0000000017"]
    assert not VIN.findall("a digest 9F86D081884C7D659A2FEAA0C55AD015")


def test_no_path_of_a_machine_is_kept() -> None:
    found = []
    for path in tracked():
        text = path.read_bytes()
        if b"\0" not in text and path != Path(__file__):
            found += [
                (path.relative_to(ROOT), m.group()) for m in MACHINE_PATH.finditer(text.decode("utf-8", "replace"))
            ]
    assert found == []


@pytest.mark.parametrize("line", ["see /work/main", "cd /root", "'/home/ada/x'"])
def test_the_search_for_machine_paths_finds(line: str) -> None:
    assert MACHINE_PATH.search(line)


def test_decision_records_are_numbered_without_a_gap() -> None:
    assert [path.name[:5] for path in RECORDS] == [f"{n:04d}-" for n in range(1, len(RECORDS) + 1)]


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.name[:4])
def test_a_decision_record_is_half_a_page(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith(f"# {int(path.name[:4])}. ")
    assert [line for line in lines if line.startswith("## ")] == [
        "## Context",
        "## Decision",
        "## Consequence",
    ]
    assert 60 <= len(" ".join(lines).split()) <= 300


def test_the_list_of_decisions_names_each() -> None:
    listed = (ROOT / "docs" / "README.md").read_text("utf-8")
    assert [path.name for path in RECORDS if f"decisions/{path.name}" not in listed] == []


@pytest.mark.parametrize("path", [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], ids=lambda p: p.name)
def test_links_inside_the_repository_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", path.read_text("utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
