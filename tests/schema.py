"""What a schema is, in words that two of them can be compared by."""

from sqlalchemy import Engine, MetaData, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable


def statements(metadata: MetaData, dialect: str) -> str:
    """The statements that lay a schema out in a database."""
    speaks = {"sqlite": sqlite, "postgresql": postgresql}[dialect].dialect()
    made = []
    for table in metadata.sorted_tables:
        made.append(CreateTable(table).compile(dialect=speaks))
        made += [CreateIndex(i).compile(dialect=speaks) for i in sorted(table.indexes, key=lambda index: index.name)]
    return "\n".join(f"{str(one).strip()};" for one in made) + "\n"


def found(engine: Engine) -> dict:
    """What a database says that it holds, but for the order of columns."""
    there = inspect(engine)
    return {name: _table(there, name) for name in there.get_table_names() if name != "alembic_version"}


def _table(there, name: str) -> dict:
    def sorted_(things):
        return sorted(({k: v for k, v in one.items() if k not in _OWN_WORDS} for one in things), key=str)

    columns = there.get_columns(name)
    return {
        "columns": {c["name"]: (str(c["type"]), c["nullable"], bool(c["default"])) for c in columns},
        "primary key": there.get_pk_constraint(name)["constrained_columns"],
        "foreign keys": sorted_(there.get_foreign_keys(name)),
        "indexes": sorted_(there.get_indexes(name)),
        "unique": sorted_(there.get_unique_constraints(name)),
    }


_OWN_WORDS = frozenset({"name", "comment", "dialect_options", "options", "include_columns"})
