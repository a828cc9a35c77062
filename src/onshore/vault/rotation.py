"""Rotation: another wrapping key, or another root, takes the place of the one that stands; no segment is rewritten.

Each step is one commit, and `tend` takes up what a crash left: keys open under the old one until nothing is under it.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update

from onshore.vault.forgetting import forget_freed_pages
from onshore.vault.keyed import KEYED, Keyed, context_of, under
from onshore.vault.papers import metadata, reading, wrapping_keys, writing
from onshore.vault.wrapping import REWRAP, Keyring, WrappingKey, current, due_at, note, noted, wrapping_keys_in
from onshore.words.errors import Broken

BATCH = 500  # keys that are re-wrapped in one commit
_NEXT, _OLD = "root/next", "root/old"  # names in meta


class Told(NamedTuple):
    """What the ledger is told: of a "wrapping" key or the "root", that it was "rotated" or "destroyed".

    `which`: the id or fingerprint of the new or the destroyed one; `keys`: how many keys the old one had wrapped.
    """

    role: str
    state: str
    which: str
    keys: int | None = None


Tell = Callable[[Connection, Told], object]
"""Hands an entry to the ledger, inside the transaction that it tells of."""
Step = Callable[[str], None]


def rotate(ring: Keyring, tell: Tell, backup_days: int | None) -> WrappingKey:
    """Have another wrapping key wrap what is new from now on; the one before it is retired. `tend` does the rest."""
    with writing(ring.engine) as conn:
        conn.execute(update(wrapping_keys).where(wrapping_keys.c.retired.is_(None)).values(retired=ring.clock()))
        key = ring.make(conn, backup_days)
        tell(conn, Told("wrapping", "rotated", key.id, _count(conn)))
    return key


def tend(
    ring: Keyring,
    tell: Tell,
    backup_days: int | None,
    *,
    batches: int | None = None,
    step: Step = lambda _step: None,
) -> bool:
    """Rotate what is due, re-wrap so many batches (None: all), strike what wraps nothing; True once nothing is left.

    The caller holds the keep road: whoever wraps outside of a writing transaction does too.
    """
    _end_root_change(ring, tell, step)
    with reading(ring.engine) as conn:
        known, unfinished = wrapping_keys_in(conn), noted(conn, REWRAP)
    if ring.clock() >= due_at(known[-1], backup_days):
        rotate(ring, tell, backup_days)
        step("begun")
    elif len(known) == 1 and unfinished is None:
        return True
    if any(key.struck is None for key in known[:-1]) or len(known) == 1:
        if not _rewrap(ring, batches, step) or not _strike(ring):
            return False
        step("struck")
    return _let_go(ring, tell, step)


def ended(ring: Keyring) -> bool:
    """Whether nothing of a rotation is left to do: one wrapping key stands, and every key is under it."""
    with reading(ring.engine) as conn:
        return len(wrapping_keys_in(conn)) == 1 and noted(conn, REWRAP) is None


def left(ring: Keyring) -> int:
    """How many keys open under something else than the current wrapping key."""
    with reading(ring.engine) as conn:
        stands = current(conn)
        return _count(conn, None if stands is None else stands.id)


def change_root(ring: Keyring, tell: Tell, *, step: Step = lambda _step: None) -> None:
    """Make a root key where the settings wish for it, wrap the wrapping keys by it in one commit, destroy the old one.

    The caller holds the keep road. The new key is noted before it is made, and the old one before it is destroyed, so
    that a crash leaves neither an unknown key behind nor a site without its root.
    """
    _end_root_change(ring, tell, step)
    _rewrap(ring, None, step)  # what the root itself wraps
    planned = ring.roots.plan()
    with writing(ring.engine) as conn:
        note(conn, _NEXT, planned.fingerprint)
    step("noted")
    root = planned.make()
    step("made")
    with writing(ring.engine) as conn:
        keys = [key for key in wrapping_keys_in(conn) if key.struck is None]
        for key in keys:
            values = {"wrapped": ring.rewrapped(conn, key, root), "root": root.fingerprint}
            conn.execute(update(wrapping_keys).where(wrapping_keys.c.id == key.id).values(values))
        note(conn, _NEXT, None)
        note(conn, _OLD, keys[-1].root)
        tell(conn, Told("root", "rotated", root.fingerprint, len(keys)))
    ring.root = root
    step("switched")
    _end_root_change(ring, tell, step)


def _end_root_change(ring: Keyring, tell: Tell, step: Step) -> None:
    """Destroy a root that was made and never taken, or one whose place another took; nothing where neither is noted."""
    with reading(ring.engine) as conn:
        new, old = noted(conn, _NEXT), noted(conn, _OLD)
        stands = current(conn)
    if stands is None or new is old is None:
        return
    for fingerprint in filter(None, (new, old)):
        if fingerprint == stands.root:
            raise Broken(f"the papers have the root key {fingerprint} destroyed, and it is the root: restore a backup")
        ring.roots.destroy(fingerprint)
        step("destroyed")
    ring.roots.settle(stands.root)
    step("settled")
    forget_freed_pages(ring.engine)
    with writing(ring.engine) as conn:
        note(conn, _NEXT, None)
        if old is not None and noted(conn, _OLD) == old:
            note(conn, _OLD, None)
            tell(conn, Told("root", "destroyed", old))


def _rewrap(ring: Keyring, batches: int | None, step: Step) -> bool:
    """Wrap keys by the current wrapping key, up to so many batches, going on where it was left; True once all are."""
    done = 0
    for number, keyed in enumerate(KEYED):
        while batches is None or done < batches:
            with reading(ring.engine) as conn:
                stands = current(conn)
                assert stands is not None
                rows = _next(conn, stands.id, number, keyed)
                wrap = ring.wrap_by(conn, stands)
            if not rows:
                break
            _put(ring, wrap, stands.id, number, rows)
            done += 1
            step("rewrapped")
    return batches is None or done < batches


def _next(conn: Connection, id_: str, number: int, keyed: Keyed) -> Sequence[Row[Any]]:
    """The next rows of a table that open under another key than that."""
    table, said = metadata.tables[keyed.table], json.loads(noted(conn, REWRAP) or "[]") or [id_, 0, ""]
    here, last = (said[1], said[2]) if said[0] == id_ else (0, "")
    if number < here:
        return []
    name = table.c[keyed.name]
    rest = ~under(table.c.wrapped, id_) & (func.length(table.c.wrapped) > 0)
    asked = select(table).where(rest, name > (last if number == here else "")).order_by(name).limit(BATCH)
    return conn.execute(asked).all()


def _put(ring: Keyring, wrap: Callable[[bytes, str], bytes], id_: str, number: int, rows: Sequence[Row[Any]]) -> None:
    """Re-wrap rows outside of the transaction, as a token may take its time; what has changed meanwhile stays."""
    keyed = KEYED[number]
    table, new = metadata.tables[keyed.table], []
    for row in rows:
        context = context_of(keyed, row, ring.site)
        fresh = wrap(ring.unwrap(row.wrapped, context), context)
        new.append({"b_name": getattr(row, keyed.name), "b_old": row.wrapped, "b_new": fresh})
    here = (table.c[keyed.name] == bindparam("b_name")) & (table.c.wrapped == bindparam("b_old"))
    with writing(ring.engine) as conn:
        stands = current(conn)
        if stands is not None and stands.id == id_:  # else rotated once more since: begin anew
            conn.execute(update(table).where(here).values(wrapped=bindparam("b_new")), new)
            note(conn, REWRAP, json.dumps([id_, number, new[-1]["b_name"]]))


def _strike(ring: Keyring) -> bool:
    """Empty the retired wrapping keys, in a transaction that finds nothing under them; False where something is."""
    with writing(ring.engine) as conn:
        stands = current(conn)
        assert stands is not None
        note(conn, REWRAP, None)
        if _count(conn, stands.id):  # wrapped since, by a key that was current then
            note(conn, REWRAP, "[]")
            return False
        retired = wrapping_keys.c.retired.is_not(None) & wrapping_keys.c.struck.is_(None)
        conn.execute(update(wrapping_keys).where(retired).values(wrapped=b"", struck=ring.clock()))
    ring.forget()
    return True


def _let_go(ring: Keyring, tell: Tell, step: Step) -> bool:
    """See that no byte of struck wrapping keys stays in the papers, then let go of their rows; False: try again."""
    with reading(ring.engine) as conn:
        if all(key.struck is None for key in wrapping_keys_in(conn)):
            return True
    if not forget_freed_pages(ring.engine, rebuild=True):
        return False
    step("forgotten")
    with writing(ring.engine) as conn:
        for key in wrapping_keys_in(conn):
            if key.struck is not None:
                conn.execute(delete(wrapping_keys).where(wrapping_keys.c.id == key.id))
                tell(conn, Told("wrapping", "destroyed", key.id))
    step("ended")
    return True


def _count(conn: Connection, but: str | None = None) -> int:
    """Keys that are wrapped, but for those under one wrapping key."""
    total = 0
    for table in (metadata.tables[keyed.table] for keyed in KEYED):
        asked = select(func.count()).select_from(table).where(func.length(table.c.wrapped) > 0)
        total += conn.scalar(asked if but is None else asked.where(~under(table.c.wrapped, but))) or 0
    return total
