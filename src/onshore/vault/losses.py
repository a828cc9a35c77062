"""Losses: what is under a key, and so what is lost with it."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, func, select, true

from onshore.vault.keyed import direct, under
from onshore.vault.papers import forwards, journals, persons, segments, site_keys, vehicles, zones
from onshore.words.errors import Broken

STILL = (
    "What still works without it: 'onshore verify' of the ledger folder, of proofs, receipts and parcels; "
    "'onshore keys show'; and the columns of the papers that stand there in the clear"
)


@dataclass(frozen=True)
class Under:
    """What opens under one key, or under all: counts, categories, and the first and last local day of the segments."""

    segments: int
    rows: int
    categories: tuple[str, ...]
    first: str | None
    last: str | None
    journals: int
    lanes: int
    lane_rows: int
    site_keys: tuple[str, ...]
    vehicles: int
    persons: int
    zones: int

    @property
    def keys(self) -> int:
        """Keys that it wraps."""
        return self.segments + self.journals + self.lanes + len(self.site_keys)

    def told(self) -> str:
        """The same in words, for whoever has lost the key."""
        said = []
        if self.segments:
            said.append(
                f"{self.segments} segments with {self.rows} rows of {', '.join(self.categories)}, "
                f"{self.first} to {self.last}"
            )
        if self.journals:
            said.append(f"{self.journals} journal files that are not drained")
        if self.lanes:
            said.append(f"{self.lane_rows} rows on their way to a platform")
        if self.vehicles or self.persons or self.zones:
            said.append(
                f"the sealed columns of the papers: VINs of {self.vehicles} cars, names and contacts of "
                f"{self.persons} persons, {self.zones} lists of zones"
            )
        if "ledger" in self.site_keys:
            said.append("the key that signs the ledger")
        if others := [name for name in self.site_keys if name != "ledger"]:
            said.append(f"the site's own keys {', '.join(others)}")
        return "; ".join(said) or "nothing"


def under_key(conn: Connection, id_: str) -> Under:
    """What opens under the wrapping key of that id."""
    return _under(conn, lambda table: under(table.c.wrapped, id_))


def under_root(conn: Connection) -> Under:
    """What the root wraps itself, as release 0.1 had it."""
    return _under(conn, lambda table: direct(table.c.wrapped))


def under_all(conn: Connection) -> Under:
    """All that opens at this site."""
    return _under(conn, lambda _table: true())


def lost(conn: Connection, why: str, what: Under | None = None) -> Broken:
    """The error that says what is lost, what still works, and what to do; `what`: all, unless one key's is given."""
    told = (what or under_all(conn)).told()
    return Broken(
        f"{why}. Lost with it: {told}. {STILL}. What to do: restore the key from where a copy of it is kept, never "
        "make another in its place; where no copy is left, nobody can open any of this again"
    )


def _under(conn: Connection, which: Callable[[Table], ColumnElement[bool]]) -> Under:
    s = segments.c
    found = conn.execute(
        select(func.count(), func.sum(s.rows), func.min(s.day), func.max(s.day)).where(which(segments))
    ).one()
    named = select(s.category).where(which(segments)).distinct().order_by(s.category)
    lanes = conn.execute(select(func.count(), func.sum(forwards.c.rows - forwards.c.sent)).where(which(forwards))).one()
    own = conn.scalars(select(site_keys.c.name).where(which(site_keys)).order_by(site_keys.c.name)).all()
    sealed = "column" in own
    return Under(
        segments=found[0],
        rows=int(found[1] or 0),
        categories=tuple(conn.scalars(named)),
        first=found[2],
        last=found[3],
        journals=_count(conn, journals, which(journals)),
        lanes=lanes[0],
        lane_rows=int(lanes[1] or 0),
        site_keys=tuple(own),
        vehicles=_count(conn, vehicles) if sealed else 0,
        persons=_count(conn, persons, persons.c.name_sealed.is_not(None)) if sealed else 0,
        zones=_count(conn, zones) if sealed else 0,
    )


def _count(conn: Connection, table: Table, which: ColumnElement[bool] | None = None) -> int:
    return conn.scalar(select(func.count()).select_from(table).where(true() if which is None else which)) or 0
