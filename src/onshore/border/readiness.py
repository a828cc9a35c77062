"""Whether a request may go on to leave now: its state in words that help, and the permit that carries it."""

from onshore.border import grants, life, moves, requests
from onshore.border.approvals import refuse_halted
from onshore.border.cases import tasks
from onshore.site import Site
from onshore.vault.papers import reading
from onshore.words.errors import Refusal
from onshore.words.permit import Permit, Transfer


def refuse_unready(site: Site, transfer: Transfer) -> None:
    """Say what keeps a request from leaving where it is no permit: suspended, refused, closed, or not approved."""
    with reading(site.engine) as conn:
        state = life.state_of(conn, transfer.id)
        if state in {"suspended", "closed"} or (state == "refused" and life.is_held(conn, transfer.id)):
            refuse_halted(conn, transfer.id, *moves.UNDER_PERMIT)
        if state == "completed":
            life.refuse_unapproved(conn, transfer.id)
    verdict = requests.find(site, transfer.id).verdict
    if state in {"judged", "refused"}:
        first = verdict.reasons[0]
        raise Refusal(first.code, first.says, article=first.article, remedy=first.remedy)
    if transfer.ground == tasks.EMERGENCY:
        tasks.refuse_unreviewed(site, transfer)


def in_force(site: Site, transfer: Transfer) -> Permit:
    """The permit that carries a request now; where its last day is over, the request is noted as expired."""
    try:
        return grants.in_force(site, transfer)
    except Refusal as refusal:
        if refusal.reason == "permit-expired":
            life.expire(site, transfer.id)
            site.settle()
        raise
