"""The life of a request and of a parcel, a table of legal moves each; docs/border-life.svg is drawn from the first."""

from collections.abc import Mapping

from onshore.words.errors import Refusal

States = Mapping[str, tuple[str, ...]]

LIFE: States = {
    "asked": ("judged", "completed", "refused"),
    "judged": ("completed", "refused", "suspended", "closed"),
    "completed": ("approved", "judged", "refused", "suspended", "closed"),
    "approved": ("permitted", "completed", "judged", "refused", "suspended", "closed"),
    "permitted": ("reserved", "completed", "judged", "refused", "suspended", "revoked", "expired", "closed"),
    "reserved": ("leaving", "permitted", "completed", "judged", "refused", "suspended", "revoked", "expired"),
    "leaving": ("left", "permitted", "completed", "judged", "refused", "suspended", "revoked", "expired"),
    "left": ("reserved", "closed", "completed", "judged", "refused", "suspended", "revoked", "expired"),
    "revoked": ("permitted", "completed", "judged", "refused", "suspended", "closed"),
    "expired": ("permitted", "completed", "judged", "refused", "suspended", "revoked", "closed"),
    "suspended": ("approved", "completed", "judged", "refused", "closed"),
    "refused": ("completed", "judged", "closed"),
    "closed": (),
}
"""State of a request to the states that may follow, the usual way on first.

`judged`: the law would have it with papers that lack; `refused`: no paper helps, or an officer said no. `completed`:
the papers are there; a paper or a verdict that changes leads back to here or further back, and approvals lapse.
`approved`: by two people; `permitted`: the regulator's permit stands. `reserved`: the persons of a parcel are on the
meter; `leaving`: its release is handed to the ledger; unwound, it is `permitted` again. From `left` a feed, or a file
once more, goes on to its next parcel. A request that was `suspended` goes on from where its papers, approvals and
permits have it stand by then. `closed` by the recipient's receipt or by an officer, nothing follows.
"""

BACK = frozenset({"judged", "completed", "refused", "suspended", "revoked", "expired", "closed"})
"""States that take away what stood before: a backup must not forget a move to one of them."""

UNDER_PERMIT = ("permitted", "reserved", "leaving", "left")
UNDER_WAY = ("reserved", "leaving")

PARCEL: States = {
    "reserved": ("leaving", "unsent"),
    "leaving": ("sending", "unsent"),
    "sending": ("left", "cut", "unsent"),
    "left": (),
    "cut": (),
    "unsent": (),
}
"""Persons are reserved on the meter; the release is in the ledger; nothing holds it back any more; it is out.

Until it is `sending`, a revocation, a withdrawal or a restriction holds it back, and a crash unwinds it. `cut`: stopped
between two of its parts; some of it may be abroad, so it counts as gone.
"""


def check(table: States, old: str, new: str) -> str:
    """The new state; refuses a move that the table does not have (`illegal-move`)."""
    if new not in table[old]:
        legal = ", ".join(sorted(table[old])) or "nothing: it is over"
        raise Refusal("illegal-move", f"from '{old}' there is no way to '{new}'", remedy=f"legal from here: {legal}")
    return new


def refuse_over(state: str) -> None:
    """Refuse (`illegal-move`) where nothing follows a state of a request any more."""
    if not LIFE[state]:
        raise Refusal("illegal-move", f"this request is {state}: it is over", remedy="ask anew: 'onshore transfer ask'")
