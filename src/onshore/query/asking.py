"""Asking: what happens to every query: who, for what, over which tables; in the ledger; and only then rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from sqlalchemy import select

from onshore.query import entries
from onshore.query.allowing import refuse_barred, refuse_other_purpose, refuse_person, refuse_purpose
from onshore.query.database import database
from onshore.query.door import Door
from onshore.query.entries import Question
from onshore.query.rows import Open, Rows, Scan
from onshore.query.running import Running
from onshore.query.statement import Statement, statement
from onshore.query.tables import Seen, seen, through
from onshore.register.again import Again
from onshore.site import Site
from onshore.vault.papers import reading, segments
from onshore.vault.segments import Segment, buckets_of, segments_where
from onshore.words.errors import Refusal
from onshore.words.use import Use
from onshore.words.vocabulary import STATUTORY


@dataclass
class Answer:
    """A running query: the columns of its rows, and the rows, batch by batch, as they are made."""

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    running: Running


@dataclass
class Opening:
    """What a query would open of a category: signals, days, segments with their rows and bytes, vehicles it names."""

    category: str
    columns: set[str] = field(default_factory=set)
    segments: dict[str, Segment] = field(default_factory=dict)
    vehicles: set[int] | None = field(default_factory=set)


@contextmanager
def answered(site: Site, question: Question, *, limit: int | None = None, door: Door | None = None) -> Iterator[Answer]:
    """Run a query: its entry is in the log before the first row, and a second one tells how many rows were given.

    `limit`: rows after which it ends. `door`: through which alone rows come, for who may not look otherwise. Refused,
    in the ledger too: who may not ask (`not-your-act`, `view-is-export`), a purpose that is none of the site's
    (`purpose-unknown`), a category that the purpose may not see, with the judge's reason, and what `statement` refuses;
    later `query-memory`, `query-time`, and what `door` refuses. Malformed: SQL that does not run.
    """
    with database(site.settings.query) as con:
        asked, tables = _allowed(site, question, con, door)
        running = Running(con, site.settings.query.seconds)
        opening = _rows(site, question) if door is None else _through(door)
        _register(site, question, con, asked, tables, running.watched(opening), cut=door is None)
        categories = sorted({tables.shown[name].category for name in asked.tables})
        judged = [tables.judged[name] for name in sorted(asked.tables) if name in tables.judged]
        paper = entries.asked(site, question, site.settings.people[question.by].role, categories, judged)
        state = "failed"
        try:
            if door is not None:
                door.begin(tuple(categories))
            with running.bounded():
                reader = running.begun(asked)
                batches = running.rows_of(reader, limit)
                yield Answer(reader.schema, batches if door is None else _asked_each(door, batches), running)
            state = "cut" if running.cut else "answered"
        except (KeyboardInterrupt, BrokenPipeError):
            state = "stopped"
            raise
        finally:
            if door is not None:
                door.end(whole=state in {"answered", "cut"})
            entries.ended(site, paper, state, running.rows)


def explained(site: Site, question: Question) -> list[Opening]:
    """What a query would open at most, by category, for who may ask it: none of it is opened, and no row is read."""
    found: dict[str, Opening] = {}
    with database(site.settings.query) as con:
        asked, tables = _allowed(site, question, con)
        running = Running(con, site.settings.query.seconds)

        def noted(scan: Scan) -> Iterator[pa.RecordBatch]:
            _note(site, question, scan, found.setdefault(scan.table.category, Opening(scan.table.category)))
            return iter(())

        _register(site, question, con, asked, tables, noted, cut=True)
        with running.bounded():
            for _ in running.rows_of(running.begun(asked), None):
                pass  # of no rows, such as counts of 0
    return [found[category] for category in sorted(found)]


def visible(site: Site, question: Question, door: Door | None = None) -> Seen:
    """The tables that who asks may see for the purpose, and why no others."""
    refuse_purpose(site, question.purpose)
    if door is not None:
        refuse_other_purpose(site, question.purpose, door)
        return through(site, door)
    tables = seen(site, question.purpose)
    refuse_person(site, question, [table.category for table in tables.shown.values()])
    return tables


def _allowed(
    site: Site, question: Question, con: duckdb.DuckDBPyConnection, door: Door | None = None
) -> tuple[Statement, Seen]:
    """The statement and the tables of its purpose, where it may run; a refusal is written down first."""
    try:
        tables = visible(site, question, door)
        asked = statement(con, question.sql)
        refuse_barred(asked.tables, tables, question.purpose)
    except Refusal as why:
        entries.refused(site, question, why)
        raise
    return asked, tables


def _register(
    site: Site,
    question: Question,
    con: duckdb.DuckDBPyConnection,
    asked: Statement,
    tables: Seen,
    opening: Open,
    *,
    cut: bool,
) -> None:
    """`cut`: whether a scan is narrowed to the days that it needs; what is counted as a whole is read as a whole."""
    for name in sorted(asked.tables):
        table = tables.shown[name]
        con.register(name, Rows(table, _cuts(site, question.purpose, table.category) if cut else [], opening))


def _rows(site: Site, question: Question) -> Open:
    again = Again(site, Use(question.purpose))

    def rows(scan: Scan) -> Iterator[pa.RecordBatch]:
        for start, until in scan.spans:
            found = again.rows(
                scan.table.category, start=start, until=until, vehicles=scan.vehicles, columns=scan.columns
            )
            yield from (one.kept for one in found if one.kept is not None)

    return rows


def _through(door: Door) -> Open:
    def rows(scan: Scan) -> Iterator[pa.RecordBatch]:
        return door.rows(scan.table.category) if scan.spans else iter(())

    return rows


def _asked_each(door: Door, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        door.may_go()
        yield batch


def _cuts(site: Site, purpose: str, category: str) -> list[int]:
    """The instants (ms UTC) at which the local days begin and end of which there are segments."""
    t, zone = segments.c, ZoneInfo(site.pack.zone)
    ask = select(t.day).where(t.category == category, t.ground == _ground(purpose)).distinct()
    with reading(site.engine) as conn:
        days = list(conn.scalars(ask))
    begins = [datetime.fromisoformat(day).replace(tzinfo=zone).timestamp() for day in days]
    ends = [datetime.fromisoformat(day).replace(tzinfo=zone, hour=23, minute=59).timestamp() + 60 for day in days]
    return sorted({int(instant * 1000) for instant in (*begins, *ends)})


def _note(site: Site, question: Question, scan: Scan, opening: Opening) -> None:
    t = segments.c
    here = (t.category == scan.table.category, t.ground == _ground(question.purpose))
    opening.columns |= scan.columns
    if scan.vehicles is None or opening.vehicles is None:
        opening.vehicles = None
    else:
        opening.vehicles |= scan.vehicles
    with reading(site.engine) as conn:
        mine = () if scan.vehicles is None else (t.bucket.in_(buckets_of(conn, sorted(scan.vehicles))),)
        for start, until in scan.spans:
            found = segments_where(conn, *here, *mine, t.last >= start, t.first < until)
            opening.segments |= {segment.id: segment for segment in found}


def _ground(purpose: str) -> str:
    return "statutory" if purpose == STATUTORY else "consent"
