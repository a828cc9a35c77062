"""Database: DuckDB in memory, shut off from files, network, settings and extensions."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from onshore.words.settings import Queries

_SHUT = {
    "enable_external_access": "false",  # no file is opened, no database attached, nothing fetched
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # a table's name never finds a variable of this program
    "temp_directory": "",  # clear rows are never spilled to a disk
    "max_temp_directory_size": "0KiB",
}


@contextmanager
def database(limits: Queries) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database whose settings nobody changes any more; it ends with the block."""
    bounds = {"memory_limit": f"{limits.memory_mb}MiB", "threads": str(limits.threads)}
    con = duckdb.connect(":memory:", config={**_SHUT, **bounds})
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET streaming_buffer_size = '64KiB'")  # little is read ahead of what was shown
        con.execute("SET enable_progress_bar = false")
        con.execute("SET lock_configuration = true")
        yield con
    finally:
        con.close()
