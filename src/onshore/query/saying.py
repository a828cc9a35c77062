"""Saying: what the database says of a failure, as far as a log may show it."""

import re

import duckdb

from onshore.words.errors import Malformed, OnshoreError, Refusal

_LINE = re.compile(r"\n+LINE \d+:.*", re.DOTALL)
_VALUES = re.compile(r"'[^']*'?|(?<![\w.])[-+]?\d+(\.\d+)?(?![\w.])|[0-9a-f]{16}|[A-HJ-NPR-Z0-9]{17}", re.IGNORECASE)
_OF_THE_TEXT = ("Binder Error", "Catalog Error", "Parser Error", "Syntax Error")
_MEMORY, _STOPPED = "Out of Memory Error", ("INTERRUPT Error", "Interrupted")


def said(text: str) -> str:
    """A message without the line of SQL that it quotes, and without values: they may name a car or a place."""
    return _VALUES.sub("…", _LINE.sub("", text)).strip()


def failure(error: Exception) -> OnshoreError:
    """What a failed query tells a person.

    What is wrong with the text itself is told in the database's words; what a row made fail is told without them, for
    they quote the row.
    """
    text = str(error)
    if isinstance(error, duckdb.OutOfMemoryException) or text.startswith(_MEMORY):
        return Refusal(
            "query-memory",
            "the query needs more memory than it may take, and nothing of it is put on a disk",
            remedy="ask for fewer columns, cars or days, or raise memory_mb under [query] in site.toml",
        )
    if isinstance(error, duckdb.InterruptException) or text.startswith(_STOPPED):
        return Refusal("query-stopped", "the query was stopped before its end")
    if text.startswith(_OF_THE_TEXT):
        return Malformed(said(text), where="SQL")
    kind = re.match(r"[A-Z][A-Za-z ]{0,40} Error", text)
    return Malformed(
        f"a value of a row does not fit what is done with it ({kind.group() if kind else type(error).__name__}); "
        "TRY_CAST and TRY() give null instead",
        where="SQL",
    )
