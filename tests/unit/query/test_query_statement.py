"""SQL that may be hostile: one SELECT over the tables of a purpose, and nothing else."""

import duckdb
import pytest

from onshore.query.database import database
from onshore.query.saying import failure, said
from onshore.query.statement import DENIED, DENIED_BEGINNINGS, MOST, statement
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings import Queries

secret = [1, 2, 3]  # what a replacement scan would find by its name


@pytest.fixture
def con():
    with database(Queries(memory_mb=64, threads=1)) as shut:
        yield shut


def refused(con, sql):
    with pytest.raises(Refusal) as why:
        statement(con, sql)
    assert why.value.remedy
    return why.value.reason


def test_no_view_of_the_system_is_read_by_a_name_that_stands_after_with_elsewhere(con):
    """A name after WITH is a table of the statement's own, in its own part of it alone."""
    views = "SELECT view_name FROM duckdb_views() WHERE internal AND schema_name <> 'information_schema'"
    names = [name for (name,) in duckdb.connect().execute(views).fetchall()]
    assert {"sqlite_master", "pragma_database_list", "pg_class", "duckdb_columns"} <= {*names}
    for name in names:
        assert refused(con, f'SELECT * FROM "{name}", (WITH "{name}" AS (SELECT 1) SELECT 1)') == "not-a-table", name


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'out.csv'",
        "COPY track TO 'out.parquet' (FORMAT parquet)",
        "ATTACH 'other.db'",
        "ATTACH ':memory:' AS other",
        "DETACH memory",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "RESET memory_limit",
        "PRAGMA version",
        "PRAGMA enable_profiling",
        "CALL pragma_version()",
        "EXPORT DATABASE 'out'",
        "IMPORT DATABASE 'out'",
        "CREATE TABLE t AS SELECT * FROM track",
        "CREATE MACRO f(x) AS x",
        "CREATE SECRET s (TYPE s3)",
        "INSERT INTO track VALUES (1)",
        "DELETE FROM track",
        "UPDATE track SET door = 'x'",
        "DROP VIEW track",
        "ALTER TABLE track RENAME TO t",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "CHECKPOINT",
        "VACUUM",
        "BEGIN",
        "USE memory",
        "SET VARIABLE a = 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; COPY track TO 'out.csv'",
        "SELECT 1;;; DROP VIEW track",
        "",
        "-- nothing",
        "PIVOT track ON door USING count(*)",
        "WITH x AS (INSERT INTO track VALUES (1) RETURNING *) SELECT * FROM x",
        "WITH x AS (DELETE FROM track RETURNING *) SELECT * FROM x",
    ],
)
def test_only_a_select_is_taken(con, sql):
    assert refused(con, sql) == "select-only"


@pytest.mark.parametrize(
    "source",
    [
        "read_text('/etc/passwd')",
        "read_blob('/etc/*')",
        "read_csv('/etc/passwd')",
        "read_csv_auto('/etc/passwd')",
        "read_json('x')",
        "read_parquet('x')",
        "parquet_scan('x')",
        "parquet_metadata('x')",
        "sniff_csv('x')",
        "glob('/*')",
        "duckdb_settings()",
        "duckdb_secrets()",
        "duckdb_functions()",
        "duckdb_logs()",
        "pragma_version()",
        "query('SELECT 1')",
        "query_table('track')",
        "json_execute_serialized_sql('{}')",
        "arrow_scan(1, 2, 3)",
        "python_arrow_scan(1)",
        "pandas_scan(1)",
        "test_all_types()",
        "main.track",
        "memory.main.track",
        "pg_catalog.pg_class",
        "information_schema.tables",
        "system.main.range",
    ],
)
def test_nothing_is_read_but_tables_by_their_bare_names(con, source):
    for sql in (
        f"SELECT * FROM {source}",
        f"FROM {source}",
        f"SELECT * FROM track JOIN {source} ON true",
        f"SELECT (SELECT count(*) FROM {source}) FROM track",
        f"SELECT * FROM track WHERE EXISTS (FROM {source})",
        f"WITH t AS (FROM {source}) SELECT * FROM t",
        f"SELECT 1 UNION ALL (SELECT 2 FROM {source})",
        f"SELECT * FROM (VALUES (1)) v, LATERAL (SELECT * FROM {source})",
        f"SELECT list_transform([1], lambda x: (SELECT count(*) FROM {source}))",
    ):
        assert refused(con, sql) == "not-a-table"


@pytest.mark.parametrize("sql", ["DESCRIBE track", "SUMMARIZE track", "SHOW TABLES", "SHOW ALL TABLES"])
def test_the_catalogue_of_the_database_is_not_shown(con, sql):
    assert refused(con, sql) == "not-a-table"


