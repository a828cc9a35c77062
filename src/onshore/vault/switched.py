"""What of the settings the ledger was told last: how switches of packs are read, which policy of witnesses holds."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from onshore.vault.papers import meta, reading, writing

Paper = Mapping[str, Any]
"""What the ledger is told of a setting: of a switch that is turned `opinion` and `obj`."""
Tell = Callable[[Connection, str, Paper | None], object]
"""Hands in the entry of a setting: its name, its paper or None where it holds no more."""
SWITCHES, WITNESSES = "switches", "witnesses"


def noted(conn: Connection, row: str = SWITCHES) -> dict[str, dict[str, Any]]:
    """What holds as the ledger was told, by name: the paper of each, and `since` (ms UTC)."""
    found = conn.execute(select(meta.c.value).where(meta.c.name == row)).scalar()
    return json.loads(found) if found else {}


def note(engine: Engine, now: Mapping[str, Paper], at: int, tell: Tell, row: str = SWITCHES) -> None:
    """Tell of each setting that is otherwise than it was told last, once for each change; `at`: ms UTC."""
    with reading(engine) as conn:
        if not _changed(noted(conn, row), now):
            return
    with writing(engine) as conn:
        known = noted(conn, row)
        for name in _changed(known, now):
            paper = now.get(name)
            tell(conn, name, paper)
            known.pop(name, None)
            known |= {name: {**paper, "since": at}} if paper else {}
        conn.execute(delete(meta).where(meta.c.name == row))
        conn.execute(meta.insert().values(name=row, value=json.dumps(known)))


def _changed(known: Mapping[str, Paper], now: Mapping[str, Paper]) -> list[str]:
    told = {name: {key: said for key, said in paper.items() if key != "since"} for name, paper in known.items()}
    return [name for name in sorted({*told, *now}) if told.get(name) != now.get(name)]
