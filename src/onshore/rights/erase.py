"""Erase: restricted at once, all that wait rewritten together, keys destroyed, searched, certified in the ledger."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update
from sqlalchemy.exc import DBAPIError

from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.rights.cases import Case, Wish
from onshore.rights.certificates import certify, drafted
from onshore.rights.floors import Floors
from onshore.site import Site
from onshore.vault import blanks
from onshore.vault.copies import copies_end
from onshore.vault.erase import Erased, forget
from onshore.vault.erase import erase as erase_scopes
from onshore.vault.forgetting import forget_freed_pages, remains
from onshore.vault.freed import settle
from onshore.vault.journal_files import gates_behind, journals_before
from onshore.vault.keeping import suppress_taken
from onshore.vault.papers import reading, wishes, writing
from onshore.vault.patience import looks
from onshore.vault.restrictions import Scope
from onshore.vault.segments import Shelf
from onshore.words.errors import Broken, OnshoreError

_LOST = "; {} lost files of the statutory lane, of which nothing of it is sent should they come back"

TROUBLE = (OnshoreError, OSError, DBAPIError)
"""What one case may fail with while the others go on."""

Failed = dict[str, Exception]
"""By case: why it could not be done and waits."""


def erase(site: Site, vehicle: Vehicle, by: str, wish: Wish | None = None) -> Case:
    """Have everything erased that a wish means and that arrived until now (PIPL Art. 47), and return the case.

    No reader sees a row of it from this moment on; consents for it are withdrawn; what arrives later is new, and only
    what the law itself demands. What the law has kept stays, restricted, and the case is `held`. Where another process
    keeps the site, that one does the work and this one waits. Without a `wish`: all of the vehicle.
    """
    return awaited(site, cases.opened(site, vehicle, "erase", by, wish))


def awaited(site: Site, case: Case) -> Case:
    """An erasure that was asked for, once it is done; done here where nobody else keeps the site."""
    for _ in looks():
        with suppress_taken():
            failed = carry_out(site)
            if case.id in failed:
                raise failed[case.id]
        if (done := cases.find(site, case.id)).state != "asked":
            site.settle(done.entry)
            return done
    if done.draft is not None:
        raise Broken(
            "the rows are erased, but another process still reads the papers, which may hold the old keys until it "
            "ends; whoever keeps the site then closes the case, and 'onshore rights show' has its certificate"
        )
    raise Broken("the process that keeps the site did not finish the erasure in 30 seconds; the rows stay restricted")


def carry_out(site: Site, *, later: Collection[str] = ()) -> Failed:
    """Do all erasures that were asked for, but those of `later`, in one pass; holds the keep road.

    Taken up after a crash. What the law had kept is asked again when that time is over. A case that fails does not stop
    the others: it is in the answer, and waits with its rows restricted.
    """
    _ask_again(site)
    waiting = [case for case in cases.waiting(site, "erase") if case.id not in later]
    if not waiting:
        return {}
    failed: Failed = {}
    with site.keeping():
        failed |= _together(site, [case for case in waiting if case.draft is None], looks())
        drafts = [case for case in cases.waiting(site, "erase") if case.draft is not None and case.id not in later]
        if drafts and forget(site.engine, site.vault):
            for case in drafts:
                certify(site, case)
            settle(site.engine)  # of names
            forget_freed_pages(site.engine)
        site.write_ledger()
    return failed


def _ask_again(site: Site) -> None:
    """Ask again for what the law had kept until now."""
    now = site.clock()
    for case in cases.waiting(site, "erase", states=("held",)):
        if case.held_until is not None and case.held_until <= now:
            with writing(site.engine) as conn:
                cases.reopen(conn, case)
                conn.execute(update(wishes).where(wishes.c.id == case.id).values(held_until=None, struck=None))


def _together(site: Site, waiting: Sequence[Case], patience: Iterator[None]) -> Failed:
    """Rewrite for all cases at once; where that fails, for each half of those that are left, so that the rest go on."""
    if not waiting:
        return {}
    try:
        turn = max(case.turn or 0 for case in waiting)
        _gather(site, turn, patience)
        _rewrite(site, waiting, turn)
    except TROUBLE as error:
        open_ = {case.id for case in cases.waiting(site, "erase") if case.draft is None}
        left = [case for case in waiting if case.id in open_]
        if len(left) <= 1:
            return {case.id: error for case in left}
        half = len(left) // 2
        return _together(site, left[:half], patience) | _together(site, left[half:], patience)
    return {}


def _gather(site: Site, turn: int, patience: Iterator[None]) -> None:
    """Have in segments what arrived before the turn, and nothing that arrived after it."""
    site.drain(before=turn)
    for _ in patience:  # a gate reaches the turn at its next tick
        if not gates_behind(site.engine, site.vault, turn) and not journals_before(site.engine, site.vault, turn):
            return
        site.drain(before=turn)


def _rewrite(site: Site, waiting: Sequence[Case], turn: int) -> None:
    """Take the rows out of lanes and segments; each bucket's commit notes what its cases' certificates will say."""
    shelf, floors = Shelf(site.root, site.vault, site.id), Floors(site)
    scopes = list(dict.fromkeys(case.wish.scope for case in waiting))
    blanks.erase(site.engine, shelf, scopes, site.randomness, keep=floors)
    until = max(case.asked for case in waiting)
    with reading(site.engine) as conn:
        still = remains(site.engine, archive_days=site.settings.papers.archive_days, copies=copies_end(conn))
    noted: set[str] = set()

    def note(conn: Connection, erased: Mapping[Scope, Erased]) -> None:
        for case in waiting:
            if case.id not in noted and case.wish.scope in erased:
                lost = blanks.owing(conn, case.wish.scope.vehicle)
                says = still + (_LOST.format(lost) if lost else "")
                cases.note(conn, case, drafted(site, case, erased[case.wish.scope], floors, until, says))
                cases.ask_what_came_since(site, conn, case, turn)
                noted.add(case.id)

    said: dict[str, Any] = {"turn": turn, "clock": site.clock, "randomness": site.randomness}
    done = erase_scopes(site.engine, shelf, scopes, keep=floors, alongside=note, **said)
    with writing(site.engine) as conn:
        note(conn, done)  # of a vehicle that no bucket holds
