"""Switches: those of the rules that counsel turned here, as the ledger was told of them last."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete

from onshore.vault.papers import meta

_NAME = "switches"

Papers = Mapping[str, Mapping[str, Any]]
"""Per switch that is turned `opinion` and `obj`; as noted, `since` (ms UTC) as well."""


def noted(conn: Connection) -> dict[str, dict[str, Any]]:
    """The switches that are turned as the ledger was told."""
    found = conn.execute(meta.select().where(meta.c.name == _NAME)).first()
    return json.loads(found.value) if found else {}


def changed(told: Papers, now: Papers) -> list[str]:
    """Names of those that are read otherwise than was told."""
    same = {name: {"opinion": paper["opinion"], "obj": paper["obj"]} for name, paper in told.items()}
    return [name for name in sorted({*same, *now}) if same.get(name) != now.get(name)]


def note(conn: Connection, now: Papers, at: int) -> None:
    """Note those that are turned, the changed ones since an instant (ms UTC): in the commit that tells the ledger."""
    told = noted(conn)
    new = set(changed(told, now))
    rest = {name: {**paper, "since": at} if name in new else told[name] for name, paper in now.items()}
    conn.execute(delete(meta).where(meta.c.name == _NAME))
    conn.execute(meta.insert().values(name=_NAME, value=json.dumps(rest)))
