"""Certificates: what an erasure did, salted; once handed out, nothing here links them to the ledger any more."""

import json
from typing import Any

from sqlalchemy import update

from onshore.consent.records import BEFORE_TIME, FOREVER
from onshore.ledger.entry import digest
from onshore.register import persons
from onshore.rights.cases import Case, find, move
from onshore.rights.floors import Floors
from onshore.rights.whose import told_of
from onshore.rules.local import local_day, local_midnight
from onshore.site import Site
from onshore.vault import restrictions
from onshore.vault.erase import Erased
from onshore.vault.freed import owe, settle
from onshore.vault.papers import rights_cases, wishes, writing
from onshore.vault.restrictions import Scope
from onshore.words.errors import Refusal

_LINKS = ("salt", "segments_old", "segments_new", "sealed", "manifest")
"""What of a certificate only the person keeps: with it, and with it alone, the ledger's commitment can be opened."""

_ALIKE = ("rows", "parts", "bytes", "keys_destroyed", "at", "done")
"""What stands in the ledger's entry as well, or within a moment of it: it would find the entry without any salt."""


def drafted(site: Site, case: Case, erased: Erased, floors: Floors, until: int, still: str) -> dict[str, Any]:
    """What a certificate will say; `until`: what arrived up to that instant (ms UTC) is gone, but for what is kept.

    `still`: what may hold old keys all the same (`forgetting.remains`).
    """
    held = [floors.until(article, erased.latest) for article in erased.kept]
    return {
        "kind": "erasure",
        "site": site.id,
        "case": case.id,
        "vehicle": f"{case.vehicle:016x}",
        "scope": told_of(case.wish.scope),
        "identity": case.wish.identity,
        "asked": case.asked,
        "erased_until": until,
        "done": 0,
        "rows": erased.rows_removed,
        "keys_destroyed": len(erased.old),
        "segments_old": [f"sha256:{s.sha256}" for s in erased.old],
        "segments_new": [f"sha256:{s.sha256}" for s in erased.new],
        "searched": erased.checked,
        "kept": [
            {"article": h.article, "says": h.says, "until": h.until, "rows": erased.kept[h.article]} for h in held
        ],
        "kept_before": max(until, *erased.latest.values()) + 1 if held else 0,
        "remains": still,
        "salt": site.randomness(16).hex(),
    }


def certify(site: Site, case: Case) -> None:
    """Certify an erasure whose rows are gone and whose keys nothing holds; what the law has kept stays restricted."""
    assert case.draft is not None
    paper = case.draft | {"done": site.clock()}
    body = site.entry(
        "erase",
        obj=digest(paper),
        segments_old=len(paper["segments_old"]),
        segments_new=len(paper["segments_new"]),
        rows=paper["rows"],
    )
    kept = paper.get("kept", [])
    gone = None if kept else _departed(site, case)
    with writing(site.engine) as conn:
        values = {"done": paper["done"], "entry": site.hand_in(conn, body), "certificate": paper}
        move(conn, case, "held" if kept else "done", **values)
        restrictions.lift(conn, case.id)
        if gone is not None:
            persons.forget(conn, gone)
            owe(conn)
        if kept:
            held = _before(case.wish.scope, paper["kept_before"])
            until = max(one["until"] for one in kept)
            left = {"until": held.until, "held_until": until}  # what comes later is new: it neither hides nor goes
            conn.execute(update(wishes).where(wishes.c.id == case.id).values(left))
            restrictions.restrict(conn, held, since=case.asked, case=case.id, reason=kept[0]["article"][:80])


def _departed(site: Site, case: Case) -> int | None:
    """Whose name goes with their rows: somebody who keeps the car no more, and had all of their time with it erased."""
    person, scope = case.wish.person, case.wish.scope
    if person is None:
        return None
    since, until = persons.span(site, case.vehicle, person)
    theirs = Scope(case.vehicle, scope.driver, None, None if since == BEFORE_TIME else since, until)
    return person if until != FOREVER and theirs.within(scope) else None


def _before(scope: Scope, instant: int) -> Scope:
    """The part of a scope before an instant."""
    until = instant if scope.until is None else min(scope.until, instant)
    return Scope(scope.vehicle, scope.driver, scope.categories, scope.start, until)


def certificate(site: Site, case: Case) -> dict[str, Any]:
    """The certificate with its proof, which 'onshore verify' accepts as a receipt.

    Once it was handed out, what is left of it here: no salt, no proof, and when that was (`struck`, ms UTC).
    """
    if case.certificate is None:
        raise Refusal("not-done", "this case has no certificate yet", remedy="wait until the erasure is done")
    if case.entry is None:
        return {"receipt": case.certificate, "proof": None, "struck": case.struck}
    return {"receipt": case.certificate, "proof": site.proof(case.entry)}


def hand_out(site: Site, case: Case) -> Case:
    """Strike here what links a certificate to the ledger, now that the person has it: salt, digests, counts, number.

    Call it when the certificate is durably where the person gets it. Then nobody can show any more, with all that is
    held here, that the ledger's entry is about this case; when it was done is told by the day. Where somebody is in the
    way of emptying the pages that this frees, whoever keeps the site does it as soon as nobody is.
    """
    if case.certificate is None or case.entry is None:
        return case
    left = {name: value for name, value in case.certificate.items() if name not in _LINKS + _ALIKE}
    day = local_midnight(local_day(case.done or case.asked, site.pack.zone), site.pack.zone)
    with writing(site.engine) as conn:
        mine = rights_cases.c.id == case.id
        text = json.dumps(left, sort_keys=True)
        values = {"certificate": text, "entry": None, "done": max(case.asked, day)}
        conn.execute(update(rights_cases).where(mine).values(values))
        conn.execute(update(wishes).where(wishes.c.id == case.id).values(struck=site.clock(), detail=None))
        site.recall(conn, (rights_cases, mine), (wishes, wishes.c.id == case.id))
        owe(conn)
    settle(site.engine)
    return find(site, case.id)
