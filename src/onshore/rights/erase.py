"""Erase one car: restricted at once, rewritten, keys destroyed, read back, certified in the ledger."""

import time
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from onshore.ledger.entry import digest
from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.site import Site, suppress_taken
from onshore.vault import lanes
from onshore.vault.erase import Erased, erase_vehicle, forget
from onshore.vault.journal_files import gates_behind, journals_before
from onshore.vault.papers import writing
from onshore.vault.segments import Shelf
from onshore.words.errors import Broken, OnshoreError, Refusal

_LOOKS, _PAUSE = 1500, 0.02  # how often, and seconds between, to look whether a gate or the keeper did its part

Failed = dict[str, Exception]
"""By case: why it could not be done and waits."""


def erase(site: Site, vehicle: Vehicle, by: str) -> cases.Case:
    """Have everything erased that arrived of a vehicle until now (PIPL Art. 47), and return the closed case.

    No reader sees a row of it from this moment on; its consents are withdrawn; what arrives later is new, and only
    what the law itself demands. Where another process keeps the site, that one does the work and this one waits.
    """
    case = cases.opened(site, vehicle, "erase", by)
    for _ in range(_LOOKS):
        with suppress_taken():
            failed = carry_out(site)
            if case.id in failed:
                raise failed[case.id]
        if (done := cases.find(site, case.id)).state == "done":
            site.settle(done.entry)
            return done
        time.sleep(_PAUSE)
    if done.draft is not None:
        raise Broken(
            "the rows are erased, but another process still reads the papers, which may hold the old keys until it "
            "ends; whoever keeps the site then closes the case, and 'onshore rights show' has its certificate"
        )
    raise Broken("the process that keeps the site did not finish the erasure in 30 seconds; the rows stay restricted")


def carry_out(site: Site, *, later: Collection[str] = ()) -> Failed:
    """Do the erasures that were asked for, but those of `later`; holds the keep road. Taken up after a crash.

    One case that fails does not stop the others: it is in the answer, and waits with its rows restricted.
    """
    waiting = [case for case in cases.waiting(site, "erase") if case.id not in later]
    if not waiting:
        return {}
    failed: Failed = {}
    looks = iter(range(_LOOKS))  # of all cases together
    with site.keeping():
        for case in waiting:
            try:
                _carry_out(site, case, looks)
            except (OnshoreError, OSError, DBAPIError) as error:
                failed[case.id] = error
        site.write_ledger()
    return failed


def _carry_out(site: Site, case: cases.Case, looks: Iterator[int]) -> None:
    if case.draft is not None:
        freed = forget(site.engine, site.vault)
    else:
        _gather(site, case.turn or 0, looks)
        lanes.erase(site.engine, Shelf(site.root, site.vault, site.id), case.vehicle, site.randomness)
        freed = _erase_one(site, case)
    if freed:
        _certify(site, cases.find(site, case.id))


def _gather(site: Site, turn: int, looks: Iterator[int]) -> None:
    """Have in segments what arrived before the turn, and nothing that arrived after it."""
    site.drain(before=turn)
    for _ in looks:
        if not gates_behind(site.engine, site.vault, turn) and not journals_before(site.engine, site.vault, turn):
            return
        time.sleep(_PAUSE)  # a gate reaches the turn at its next tick
        site.drain(before=turn)


def _erase_one(site: Site, case: cases.Case) -> bool:
    def note(conn: Connection, erased: Erased) -> None:
        cases.note(conn, case, _certificate(site, case, erased, lanes.owing(conn, case.vehicle)))

    return erase_vehicle(
        site.engine,
        site.root,
        site.vault,
        site.id,
        case.vehicle,
        turn=case.turn or 0,
        clock=site.clock,
        randomness=site.randomness,
        alongside=note,
    ).freed


def _certify(site: Site, case: cases.Case) -> None:
    """Close a case whose rows are gone and whose keys nothing holds."""
    assert case.draft is not None
    paper = case.draft | {"done": site.clock()}
    body = site.entry(
        "erase",
        obj=digest(paper),
        segments_old=len(paper["segments_old"]),
        segments_new=len(paper["segments_new"]),
        rows=paper["rows"],
    )
    with writing(site.engine) as conn:
        cases.close(conn, case, paper["done"], entry=site.hand_in(conn, body), certificate=paper)
        cases.lift(conn, case.vehicle)


def _certificate(site: Site, case: cases.Case, erased: Erased, lost: int) -> dict[str, Any]:
    passed = f"; {lost} lost files of the statutory lane, of which nothing of it is sent should they come back"
    return {
        "kind": "erasure",
        "site": site.id,
        "case": case.id,
        "vehicle": f"{case.vehicle:016x}",
        "asked": case.asked,
        "erased_until": case.asked,
        "done": 0,
        "rows": erased.rows_removed,
        "keys_destroyed": len(erased.old),
        "segments_old": [f"sha256:{s.sha256}" for s in erased.old],
        "segments_new": [f"sha256:{s.sha256}" for s in erased.new],
        "remains": "a backup of papers taken before this moment still holds the old wrapped keys"
        + (passed if lost else ""),
        "salt": site.randomness(16).hex(),
    }


def certificate(site: Site, case: cases.Case) -> dict[str, Any]:
    """The certificate with its proof, which 'onshore verify' accepts as a receipt."""
    if case.certificate is None or case.entry is None:
        raise Refusal("not-done", "this case has no certificate yet", remedy="wait until the erasure is done")
    return {"receipt": case.certificate, "proof": site.proof(case.entry)}
