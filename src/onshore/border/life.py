"""The life of a request: the one place that moves it, each move with its ledger entry in the same commit."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from onshore.border import moves
from onshore.ledger.entry import digest, read
from onshore.site import Site
from onshore.vault.papers import (
    entries,
    parcels,
    permits,
    reading,
    transfer_approvals,
    transfer_moves,
    transfer_papers,
    transfers,
    writing,
)
from onshore.words.errors import Refusal
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict

NEEDED = 2
"""Approvals, each of another person."""

LATER: dict[str, object] = {"signals": (), "method": "file", "ground": "consent", "chosen": ""}
"""Of a request's fields those that came after 0.1.0, with what a request that does not say them means."""


def named(transfer: Transfer) -> str:
    """The digest by which the ledger and a permit name a request: all that was asked, vehicles by their ids in hex.

    What a request of 0.1.0 could not say stands in it where it is said, so that permits for those go on to name them.
    """
    said = {name: value for name, value in asdict(transfer).items() if name not in LATER or value != LATER[name]}
    return digest(said | {"vehicles": [f"{v:016x}" for v in transfer.vehicles]})


def begin(site: Site, conn: Connection, transfer: Transfer) -> None:
    """Set a request down as asked."""
    body = msgspec.json.encode(transfer).decode()
    conn.execute(transfers.insert().values(id=transfer.id, state="asked", asked=site.clock(), body=body))
    _note(site, conn, transfer.id, "", "asked", transfer.asked_by, "")


def move(
    site: Site, conn: Connection, transfer_id: str, state: str, *, by: str = "", why: str = "", **fields: Any
) -> None:
    """Move a request, its entry with it; refuses (`illegal-move`) what the table of moves does not have.

    `by`: whose act it is; empty: the site's own. `why`: a word for the entry. `fields`: columns of its row that go with
    the move. Under a permit nothing goes on without two approvals of what stands (`four-eyes`).
    """
    old = check(conn, transfer_id, state)
    conn.execute(update(transfers).where(transfers.c.id == transfer_id).values(state=state, **fields))
    if state == "reserved" or (state == "permitted" and old not in moves.UNDER_WAY):
        refuse_unapproved(conn, transfer_id)
    if state in moves.BACK:
        mine = (
            (transfers, transfers.c.id == transfer_id),
            (transfer_approvals, transfer_approvals.c.transfer == transfer_id),
        )
        site.recall(conn, *mine)
    _note(site, conn, transfer_id, old, state, by, why)


def check(conn: Connection, transfer_id: str, state: str) -> str:
    """The state of a request; refuses (`illegal-move`) where it cannot go from there to `state`."""
    old = state_of(conn, transfer_id)
    try:
        moves.check(moves.LIFE, old, state)
    except Refusal as refusal:
        remedy = f"{refusal.remedy}; 'onshore transfer show {transfer_id}' says what comes next"
        raise Refusal(refusal.reason, f"this request is {old}: {refusal.says}", remedy=remedy) from None
    return old


def go(site: Site, conn: Connection, transfer_id: str, due: str, *, by: str = "", why: str = "") -> str:
    """Move a request to where it is `due`, where it does not stand there already; its state after that.

    What goes on under a permit goes on; what ended with its permit waits for another one.
    """
    state = state_of(conn, transfer_id)
    under = due in {"approved", "permitted"} and state in moves.UNDER_PERMIT
    if state == due or under or (due == "approved" and state in {"revoked", "expired"}):
        return state
    road = ("approved", "permitted") if due == "permitted" and state in {"completed", "suspended"} else (due,)
    for step in road:
        move(site, conn, transfer_id, step, by=by, why=why)
    return due


def end(site: Site, conn: Connection, transfer_id: str, state: str) -> None:
    """Note that no permit carries a request any more (`revoked` or `expired`); one that nothing carried stays."""
    old = state_of(conn, transfer_id)
    if state in moves.LIFE[old] and old != "suspended":
        move(site, conn, transfer_id, state)


def unwind(site: Site, conn: Connection, transfer_id: str, why: str) -> None:
    """A parcel on its way comes to nothing more: its request, where that still says so, waits under its permit."""
    if state_of(conn, transfer_id) in moves.UNDER_WAY:
        move(site, conn, transfer_id, "permitted", why=why)


