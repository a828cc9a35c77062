"""Complaints: what people complain of, about which car and purpose, by when they are answered, and with what."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from onshore.ledger.entry import digest
from onshore.register import lives
from onshore.register.reports import local
from onshore.rules.local import DAY_MS, local_midnight
from onshore.site import Site
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import complaint_acts, complaints, reading, vehicles, writing
from onshore.words.errors import Malformed, Refusal

TOPICS = ("collection", "consent", "access", "erasure", "export", "security", "other")
"""What a complaint is about; the annual report tells those about an export apart."""

_HALF = 2  # of the term is left when the warning comes
_WORDS = 20_000  # characters of what is sealed


@dataclass(frozen=True)
class Complaint:
    """A complaint, what is sealed of it opened. `vehicle`: random id; `due`: exclusive, ms UTC, `by` local to the site.

    `state`: one of "late", "near", "in time", "answered", "answered late".
    """

    id: str
    about: str
    vehicle: int | None
    purpose: str
    opened: int
    opened_by: str
    due: int
    by: str
    says: str
    answered: int | None
    answered_by: str | None
    answer: str
    state: str


def open_(site: Site, about: str, says: str, by: str, *, vehicle: int | None = None, purpose: str = "") -> Complaint:
    """Set a complaint down; its answer is due within the days of [registers] answer_days, to the end of the last.

    `says`: its words, and how whoever complains is reached; sealed. Malformed: a topic or purpose that is none.
    """
    if about not in TOPICS or purpose not in ("", *site.settings.site.purposes):
        raise Malformed(
            f"a complaint is about one of {', '.join(TOPICS)}, and a purpose of site.toml or none", where="complaint"
        )
    _refuse_wordless(says)
    days = site.settings.registers.answer_days
    row: dict[str, Any] = {
        "id": site.randomness(8).hex(),
        "about": about,
        "vehicle": vehicle,
        "purpose": purpose,
        "opened": site.clock(),
        "opened_by": by,
        "due": local_midnight(site.today() + timedelta(days=days), site.law.zone) + DAY_MS,
        "state": "open",
    }
    row["sealed"] = _sealed(site, row["id"], "sealed", says)
    with writing(site.engine) as conn:
        conn.execute(complaints.insert().values(**row))
        _recorded(site, conn, row["id"], "opened")
    site.settle()
    return find(site, row["id"])


def answer(site: Site, complaint_id: str, by: str, says: str) -> Complaint:
    """Set down what was answered, sealed; refused where it was answered already (`illegal-move`)."""
    _refuse_wordless(says)
    with writing(site.engine) as conn:
        row = _row(conn, complaint_id)
        values = {
            "state": lives.check(lives.COMPLAINT, row.state, "answered"),
            "answered": site.clock(),
            "answered_by": by,
            "answer_sealed": _sealed(site, row.id, "answer", says),
        }
        conn.execute(update(complaints).where(complaints.c.id == row.id).values(**values))
        _recorded(site, conn, row.id, "answered")
    site.settle()
    return find(site, complaint_id)


def find(site: Site, complaint_id: str) -> Complaint:
    """A complaint by its id; refuses an unknown one (`complaint-unknown`)."""
    with reading(site.engine) as conn:
        return _read(site, _row(conn, complaint_id))


def listed(site: Site, *, every: bool = False, vehicles: Iterable[int] | None = None) -> list[Complaint]:
    """Complaints that wait for an answer, earliest due first; `every`: those answered behind them.

    `vehicles`: about these alone, as for an owner who sees no other's.
    """
    ask = select(complaints) if every else select(complaints).where(complaints.c.state == "open")
    if vehicles is not None:
        ask = ask.where(complaints.c.vehicle.in_(sorted(vehicles)))
    with reading(site.engine) as conn:
        found = [_read(site, row) for row in conn.execute(ask)]
    return sorted(found, key=lambda one: (one.answered is not None, one.due, one.opened, one.id))


def told(site: Site) -> tuple[bool, str]:
    """Whether no complaint waits for longer than it may, and a line on those that do wait."""
    waits = listed(site)
    counted = {state: sum(one.state == state for one in waits) for state in ("late", "near", "in time")}
    said = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    first = next((f"; next by {one.by}" for one in waits), "")
    return not counted["late"], f"{len(waits)} wait{f' ({said})' if said else ''}{first}"


def _refuse_wordless(says: str) -> None:
    if not 0 < len(says.strip()) <= _WORDS:
        raise Malformed(f"say it in words, {_WORDS} characters at most; they are sealed here", where="--says")


def _recorded(site: Site, conn: Connection, complaint: str, state: str) -> None:
    """Record an act inside its transaction, as with an incident; its words are in neither paper nor entry."""
    one = _read(site, _row(conn, complaint))
    said = {
        "kind": "complaint",
        "state": state,
        "site": site.id,
        "complaint": complaint,
        "at": site.clock(),
        "purpose": one.purpose,
        "words": [digest(one.says), digest(one.answer)],
        "due": one.due,
    }
    paper = said | {"salt": site.randomness(16).hex()}
    entry = site.hand_in(conn, site.entry("complaint", obj=digest(paper), state=state, about=one.about))
    conn.execute(complaint_acts.insert().values(entry=entry, complaint=complaint, paper=json.dumps(paper)))
    about = [] if one.vehicle is None else [(vehicles, vehicles.c.id == one.vehicle)]
    site.recall(conn, *about, (complaints, complaints.c.id == complaint))


def _row(conn: Connection, complaint_id: str) -> Row[Any]:
    row = conn.execute(select(complaints).where(complaints.c.id == complaint_id)).one_or_none()
    if row is None:
        raise Refusal("complaint-unknown", "there is no such complaint", remedy="'onshore complaint list' shows them")
    return row


def _read(site: Site, row: Row[Any]) -> Complaint:
    now = site.clock()
    if row.answered is not None:
        state = "answered late" if row.answered >= row.due else "answered"
    elif now >= row.due:
        state = "late"
    else:
        state = "near" if now >= row.due - (row.due - row.opened) // _HALF else "in time"
    names = ("id", "about", "vehicle", "purpose", "opened", "opened_by", "due", "answered", "answered_by")
    return Complaint(
        **{name: getattr(row, name) for name in names},
        by=local(row.due - 1, site.law.zone),
        says=_opened(site, row.id, "sealed", row.sealed),
        answer="" if row.answer_sealed is None else _opened(site, row.id, "answer", row.answer_sealed),
        state=state,
    )


def _sealed(site: Site, complaint: str, column: str, words: str) -> bytes:
    return seal(site.key("column"), words.encode(), f"complaints/{complaint}/{column}", site.randomness)


def _opened(site: Site, complaint: str, column: str, sealed: bytes) -> str:
    return open_sealed(site.key("column"), sealed, f"complaints/{complaint}/{column}").decode()
