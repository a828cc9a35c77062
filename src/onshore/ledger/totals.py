"""Totals of bytes that left, as entries of a log state them one after the other: none of them ever goes down."""

from collections.abc import Mapping
from typing import Any

from onshore.ledger.canonical import read_entry
from onshore.ledger.note import Wrong

_MARK = b'"t":"egress"'


class Totals:
    """What was stated so far: `first` and `last` as it stood in those entries, and the `most` of each total."""

    def __init__(self, most: Mapping[str, int] | None = None) -> None:
        self.first: dict[str, int] = {}
        self.last: dict[str, int] = {}
        self.most = dict(most or {})

    def hear(self, body: bytes) -> str:
        """Take in one more entry; which totals of it are lower than one before had them. Other entries state none."""
        if _MARK not in body or (said := read_entry(body)).get("t") != "egress":
            return ""
        self.last = stated(said)
        self.first = self.first or self.last
        fell = lower(self.last, self.most)
        self.most = {name: max(self.last.get(name, 0), self.most.get(name, 0)) for name in {*self.last, *self.most}}
        return fell

    def follows(self, earlier: "Totals") -> str:
        """Which totals begin lower than an earlier log ended; what this one does not state it takes over from there."""
        fell = lower(self.first, earlier.most) if self.first else ""
        self.first, self.most = earlier.first or self.first, earlier.most | self.most
        return fell


def stated(said: Mapping[str, Any]) -> dict[str, int]:
    """The totals of an entry of kind `egress` by name, one for each jurisdiction too; Wrong where it has none."""
    try:
        named = [("total", said["total"]), ("payload", said["payload"])]
        named += [("to " + code, count) for code, count in said["to"]]
    except (KeyError, TypeError, ValueError):
        named = [("", None)]
    if not all(type(count) is int for _, count in named):
        raise Wrong("it states bytes that left, and not how many", "entry")
    return dict(named)


def lower(now: Mapping[str, int], before: Mapping[str, int]) -> str:
    """Which totals are lower than before, in words; empty where none is."""
    fell = sorted(name for name, count in before.items() if now.get(name, 0) < count)
    return ", ".join(f"{name}: {now.get(name, 0)} after {before[name]}" for name in fell)
