"""Freed: pages of the papers that may hold what was struck from them, until somebody has emptied them."""

from sqlalchemy import Connection, Engine

from onshore.vault.forgetting import forget_freed_pages
from onshore.vault.journal_files import raise_counter
from onshore.vault.papers import reading, writing
from onshore.vault.wrapping import note, noted

_OWED, _DONE = "freed", "emptied"  # in meta: how often something was owed, and how often of that it is done


def owe(conn: Connection) -> None:
    """Note, in the commit that strikes something for good, that pages which it frees are still to be emptied."""
    raise_counter(conn, _OWED)


def settle(engine: Engine) -> bool:
    """Empty freed pages, where that is owed. False while somebody is in the way: owed still, so ask again."""
    with reading(engine) as conn:
        owed = noted(conn, _OWED)
        if owed == noted(conn, _DONE):
            return True
    if not forget_freed_pages(engine, rebuild=True):
        return False
    with writing(engine) as conn:
        note(conn, _DONE, owed)  # what was struck meanwhile stays owed
    return True
