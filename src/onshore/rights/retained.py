"""Retained: records among the papers that a law has kept or capped, each by its kind; none is dropped by a guess."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Column, func, select

from onshore.rights.retention import ends, kept
from onshore.rules.keeping import Term, floor_of
from onshore.rules.local import local_day
from onshore.site import Site
from onshore.vault.papers import parcels, permits, reading, transfer_papers, transfers

_PERSONS = "identity", "consent", ""
"""What records of an export are about: persons; their floors and caps name the record."""

RECORDS: Mapping[str, tuple[str, Column[int]]] = {
    "transfers": ("decision-record", transfers.c.asked),
    "transfer papers": ("impact-assessment", transfer_papers.c.filed),
    "permits": ("decision-record", permits.c.granted),
    "parcels": ("provision-record", parcels.c.reserved),
}
"""Papers that are a record of a pack, and when each was made. The persons on the meter are those of a parcel."""


@dataclass(frozen=True)
class Retained:
    """Records of one kind: how many, the earliest (ms UTC), until when the last must lie and the earliest may."""

    papers: str
    record: str
    count: int
    first: int
    must: Term | None
    may: Term | None

    def over(self, at: int) -> bool:
        """Whether the earliest may lie no longer at an instant (ms UTC)."""
        return self.may is not None and self.may.until < at


def retained(site: Site, at: int) -> Iterator[Retained]:
    """The records that the papers hold, by the law of an instant (ms UTC)."""
    day = local_day(at, site.law.zone)
    pack = site.law.on(day).pack.as_of(day)
    for name, (record, made) in RECORDS.items():
        with reading(site.engine) as conn:
            count, first, last = conn.execute(select(func.count(), func.min(made), func.max(made))).one()
        if count:
            act = kept(site, _PERSONS, record)
            yield Retained(name, record, count, first, floor_of(act, last, pack), ends(site, act, first, at))