def move_parcel(conn: Connection, parcel: str, state: str, **fields: Any) -> None:
    """Move a parcel, or a view; refuses (`illegal-move`) what the table of moves does not have.

    `fields`: columns of its row that go with the move. Its entry in the ledger is the caller's.
    """
    old = conn.execute(select(parcels.c.state).where(parcels.c.id == parcel)).scalar_one()
    moves.check(moves.PARCEL, old, state)
    conn.execute(update(parcels).where(parcels.c.id == parcel).values(state=state, **fields))


def settle(site: Site, has_left: Callable[[Connection, str], bool]) -> None:
    """Requests that say that a parcel is on its way while none is, as in papers that were restored: where they stand.

    `has_left`: whether the newest parcel of one is out. The caller holds the border's lock.
    """
    open_ones = select(parcels.c.transfer).where(parcels.c.state.in_(("reserved", "leaving", "sending")))
    ask = select(transfers.c.id).where(transfers.c.state.in_(moves.UNDER_WAY), transfers.c.id.not_in(open_ones))
    with reading(site.engine) as conn:
        stray = list(conn.execute(ask).scalars())
    for transfer_id in stray:
        with writing(site.engine) as conn:
            if state_of(conn, transfer_id) == "leaving" and has_left(conn, transfer_id):
                move(site, conn, transfer_id, "left", why="restored")
            else:
                unwind(site, conn, transfer_id, "restored")


def expire(site: Site, transfer_id: str | None = None) -> list[str]:
    """Note of requests (of one, if named) that the last day of the permits on file is over; which those are.

    A file that left is not looked at unless it is named: nothing more is to come of it.
    """
    ask = select(transfers.c.id, transfers.c.state, transfers.c.body).where(transfers.c.state.in_(moves.UNDER_PERMIT))
    with reading(site.engine) as conn:
        rows = conn.execute(ask if transfer_id is None else ask.where(transfers.c.id == transfer_id)).all()
        over = [
            row.id
            for row in rows
            if (row.state != "left" or transfer_id or msgspec.json.decode(row.body, type=Transfer).method != "file")
            and not permit_holds(site, conn, row.id)
        ]
    for one in over:
        with writing(site.engine) as conn:
            if state_of(conn, one) in moves.UNDER_PERMIT and not permit_holds(site, conn, one):
                move(site, conn, one, "expired", why="permit-over")
    return over


def permit_holds(site: Site, conn: Connection, transfer_id: str) -> bool:
    """Whether a permit that nobody revoked is on a request's file, and its last day is not over."""
    ask = select(permits.c.note).where(permits.c.transfer == transfer_id, permits.c.revoked.is_(None))
    return any(site.today() <= _last_day(note) for note in conn.execute(ask).scalars())


def due(site: Site, conn: Connection, transfer_id: str) -> str:
    """Where its verdict, its approvals and the regulator's permits have a request stand now."""
    verdict = _verdict(conn, transfer_id)
    if verdict.verdict != "allow":
        return "judged" if verdict.missing else "refused"
    if len(approved_by(conn, transfer_id)) < NEEDED:
        return "completed"
    return "permitted" if permit_holds(site, conn, transfer_id) else "approved"


def state_of(conn: Connection, transfer_id: str) -> str:
    """The state of a request, as this transaction sees it; refuses an unknown one."""
    state = conn.execute(select(transfers.c.state).where(transfers.c.id == transfer_id)).scalar_one_or_none()
    if state is None:
        raise Refusal("transfer-unknown", "there is no such request", remedy="'onshore transfer list' shows them")
    return str(state)


def is_held(conn: Connection, transfer_id: str) -> bool:
    """Whether an officer suspended or refused a request, or it is closed: no verdict moves it then."""
    state = state_of(conn, transfer_id)
    return state in {"suspended", "closed"} or (state == "refused" and bool(told(conn, transfer_id)[-1].by))


def told(conn: Connection, transfer_id: str) -> Sequence[Row[Any]]:
    """The moves of a request in order: `at` (ms UTC), `old`, `new`, `by`, `why`."""
    ask = select(transfer_moves).where(transfer_moves.c.transfer == transfer_id)
    return conn.execute(ask.order_by(transfer_moves.c.number)).all()


# ---- approvals ----


def approve(site: Site, conn: Connection, transfer_id: str, by: str) -> None:
    """Set one approval of what stands down, its entry with it."""
    basis = _basis(conn, transfer_id)
    body = site.entry("approval", obj=_obj(conn, transfer_id), state="given", basis=basis, **_role(site, by))
    row = {"transfer": transfer_id, "by": by, "at": site.clock(), "basis": basis, "why": ""}
    conn.execute(transfer_approvals.insert().values(**row, entry=site.hand_in(conn, body)))


