"""Permit and transfer: what the regulator allowed, and what somebody asked to send abroad."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Method = Literal["file", "feed", "view"]
Ground = Literal["consent", "emergency"]


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
    site's; its law is asked as well. `signals`: of the categories, all when empty. `method`: one parcel, a standing
    feed of parcels, or a view by somebody abroad, which is an export as well. `chosen`: the keyed digest of the filter
    that chose the vehicles, when they were. `ground`: consent, or an emergency that
    an officer answers for, in which the law may let papers follow; rows leave on consent alone all the same.
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
    signals: tuple[str, ...] = ()
    method: Method = "file"
    ground: Ground = "consent"
    chosen: str = ""


@dataclass(frozen=True)
class Permit:
    """The regulator's limits. `start` and `until` are inclusive local dates; `persons` is a cap on distinct persons.

    `request` is the digest of the whole request, its vehicles and period with it, as the ledger names it; `events_from`
    and `events_until` are that period once more for people, [from, until) in milliseconds UTC.
    `signals`: those that may leave, all of the categories when empty. `rows`: a cap on rows, none when 0. `transforms`:
    what must be done to the rows first. `scan`: the digest of a permit on paper that an officer recorded here, `number`
    that paper's own; both are empty where the regulator signed.
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
    signals: tuple[str, ...] = ()
    method: Method = "file"
    rows: int = 0
    transforms: tuple[str, ...] = ()
    scan: str = ""
    number: str = ""
