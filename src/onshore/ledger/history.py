"""What a stranger checks of a site's logs, one a calendar year: each whole, and that each goes on from the last."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from onshore.ledger import verify
from onshore.ledger.canonical import must_be_same, read_entry
from onshore.ledger.note import Checkpoint, Wrong, read_checkpoint
from onshore.ledger.totals import Totals
from onshore.ledger.tree import SPAN
from onshore.ledger.verify import Finding, Read, Trust, read_bundle, without_year

_CHECKPOINT = "checkpoint"
_YEAR = re.compile(r"[0-9]{4}/")
_FIELDS: dict[str, dict[str, type]] = {
    "closed": {"next": str},
    "opened": {"last": str, "size": int, "root": str, "year": int},
}
"""What the entries that link two logs say."""


def log(read: Read, trust: Trust) -> Iterator[Finding]:
    """A log with those of earlier years below it, each in a folder by its year, from the last to the first.

    A year whose files are not there is told, not missed: its size and root are signed in the log that followed it.
    `trust.since` is held against the log that it is of; Wrong where it is of none of them.
    """
    since = None if trust.since is None else _origin(trust.since)
    here = _Once(read)
    met: list[str] = []
    link: dict[str, Any] | None = None
    later = Totals()
    while here(_CHECKPOINT) is not None or link is None:
        origin = _origin(here(_CHECKPOINT) or b"")
        # Of a log that is not of this site it is for `verify.log` to say so.
        held = link is None and (since is None or without_year(since) != without_year(origin))
        # A closed year is linked from the log that witnesses cosigned, root and all.
        believed = trust if link is None else replace(trust, policy=None)
        totals = Totals()
        yield from verify.log(here, believed if held or since == origin else replace(believed, since=None), totals)
        if fell := later.follows(totals):
            raise Wrong(f"{met[-1]} states fewer bytes that left than the year before it ({fell})", "totals")
        point = read_checkpoint((here(_CHECKPOINT) or b"").decode().rpartition("\n\n")[0] + "\n")
        yield from _follows(here, point, link, met)
        met.append(origin)
        link = _said(here, point, 0, "opened")
        if link is None:
            break
        if trust.policy is not None:
            yield from _passed_over(origin, link)
        here = _Once(_below(read, str(link["year"])))
    else:
        yield Finding(False, f"year {link and link['year']}: its files are not there, only their root, which is linked")
    if since is not None and since not in met:
        raise Wrong(f"the older checkpoint is of another log, or of a year that is not there: {since}", "since")


def by_year(read: Read, newest: str) -> Read:
    """The same of a folder that has each year's log below it, the newest too, as they are served: a mirror."""
    return lambda name: read(name if _YEAR.match(name) else f"{newest}/{name}")


def _follows(read: Read, point: Checkpoint, link: dict[str, Any] | None, met: list[str]) -> Iterator[Finding]:
    """That a log ends as the one that goes on from it says; of the last one, whether it was closed."""
    closed = _said(read, point, point.size - 1, "closed")
    if link is None:
        if closed is not None:
            yield Finding(False, f"log: it is closed, and goes on as {closed['next']}, which is not there")
        return
    where = f"{link['year']}/{_CHECKPOINT}"
    must_be_same(point.origin, link["last"], where, f"{met[-1]} goes on from another log")
    ends = (point.size, f"sha256:{point.root.hex()}")
    must_be_same(ends, (link["size"], link["root"]), where, f"it does not end where {met[-1]} goes on from it")
    must_be_same(closed and closed["next"], met[-1], where, "its last entry does not name the log that goes on from it")
    yield Finding(True, f"year {link['year']}: closed with {point.size} entries, from which {met[-1]} goes on")


def _passed_over(origin: str, link: dict[str, Any]) -> Iterator[Finding]:
    """The years by which no log of the site is called, between one and that which it goes on from.

    A witness that takes one log after the other cosigns one of such a year, and then the log that passes over it.
    """
    site, last = without_year(origin), str(link["last"])
    first = int(last[-4:]) + 1 if last != without_year(last) else link["year"]
    ends = int(origin[-4:]) - 1 if origin != site else first - 1
    if first <= ends:
        which = f"{first}" if first == ends else f"{first} to {ends}"
        says = f"none of {site} is linked under {which}; if a witness cosigned one, it is a second history"
        yield Finding(False, f"log: {says}")


def _said(read: Read, point: Checkpoint, index: int, state: str) -> dict[str, Any] | None:
    """The fields of an entry, if it is one that links two logs and is of that state."""
    if not 0 <= index < point.size:
        return None
    number = index // SPAN
    raw = read_bundle(read, number, min(SPAN, point.size - number * SPAN))[index % SPAN]
    if b'"t":"log"' not in raw:
        return None
    said = read_entry(raw)
    if (said.get("t"), said.get("state")) != ("log", state):
        return None
    if not all(type(said.get(name)) is kind for name, kind in _FIELDS[state].items()):
        raise Wrong("it links two logs, and does not say which", f"entry {index}")
    return said


def _origin(raw: bytes) -> str:
    return raw.partition(b"\n")[0].decode("utf-8", "replace")


def _below(read: Read, folder: str) -> Read:
    return lambda name: read(f"{folder}/{name}")


class _Once:
    """Reads a log's files, its checkpoint once: what is looked at twice is the same."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._point = read(_CHECKPOINT)

    def __call__(self, name: str) -> bytes | None:
        return self._point if name == _CHECKPOINT else self._read(name)
