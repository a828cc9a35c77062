"""The import contracts bite: a planted violation of each fails the build; and what imports cannot show."""

import ast
import configparser
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from pure import SOURCE, VERIFIER, pure_files

ROOT = SOURCE.parent.parent
CONTRACTS = ROOT / ".importlinter"

PLANTED = [
    ("rooms", "words/batch.py", "import onshore.rules"),
    ("rooms", "rules/__init__.py", "import onshore.consent"),
    ("rooms", "consent/__init__.py", "import onshore.vault"),
    ("rooms", "vault/__init__.py", "import onshore.site"),
    ("rooms", "vault/__init__.py", "import onshore.ledger"),
    ("rooms", "ledger/__init__.py", "import onshore.vault"),
    ("rooms", "site.py", "import onshore.register"),
    ("rooms", "register/__init__.py", "import onshore.gate"),
    ("rooms", "gate/__init__.py", "import onshore.border"),
    ("rooms", "border/__init__.py", "import onshore.gate"),
    ("rooms", "border/__init__.py", "import onshore.cli"),
    ("rooms", "desk/__init__.py", "import onshore.cli"),
    ("rooms", "camera/__init__.py", "import onshore.vault"),
    ("rooms", "answers/__init__.py", "import onshore.border"),
    ("rooms", "query/__init__.py", "import onshore.border"),
    ("rooms", "rights/__init__.py", "import onshore.border"),
    ("rooms", "reports/__init__.py", "import onshore.cli"),
    ("rooms", "border/__init__.py", "import onshore.reports"),
    ("pure", "words/batch.py", "import os"),
    ("pure", "rules/__init__.py", "import pathlib"),
    ("pure", "consent/__init__.py", "import random"),
    ("pure", "gate/gb32960/protocol.py", "import socket"),
    ("pure", "gate/gb32960/decode.py", "import time"),
    ("pure", "border/permits/permit.py", "import secrets"),
    ("pure", "ledger/tree.py", "import io"),
    ("pure", "ledger/verify.py", "import subprocess"),
    ("pure", "gate/fleet/decode.py", "import threading"),
    ("doors", "gate/fleet/__init__.py", "import onshore.gate.gb32960.protocol"),
    ("doors", "gate/intake.py", "import onshore.gate.gb32960.protocol"),
    ("outward", "vault/__init__.py", "import http.client"),
    ("outward", "gate/__init__.py", "import socket"),
    ("outward", "border/transfer.py", "from urllib import request"),
    ("engineer", "desk/pages/engineer/first.py", "import onshore.vault.papers"),
    ("desks", "desk/pages/owner/first.py", "import onshore.desk.pages.officer.first"),
    ("reports", "reports/draft.py", "import onshore.border.transfer"),
    ("reports", "reports/evidence/left.py", "import onshore.vault.read"),
    ("verifier", "ledger/note.py", "import onshore.words.errors"),
    ("verifier", "ledger/__main__.py", "import cryptography"),
    ("verifier", "ledger/tree.py", "import onshore.ledger.aside"),
]
"""Contract, the module that gains an import, and the import."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, with a bystander in two rooms that leans back on the module beside it."""
    copy = tmp_path_factory.mktemp("house") / "onshore"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "words" / "aside.py").write_text("import onshore.words.batch\n")
    (copy / "ledger" / "aside.py").write_text("")
    return copy


@pytest.fixture
def plant(house: Path) -> Iterator[list[Path]]:
    """Files that a test has added or changed; put back as they were."""
    touched: list[Path] = []
    yield touched
    for path in touched:
        original = SOURCE / path.relative_to(house)
        if original.exists():
            shutil.copyfile(original, path)
        elif original.parent.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path.parent)


