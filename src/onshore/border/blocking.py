"""Blocked recipients: whoever law or the site's list bars receives nothing; what stood for them is suspended."""

from sqlalchemy import select

from onshore.border import life, moves, requests
from onshore.register import judgements
from onshore.register.judgements import Judged
from onshore.rules.acts import Facts, TransferAsked
from onshore.site import Site
from onshore.vault.papers import reading, transfers, writing
from onshore.words.permit import Transfer
from onshore.words.verdict import Reason

BLOCKED = "recipient-blocked"


def barred(site: Site, transfer: Transfer) -> Reason | None:
    """Why the recipient of a request may receive nothing of it now (`recipient-blocked`); None where nothing bars it.

    A recipient that site.toml names no more is barred as well: nobody says any more who that is.
    """
    judged = _judged(site, transfer)
    if judged is None:
        return Reason(
            BLOCKED, site.pack.transfer.permit.outside_permit.article, "site.toml names this recipient no more"
        )
    return next((one for one in judged.verdict.reasons if one.code == BLOCKED), None)


def _judged(site: Site, transfer: Transfer) -> Judged | None:
    """The judge's word on the recipient; None where nobody says who that is."""
    if transfer.recipient not in site.settings.recipients:
        return None
    to = site.recipient(transfer.recipient)
    act = TransferAsked(
        to=to.jurisdiction,
        recipient=to.name,
        recipient_status=to.status,
        purpose=transfer.purpose,
        categories=transfer.categories,
        new_persons=1,
    )
    return judgements.ask(site, act, Facts(at=site.clock()))


def standing(site: Site) -> list[str]:
    """Requests that stand or go on although their recipient is blocked, oldest first."""
    may = [state for state, after in moves.LIFE.items() if "suspended" in after]
    ask = select(transfers.c.id).where(transfers.c.state.in_(may)).order_by(transfers.c.asked)
    with reading(site.engine) as conn:
        ids = list(conn.execute(ask).scalars())
    return [one for one in ids if barred(site, requests.find(site, one).transfer)]


def suspend(site: Site) -> list[str]:
    """Suspend what stands for blocked recipients, each with its entry; the requests that were.

    One on its way stops at its next part. Unblocked, an officer takes a request up again; nothing does by itself.
    """
    done = []
    for transfer_id in standing(site):
        transfer = requests.find(site, transfer_id).transfer
        judged = _judged(site, transfer)
        with writing(site.engine) as conn:
            if "suspended" in moves.LIFE[life.state_of(conn, transfer_id)]:
                if judged is not None:
                    requests.write_down(site, conn, transfer, judged)
                life.move(site, conn, transfer_id, "suspended", why=BLOCKED)
                done.append(transfer_id)
    if done:
        site.settle()
    return done


def told(site: Site) -> tuple[bool, str]:
    """Whether nothing stands for a blocked recipient, and a line on it."""
    left = standing(site)
    if not left:
        return True, "no request stands for a blocked recipient"
    return False, f"{len(left)} requests stand for blocked recipients: 'onshore task sweep --as NAME' suspends them"
