"""Consent: what one person allowed for one vehicle, one purpose and one category."""

from dataclasses import dataclass

Instant = int
"""Milliseconds since 1970-01-01T00:00Z."""


@dataclass(frozen=True, slots=True)
class Consent:
    """One record. It holds over [start, until) and not from `withdrawn` on (PIPL Art. 15).

    `separate`: asked for on its own, as sensitive categories need (PIPL Art. 29). `recipients`: who abroad was named
    to the person (PIPL Art. 39); empty where only collection was asked for. `notice`: version of the notice shown.
    """

    id: int
    person: int
    vehicle: int
    purpose: str
    category: str
    start: Instant
    until: Instant | None
    withdrawn: Instant | None
    notice: str
    separate: bool
    recipients: frozenset[str]

    def holds(self, at: Instant) -> bool:
        """Whether the consent stands at an instant."""
        return (
            self.start <= at
            and (self.until is None or at < self.until)
            and (self.withdrawn is None or at < self.withdrawn)
        )
