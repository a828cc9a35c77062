"""What the ledger says of a period: its entries by kind and state, each with its number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from onshore.ledger.entry import read
from onshore.ledger.years import is_link
from onshore.reports.evidence.period import Period
from onshore.site import Site


@dataclass(frozen=True)
class Entry:
    """An entry by its number through all years of the log."""

    number: int
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Logged:
    """Entries of a period in order; `kinds`: "consent/given" where an entry has a state, else "ingest"."""

    kinds: Mapping[str, tuple[Entry, ...]]
    begun: bool

    def of(self, *kinds: str) -> tuple[Entry, ...]:
        """The entries of some kinds, in order."""
        found = (entry for kind in kinds for entry in self.kinds.get(kind, ()))
        return tuple(sorted(found, key=lambda entry: entry.number))

    def total(self, field: str, *kinds: str) -> int:
        """The sum of a count over some kinds."""
        return sum(entry.fields.get(field, 0) for entry in self.of(*kinds))


def logged(site: Site, periods: Iterable[Period]) -> list[Logged]:
    """What the ledger says of each period, in one pass; `begun`: the site was there before it ended."""
    asked = list(periods)
    kinds: list[dict[str, list[Entry]]] = [{} for _ in asked]
    first: int | None = None
    for number, body in enumerate(site.ledger.entries()):
        if is_link(body):
            continue
        fields = read(body)
        at = int(datetime.fromisoformat(fields["at"]).timestamp() * 1000)
        first = at if first is None else min(first, at)
        name = f"{fields['t']}/{fields['state']}" if "state" in fields else str(fields["t"])
        for period, found in zip(asked, kinds, strict=True):
            if period.has(at):
                found.setdefault(name, []).append(Entry(number, fields))
    return [
        Logged({kind: tuple(some) for kind, some in found.items()}, first is not None and first < period.until)
        for period, found in zip(asked, kinds, strict=True)
    ]


def numbers(entries: Iterable[Entry]) -> tuple[int, ...]:
    """The numbers of some entries."""
    return tuple(entry.number for entry in entries)
