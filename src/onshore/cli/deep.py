"""`onshore check --deep`: every file of a site held against what is known of it; each that is wrong is named."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from onshore.ledger import verify
from onshore.ledger.audit import audit as audit_log
from onshore.ledger.layout import CHECKPOINT
from onshore.ledger.note import Unreadable, Wrong
from onshore.ledger.signer import LogSigner
from onshore.ledger.verify import Trust
from onshore.vault import counts, seal
from onshore.vault.audit import audit as audit_vault
from onshore.vault.giving_up import give_up
from onshore.vault.papers import entries, parcels, reading, receipts, uploads
from onshore.vault.segments import Shelf
from onshore.words.errors import Broken, OnshoreError

if TYPE_CHECKING:
    from onshore.site import Site

Found = tuple[str, str]
"""A file, by its path below the site's folder, and what is wrong with it."""

SEALED = ("site.toml",)


def damage(site: "Site") -> Iterator[Found]:
    """All that is wrong with the files of a site that opens; nothing where all is well."""
    if (site.folder / seal.NAME).exists():
        yield from seal.broken(site.folder, site.key("seal"))
    yield from ledger(site)
    yield from _looked("papers.sqlite", lambda: list(_papers(site)))
    shelf = Shelf(site.root, site.vault, site.id)
    yield from _looked("papers.sqlite", lambda: [(f"vault/{p}", wrong) for p, wrong in audit_vault(site.engine, shelf)])
    yield from _outbox(site)
    for path in sorted((site.folder / "locks").glob("*")):
        if path.is_dir() or path.stat().st_size:
            yield f"locks/{path.name}", "it is no lock of ours: those are empty"


def ledger(site: "Site") -> Iterator[Found]:
    """What is wrong with the files of the ledger, and with what the papers handed in to it."""
    room = site.folder / "ledger"
    years = sorted(path for path in room.glob("[0-9][0-9][0-9][0-9]") if path.is_dir())
    found = []
    for folder in (room, *years):
        keys = LogSigner(_origin(site, folder), site.key("ledger")).keys
        files = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
        names = [file.as_posix() for file in files if folder != room or room / file.parts[0] not in years]
        found += [(folder / name, wrong) for name, wrong in audit_log(_reader(folder), names, keys)]
    yield from ((file.relative_to(site.folder).as_posix(), wrong) for file, wrong in found)
    if not found:
        yield from (("ledger", wrong) for wrong in _links(site))
        yield from _looked("papers.sqlite", lambda: [*_entries(site), *_border(site)])


def _reader(folder: Path) -> Callable[[str], bytes | None]:
    return lambda name: _bytes(folder / name)


def _origin(site: "Site", folder: Path) -> str:
    """The name of the log in a folder, as its checkpoint says it where that is a year of this site's."""
    said = (_bytes(folder / CHECKPOINT) or b"").partition(b"\n")[0].decode("utf-8", "replace")
    own = site.settings.site.origin
    return said if verify.without_year(said) == verify.without_year(own) else own


def _links(site: "Site") -> list[str]:
    """What is wrong with the links between the years' logs, each of which is whole."""
    try:
        list(site.reopened().fsck())
    except Broken as broken:
        return [str(broken)]
    return []


def note_seal(site: "Site") -> bool:
    """Seal what nothing else vouches for; False while somebody is at the papers."""
    opinions = [turned.file.relative_to(site.folder).as_posix() for turned in site.readings if turned.obj]
    policy = [said] if (said := site.settings.witnesses.policy) and (site.folder / said).is_file() else []
    return seal.write_seal(site.engine, site.key("seal"), site.folder, [*SEALED, *opinions, *policy], site.clock())


def no_longer_aside(site: "Site") -> int:
    """Give up damaged and lost journals, once they were kept for as long as the settings say; how many."""
    before = site.clock() - site.settings.vault.aside_days * 86_400_000
    return give_up(site.engine, site.vault, before)