@pytest.mark.parametrize(
    "call",
    [
        "getenv('HOME')",
        "current_setting('memory_limit')",
        "getvariable('x')",
        "nextval('s')",
        "write_log('x')",
        "sleep_ms(60000)",
        "pg_sleep(60)",
        "has_table_privilege('x', 'y')",
        "main.lower('x')",
        "system.main.lower('x')",
        "'x'.current_setting()",
        "current_user()",
        "version()",
        "add_parquet_key('k', 'v')",
    ],
)
def test_functions_that_look_at_the_session_or_act_on_it_are_denied(con, call):
    hidden_in = ("SELECT {}", "SELECT * FROM track WHERE door = {}", "SELECT list_transform([1], lambda x: {})")
    for sql in (where.format(call) for where in hidden_in):
        assert refused(con, sql) == "function-denied"


HARMLESS = {
    *("current_date", "today", "now", "get_current_time", "get_current_timestamp", "transaction_timestamp"),
    *("random", "gen_random_uuid", "uuid", "uuidv4", "uuidv7", "error", "vector_type"),
}


def test_every_function_that_is_more_than_its_arguments_was_looked_at(con):
    odd = """SELECT DISTINCT lower(function_name) FROM duckdb_functions()
             WHERE function_type IN ('scalar', 'aggregate', 'macro')
             AND (has_side_effects OR stability <> 'CONSISTENT')"""
    found = {name for (name,) in con.sql(odd).fetchall()}
    assert {n for n in found if n not in DENIED | HARMLESS and not n.startswith(DENIED_BEGINNINGS)} == set()


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT 1", set()),
        ('SELECT vehicle, "Vehicle.Speed" FROM driving_behaviour', {"driving_behaviour"}),
        ("FROM Track", {"track"}),
        ("SELECT * FROM track a ASOF JOIN vehicle_operation b USING (vehicle, time)", {"track", "vehicle_operation"}),
        ("WITH t AS (FROM track) SELECT * FROM t", {"track"}),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r", set()),
        ("SELECT x FROM track, unnest([1]) u(x), range(3), generate_series(1, 2)", {"track"}),
        ("SELECT (SELECT max(time) FROM track) FROM charging_network", {"track", "charging_network"}),
        ("SELECT * FROM secret", {"secret"}),
        ("FROM '/etc/passwd'", {"/etc/passwd"}),
        ("VALUES (1), (2)", set()),
        ("SELECT count(*) FILTER (door = 'x') OVER (PARTITION BY vehicle) FROM track", {"track"}),
    ],
)
def test_a_select_says_which_tables_it_takes(con, sql, tables):
    assert statement(con, sql).tables == tables


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT ?, ", "SELECT $name, ", "SELECT '", "(" * 50_000, "x" * (MOST + 1)])
def test_what_does_not_parse_is_malformed_and_not_quoted(con, sql):
    with pytest.raises(Malformed) as why:
        statement(con, sql + " 'LTEST000000000017 31.2304'")
    assert "LTEST" not in str(why.value)
    assert "31.2304" not in str(why.value)


def test_deep_trees_end_in_words_of_ours(con):
    with pytest.raises((Malformed, Refusal)):
        statement(con, "SELECT " + "(SELECT " * 900 + "getenv('HOME')" + ")" * 900)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY (SELECT 1) TO 'out.csv'",
        "ATTACH 'other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET threads = 8",
        "SET enable_external_access = true",
        "SET temp_directory = 'spill'",
        "SELECT * FROM glob('/*')",
        "FROM '/etc/passwd'",
        "SELECT * FROM secret",
        "SELECT getenv('HOME')",
    ],
)
def test_the_database_itself_would_not_do_it_either(con, sql, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    secret = [4]  # noqa: F841 (what a replacement scan would find by its name)
    with pytest.raises(duckdb.Error):
        con.sql(sql).fetchall()
    assert list(tmp_path.iterdir()) == []


def test_a_message_loses_its_line_and_every_value():
    text = (
        "Binder Error: no 'LTEST000000000017' at 31.2304, 21da2cc4e0ba583d\n\nLINE 1: SELECT 'LTEST000000000017'\n  ^"
    )
    assert said(text) == "Binder Error: no … at …, …"


@pytest.mark.parametrize(
    ("error", "kind", "has"),
    [
        (OSError("Conversion Error: Could not convert string '21da2cc4e0ba583d' to INT32"), Malformed, "TRY_CAST"),
        (OSError("Out of Memory Error: could not allocate"), Refusal, "memory"),
        (OSError("INTERRUPT Error: Interrupted!"), Refusal, "stopped"),
        (duckdb.BinderException('Binder Error: Referenced column "x" not found'), Malformed, '"x" not found'),
        (RuntimeError("21da2cc4e0ba583d"), Malformed, "RuntimeError"),
    ],
)
def test_failures_are_told_without_the_rows_that_they_quote(error, kind, has):
    told = failure(error)
    assert isinstance(told, kind)
    assert has in str(told)
    assert "21da2cc4e0ba583d" not in str(told)