def lint(house: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    """lint-imports over a copy of the package."""
    program = "from importlinter.cli import lint_imports_command as main; main()"
    asked = [word for name in contracts for word in ("--contract", name)]
    return subprocess.run(
        [sys.executable, "-c", program, "--config", str(CONTRACTS), "--no-cache", "--no-logo", *asked],
        cwd=house.parent,
        env={**os.environ, "PYTHONPATH": str(house.parent), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_copy_itself_keeps_every_contract(house: Path) -> None:
    said = lint(house)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize(("contract", "where", "line"), PLANTED)
def test_a_planted_violation_fails(house: Path, plant: list[Path], contract: str, where: str, line: str) -> None:
    path = house / where
    plant.append(path)
    path.parent.mkdir(exist_ok=True)
    (path.parent / "__init__.py").touch()
    before = path.read_text() if path.exists() else ""
    path.write_text(f"{before}\n{line}\n")
    said = lint(house, contract)
    target = line.split()[1] if "onshore" in line else line.split()[1].split(".", maxsplit=1)[0]
    assert said.returncode == 1
    assert f"{dotted(where)} -> {target}" in said.stdout, said.stdout + said.stderr


def dotted(where: str) -> str:
    """The module that a file of the package is."""
    return "onshore." + where.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def test_a_room_that_nobody_has_drawn_fails(house: Path, plant: list[Path]) -> None:
    plant.append(house / "attic" / "__init__.py")
    plant[0].parent.mkdir()
    plant[0].touch()
    said = lint(house, "rooms")
    assert said.returncode == 1
    assert "- onshore.attic" in said.stdout


def test_two_modules_that_lean_on_each_other_fail(house: Path, plant: list[Path]) -> None:
    plant.append(house / "words" / "batch.py")
    plant[0].write_text(f"{plant[0].read_text()}\nimport onshore.words.aside\n")
    said = lint(house, "cycles")
    assert said.returncode == 1
    assert "No cycles are allowed in onshore.words" in said.stdout


def test_every_contract_has_a_planted_violation() -> None:
    written = configparser.ConfigParser()
    written.read(CONTRACTS)
    names = {s.rpartition(":")[2] for s in written.sections() if s.startswith("importlinter:contract:")}
    assert names == {contract for contract, *_ in PLANTED} | {"cycles"}


def test_every_door_is_in_the_contract_of_doors() -> None:
    written = configparser.ConfigParser()
    written.read(CONTRACTS)
    doors = written["importlinter:contract:doors"]["layers"]
    packages = [f.parent.name for f in (SOURCE / "gate").glob("*/protocol.py")]
    assert packages
    assert all(f"({name})" in doors for name in packages)


# What a pure module may not call, even on what it may import.
CLOCKS = "now utcnow today localtime gmtime monotonic perf_counter time_ns"
FILES = "open input print breakpoint read_text read_bytes write_text write_bytes memory_map memmap OSFile"
CHANCE = "default_rng RandomState urandom token_bytes randint uuid4 generate_key generate"
CODE = "exec eval __import__ import_module"
BANNED = frozenset(f"{CLOCKS} {FILES} {CHANCE} {CODE}".split())
OUTSIDE = (
    "numpy.random",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.fs",
    "pyarrow.flight",
    "pyarrow.parquet",
)


def impurities(tree: ast.AST) -> Iterator[str]:
    """What in a module reads a clock, draws a random number, touches a disk or loads code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            if name in BANNED:
                yield f"line {node.lineno}: calls {name}()"
        elif isinstance(node, ast.Attribute) and node.attr == "random":
            yield f"line {node.lineno}: {ast.unparse(node)}"
        yield from (f"line {node.lineno}: imports {n}" for n in imported(node) if n.startswith(OUTSIDE))


def imported(node: ast.AST) -> list[str]:
    """The dotted names that one statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


@pytest.mark.parametrize("path", pure_files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_pure_module_reads_no_clock_no_dice_no_disk(path: Path) -> None:
    assert list(impurities(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "date.today()",
        "np.random.default_rng(1)",
        "np.random.bytes(4)",
        "open('x')",
        "pa.memory_map('x')",
        "import pyarrow.parquet as pq",
        "from pyarrow import fs",
        "from numpy.random import Generator",
        "Ed25519PrivateKey.generate()",
        "__import__('os')",
    ],
)
def test_the_search_for_impurities_finds(line: str) -> None:
    assert list(impurities(ast.parse(line)))


CONNECTS = {
    "connect_ex",
    "create_connection",
    "create_datagram_endpoint",
    "create_unix_connection",
    "open_connection",
    "open_unix_connection",
    "sock_connect",
    "start_tls",
}


def test_only_the_named_modules_open_connections() -> None:
    """asyncio both listens and connects, so the import contract cannot tell; the calls can."""
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        if path.name not in {"send.py", "client.py"} and path.relative_to(SOURCE) != Path("cli/simulate.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in CONNECTS
    ]
    assert found == []


def test_the_verifier_imports_the_standard_library_and_itself_alone() -> None:
    """The contract can only name third parties; this one needs no list."""
    ours = {f"onshore.ledger.{name}" for name in VERIFIER}
    for name in VERIFIER:
        tree = ast.parse((SOURCE / "ledger" / f"{name}.py").read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "onshore.ledger":
                assert {f"onshore.ledger.{a.name}" for a in node.names} <= ours
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                assert node.module in ours or node.module.split(".")[0] in sys.stdlib_module_names, node.module
            elif isinstance(node, ast.Import):
                assert all(a.name in ours or a.name.split(".")[0] in sys.stdlib_module_names for a in node.names)


def test_the_verifier_runs_alone(tmp_path: Path) -> None:
    """Five files in an empty folder, an isolated interpreter, no packages installed."""
    room = tmp_path / "onshore" / "ledger"
    room.mkdir(parents=True)
    for name in VERIFIER:
        shutil.copyfile(SOURCE / "ledger" / f"{name}.py", room / f"{name}.py")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.argv = ['verify', '--help']; "
    program += "import runpy; runpy.run_module('onshore.ledger', run_name='__main__')"
    said = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_the_sieve_and_what_defines_it_share_words_alone() -> None:
    graph = grimp.build_graph("onshore", cache_dir=None)
    fast, plain = "onshore.consent.sieve", "onshore.consent.reference"
    below = graph.find_upstream_modules(fast), graph.find_upstream_modules(plain)
    assert plain not in below[0]
    assert fast not in below[1]
    assert [name for name in below[0] & below[1] if not name.startswith("onshore.words")] == []
