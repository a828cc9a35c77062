"""Steps: what brings a request further from where it stands, and whose act that is."""

from dataclasses import dataclass

from onshore.border.requests import Standing


@dataclass(frozen=True)
class Step:
    """An act by its name, and the role that does it; "" where nobody can do anything, or it comes by itself."""

    act: str
    role: str


_PERMIT, _SHIP, _RESUME = Step("permit", "regulator"), Step("ship", "officer"), Step("resume", "officer")
_STEPS = {
    "judged": Step("paper", "officer"),
    "completed": Step("approve", "officer"),
    "approved": _PERMIT,
    "revoked": _PERMIT,
    "expired": _PERMIT,
    "permitted": _SHIP,
    "reserved": _SHIP,
    "leaving": _SHIP,
    "left": _SHIP,
    "suspended": _RESUME,
    "closed": Step("closed", ""),
}
NO_WAY = Step("other", "")
"""No paper would help: something else has to be asked for."""

WAITS_FOR_PERMIT = tuple(state for state, step in _STEPS.items() if step is _PERMIT)


def after(standing: Standing) -> Step:
    """What comes next of a request; of what left as a file the recipient's receipt, of a view that somebody looks."""
    if standing.state == "refused" and standing.verdict.verdict == "allow":
        return _RESUME
    if standing.state == "left" and standing.transfer.method == "file":
        return Step("receipt", "officer")
    found = _STEPS.get(standing.state, NO_WAY)
    return Step("look", "") if found is _SHIP and standing.transfer.method == "view" else found