def _entries(site: "Site") -> Iterator[Found]:
    with reading(site.engine) as conn:
        rows = conn.execute(select(entries.c.leaf, entries.c.body).where(entries.c.leaf.is_not(None))).all()
    there = list(site.ledger.entries())
    bodies = {int(row.leaf): bytes(row.body) for row in rows}
    if set(bodies) - set(range(len(there))):
        yield "ledger/checkpoint", "the log is shorter than the papers say; restore it from a backup"
    wrong = [number for number, body in bodies.items() if number < len(there) and there[number] != body]
    if wrong or set(range(len(there))) - set(bodies):
        yield "papers.sqlite", "what it says was handed in to the ledger is not what the ledger holds"


def _border(site: "Site") -> Iterator[Found]:
    """Permits, approvals, parcels and persons of the papers that are not those of the ledger."""
    from onshore.border.agreeing import disagreements

    for says in disagreements(site):
        yield "papers.sqlite", f"{says}: find out who wrote there, or restore it from a backup"


def _papers(site: "Site") -> Iterator[Found]:
    """What SQLite finds wrong with its own file, and papers that the ledger or a seal contradicts."""
    if site.engine.dialect.name == "sqlite":
        with reading(site.engine) as conn:
            for pragma in ("integrity_check", "foreign_key_check"):
                said = conn.exec_driver_sql(f"PRAGMA {pragma}").all()
                if any(str(row[0]) != "ok" for row in said):
                    yield "papers.sqlite", f"SQLite's {pragma} finds {len(said)} things wrong; restore it from a backup"
                    return
    with reading(site.engine) as conn:
        pairs = select(receipts.c.paper, entries.c.body).join(entries, entries.c.id == receipts.c.entry)
        told = conn.execute(pairs).all()
        ids = list(conn.execute(select(uploads.c.id)).scalars())
    try:
        good = all(verify.digest(json.loads(row.paper)) == verify.read_entry(bytes(row.body))["obj"] for row in told)
    except (Wrong, ValueError, KeyError, TypeError):
        good = False
    yield from _meter(site)
    if not good:
        yield "papers.sqlite", "a receipt of a consent is not the one that the ledger names"
    yield from _uploads(site, ids)


def _meter(site: "Site") -> Iterator[Found]:
    """Counts of the meter that are not what the persons of each parcel make."""
    with reading(site.engine) as conn:
        for name in counts.wrong(conn):
            yield "papers.sqlite", f"the meter's count {name} is not what its parcels make: restore a backup"


def _uploads(site: "Site", ids: list[str]) -> Iterator[Found]:
    from onshore.gate.upload.shelf import Shelf as Uploads

    for id_ in ids:
        try:
            Uploads(site).find(id_)
        except OnshoreError:
            yield "papers.sqlite", f"upload {id_} does not open: its papers were altered"


def _outbox(site: "Site") -> Iterator[Found]:
    """Parcels that are not what the papers let out, proofs that do not prove them, and what has no place there."""
    with reading(site.engine) as conn:
        known = {row.id: row.sha256 for row in conn.execute(select(parcels.c.id, parcels.c.sha256))}
    keys = LogSigner(site.settings.site.origin, site.key("ledger")).keys
    for path in sorted((site.folder / "outbox").glob("*")):
        name, id_ = f"outbox/{path.name}", path.name.rpartition(".")[0]
        if path.suffix == ".parcel" and id_ in known:
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != known[id_]:
                    yield name, "it is not what the papers let out: find out who put it there"
            if not path.with_suffix(".tlog-proof").is_file():
                yield f"outbox/{id_}.tlog-proof", "it is missing"
        elif path.suffix == ".tlog-proof" and id_ in known:
            proof = path.read_bytes()
            # A parcel that an older release let out is proven under a checkpoint with the first signature alone.
            older = proof.rpartition(b"\n\n")[2].count(b"\n") == 1
            try:
                list(verify.parcel(proof, known[id_] or "", Trust(keys[:1] if older else keys)))
            except (Wrong, Unreadable) as wrong:
                yield name, str(wrong)
        elif path.suffix != ".new":
            yield name, "the papers let out no such thing: find out who put it there"


def _looked(where: str, look: Callable[[], list[Found]]) -> list[Found]:
    """What a look finds; where the papers fail under it, they are what is wrong."""
    try:
        return look()
    except (SQLAlchemyError, ValueError, TypeError) as failed:
        return [(where, f"the papers do not answer ({type(failed).__name__}): restore them from a backup")]


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
