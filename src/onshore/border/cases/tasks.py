"""Tasks with clocks: what a refusal, or an emergency, has people do afterwards, and by when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from onshore.border.cases import filing
from onshore.border.life import named
from onshore.rules.acts import Deadline, Facts
from onshore.rules.judge import judge
from onshore.rules.local import DAY_MS, local_day, local_midnight
from onshore.rules.pack import Pack
from onshore.site import Site
from onshore.vault.papers import reading, tasks, transfers, writing
from onshore.words.errors import Malformed, Refusal
from onshore.words.permit import Transfer
from onshore.words.verdict import Verdict

REVIEW = "emergency-review"
EMERGENCY = "emergency"
_HOUR = 3_600_000  # milliseconds
_LONGEST = 80


@dataclass(frozen=True)
class Task:
    """Something that is owed: `what` it is, for which request, since when and until when (ms UTC, exclusive).

    `due` is None where no clock of a pack runs. `sure`: False where a calendar does not reach and the earlier reckoning
    counts. `state`: one of "late", "near", "in time", "no clock", "done".
    """

    id: str
    what: str
    transfer: str
    began: int
    due: int | None
    sure: bool
    article: str
    says: str
    done: int | None
    done_by: str | None
    number: str | None
    state: str


def set_down(site: Site, conn: Connection, transfer: Transfer, verdict: Verdict) -> None:
    """Open what a verdict has people do, in the transaction that writes it down: once for each request and duty.

    A refusal's duties come from the pack (28 CFR 202.1104). Where papers may follow in an emergency, a review of it is
    owed: the law that lets them follow names no term, so the site's own runs from the moment it was claimed.
    """
    for what in verdict.duties:
        _open(site, conn, transfer, what, *_clock(site, transfer, what))
    if transfer.ground == EMERGENCY and verdict.verdict == "allow":
        first = verdict.reasons[0]
        due = site.clock() + site.settings.filing.review_hours * _HOUR
        says = "Review what left, or was to leave, in an emergency, and put the papers on file that were to follow."
        _open(site, conn, transfer, REVIEW, due, True, first.article, says)


def done(site: Site, task_id: str, by: str, number: str) -> Task:
    """Mark a task as done, by the number of the paper that shows it; refuses one that is done (`task-done`).

    Whoever claimed an emergency does not review it (`four-eyes`).
    """
    if not 0 < len(number) <= _LONGEST:
        raise Malformed(f"the paper's number has 1 to {_LONGEST} characters", where="number")
    with writing(site.engine) as conn:
        row = conn.execute(select(tasks).where(tasks.c.id == task_id)).one_or_none()
        if row is None:
            raise Refusal("task-unknown", "there is no such task", remedy="'onshore task list' shows them")
        if row.done is not None:
            raise Refusal(
                "task-done",
                "this task was marked as done already; what it was done with stays as it was written down",
                article=row.article,
                remedy="'onshore task list --all' shows by whom and with which paper",
            )
        if row.what == REVIEW and by == _asked(conn, row.transfer).asked_by:
            raise Refusal(
                "four-eyes",
                f"'{by}' claimed this emergency, so another officer reviews it",
                article=row.article,
                remedy="have another officer of site.toml do it: --as NAME",
            )
        values = {"done": site.clock(), "done_by": by, "number": number}
        conn.execute(update(tasks).where(tasks.c.id == task_id).values(**values))
        site.recall(conn, (transfers, transfers.c.id == row.transfer), (tasks, tasks.c.id == task_id))
        site.hand_in(conn, site.entry("task", obj=named(_asked(conn, row.transfer)), what=row.what, state="done"))
        found = conn.execute(select(tasks).where(tasks.c.id == task_id)).one()
    site.settle()
    return _task(site, found)


def refuse_unreviewed(site: Site, transfer: Transfer | None = None) -> None:
    """Refuse (`review-overdue`) where the review of an emergency is past its clock: of a request, else of any."""
    late = [one for one in listed(site) if one.what == REVIEW and one.state == "late"]
    mine = [one for one in late if transfer is None or one.transfer == transfer.id]
    if mine:
        raise Refusal(
            "review-overdue",
            "an emergency was claimed and its review is overdue: "
            + ("nothing more leaves on it" if transfer else "no other is claimed before that is done"),
            article=mine[0].article,
            remedy=f"another officer reviews it: 'onshore task done {mine[0].id} --number N --as NAME'",
        )


def listed(site: Site, *, every: bool = False) -> list[Task]:
    """The tasks that wait, earliest due first; `every`: those that are done as well."""
    with reading(site.engine) as conn:
        ask = select(tasks) if every else select(tasks).where(tasks.c.done.is_(None))
        found = [_task(site, row) for row in conn.execute(ask).all()]
    return sorted(found, key=lambda one: (one.done is not None, one.due is None, one.due or 0, one.began))


def told(site: Site) -> tuple[bool, str]:
    """Whether no task is past its clock, and a line on those that wait."""
    waits = listed(site)
    counted = {state: sum(one.state == state for one in waits) for state in ("late", "near", "in time", "no clock")}
    said = ", ".join(f"{count} {state}" for state, count in counted.items() if count)
    first = next((f"; next {one.what} by {last_day(site, one)} ({one.article})" for one in waits if one.due), "")
    return not counted["late"], f"{len(waits)} tasks wait{f' ({said})' if said else ''}{first}"


def last_day(site: Site, task: Task) -> date | None:
    """The last local day on which a task may be done."""
    return None if task.due is None else local_day(task.due - 1, site.pack.zone)


def _open(
    site: Site, conn: Connection, transfer: Transfer, what: str, due: int | None, sure: bool, article: str, says: str
) -> None:
    mine = (tasks.c.transfer == transfer.id) & (tasks.c.what == what)
    if conn.execute(select(tasks.c.id).where(mine)).first():
        return
    row = {"id": site.randomness(16).hex(), "what": what, "transfer": transfer.id, "began": site.clock(), "due": due}
    conn.execute(tasks.insert().values(**row, sure=sure, article=article[:200], says=says))
    by = {} if due is None else {"due": local_day(due - 1, site.pack.zone).isoformat()}
    site.hand_in(conn, site.entry("task", obj=named(transfer), what=what, state="opened", **by))


def _clock(site: Site, transfer: Transfer, what: str) -> tuple[int | None, bool, str, str]:
    """When a duty is over (ms UTC, exclusive), whether that is sure, its article and words, by the pack it is of."""
    pack = next((one for one in _packs(site, transfer) if any(clock.what == what for clock in one.clock)), None)
    if pack is None:
        return None, True, "", f"{what}: no clock of a pack runs for it"
    verdict = judge(Deadline(what=what, start=site.clock()), Facts(at=site.clock()), pack, ())
    last = verdict.earlier if verdict.due is None else verdict.due
    if last is None:
        return None, True, "", f"{what}: no clock of {pack.id} says when"
    until = local_midnight(last, pack.zone) + DAY_MS if isinstance(last, date) else last
    return until, verdict.due is not None, verdict.reasons[0].article, verdict.reasons[0].says


def _packs(site: Site, transfer: Transfer) -> Iterator[Pack]:
    """The packs by which a request is judged: the site's, that of where it was made, that of where it would go."""
    yield site.pack
    to = site.recipient(transfer.recipient).jurisdiction
    for code in (transfer.produced_in, to):
        now = local_day(site.clock(), site.pack.zone)
        begun = (
            [one for one in site.law.concerned({code}) if code in one.home and one.valid_from <= now] if code else []
        )
        yield from sorted(begun, key=lambda one: one.valid_from, reverse=True)[:1]


def _task(site: Site, row: Row[Any]) -> Task:
    now = site.clock()
    if row.done is not None:
        state = "done"
    elif row.due is None:
        state = "no clock"
    elif now >= row.due:
        state = "late"
    else:
        state = "near" if now >= _warn(site, row.began, row.due) else "in time"
    names = ("id", "what", "transfer", "began", "due", "sure", "article", "says", "done", "done_by", "number")
    return Task(**{name: getattr(row, name) for name in names}, state=state)


def _warn(site: Site, began: int, due: int) -> int:
    """From when on one is warned: so many working days before, but at most when half of the term is over."""
    warned = filing.warned(site, local_day(due - 1, site.pack.zone))
    return max(local_midnight(warned, site.pack.zone), due - (due - began) // 2)


def _asked(conn: Connection, transfer_id: str) -> Transfer:
    body = conn.execute(select(transfers.c.body).where(transfers.c.id == transfer_id)).scalar_one()
    return msgspec.json.decode(body, type=Transfer)
