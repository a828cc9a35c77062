"""Folders that tests need: the shared one, which may be absent, and our own vectors."""

import os
from pathlib import Path

import pytest

from databases import Databases, papers_url, server

ROOT = Path(__file__).parent.parent


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
    "unit/test_site.py",
    "stories/test_story.py",
    "stories/test_backup.py",
    "stories/test_a_month.py",
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


class Hands:
    """A real site in a temporary folder, its clock in our hands, and cars that reach its gate without a socket."""

    def __init__(self, folder: Path) -> None:
        from onshore.cli.init import make_site
        from onshore.site import open_site
        from onshore.vault.age import new_identity, recipient_of

        self.now = 1_790_000_000_000  # a day in September 2026
        self.identity = new_identity()
        make_site(folder, "CN", "shanghai", papers=papers_url(folder), clock=lambda: self.now)
        with (folder / "site.toml").open("a") as file:
            file.write(f'\n[recipients.stuttgart]\njurisdiction = "DE"\nkey = "{recipient_of(self.identity)}"\n')
            file.write('\n[people.anna]\nrole = "owner"\n')
        self.site = open_site(folder, clock=lambda: self.now)

    def car(self, number: int = 1):
        """A registered car of ours."""
        from onshore.register import vehicles

        vin = self.vin(number)
        if vehicles.look_up(self.site, vin) is None:
            vehicles.add(self.site, vin.decode(), owner=f"owner {number}", contact=f"owner{number}@example.org")
        return vehicles.find(self.site, vin.decode())

    @staticmethod
    def vin(number: int = 1) -> bytes:
        return b"LTEST%012d" % number

    def drive(self, *numbers: int, seconds: int = 20, start: int | None = None):
        """Let cars drive: a frame a second each, through decoder, intake, journal and drain; what was drained."""
        from onshore.cli.drives import computed
        from onshore.gate.gb32960 import encode
        from onshore.gate.gb32960.decode import decode
        from onshore.gate.intake import Intake
        from onshore.vault.journal import Journal

        begin = self.now if start is None else start
        frames, ids = [], []
        for number in numbers:
            vehicle = self.car(number).id
            for moment in computed(number, seconds):
                frames.append(encode.realtime(self.vin(number), begin + moment.offset, moment.units))
                ids.append(vehicle)
        self.now = max(self.now, begin + seconds * 1000)
        batch = decode(frames, ids, self.now).batch
        with Journal(
            self.site.engine,
            self.site.root,
            self.site.vault,
            site=self.site.id,
            gate="0",
            clock=self.site.clock,
            randomness=self.site.randomness,
        ) as journal:
            Intake(self.site, journal).take_in(batch)
        return self.site.drain()

    def allow(self, number: int = 1, *, categories=("track", "vehicle-operation"), **wish):
        """The owner of a car consents to warranty-analysis in Stuttgart."""
        from onshore.register import consents

        asked = {"notice": "2026-11", "separate": True, "recipients": frozenset({"stuttgart"})} | wish
        given = consents.give(
            self.site,
            self.car(number),
            consents.Wish(purposes=("warranty-analysis",), categories=categories, **asked),
        )
        self.now += 1000
        return given


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    return Hands(tmp_path / "site")
