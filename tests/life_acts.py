"""What is done to a request in a process of its own, which is killed before its k-th commit."""

import os
import signal
from pathlib import Path

from sqlalchemy import event

from onshore.border import approvals, grants, life, requests
from onshore.border.transfer import ship
from onshore.cli.init import regulator_key
from onshore.ledger.signer import Signer
from onshore.site import Site, open_site
from onshore.words.errors import Refusal

REFUSED = 7


def do(act: str, folder: Path, now: int, asked: str, turn: int) -> None:
    """Do an act to a request, and die of SIGKILL just before the turn-th commit of a transaction that writes."""
    site = open_site(folder, clock=lambda: now)
    left = [turn]

    def strike(conn: object) -> None:
        if conn.get_execution_options().get("writes"):  # type: ignore[attr-defined] # a Connection
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

    event.listen(site.engine, "commit", strike)
    try:
        ACTS[act](site, asked)
    except Refusal:
        os._exit(REFUSED)  # it was done before


def _grant(site: Site, asked: str) -> None:
    today = site.today()
    draft = grants.draft(
        site,
        requests.find(site, asked).transfer,
        persons=3,
        start=today,
        until=today,
        by="regulator",
        route="assessment",
    )
    grants.grant(site, draft, Signer("shanghai/regulator", regulator_key(site.folder).read_bytes()))


def _suspend(site: Site, asked: str) -> None:
    approvals.suspend(site, asked, "officer")


ACTS = {
    "approve": lambda site, asked: approvals.approve(site, asked, "deputy"),
    "grant": _grant,
    "ship": ship,
    "suspend": _suspend,
    "resume": lambda site, asked: approvals.resume(site, asked, "officer"),
    "expire": lambda site, _: life.expire(site),
    "close": lambda site, asked: approvals.close(site, asked, "officer"),
}
"""Each leads on from where the one before leaves a request; `expire` is done on a later day."""
