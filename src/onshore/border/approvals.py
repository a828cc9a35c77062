"""What officers do to a request: approve it, two of them, or refuse, suspend, take up again and close it."""

from sqlalchemy import Connection

from onshore.border import life, moves, requests
from onshore.border.requests import Standing
from onshore.site import Site
from onshore.vault.papers import writing
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer


def approve(site: Site, transfer_id: str, by: str) -> Standing:
    """One officer's approval of a request as it stands, judged once more before; the second moves it on.

    Refused (`four-eyes`) for whoever asked, and for whoever approved already; `illegal-move` before its papers are
    complete and after it is approved.
    """
    site.person(by, "officer")
    asked = requests.find(site, transfer_id).transfer
    requests.rejudge(site, asked)
    with writing(site.engine) as conn:
        _refuse_eyes(conn, asked, by)
        life.approve(site, conn, transfer_id, by)
        life.go(site, conn, transfer_id, life.due(site, conn, transfer_id), by=by)
    return requests.find(site, transfer_id)


def refuse(site: Site, transfer_id: str, by: str) -> Standing:
    """An officer's no: its approvals lapse, and no paper brings it back until an officer takes it up again."""
    return _act(site, transfer_id, "refused", by)


def suspend(site: Site, transfer_id: str, by: str) -> Standing:
    """Hold a request where it is, from this instant; a parcel on its way stops at its next part."""
    return _act(site, transfer_id, "suspended", by)


def close(site: Site, transfer_id: str, by: str) -> Standing:
    """End a request for good."""
    return _act(site, transfer_id, "closed", by)


def resume(site: Site, transfer_id: str, by: str) -> Standing:
    """Take up what was suspended, or what an officer refused: it is judged anew, and goes on from where that is."""
    site.person(by, "officer")
    asked = requests.find(site, transfer_id).transfer
    with writing(site.engine) as conn:
        if not life.is_held(conn, transfer_id):
            raise Refusal("not-held", "no officer holds this request back", remedy=_shown(transfer_id))
        moves.refuse_over(life.state_of(conn, transfer_id))
    return requests.rejudge(site, asked, by=by)


def refuse_halted(conn: Connection, transfer_id: str, *states: str) -> None:
    """Refuse where a request is in none of `states` any more: something took away what a parcel of it rests on."""
    state = life.state_of(conn, transfer_id)
    if state not in states:
        raise Refusal(
            state if state == "suspended" else "halted",
            f"this request is {state}, so nothing goes on with it and nothing more leaves",
            remedy=f"'onshore transfer resume {transfer_id} --as NAME'"
            if state == "suspended"
            else _shown(transfer_id),
        )


def _act(site: Site, transfer_id: str, state: str, by: str) -> Standing:
    site.person(by, "officer")
    with writing(site.engine) as conn:
        if state == "refused":
            life.lapse(site, conn, transfer_id, "refused")
        life.move(site, conn, transfer_id, state, by=by)
    return requests.find(site, transfer_id)


def _refuse_eyes(conn: Connection, asked: Transfer, by: str) -> None:
    if life.state_of(conn, asked.id) == "suspended":
        refuse_halted(conn, asked.id, "completed")
    life.check(conn, asked.id, "approved")
    said = None
    if by == asked.asked_by:
        said = f"'{by}' asked for this, so two others approve it"
    elif by in life.approved_by(conn, asked.id):
        said = f"'{by}' approved this already; the second approval is another officer's"
    if said:
        raise Refusal("four-eyes", said, remedy="have another officer of site.toml approve it: --as NAME")


def _shown(transfer_id: str) -> str:
    return f"'onshore transfer show {transfer_id}' says what comes next"
