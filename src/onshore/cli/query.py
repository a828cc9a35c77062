"""`onshore query`: SQL at the site, purpose-checked and recorded."""

import importlib.util
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site, put, say

if TYPE_CHECKING:
    from onshore.border.views.viewing import View
    from onshore.query.asking import Opening
    from onshore.query.tables import Seen
    from onshore.site import Site


@click.command()
@click.argument("sql", required=False, default="")
@click.option("--purpose", required=True, help="What for: a purpose of site.toml.")
@click.option("--as", "actor", metavar="NAME", required=True, help="Who asks: a name of site.toml.")
@click.option("--transfer", "transfer_id", metavar="ID", help="Look from abroad: under this request for a view.")
@click.option("--tables", is_flag=True, help="Show the tables and columns that the purpose may see.")
@click.option("--explain", "--dry-run", "explain", is_flag=True, help="Say what it would open; read no row.")
@click.option("--format", "form", type=click.Choice(["table", "csv"]), default="table", show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10_000,
    show_default=True,
    metavar="ROWS",
    help="At most so many; 0: all of them.",
)
@at_site()
def query(
    here: "Site",
    sql: str,
    purpose: str,
    actor: str,
    transfer_id: str | None,
    tables: bool,
    explain: bool,
    form: str,
    limit: int,
    as_json: bool,
) -> None:
    """Answer one SELECT over the rows that may serve a purpose; a table per category, such as vehicle_operation.

    Every query is an entry in the ledger before its first row. SQL is DuckDB's; signals are quoted: "Vehicle.Speed".

    From abroad, or for somebody there, it is an export: with --transfer, under a request with --method view whose
    permit stands, every person of the tables that it names is counted before the first row.
    """
    _refuse_without_database()
    if transfer_id is not None and explain:
        raise click.UsageError("What a view would touch is told by 'onshore transfer ask --dry-run'.")
    from onshore.query.asking import answered, explained, visible
    from onshore.query.entries import Question

    question = Question(sql, purpose, actor)
    if tables:
        with _door(here, transfer_id, actor) as door:
            _show_tables(visible(here, question, door), as_json=as_json)
        return
    if not sql.strip():
        raise click.UsageError("Give a SELECT, or --tables.")
    if explain:
        _show_openings(explained(here, question), as_json=as_json)
        return
    from onshore.cli.answers import writer

    with (
        _door(here, transfer_id, actor) as door,
        answered(here, question, limit=limit or None, door=door) as answer,
    ):
        write = writer("json" if as_json else form, answer.schema)
        for batch in answer.batches:
            write(batch)
        if answer.running.cut:
            say(f"cut after {limit} rows; there are more: --limit 0 gives all")


def _door(here: "Site", transfer_id: str | None, actor: str) -> "AbstractContextManager[View | None]":
    from onshore.border.views import viewing

    return nullcontext() if transfer_id is None else viewing.opened(here, transfer_id, actor)


def _refuse_without_database() -> None:
    if importlib.util.find_spec("duckdb") is None:
        from onshore.words.errors import Refusal

        raise Refusal(
            "not-installed",
            "DuckDB, which answers queries, is not installed here",
            remedy="pip install 'onshore[query]'",
        )


def _show_tables(tables: "Seen", *, as_json: bool) -> None:
    for table in tables.shown.values():
        columns = [
            {"name": column.name, "type": str(column.type), **_about(table.signals.get(column.name))}
            for column in table.schema
        ]
        if as_json:
            put({"table": table.name, "category": table.category, "columns": columns})
            continue
        click.echo(f"{table.name}: {table.category}")
        for column in columns:
            unit = " ".join(filter(None, (column.get("unit"), column.get("precision") and f"by {column['precision']}")))
            click.echo(f"  {_quoted(str(column['name'])):70} {column['type']:22} {unit}".rstrip())
    for name, (category, why) in tables.barred.items():
        if as_json:
            barred = {"reason": why.code, "says": why.says, "article": why.article}
            put({"table": name, "category": category, "barred": barred})
        else:
            say(f"{name}: may not be seen ({why.code}): {why.says} {why.article}")


def _about(signal: object) -> dict[str, str]:
    said = {name: getattr(signal, name, None) for name in ("unit", "precision")}
    return {name: value for name, value in said.items() if value}


def _quoted(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _show_openings(openings: "list[Opening]", *, as_json: bool) -> None:
    for one in openings:
        found = one.segments.values()
        days, rows = sorted({segment.place.day for segment in found}), sum(segment.rows for segment in found)
        named = None if one.vehicles is None else len(one.vehicles)
        said = {"segments": len(found), "rows": rows, "bytes": sum(segment.size for segment in found)}
        if as_json:
            put({"category": one.category, "columns": sorted(one.columns), "days": days, **said, "vehicles": named})
            continue
        span = f"{days[0]} to {days[-1]}" if days else "no day"
        click.echo(f"{one.category}: {len(found)} segments of {len(days)} days ({span}), at most {rows} rows")
        whose = "all vehicles" if named is None else f"{named} named vehicles"
        click.echo(f"  {said['bytes']} bytes; {whose}; signals: {', '.join(sorted(one.columns)) or 'none'}")
