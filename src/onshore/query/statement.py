"""Statement: SQL that may be hostile is looked at before it is run: one SELECT, over our tables and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from onshore.query.saying import said
from onshore.words.errors import Malformed, Refusal

MOST = 100_000
"""Characters of a statement."""

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_SOURCES = frozenset({"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION", "CTE"})
_TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})

DENIED = frozenset(
    {
        *("current_setting", "getvariable", "getenv", "user_agent", "version", "which_secret", "add_parquet_key"),
        *("nextval", "currval", "setval", "setseed", "sleep_ms", "write_log", "parse_duckdb_log_message"),
        *("current_connection_id", "current_query_id", "current_transaction_id", "txid_current", "current_query"),
        *("current_user", "current_role", "session_user", "user", "in_search_path", "query", "query_table"),
        *("current_database", "current_catalog", "current_schema", "current_schemas", "json_deserialize_sql"),
        *("json_execute_serialized_sql", "stats", "pg_sleep"),
    }
)
"""Functions that speak of the session or the machine, act outside the answer, or wait."""

DENIED_BEGINNINGS = ("pg_", "has_", "duckdb_", "pragma_")
_SYSTEM = ("pg_", "duckdb_", "pragma_", "sqlite_")
"""How the database's own views begin, which bare names find: no table of a statement's own is called so."""


@dataclass(frozen=True)
class Statement:
    """A statement that may run, once its tables may be seen: the names that it takes from outside itself."""

    sql: str
    tables: frozenset[str]


def statement(con: duckdb.DuckDBPyConnection, sql: str) -> Statement:
    """Parse SQL, run none of it. Malformed where it does not parse.

    Refused (`select-only`): anything but one SELECT; (`not-a-table`): what reads from elsewhere than a table by its
    bare name; (`function-denied`): functions that look at the session or the machine, or act on them.
    """
    if len(sql) > MOST:
        raise Malformed(f"it is longer than {MOST} characters", where="SQL")
    try:
        ((text,),) = con.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
        parsed = json.loads(text)
        nodes = list(_nodes(parsed.get("statements")))
    except (duckdb.Error, RecursionError, ValueError):
        raise Malformed("it is no SQL that can be read", where="SQL") from None
    if parsed.get("error"):
        if parsed.get("error_type") == "parser":
            raise Malformed(said(str(parsed.get("error_message"))), where="SQL")
        raise _only_select()
    if len(parsed["statements"]) != 1:
        raise _only_select()
    within = {str(pair["key"]).lower() for node in nodes for pair in _pairs(node)}
    for node in nodes:
        _look(node)
    named = {str(node["table_name"]).lower() for node in nodes if node.get("type") == "BASE_TABLE"}
    return Statement(sql, frozenset(named - within))


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            yield node
            todo += node.values()
        elif isinstance(node, list):
            todo += node


def _pairs(node: dict[str, Any]) -> list[dict[str, Any]]:
    within = node.get("cte_map")
    return within["map"] if isinstance(within, dict) else []


def _look(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if "cte_map" in node and kind not in _NODES:
        raise _only_select()
    if "sample" in node and "class" not in node and "cte_map" not in node and kind not in _SOURCES | _NODES:
        raise _no_table()
    if kind == "BASE_TABLE" and (node.get("schema_name") or node.get("catalog_name") or node.get("at_clause")):
        raise _no_table()
    if kind == "BASE_TABLE" and str(node["table_name"]).lower().startswith(_SYSTEM):
        raise _no_table()
    if kind == "TABLE_FUNCTION" and node["function"].get("function_name", "").lower() not in _TABLE_FUNCTIONS:
        raise _no_table()
    if node.get("class") == "PARAMETER":
        raise Malformed("it has a parameter (? or $name) without a value: write the value", where="SQL")
    if node.get("class") == "FUNCTION":
        _look_at_function(node)


def _look_at_function(node: dict[str, Any]) -> None:
    name = str(node.get("function_name")).lower()
    if name in DENIED or name.startswith(DENIED_BEGINNINGS) or node.get("schema") or node.get("catalog"):
        raise Refusal(
            "function-denied",
            f"{_shown(name)}() speaks of the session or the machine, or acts on them",
            remedy="ask with functions over the columns alone",
        )


def _shown(name: str) -> str:
    return name if name in DENIED else "this function"


def _only_select() -> Refusal:
    return Refusal(
        "select-only",
        "a query is one SELECT statement; nothing is written, loaded, set or attached here",
        remedy="ask with one SELECT; 'onshore query --tables' shows the tables and columns",
    )


def _no_table() -> Refusal:
    return Refusal(
        "not-a-table",
        "a query reads the tables of its purpose, by their bare names, and nothing else: no file, no catalogue",
        remedy="'onshore query --tables' shows what there is; unnest, range and generate_series may be used too",
    )
