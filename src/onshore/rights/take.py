"""Take along: raw and pre-processed data at the maker's own quality, sealed to the person (EU Data Act, Art. 4, 5)."""

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from onshore.ledger.entry import digest
from onshore.register import vehicles, views
from onshore.register.vehicles import Vehicle
from onshore.rights import cases
from onshore.rights.bundle import Bundle
from onshore.rights.cases import Case, Wish
from onshore.rights.certificates import hand_out
from onshore.rights.whose import rows
from onshore.site import Site
from onshore.vault.age import check_recipient, seal_stream
from onshore.vault.disk import sync_folder, write_new
from onshore.vault.lock import hold
from onshore.vault.papers import writing
from onshore.words.errors import Broken


@dataclass(frozen=True)
class Taken:
    """What a person takes along: the case, the sealed `file`, the `receipt` beside it, and what that says."""

    case: Case
    file: Path
    receipt: Path
    paper: dict[str, Any]


def take(site: Site, vehicle: Vehicle, by: str, wish: Wish, *, folder: Path, to: str) -> Taken:
    """Seal what a wish means into `folder` for the age key `to`, with a receipt that 'onshore verify' accepts.

    All raw and pre-processed signals, as kept, of every ground, restricted or not; what gates acknowledged until now
    is in it. The same asked again while it is under way is that case again. Malformed where `to` is no such key.
    """
    views.refuse_abroad(site, by, "rights-take")
    detail = {"to": check_recipient(to), "folder": str(folder.resolve())}
    folder.mkdir(parents=True, exist_ok=True)
    case = cases.opened(site, vehicle, "take", by, replace(wish, detail=detail))
    return finish(site, case)


def finish(site: Site, case: Case) -> Taken:
    """Bring a case to its end from wherever it stopped; its file gets its name only once the ledger has its digest."""
    with hold(site.folder / "locks" / "take", "take"):
        case = cases.find(site, case.id)
        file, staged = _paths(case)
        if case.state == "sealed" and not _is(staged, case) and not _is(file, case):
            case = _again(site, case)
        if case.state == "asked":
            staged.unlink(missing_ok=True)
            case = _seal(site, case, staged)
        return _hand_over(site, case, file, staged)


def _paths(case: Case) -> tuple[Path, Path]:
    folder = Path((case.wish.detail or {})["folder"])
    return folder / f"{case.id}.tar.age", folder / f".{case.id}.new"


def _seal(site: Site, case: Case, staged: Path) -> Case:
    site.bring_in()
    bundle = Bundle(_head(site, case), site.catalogue)
    staged.parent.mkdir(parents=True, exist_ok=True)
    with staged.open("xb") as file:
        seal_stream(bundle.flow(rows(site, case.wish.scope)), file, (case.wish.detail or {})["to"])
    paper = {
        "kind": "take",
        "site": site.id,
        "case": case.id,
        "identity": case.wish.identity,
        "at": site.clock(),
        "sealed": _digest(staged),
        "manifest": "sha256:" + hashlib.sha256(bundle.manifest).hexdigest(),
        "rows": bundle.rows,
        "parts": len(bundle.parts),
        "bytes": staged.stat().st_size,
        "salt": site.randomness(16).hex(),
    }
    body = site.entry("take", obj=digest(paper), **{name: paper[name] for name in ("rows", "parts", "bytes")})
    with writing(site.engine) as conn:
        cases.move(conn, case, "sealed", entry=site.hand_in(conn, body), certificate=paper)
    return cases.find(site, case.id)


def _head(site: Site, case: Case) -> dict[str, Any]:
    scope = case.wish.scope
    return {
        "case": case.id,
        "site": site.id,
        "jurisdiction": site.settings.site.jurisdiction,
        "vin": vehicles.vin_of(site, case.vehicle),
        "categories": sorted(scope.categories or ()),
        "from": scope.start or 0,
        "until": scope.until or 0,
        "quality": "as the maker itself has it: every row and digit that is kept",
    }


def _hand_over(site: Site, case: Case, file: Path, staged: Path) -> Taken:
    assert case.certificate is not None
    assert case.entry is not None
    receipt = {"receipt": case.certificate, "proof": site.proof(case.entry)}  # the ledger before it is theirs
    if not _is(staged, case) and not _is(file, case):
        raise Broken(f"{file.name} is not what was sealed for this case: find out who changed it, then ask again")
    if staged.exists():
        staged.replace(file)
        sync_folder(file.parent)
    beside = file.with_name(f"{case.id}.receipt.json")
    beside.unlink(missing_ok=True)
    write_new(beside, memoryview(json.dumps(receipt, ensure_ascii=False).encode()))
    if case.state == "sealed":
        with writing(site.engine) as conn:
            cases.close(conn, case, site.clock(), entry=case.entry)
    return Taken(hand_out(site, cases.find(site, case.id)), file, beside, case.certificate)


def _again(site: Site, case: Case) -> Case:
    """Ask again for what was sealed and is gone: nobody has it, and the entry stands for a file that nobody has."""
    with writing(site.engine) as conn:
        cases.reopen(conn, case)
    return cases.find(site, case.id)


def _is(path: Path, case: Case) -> bool:
    return path.exists() and case.certificate is not None and _digest(path) == case.certificate["sealed"]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
