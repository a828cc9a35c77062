"""Upgrading: the steps from an older format of the papers to this release's, in the caller's transaction."""

from pathlib import Path

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from onshore.vault.migrations import FIRST, HEAD
from onshore.vault.migrations.versions import released
from onshore.words.errors import Refusal

FOLDER = Path(__file__).parent


def upgrade(conn: Connection, stands: str, to: str = HEAD) -> None:
    """Take papers from the format `stands` to the format `to`.

    Refused (`papers-unknown`) where papers without a number are not those of the release that gave none.
    """
    context = MigrationContext.configure(conn)
    script = ScriptDirectory(str(FOLDER))
    if stands == FIRST and context.get_current_revision() is None:
        _refuse_strange(conn)
        stands = "base"
    steps = list(script.iterate_revisions(to, stands))
    with Operations.context(context):
        for step in reversed(steps):
            step.module.upgrade()
    context.stamp(script, to)


def _refuse_strange(conn: Connection) -> None:
    there = inspect(conn)
    tables = {name: {column["name"] for column in there.get_columns(name)} for name in there.get_table_names()}
    known = {table.name: {column.name for column in table.columns} for table in released.metadata.sorted_tables}
    if wrong := [name for name, columns in sorted(known.items()) if tables.get(name, columns) != columns]:
        raise Refusal(
            "papers-unknown",
            f"no release laid these papers out: the table '{wrong[0]}' is not what release 0.1.0 made",
            remedy="a site of a version between two releases cannot be upgraded: make it anew, or restore a backup",
        )
