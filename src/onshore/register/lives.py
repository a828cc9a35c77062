"""The life of an incident and of a complaint, a table of legal moves each; docs/incidents.md draws them."""

from collections.abc import Mapping

from onshore.words.errors import Refusal

States = Mapping[str, tuple[str, ...]]

INCIDENT: States = {
    "open": ("reported", "closed", "unfounded"),
    "reported": ("open", "closed"),
    "unfounded": ("open",),
    "closed": (),
}
"""State of an incident to those that may follow.

`open`: a report is owed, or none is and it goes on. `reported`: every report that a clock runs for was made; another
jurisdiction that turns out to be concerned opens it again. `unfounded`: another officer than the one who opened it
found that it was none; what is learnt later opens it again. `closed`: nothing follows.
"""

COMPLAINT: States = {"open": ("answered",), "answered": ()}


def check(table: States, old: str, new: str) -> str:
    """The new state; refuses a move that the table does not have (`illegal-move`)."""
    if new not in table[old]:
        legal = ", ".join(table[old]) or "nothing: it is over"
        raise Refusal("illegal-move", f"from '{old}' there is no way to '{new}'", remedy=f"legal from here: {legal}")
    return new


def drawn(table: States) -> str:
    """A table as a Mermaid state diagram."""
    moves = [f"    {old} --> {new}" for old, news in table.items() for new in news]
    ends = [f"    {state} --> [*]" for state, news in table.items() if not news]
    return "\n".join(["stateDiagram-v2", "    [*] --> open", *moves, *ends])
