"""The packs that ship, read once, with their cases."""

import functools

from law import SOURCE
from onshore.rules.book import Case, read_case, tables
from onshore.rules.pack import Pack, parse

SHELF = SOURCE / "rules" / "packs"


@functools.cache
def every_pack() -> tuple[Pack, ...]:
    return tuple(parse(path.read_text("utf-8"), str(path)) for path in sorted(SHELF.glob("*/*/pack.toml")))


@functools.cache
def every_case() -> tuple[Case, ...]:
    return tuple(
        read_case(table, str(path))
        for path in sorted(SHELF.glob("*/*/cases.toml"))
        for table in tables(path.read_text("utf-8"), str(path))
    )
