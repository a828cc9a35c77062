"""Erase one car: restricted at once, rewritten, keys destroyed, read back, certified in the ledger."""

import time
from typing import Any

from sqlalchemy import Connection

from onshore.ledger.entry import digest
from onshore.register import consents
from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.site import Site, suppress_taken
from onshore.vault.erase import Erased, erase_vehicle
from onshore.vault.journal_files import ask_rotate, journals_before
from onshore.vault.lock import hold
from onshore.words.errors import Broken, Refusal

_LOOKS, _PAUSE = (
    1500,
    0.02,
)  # how often, and seconds between, to look whether a gate or the keeper did its part


def erase(site: Site, vehicle: Vehicle, by: str) -> cases.Case:
    """Have everything erased that arrived of a vehicle until now (PIPL Art. 47), and return the closed case.

    No reader sees a row of it from this moment on; its consents are withdrawn; what arrives later is new, and only
    what the law itself demands. Where another process keeps the site, that one does the work and this one waits.
    """
    case = cases.opened(site, vehicle, "erase", by)
    consents.withdraw_all(site, vehicle)
    for _ in range(_LOOKS):
        with suppress_taken(), hold(site.folder / "locks" / "keep", "keep"):
            carry_out(site)
        if (done := cases.find(site, case.id)).state == "done":
            site.settle(done.entry)
            return done
        time.sleep(_PAUSE)
    raise Broken("the process that keeps the site did not finish the erasure in 30 seconds; the rows stay restricted")


def carry_out(site: Site) -> None:
    """Do the erasures that were asked for; the caller holds the keep lock. Taken up again after a crash."""
    waiting = cases.waiting(site, "erase")
    if not waiting:
        return
    turn = ask_rotate(site.engine)
    for _ in range(_LOOKS):
        site.drain()
        if not journals_before(site.engine, site.vault, turn):
            break
        time.sleep(_PAUSE)  # a gate closes its file at its next tick
    for case in waiting:
        _erase_one(site, case, turn)
    site.write_ledger()


def _erase_one(site: Site, case: cases.Case, turn: int) -> None:
    def certify(conn: Connection, erased: Erased) -> None:
        certificate = _certificate(site, case, erased)
        body = site.entry(
            "erase",
            obj=digest(certificate),
            segments_old=len(erased.old),
            segments_new=len(erased.new),
            rows=erased.rows_removed,
        )
        cases.close(conn, case, site.clock(), entry=site.hand_in(conn, body), certificate=certificate)
        cases.lift(conn, case.vehicle)

    erase_vehicle(
        site.engine,
        site.root,
        site.vault,
        site.id,
        case.vehicle,
        turn=turn,
        before=case.asked + 1,  # what came in the same millisecond came before it
        clock=site.clock,
        randomness=site.randomness,
        alongside=certify,
    )


def _certificate(site: Site, case: cases.Case, erased: Erased) -> dict[str, Any]:
    return {
        "kind": "erasure",
        "site": site.id,
        "case": case.id,
        "vehicle": f"{case.vehicle:016x}",
        "asked": case.asked,
        "erased_until": case.asked,
        "done": site.clock(),
        "rows": erased.rows_removed,
        "keys_destroyed": len(erased.old),
        "segments_old": [f"sha256:{s.sha256}" for s in erased.old],
        "segments_new": [f"sha256:{s.sha256}" for s in erased.new],
        "remains": "a backup of papers taken before this moment still holds the old wrapped keys",
        "salt": site.randomness(16).hex(),
    }


def certificate(site: Site, case: cases.Case) -> dict[str, Any]:
    """The certificate with its proof, which 'onshore verify' accepts as a receipt."""
    if case.certificate is None or case.entry is None:
        raise Refusal("not-done", "this case has no certificate yet", remedy="wait until the erasure is done")
    return {"receipt": case.certificate, "proof": site.proof(case.entry)}
