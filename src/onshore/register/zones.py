"""Restricted zones of a site: lists imported with their source, removed again, and compiled for the sieve."""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from onshore.consent.geojson import parse_geojson
from onshore.consent.zones import Zones
from onshore.ledger.entry import digest
from onshore.site import Site
from onshore.vault.keys import open_sealed, seal
from onshore.vault.papers import meta, reading, writing, zones
from onshore.words.errors import Malformed, Refusal
from onshore.words.place import Zone

COUNTER = "zones"


@dataclass(frozen=True)
class Origin:
    """What an officer says of a list: its name, whose it is and of when, what it lists, its datum, metres around."""

    name: str
    source: str
    kind: str
    datum: str
    margin: int


@dataclass(frozen=True)
class Listed:
    """A list of zones on file: its id, what was said of it, how many features, the file's sha256, and when."""

    id: str
    origin: Origin
    features: int
    sha256: str
    imported: int
    imported_by: str
    removed: int | None


@dataclass(frozen=True)
class Act:
    """A list imported or removed: its id, the salted paper whose digest the ledger holds, and that entry's number."""

    id: str
    paper: dict[str, Any]
    entry: int


def put_on_file(site: Site, text: str, origin: Origin, by: str) -> Act:
    """Import a list of zones (GeoJSON); it holds for every batch from now on, and for what is kept nothing changes.

    Refused: a list that stands already, alike in bytes, datum and margin. Malformed: what `parse_geojson` or the
    grid cannot take, a name or source that is missing or too long.
    """
    _check(origin)
    found = _parsed(text, origin)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    now, number, key = site.clock(), site.randomness(16).hex(), site.key("column")
    with writing(site.engine) as conn:
        _refuse_again(site, conn, sha256, origin)
        Zones([*_standing(conn, key), *found]).compile()
        conn.execute(
            zones.insert().values(
                id=number,
                name=origin.name,
                kind=origin.kind,
                source=origin.source,
                datum=origin.datum,
                margin_m=origin.margin,
                geojson=seal(key, text.encode(), _place(number), site.randomness),
                features=len(found),
                sha256=sha256,
                imported=now,
                imported_by=by,
            )
        )
        _mark_changed(conn)
        site.recall(conn, (zones, zones.c.id == number))
        return _recorded(site, conn, _one(conn, number), "imported")


def remove(site: Site, number: str) -> Act:
    """Take a list off the file, from this instant; it stays listed as removed."""
    with writing(site.engine) as conn:
        if _one(conn, number).removed is not None:
            raise Refusal(
                "zone-removed", "this list was removed before", remedy="'onshore zone list' shows what stands"
            )
        conn.execute(update(zones).where(zones.c.id == number).values(removed=site.clock()))
        _mark_changed(conn)
        return _recorded(site, conn, _one(conn, number), "removed")


def listed(site: Site) -> list[Listed]:
    """All lists ever imported, oldest first, without their geometry."""
    with reading(site.engine) as conn:
        return [_listed(row) for row in conn.execute(select(zones).order_by(zones.c.imported, zones.c.id))]


class Standing:
    """The site's zones, compiled; anew when the papers' change counter moved."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seen = 0
        self._compiled = Zones([])

    def compiled(self) -> Zones:
        """The zones as of now."""
        with reading(self._site.engine) as conn:
            changed = _changes(conn)
            if changed != self._seen:
                self._compiled = Zones(_standing(conn, self._site.key("column")))
                self._seen = changed
        return self._compiled


def _check(origin: Origin) -> None:
    for field, value, most in (("name", origin.name, 200), ("source", origin.source, 400)):
        if not value.strip() or len(value) > most or not value.isprintable():
            raise Malformed(f"a line of 1 to {most} characters is needed", where=field)


def _parsed(text: str, origin: Origin) -> tuple[Zone, ...]:
    return parse_geojson(text, origin.name, kind=origin.kind, datum=origin.datum, margin=origin.margin)


def _refuse_again(site: Site, conn: Connection, sha256: str, origin: Origin) -> None:
    alike = (zones.c.sha256 == sha256, zones.c.datum == origin.datum, zones.c.margin_m == origin.margin)
    if conn.execute(select(zones.c.id).where(*alike, zones.c.removed.is_(None))).first():
        zoned = site.pack.collect.restricted_zone
        raise Refusal(
            "zone-known",
            "this list stands already, in this datum and with this margin",
            article=zoned.article if zoned else "",
            remedy="'onshore zone list' shows what stands",
        )


def _standing(conn: Connection, key: bytes) -> list[Zone]:
    rows = conn.execute(select(zones).where(zones.c.removed.is_(None)).order_by(zones.c.imported, zones.c.id))
    return [
        zone
        for row in rows
        for zone in _parsed(open_sealed(key, row.geojson, _place(row.id)).decode(), _listed(row).origin)
    ]


def _place(number: str) -> str:
    return f"zones/{number}/geojson"


def _one(conn: Connection, number: str) -> Listed:
    row = conn.execute(select(zones).where(zones.c.id == number)).one_or_none()
    if row is None:
        raise Refusal("zone-unknown", "no list of zones has this id", remedy="'onshore zone list' names them")
    return _listed(row)


def _listed(row: Row[Any]) -> Listed:
    origin = Origin(row.name, row.source, row.kind, row.datum, row.margin_m)
    return Listed(row.id, origin, row.features, row.sha256, row.imported, row.imported_by, row.removed)


def _recorded(site: Site, conn: Connection, what: Listed, state: str) -> Act:
    paper = {
        "kind": "zone",
        "state": state,
        "site": site.id,
        "zone": what.id,
        "of": what.origin.kind,
        "source": what.origin.source,
        "datum": what.origin.datum,
        "margin_m": what.origin.margin,
        "features": what.features,
        "sha256": what.sha256,
        "imported": what.imported,
        "removed": what.removed or 0,
        "salt": site.randomness(16).hex(),
    }
    return Act(what.id, paper, site.hand_in(conn, site.entry("zone", obj=digest(paper), state=state)))


def _changes(conn: Connection) -> int:
    found = conn.execute(select(meta.c.value).where(meta.c.name == COUNTER)).scalar()
    return int(found) if found else 0


def _mark_changed(conn: Connection) -> None:
    count = _changes(conn)
    if count:
        conn.execute(update(meta).where(meta.c.name == COUNTER).values(value=str(count + 1)))
    else:
        conn.execute(meta.insert().values(name=COUNTER, value="1"))
