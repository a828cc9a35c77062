"""Running: a statement run to its end, its bound or its limit, and every failure told in our words."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Timer
from typing import TypeVar

import duckdb
import pyarrow as pa

from onshore.query.rows import Open, Scan
from onshore.query.saying import failure
from onshore.query.statement import Statement
from onshore.words.errors import OnshoreError, Refusal

T = TypeVar("T")

_BATCH = 2_048  # rows at a time: what restricts a car in between holds back what was not read yet


class Running:
    """One statement in one database: what it read from failed with (`error`), and whether its time ran out."""

    def __init__(self, con: duckdb.DuckDBPyConnection, seconds: int) -> None:
        self._con = con
        self._seconds = seconds
        self._error: OnshoreError | None = None
        self._over = False
        self.rows = 0
        self.cut = False

    def watched(self, opening: Open) -> Open:
        """The same rows; what stops them is kept, for the database would tell it in words of its own."""

        def rows(scan: Scan) -> Iterator[pa.RecordBatch]:
            try:
                yield from opening(scan)
            except OnshoreError as why:
                self._error = why
                raise

        return rows

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Stop whatever still runs in this block when its seconds are over."""
        timer = Timer(self._seconds, self._stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

    def begun(self, asked: Statement) -> pa.RecordBatchReader:
        """Start the statement; its rows are made as they are taken."""
        with self._told():
            return self._apart(lambda: self._con.sql(asked.sql).to_arrow_reader(_BATCH))

    def rows_of(self, reader: pa.RecordBatchReader, limit: int | None) -> Iterator[pa.RecordBatch]:
        """The rows, at most `limit`; `rows` counts those handed over, `cut` says whether there were more."""
        while True:
            with self._told():
                batch = self._apart(lambda: next(reader, None))
            if batch is None:
                return
            room = batch.num_rows if limit is None else limit - self.rows
            self.cut = batch.num_rows > room
            if min(room, batch.num_rows):
                self.rows += min(room, batch.num_rows)
                yield batch.slice(0, room)
            if self.cut:
                return

    def _apart(self, work: Callable[[], T]) -> T:
        """Do it in a thread beside this one, which can then be interrupted: no signal is heard inside the database."""
        with ThreadPoolExecutor(1) as beside:
            doing = beside.submit(work)
            try:
                return doing.result()
            except KeyboardInterrupt:
                self._con.interrupt()
                raise

    def _stop(self) -> None:
        self._over = True
        self._con.interrupt()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, OSError, pa.ArrowException, RuntimeError) as why:
            if self._error is not None:
                raise self._error from None
            if self._over:
                raise _too_long(self._seconds) from None
            raise failure(why) from None


def _too_long(seconds: int) -> Refusal:
    return Refusal(
        "query-time",
        f"the query was not done in {seconds} seconds and was stopped",
        remedy="ask for fewer cars or days, or raise seconds under [query] in site.toml",
    )
