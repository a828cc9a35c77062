"""Copies of keys in backups: what they hold, until when they may live, and that this ends before an erasure is due.

A backup has two parts. The data part (files, ledger, papers without the wrapping keys) is noise by itself. The key part
is what this module makes: the wrapping keys, still wrapped by the root. Whoever has an old data part, a key part of its
time and the root could open what was erased since, so each key part has an end: `backup_days` after its wrapping key
was made. No wrapping key made after an erasure opens anything that was there before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from onshore.rules.clocks import least_days
from onshore.rules.pack import Pack
from onshore.vault.losses import under_root
from onshore.vault.papers import wrapping_keys
from onshore.vault.wrapping import REWRAP, current, noted, wrapping_keys_in
from onshore.words.errors import Malformed, Refusal
from onshore.words.settings import Keys

_COLUMNS = ("id", "month", "made", "until", "root", "wrapped")


class KeyPart(NamedTuple):
    """The rows of a key part, ready for JSON, and the instant (ms UTC) at which every copy of it must be destroyed."""

    rows: list[dict[str, Any]]
    until: int


def refuse_long_copies(keys: Keys, packs: Iterable[Pack]) -> None:
    """Refuses (`key-copies-too-long`) where copies would outlive an erasure that is asked for today, by any pack."""
    for pack in packs if keys.backup_days is not None else ():
        least = least_days("erasure", pack)
        if least is not None and keys.backup_days is not None and keys.backup_days >= least[0]:
            raise Refusal(
                "key-copies-too-long",
                f"copies of keys would live for {keys.backup_days} days, and by {pack.id} an erasure may have to be "
                f"done within {least[0]}: what was erased could still be opened then",
                article=least[1],
                remedy=f"set [keys] backup_days in site.toml to {least[0] - 1} or fewer",
            )


def export_wrapping(conn: Connection, now: int) -> KeyPart:
    """The key part of a backup whose data part is read in the same transaction.

    Refused where the settings name no `backup_days` (`no-key-copies`), and where a rotation is under way or due
    (`rotation-under-way`): the data part would hold keys that other key parts, or the root alone, open.
    """
    known = wrapping_keys_in(conn)
    stands = known[-1]
    if stands.until is None:
        raise Refusal(
            "no-key-copies",
            "the wrapping key was made for no copies: nobody said how long these may live",
            remedy="set [keys] backup_days in site.toml, fewer than the law gives for an erasure, and let keep run",
        )
    if len(known) > 1 or noted(conn, REWRAP) is not None or under_root(conn).keys or now >= stands.until:
        raise Refusal(
            "rotation-under-way",
            "the keys are being re-wrapped, or that is overdue: more than its own key part would open a backup of now",
            remedy="wait until whoever keeps the site is done ('onshore keys show'), or run 'onshore keys rotate'",
        )
    row = {name: getattr(stands, name) for name in _COLUMNS} | {"wrapped": stands.wrapped.hex()}
    return KeyPart([row], stands.until)


def import_wrapping(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    """Enter the rows of a key part into papers that hold no wrapping keys; the instant at which that part ends.

    Broken later, with what is lost, where the root that wrapped them is not the site's. Refused (`keys-there`) where
    papers hold wrapping keys already, Malformed where the rows are none of a key part.
    """
    if current(conn) is not None:
        raise Refusal(
            "keys-there",
            "these papers hold their wrapping keys already",
            remedy="restore into a folder that is empty",
        )
    try:
        values = [{name: row[name] for name in _COLUMNS} | {"wrapped": bytes.fromhex(row["wrapped"])} for row in rows]
        until = min(int(row["until"]) for row in values)
    except (KeyError, TypeError, ValueError):
        raise Malformed("these are no rows of a key part", where="key part") from None
    conn.execute(insert(wrapping_keys), values)
    return until


def copies_end(conn: Connection) -> int | None:
    """Until when copies may live that open what is erased now, for its certificate; None where none were ever made.

    The wrapping key that stands has the latest end of all that ever wrapped what stands.
    """
    ends = conn.scalars(select(wrapping_keys.c.until).where(wrapping_keys.c.until.is_not(None))).all()
    return max(ends, default=None)
