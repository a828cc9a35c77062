"""Backups: how old the last one is, and whether it still opens."""

import json

from sqlalchemy import Connection

from onshore.site import Site
from onshore.vault.papers import reading
from onshore.vault.wrapping import DAY, noted
from onshore.words.instants import clock_text

LAST = "backup"
"""Where in `meta` the last backup stands: JSON of its `at` and `until`, ms UTC."""


def last(conn: Connection) -> tuple[int, int] | None:
    """When the last backup was made and when its key part ends (ms UTC); None where there never was one."""
    said = noted(conn, LAST)
    told = json.loads(said) if said else None
    return None if told is None else (told["at"], told["until"])


def told(site: Site) -> tuple[bool, str]:
    """What 'onshore check' says of backups, and whether that is well: one whose key part has ended opens no more."""
    if site.settings.keys.backup_days is None:
        return True, "none are made: [keys] says no backup_days"
    with reading(site.engine) as conn:
        found = last(conn)
    if found is None:
        return True, "none was made yet ('onshore backup DIR')"
    at, until = found
    days = max(site.clock() - at, 0) // DAY
    if until <= site.clock():
        return False, f"the last is {days} days old and opens no more: its key part ended at {clock_text(until)}"
    return True, f"the last is {days} days old; its key part ends at {clock_text(until)}"
