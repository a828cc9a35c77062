"""`onshore transfer approve|refuse|suspend|resume|close`: what officers do to a request."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from onshore.cli.common import at_site
from onshore.cli.standing import tell

if TYPE_CHECKING:
    from onshore.border.requests import Standing
    from onshore.site import Site

_ACTS = {
    "approve": "Approve a request whose papers are complete: two officers do, neither of whom asked.",
    "refuse": "Refuse a request: no paper brings it back, until an officer resumes it.",
    "suspend": "Hold a request from this instant; a parcel on its way stops at its next part.",
    "resume": "Take up what was suspended, or what an officer refused; it is judged anew.",
    "close": "End a request for good.",
}


def _command(name: str, says: str) -> click.Command:
    @click.command(name, help=says)
    @click.argument("transfer_id", metavar="ID")
    @at_site("officer")
    def act(here: "Site", transfer_id: str, actor: str, as_json: bool) -> None:
        from onshore.border import approvals

        done: Callable[[Site, str, str], Standing] = getattr(approvals, name)
        standing = done(here, transfer_id, actor)
        here.settle()
        tell(here, standing, as_json=as_json)

    return act


COMMANDS = [_command(name, says) for name, says in _ACTS.items()]
"""The commands, for the group `transfer`."""
