"""The databases that tests run on: SQLite in a site's folder, or PostgreSQL, one database to a folder."""

from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

from postgresql import Server, programs

_here: list["Databases"] = []


def papers_url(folder: Path) -> str:
    """What `[papers]` of a site in that folder says as its `url`: empty for a file of the folder itself.

    A process that a test started reads it where the test's own wrote it: beside the folder.
    """
    if _here:
        return _here[-1].of(folder)
    return _beside(folder).read_text() if _beside(folder).exists() else ""


def _beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.papers-url")


def papers_in(folder: Path):
    """What `open_papers` is asked to open for a folder."""
    from onshore.vault.client import named
    from onshore.vault.opening import sqlite_url

    url = papers_url(folder)
    return named(url) if url else sqlite_url(folder / "papers.sqlite")


def held(folder: Path) -> bytes:
    """Every byte in which the papers of a folder may lie: their files, or the database's and its write-ahead log."""
    if not _here:
        return b"".join(path.read_bytes() for path in sorted(folder.glob("papers.sqlite*")))
    return _here[-1].held(folder)


def let(folder: Path) -> None:
    """Let the role of a folder's database do what docs/papers.md asks for, so that it may write over the log."""
    if _here:
        _here[-1].let(folder)


def server() -> Server:
    """A server of this session's own; skips where PostgreSQL is not installed."""
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed (Debian's package postgresql)")
    return Server(found)


@contextmanager
def left_open_closed():
    """Close what is connected inside and left open: tests leave their engines behind, and a socket minds that."""
    connections = []

    def note(connection, _record) -> None:
        connections.append(connection)

    event.listen(Pool, "connect", note)
    try:
        yield
    finally:
        event.remove(Pool, "connect", note)
        for connection in connections:
            with suppress(Exception):
                connection.close()


class Databases:
    """Databases of one server, laid out by copying one."""

    def __init__(self, server: Server) -> None:
        from onshore.vault.client import named
        from onshore.vault.opening import open_papers

        self.server = server
        self._of: dict[Path, str] = {}
        self._laid_out = server.new()
        open_papers(named(server.url(self._laid_out))).dispose()

    def of(self, folder: Path) -> str:
        """The URL of a folder's database, made when it is first asked for."""
        if folder not in self._of:
            self._of[folder] = self.server.new(self._laid_out)
            if folder.parent.is_dir():
                _beside(folder).write_text(self.server.url(self._of[folder]))
        return self.server.url(self._of[folder])

    def held(self, folder: Path) -> bytes:
        """The bytes of a folder's database in the cluster, and of the cluster's write-ahead log."""
        self.server.ask("CHECKPOINT")
        ((oid,),) = self.server.ask(f"SELECT oid FROM pg_database WHERE datname = '{self._of[folder]}'")
        places = self.server.data / "base" / str(oid), self.server.data / "pg_wal"
        found = []
        for path in (path for place in places for path in sorted(place.rglob("*")) if path.is_file()):
            with suppress(FileNotFoundError):  # the server lets go of old files by itself
                found.append(path.read_bytes())
        assert len(found) > 100, "a database has that many files"
        return b"".join(found)

    def let(self, folder: Path) -> None:
        """Let the role write over the write-ahead log, in this database."""
        role, name = self.server.role, self.of(folder).partition("?")[0].rpartition("/")[2]
        self.server.ask(f"GRANT EXECUTE ON FUNCTION pg_switch_wal() TO {role}", database=name)
        self.server.ask(f"GRANT pg_checkpoint, pg_monitor TO {role}")

    @contextmanager
    def used(self):
        """While a test runs: what its folders' papers are. What it made is removed at its end."""
        _here.append(self)
        try:
            with left_open_closed():
                yield
        finally:
            _here.remove(self)
            for folder, name in self._of.items():
                _beside(folder).unlink(missing_ok=True)
                self.server.drop(name)
            self._of.clear()
