"""The life of a case: one table of legal moves for each kind; docs/rights.md draws it."""

from collections.abc import Iterator, Mapping

from onshore.words.errors import Refusal

States = Mapping[str, frozenset[str]]

CASE: Mapping[str, States] = {
    "access": {"asked": frozenset({"done"}), "done": frozenset()},
    "take": {"asked": frozenset({"sealed"}), "sealed": frozenset({"done", "asked"}), "done": frozenset()},
    "restrict": {"asked": frozenset({"done"}), "done": frozenset()},
    "erase": {"asked": frozenset({"held", "done"}), "held": frozenset({"asked"}), "done": frozenset()},
    "sale": {"asked": frozenset({"done"}), "done": frozenset()},
}
"""Kind of a case to its states, each with those that may follow.

A restriction that is `asked` stands until it is lifted. What was taken along is `sealed` once its digests are handed to
the ledger, and asked again where its file went missing before it was put in its place. An erasure is `held` where the
law has some of the rows kept, and asked again when that time is over. A sale is `asked` from the instant of the
hand-over on, until the old owner has what they chose.
"""

OPEN = ("asked", "sealed", "held")


def check(kind: str, old: str, new: str) -> str:
    """The new state of a case; refuses a move that the table does not have (`illegal-move`)."""
    if new not in CASE[kind][old]:
        legal = ", ".join(sorted(CASE[kind][old])) or "nothing: it is over"
        raise Refusal("illegal-move", f"from '{old}' there is no way to '{new}'", remedy=f"legal from here: {legal}")
    return new


def drawn() -> str:
    """The table as a Mermaid state diagram: an arrow to a move, with the kinds of case that have it."""
    return "\n".join(["stateDiagram-v2", "    [*] --> asked", *sorted(_arrows()), "    done --> [*]"])


def _arrows() -> Iterator[str]:
    moves = {(old, new) for states in CASE.values() for old, news in states.items() for new in news}
    for old, new in moves:
        kinds = [kind for kind, states in CASE.items() if new in states.get(old, ())]
        yield f"    {old} --> {new}: {', '.join(kinds)}"
