"""The life of a request and of a parcel: one table of legal moves each."""

from collections.abc import Mapping

from onshore.words.errors import Refusal

REQUEST: Mapping[str, frozenset[str]] = {
    "asked": frozenset({"refused", "cleared"}),
    "refused": frozenset({"refused", "cleared", "revoked"}),
    "cleared": frozenset({"refused", "cleared", "permitted"}),
    "permitted": frozenset({"refused", "cleared", "permitted", "revoked"}),
    "revoked": frozenset({"refused", "cleared", "permitted", "revoked"}),
}
"""A request is judged when asked and again with each paper; cleared, it waits for the permit.

While a permit stands it goes from cleared on to permitted at once.
"""

PARCEL: Mapping[str, frozenset[str]] = {
    "reserved": frozenset({"leaving", "unsent"}),
    "leaving": frozenset({"sending", "unsent"}),
    "sending": frozenset({"left", "unsent"}),
    "left": frozenset(),
    "unsent": frozenset(),
}
"""Persons are reserved on the meter; the release is in the ledger; nothing holds it back any more; it is in the outbox.

Until it is `sending`, a revocation, a withdrawal or a restriction holds it back, and a crash unwinds it.
"""


def check(table: Mapping[str, frozenset[str]], old: str, new: str) -> str:
    """The new state; refuses a move that the table does not have."""
    if new not in table[old]:
        legal = ", ".join(sorted(table[old])) or "nothing: it is over"
        raise Refusal("illegal-move", f"from '{old}' there is no way to '{new}'", remedy=f"legal from here: {legal}")
    return new