def lapse(site: Site, conn: Connection, transfer_id: str, why: str) -> None:
    """Let the approvals so far count no more: what they were given on has changed. `why`: a word for the record."""
    standing = (transfer_approvals.c.transfer == transfer_id) & transfer_approvals.c.lapsed.is_(None)
    for basis in conn.execute(select(transfer_approvals.c.basis).where(standing)).scalars().all():
        site.hand_in(conn, site.entry("approval", obj=_obj(conn, transfer_id), state="lapsed", basis=basis, why=why))
    conn.execute(update(transfer_approvals).where(standing).values(lapsed=site.clock(), why=why))


def approvals(conn: Connection, transfer_id: str) -> Sequence[Row[Any]]:
    """The approvals of a request in order: `by`, `at`, `lapsed` (ms UTC), `why`."""
    ask = select(transfer_approvals).where(transfer_approvals.c.transfer == transfer_id)
    return conn.execute(ask.order_by(transfer_approvals.c.number)).all()


def approved_by(conn: Connection, transfer_id: str) -> set[str]:
    """Who approved what stands now: this request, with this verdict, on these papers, and by an entry of its own."""
    given = {"t": "approval", "state": "given", "obj": _obj(conn, transfer_id), "basis": _basis(conn, transfer_id)}
    a = transfer_approvals.c
    ask = select(a.by, a.entry, entries.c.body).join(entries, entries.c.id == a.entry)
    rows = conn.execute(ask.where(a.transfer == transfer_id, a.lapsed.is_(None), a.basis == given["basis"]))
    by_entry = {row.entry: row.by for row in rows if given.items() <= read(bytes(row.body)).items()}
    return set(by_entry.values())


def refuse_unapproved(conn: Connection, transfer_id: str) -> None:
    """Refuse (`four-eyes`) where not two people approved what stands."""
    if (there := len(approved_by(conn, transfer_id))) < NEEDED:
        raise Refusal(
            "four-eyes",
            f"this request has {there} of the {NEEDED} approvals that it takes, of what is asked and filed now",
            remedy=f"two officers, neither of whom asked: 'onshore transfer approve {transfer_id} --as NAME'",
        )


def _basis(conn: Connection, transfer_id: str) -> str:
    """The digest of what an approval is of: the request, the law's word on it, the papers on its file."""
    verdict, t = _verdict(conn, transfer_id), transfer_papers.c
    ask = select(t.kind, t.number, t.start, t.until, t.scope, t.said, t.sha256).order_by(t.id)
    mine = ask.where(t.transfer == transfer_id, t.withdrawn.is_(None))
    papers = [[value or "" for value in row] for row in conn.execute(mine)]
    word = [verdict.verdict, verdict.route or "", sorted(verdict.codes())]
    return digest({"request": _obj(conn, transfer_id), "verdict": word, "papers": papers})


# ---- one by one ----


def _note(site: Site, conn: Connection, transfer_id: str, old: str, new: str, by: str, why: str) -> None:
    said = {"from": old} if old else {}
    said |= {"to": new, **_role(site, by)} | ({"why": why} if why else {})
    body = site.entry("move", obj=_obj(conn, transfer_id), **said)
    row = {"transfer": transfer_id, "at": site.clock(), "old": old, "new": new, "by": by, "why": why}
    conn.execute(transfer_moves.insert().values(**row, entry=site.hand_in(conn, body)))


def _role(site: Site, by: str) -> dict[str, str]:
    """Whose act it is, for the ledger: the role, never the name."""
    known = site.settings.people.get(by)
    return {"by": known.role if known else "other"} if by else {}


def _obj(conn: Connection, transfer_id: str) -> str:
    body = conn.execute(select(transfers.c.body).where(transfers.c.id == transfer_id)).scalar_one()
    return named(msgspec.json.decode(body, type=Transfer))


def _verdict(conn: Connection, transfer_id: str) -> Verdict:
    body = conn.execute(select(transfers.c.verdict).where(transfers.c.id == transfer_id)).scalar_one()
    return msgspec.json.decode(body, type=Verdict)


def _last_day(note: str) -> date:
    """The last day in the words of a permit; whether the regulator signed them is asked where something leaves."""
    try:
        return date.fromisoformat(json.loads(note.partition("\n")[0])["until"])
    except (ValueError, KeyError, TypeError):
        return date.min
