"""Folders that tests need: the shared one, which may be absent, and our own vectors."""

import os
import shutil
from pathlib import Path

import pytest

from databases import Databases, server
from site_makers import Hands

ROOT = Path(__file__).parent.parent
_SHM, _ROOM = Path("/dev/shm"), 4 << 30
if os.access(_SHM, os.W_OK) and shutil.disk_usage(_SHM).free > _ROOM:
    # In memory where there is room, so that syncing costs nothing and stays switched on.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_SHM))


@pytest.fixture(scope="session")
def shared() -> Path:
    folder = Path(os.environ.get("ONSHORE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the folder of shared test data is absent (ONSHORE_SHARED, looked at {folder})")
    return folder


BOTH = (
    "unit/vault",
    "unit/border",
    "unit/rights",
    "unit/register",
    "unit/reports/test_report_databases.py",
    "unit/test_site.py",
    "faults/test_vault_kills.py",
    "faults/test_compact_kills.py",
    "stories/test_story.py",
    "stories/test_backup.py",
    "stories/test_backup_meanwhile.py",
    "stories/test_backup_moves.py",
    "stories/test_a_month.py",
    "stories/test_cheating_permits.py",
)
"""Tests whose papers lie in SQLite and in PostgreSQL; of these, one marked `sqlite` speaks of that file alone."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    where = Path(metafunc.definition.path).relative_to(ROOT / "tests").as_posix()
    makes = {"tmp_path", "tmp_path_factory", "hands"} & set(metafunc.fixturenames)
    if makes and where.startswith(BOTH) and metafunc.definition.get_closest_marker("sqlite") is None:
        metafunc.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def databases():
    """A PostgreSQL server for this session, ended with it; skips where none is installed."""
    running = server()
    yield Databases(running)
    running.close()


@pytest.fixture(autouse=True)
def database(request):
    """Where a test's papers lie: "sqlite" unless it runs on both."""
    which = getattr(request, "param", "sqlite")
    if which == "sqlite":
        yield which
        return
    with request.getfixturevalue("databases").used():
        yield which


@pytest.fixture(scope="session")
def vectors() -> Path:
    return ROOT / "tests" / "vectors"


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path / "site")
