"""Permit and transfer: what the regulator allowed, and what somebody asked to send abroad."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Recipient:
    """Who would receive: a name, a jurisdiction code, an age public key (`age1…`), a status of the scenario book."""

    name: str
    jurisdiction: str
    key: str
    status: str = "none"


@dataclass(frozen=True)
class Transfer:
    """A request: cells of `categories` of the `vehicles` (all when empty) over [start, until), for one purpose.

    Instants are milliseconds UTC. `produced_in`: the jurisdiction where it was made, where that is another than the
    site's; its law is asked as well.
    """

    id: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    start: int
    until: int
    vehicles: tuple[int, ...] = ()
    asked_by: str = ""
    produced_in: str = ""


@dataclass(frozen=True)
class Permit:
    """The regulator's limits. `start` and `until` are inclusive local dates; `persons` is a cap on distinct persons.

    `request` is the digest of the whole request, its vehicles and period with it, as the ledger names it; `events_from`
    and `events_until` are that period once more for people, [from, until) in milliseconds UTC.
    """

    id: str
    site: str
    transfer: str
    route: str
    purpose: str
    categories: tuple[str, ...]
    recipient: str
    recipient_key: str
    persons: int
    start: date
    until: date
    granted_by: str
    request: str
    events_from: int
    events_until: int
    recipient_jurisdiction: str
