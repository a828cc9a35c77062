"""The frame around the code: what the Makefile offers, the lock, the set-up's advice, the figures' table."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_help_names_every_target() -> None:
    lines = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (.*)$", lines, re.MULTILINE)[0].split()) - {"help", "ready", "servers"}
    assert targets == set(re.findall(r"@echo 'make (\w+)", lines))


def test_the_lock_holds_every_dependency_with_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = {re.split(r"[\[<>=]", d)[0] for d in project["dependencies"] + project["optional-dependencies"]["dev"]}
    blocks = re.split(r"\n(?=[a-z])", re.sub(r"^#.*\n", "", lock, flags=re.MULTILINE))
    pinned = {block.split("==")[0].split("[")[0] for block in blocks}
    assert wanted <= pinned
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?:|file:|index-url|find-links", lock)


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A checkout on a machine that has a shell and little else: no Python, no root."""
    checkout = tmp_path / "a checkout"
    (checkout / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup", checkout / "tools")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "cksum", "cat"):
        (programs / name).symlink_to(shutil.which(name) or name)
    program(tmp_path, "id", "echo 1000")
    return tmp_path


def program(machine: Path, name: str, does: str) -> None:
    path = machine / "bin" / name
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def set_up(machine: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [machine / "a checkout" / "tools" / "setup"],
        env={"PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_python_it_prints_the_exact_line_and_exits_2(bare: Path) -> None:
    said = set_up(bare)
    assert said.returncode == 2
    assert said.stderr.endswith("\n    sudo apt-get install python3.11 python3-venv\n")


def test_where_only_venv_is_missing_it_asks_for_that_alone(bare: Path) -> None:
    program(bare, "python3", f'case "$2" in *venv*) exit 1;; esac; exec "{sys.executable}" "$@"')
    said = set_up(bare)
    assert said.returncode == 2
    assert said.stderr.endswith("\n    sudo apt-get install python3-venv\n")


def test_a_python_that_is_too_old_does_not_count(bare: Path) -> None:
    program(bare, "python3", "exit 1")
    assert set_up(bare).stderr.endswith("\n    sudo apt-get install python3.11 python3-venv\n")


def test_root_installs_what_is_missing(bare: Path) -> None:
    program(bare, "id", "echo 0")
    program(bare, "apt-get", f'echo "$@" >>{bare}/asked')
    said = set_up(bare)
    assert said.returncode == 2  # the pretended installation brings no Python
    asked = (bare / "asked").read_text().splitlines()
    assert asked[-1] == "install -y -qq --no-install-recommends python3.11 python3-venv"


def test_what_is_ready_is_left_alone(bare: Path) -> None:
    checkout = bare / "a checkout"
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    state = subprocess.run(
        ["sh", "-c", "pwd; cksum requirements.lock pyproject.toml tools/setup"],
        cwd=checkout,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    (checkout / ".venv" / "ready").write_text(state.stdout)
    assert set_up(bare).returncode == 0
    (checkout / "requirements.lock").write_text("")
    assert set_up(bare).returncode == 2


def test_the_table_of_figures() -> None:
    program = "import bench.__main__ as b, datetime as d; "
    program += "rows = [('sieve', 'rows/s', 5123456.7), ('gate', 's', 0.01)]; "
    program += "print(*b.table(rows, d.date(2026, 2, 3), 'a machine'), sep='\\n')"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == [
        f"Measured on {date(2026, 2, 3)}: a machine.",
        "",
        "| bench | what | figure |",
        "|---|---|--:|",
        "| sieve | rows/s | 5,123,457 |",
        "| gate | s | 0.01 |",
    ]


def test_an_unknown_bench_is_wrong_usage() -> None:
    said = subprocess.run([sys.executable, "-m", "bench", "tea"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "tea" in said.stderr


def test_whoever_may_not_install_is_told_which_servers_are_missing_and_goes_on(bare: Path) -> None:
    shutil.copy(ROOT / "tools" / "servers", bare / "a checkout" / "tools")
    for name in ("tr", "openssl"):
        (bare / "bin" / name).symlink_to(shutil.which(name) or name)
    told = subprocess.run(
        [bare / "a checkout" / "tools" / "servers"],
        env={"PATH": str(bare / "bin")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "sudo apt-get install" in told.stderr
    assert "openssl" not in told.stderr
